"""Finds, judges and tidies the address of an API, so that a slip is found before the first call."""

import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit, urlunsplit

from agent_runner.model.errors import UsageError
from agent_runner.model.settings import ProviderSettings
from agent_runner.providers.catalogue import ReadyMade, protocol_of

_ENDPOINTS = ("/chat/completions", "/responses", "/v1/messages", "/messages", "/completions")


def address_of(
    name: str, entry: ReadyMade, own: ProviderSettings, env: Mapping[str, str]
) -> tuple[str, bool]:
    """The base URL and whether it is the vendor's own. Raises UsageError where there is none."""
    protocol = protocol_of(own.protocol or entry.protocol or "responses")
    if not protocol.networked:
        return own.base_url or "", False
    source, given = f"providers.{name}.base_url", own.base_url
    for variable in entry.base_urls:
        if not given and env.get(variable):
            source, given = variable, env[variable]
    if not given and not entry.base_url:
        wanted = entry.base_urls[0] if entry.base_urls else ""
        or_variable = f" or the variable {wanted}" if wanted else ""
        raise UsageError(
            f'provider "{name}" has no address',
            fix=f"set providers.{name}.base_url{or_variable}",
            option=source,
        )
    try:
        url = base_url_of(
            given or entry.base_url or "", source, protocol.own_prefix, entry.base_path
        )
    except UsageError as error:
        error.option = source
        raise
    return url, bool(entry.base_url and belongs_to(url, entry.base_url)) or bool(entry.base_path)


def base_url_of(given: str, source: str, own_prefix: str = "", base_path: str = "") -> str:
    """`given` without a slash at its end; `base_path` is put behind an address without a path.

    `own_prefix`: what the protocol puts in front of its paths itself, so that at the end of an
    address it would come twice: it is taken off (Anthropic's SDK turns `/v1` into `/v1/v1`).
    `source` says where it was written. Raises UsageError.
    """
    parts = _split(given.strip(), source)
    path = parts.path.rstrip("/")
    for endpoint in _ENDPOINTS:
        if path.endswith(endpoint):
            short = urlunsplit(parts._replace(path=path.removesuffix(endpoint), query=""))
            raise UsageError(
                f'{source}: "{_shown(parts)}" is an endpoint, not the base of the API',
                fix=f"set it to {short}",
            )
    if parts.query or parts.fragment:
        raise UsageError(
            f"{source}: an address with a query cannot be used",
            fix="leave out all from the question mark on; Azure's v1 API needs no api-version",
        )
    if not path and base_path:
        path = base_path
    if own_prefix:
        path = path.removesuffix(own_prefix)
    # elsewhere a missing /v1 may be right; at OpenAI itself it is a 404 for every call
    elif (parts.hostname or "").endswith("api.openai.com") and not path:
        raise UsageError(
            f"{source}: the path /v1 is missing", fix=f"set it to {given.rstrip('/')}/v1"
        )
    return urlunsplit(parts._replace(path=path))


def belongs_to(url: str, vendor: str) -> bool:
    """Whether `url` is at the vendor's own host or one of its regions (`eu.` in front of it)."""
    (scheme, host, port), (their_scheme, their_host, their_port) = origin(url), origin(vendor)
    same = host == their_host or host.endswith(f".{their_host}")
    return same and (scheme, port) == (their_scheme, their_port)


def is_loopback(url: str) -> bool:
    """Whether an address is this very machine, by its number or as `localhost`."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    default = 443 if parts.scheme == "https" else 80
    return parts.scheme, (parts.hostname or "").lower(), parts.port or default


def _split(url: str, source: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError as error:
        raise UsageError(f"{source}: not an address: {error}", fix=_EXAMPLE) from error
    # a password in an address would be shown with it, in every message and log
    if "@" in parts.netloc:
        raise UsageError(
            f"{source}: an address must not hold a user or password",
            fix="put the key into a variable and name it with api_key_env",
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_fine:
        guess = f"did you mean https://{url}?" if "://" not in url else _EXAMPLE
        raise UsageError(f'{source}: "{url}" is not an http(s) address', fix=guess)
    if any(c.isspace() or not c.isprintable() for c in url):
        raise UsageError(f"{source}: an address must not hold spaces", fix=_EXAMPLE)
    return parts


def _shown(parts: SplitResult) -> str:
    return urlunsplit(parts._replace(query="", fragment=""))


_EXAMPLE = "give it in the form https://host/path"
