"""The one place that uses httpx to connect: time-outs, redirects, TLS, and what a break means.

One `httpx.AsyncClient` serves each provider for a whole run. It is made at the first call, and
httpx is imported no earlier, so that commands that ask nobody start quickly. The TLS context, the
most expensive part, is built only where it is needed.
"""

import json
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from agent_runner import __version__
from agent_runner.model.errors import (
    FatalError,
    ProviderError,
    TransientError,
    UnknownOutcomeError,
    UsageError,
)
from agent_runner.providers.addresses import origin
from agent_runner.providers.obstacles import require_headers, trust_own_authorities
from agent_runner.providers.profiles import Profile

if TYPE_CHECKING:
    import httpx

CONNECT_TIMEOUT = 5.0
"""Seconds to find a server and agree on TLS; the vendors' own SDKs wait as long."""

KEEP_IDLE = 30.0
"""Seconds that an unused connection is kept."""

_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({307, 308})
"""Redirects that keep method and body; the others would turn a POST into a GET."""


class Connection:
    """Sends requests of one profile. Holds no key: the header that carries it is made per call."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._client: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def send(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> "AsyncIterator[httpx.Response]":
        """The response, its body not read yet. Raises ProviderError for what breaks before it.

        Redirects are followed within the same host only: another one must not see the key.
        """
        import httpx

        client = self._client = self._client or self._new_client()
        url = self._profile.base_url + path
        sent = {**headers, **self._own_headers()}
        # a file that is shown may hold half a surrogate pair, which is no UTF-8: it goes out as "?"
        content = (
            None if body is None else json.dumps(body, ensure_ascii=False).encode(errors="replace")
        )
        # httpx could follow redirects itself, but it would decide about the key's header by rules
        # of its own, and turn a POST into a GET where the server answers 301 or 302
        for _ in range(_MOST_REDIRECTS + 1):
            try:
                request = client.build_request(method, url, content=content, headers=sent)
                response = await client.send(request, stream=True)
            except httpx.HTTPError as error:
                raise error_of_break(error, self._profile) from error
            except httpx.InvalidURL as error:
                raise UsageError(
                    f"{self._profile.name}: {self._profile.base_url} is no address: {error}",
                    fix=f"check providers.{self._profile.name}.base_url",
                ) from error
            target = self._redirect(response)
            if target is None:
                try:
                    yield response
                finally:
                    await response.aclose()
                return
            await response.aclose()
            url = target
        raise FatalError(
            f"{self._profile.name}: {self._profile.base_url} redirects in circles",
            fix=f"check providers.{self._profile.name}.base_url",
        )

    async def aclose(self) -> None:
        """Close all connections; a second time does nothing."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _own_headers(self) -> dict[str, str]:
        """The user's headers and the key, read now. Raises UsageError without showing a value."""
        headers = {
            "user-agent": f"agent-runner/{__version__}",
            "content-type": "application/json",
            "accept-encoding": "identity",  # the bytes kept on disk are those that were sent
        }
        require_headers(self._profile)
        for name, value in self._profile.headers.items():
            headers[name.lower()] = value.strip()
        key = self._profile.key.header()
        if key is not None:
            headers[key[0]] = key[1]
        return headers

    def _redirect(self, response: "httpx.Response") -> str | None:
        """Where a redirect within the host leads; None for an ordinary answer.

        Raises FatalError for one that leaves the host or would change the method.
        """
        if not response.is_redirect:
            return None
        here = str(response.request.url)
        target: str = urljoin(here, response.headers.get("location", ""))
        if response.status_code in _REDIRECTS and origin(target) == origin(here):
            return target
        raise FatalError(
            f"{self._profile.name} answered {response.status_code}: redirect to "
            f"{_without_query(target)}, which is not followed",
            fix=f"if you trust that address, set providers.{self._profile.name}.base_url to it",
            status=response.status_code,
        )

    def _new_client(self) -> "httpx.AsyncClient":
        import httpx

        profile, proxy = self._profile, self._profile.proxy
        secure = (profile.base_url, proxy.url if proxy else "")
        verify = _tls(profile) if any(u.startswith("https:") for u in secure) else _no_tls()
        limits = httpx.Limits(max_connections=4, keepalive_expiry=KEEP_IDLE)
        # `read` counts from byte to byte, so that it bounds a silence and not the whole answer: a
        # streamed one may take as long as it likes while something of it comes
        silence = httpx.Timeout(profile.timeout, connect=CONNECT_TIMEOUT, pool=CONNECT_TIMEOUT)
        # a transport of our own, for TCP probes and for proxies that were checked beforehand:
        # httpx would read the environment again, and raise what it finds there in the middle of a
        # call
        transport = httpx.AsyncHTTPTransport(
            verify=verify,
            limits=limits,
            socket_options=_keep_alive(),
            proxy=_proxy(proxy.url, verify) if proxy else None,
        )
        return httpx.AsyncClient(
            timeout=silence, transport=transport, follow_redirects=False, trust_env=False
        )


