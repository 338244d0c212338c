"""A SOCKS5 proxy on loopback (RFC 1928, 1929) that leads every address to one server."""

import contextlib
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from attrs import define, field

SUCCEEDED, REFUSED = 0, 5
_NOTHING, _PASSWORD, _NONE_FITS = 0, 2, 255
_NAME = 3


@define
class SocksProxy:
    """`asked`: the names and ports that it was asked for. `logins`: who came, if it wants one."""

    server: str
    login: tuple[str, str] | None
    outcome: int
    port: int = 0
    asked: list[tuple[str, int]] = field(factory=list)
    logins: list[tuple[str, str]] = field(factory=list)

    def serve(self, client: socket.socket) -> None:
        """One connection: greeting, login, request, then bytes both ways."""
        with client.makefile("rb") as reader:
            offered = reader.read(reader.read(2)[1])
            wanted = _PASSWORD if self.login else _NOTHING
            if wanted not in offered:
                client.sendall(bytes([5, _NONE_FITS]))
                return
            client.sendall(bytes([5, wanted]))
            if self.login:
                reader.read(1)
                user, password = (reader.read(reader.read(1)[0]).decode() for _ in range(2))
                self.logins.append((user, password))
                client.sendall(bytes([1, (user, password) != self.login]))
            version, command, _, kind = reader.read(4)
            assert (version, command, kind) == (5, 1, _NAME), "a name is resolved by the proxy"
            name = reader.read(reader.read(1)[0]).decode()
            self.asked.append((name, int.from_bytes(reader.read(2), "big")))
            client.sendall(bytes([5, self.outcome, 0, 1, 127, 0, 0, 1, 0, 0]))
        if self.outcome == SUCCEEDED:
            self._relay(client)

    def _relay(self, client: socket.socket) -> None:
        at = urlsplit(self.server)
        assert at.hostname
        assert at.port
        with socket.create_connection((at.hostname, at.port)) as server:
            other = {client: server, server: client}
            while True:
                for one in select.select(list(other), [], [])[0]:
                    piece = one.recv(65536)
                    if not piece:
                        return
                    other[one].sendall(piece)


@contextlib.contextmanager
def socks_proxy(
    server: str, *, login: tuple[str, str] | None = None, outcome: int = SUCCEEDED
) -> Iterator[SocksProxy]:
    """A proxy at `proxy.port` until the block ends. `outcome`: what it answers to each request."""
    proxy = SocksProxy(server, login, outcome)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError, IndexError):  # the client has hung up
                proxy.serve(self.request)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        proxy.port = listener.server_address[1]
        thread = threading.Thread(target=listener.serve_forever, daemon=True)
        thread.start()
        yield proxy
        listener.shutdown()
        thread.join()
