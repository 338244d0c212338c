"""Which proxy the environment names for an address, and which certificates; mistakes are named.

The variables are those of curl and of most programs. This very machine is always asked directly, as
Go does it: no proxy can reach it.
"""

import importlib.util
import ipaddress
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from attrs import field, frozen

from agent_runner.model.errors import UsageError
from agent_runner.providers.addresses import is_loopback, origin

_SOCKS = frozenset({"socks5", "socks5h"})
_SCHEMES = frozenset({"http", "https", *_SOCKS})
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@frozen
class Proxy:
    """A proxy and the variable that names it. `url` may hold a password, and is not shown."""

    variable: str
    url: str = field(repr=False)

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port} ({self.variable})"


def proxy_for(url: str, env: Mapping[str, str]) -> Proxy | None:
    """The proxy by which an address is asked; None: it is asked directly.

    Raises UsageError, naming the variable, for a value that is no proxy or needs an extra that is
    not installed.
    """
    if not url or is_loopback(url) or _is_exempt(url, env):
        return None
    scheme = urlsplit(url).scheme
    for name in (f"{scheme}_proxy", "all_proxy"):
        for variable in (name, name.upper()):
            if variable in env:
                value = env[variable].strip()
                return _checked(variable, value) if value else None
    if sys.platform == "darwin":  # where people set proxies in the system's settings
        from urllib.request import getproxies

        value = getproxies().get(scheme, "")
        return _checked("the system's settings", value) if value else None
    return None


def check_certificates(url: str, ca_file: Path | None, where: str, env: Mapping[str, str]) -> None:
    """Raise UsageError, naming who named it, for certificates that cannot be read.

    `where`: the provider's path in the configuration.
    """
    if urlsplit(url).scheme != "https":
        return
    named = [(variable, Path(env[variable])) for variable in _CERTIFICATES if env.get(variable)]
    if ca_file is not None:
        named.append((f"{where}.ca_file", ca_file))
    for name, path in named:
        try:
            if name == "SSL_CERT_DIR":
                next(path.iterdir(), None)
            else:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=str(path))
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"{name}: the certificates in {path} cannot be read: {error}",
                fix="name a PEM file, or take the setting out",
            ) from error


def _checked(variable: str, value: str) -> Proxy:
    url = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(url)
        fine = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or not url.isprintable() or " " in url:
        raise UsageError(
            f"{variable} does not name a proxy",
            fix="write it as http://host:port or socks5://host:port, or unset it",
        )
    if parts.scheme in _SOCKS and importlib.util.find_spec("socksio") is None:
        raise UsageError(
            f"{variable} names a SOCKS proxy, for which a package is missing",
            fix="pip install 'httpx[socks]' beside agent-runner, or name the address in NO_PROXY",
        )
    return Proxy(variable, url)


def _is_exempt(url: str, env: Mapping[str, str]) -> bool:
    """Whether NO_PROXY lists the address: by name, by the end of its name, by number or net."""
    _, host, port = origin(url)
    listed = env.get("no_proxy") or env.get("NO_PROXY") or ""
    for entry in listed.replace(",", " ").lower().split():
        name, colon, number = entry.rpartition(":")
        if colon and number.isdigit() and (":" not in name or name.endswith("]")):
            if int(number) != port:
                continue
            entry = name  # noqa: PLW2901  # the port is judged, the rest follows
        if entry == "*" or _matches(host, entry):
            return True
    return False


def _matches(host: str, entry: str) -> bool:
    entry = entry.strip("[]")
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        name = entry.removeprefix("*").lstrip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))