def error_of_break(error: "httpx.HTTPError", profile: Profile) -> ProviderError:
    """The error for a break before the answer's headers: nothing was sent, or it was lost.

    The difference is money: what never connected was not billed, what broke later may have been.
    """
    import httpx

    by = f" by the proxy {profile.proxy}" if profile.proxy else ""
    where = f"{profile.name} ({profile.base_url}{by})"
    # from what certainly never left this machine to what may be under way: a time-out while the
    # body is written is of the second kind, since a server may bill what it has read
    if isinstance(error, httpx.ConnectError):
        return _unconnected(error, where, profile)
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return TransientError(
            f"{where}: no connection within {CONNECT_TIMEOUT:g} s", fix="check the network"
        )
    if isinstance(error, httpx.ProxyError | httpx.UnsupportedProtocol):
        return TransientError(f"{where}: {error}", fix="check the proxy that the environment names")
    if isinstance(error, httpx.ReadTimeout):
        what = f"nothing came for {profile.timeout:g} s"
    else:
        what = f"the connection broke ({str(error) or type(error).__name__})"
    return UnknownOutcomeError(
        f"{where}: {what} after the request was sent; it may have been billed",
        fix=f"raise providers.{profile.name}.timeout if answers take longer",
    )


def _unconnected(error: Exception, where: str, profile: Profile) -> ProviderError:
    # a certificate that is not trusted does not mend itself, everything else here may: a name that
    # is not known is what a laptop sees that has just woken up
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return FatalError(
                f"{where}: the server's certificate is not trusted ({cause.verify_message})",
                fix=f"set providers.{profile.name}.ca_file to the certificate of your authority",
            )
        if isinstance(cause, ssl.SSLError):
            return TransientError(
                f"{where}: TLS failed ({cause.reason or cause})",
                fix="check that the address is right: https where the server speaks TLS",
            )
        if isinstance(cause, socket.gaierror):
            return TransientError(
                f"{where}: the host's name is not known", fix="check the address and the network"
            )
        if isinstance(cause, ConnectionRefusedError):
            return TransientError(f"{where}: connection refused", fix="is the server running?")
    return TransientError(
        f"{where}: no connection ({str(error) or type(error).__name__})", fix="check the network"
    )


def _causes(error: BaseException | None) -> list[BaseException]:
    """The error and what led to it, nearest first; the members of groups count as well.

    httpx wraps what anyio raises, and anyio tries the addresses of a host in a group: the reason
    that helps a person lies at the bottom.
    """
    found: list[BaseException] = []
    pending = [error]
    while pending:
        one = pending.pop(0)
        if one is not None and one not in found:
            found.append(one)
            pending += [one.__cause__, one.__context__]
            pending += one.exceptions if isinstance(one, BaseExceptionGroup) else ()
    return found


def _proxy(url: str, verify: ssl.SSLContext) -> "httpx.Proxy":
    """The proxy; httpx refuses a TLS context for one that is spoken to without TLS."""
    import httpx

    return httpx.Proxy(url, ssl_context=verify if url.startswith("https:") else None)


def _no_tls() -> ssl.SSLContext:
    """A context for addresses without TLS: quick to make, since it trusts nobody."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _tls(profile: Profile) -> ssl.SSLContext:
    """The usual authorities, and the user's own beside them.

    There is no way to switch verification off: whoever answers then reads the key.
    """
    import httpx

    context = httpx.create_ssl_context()
    trust_own_authorities(context, profile)
    return context


def _keep_alive() -> list[tuple[int, int, int]]:
    """Socket options that send TCP probes.

    Without them some networks drop a connection on which a model thinks for minutes; Anthropic's
    documentation advises them for calls of ten minutes or more.
    """
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    idle = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None))
    if idle is not None:
        options.append((socket.IPPROTO_TCP, idle, 60))
    if hasattr(socket, "TCP_KEEPINTVL"):
        options.append((socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 30))
    return options


def _without_query(url: str) -> str:
    return url.partition("?")[0]
