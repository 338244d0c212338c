"""A real HTTP server on loopback that answers as its script says, down to the single bytes.

Threads and plain sockets, so that a test decides what goes over the wire, when, and how the
connection ends. It keeps every request for the test to look at.
"""

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import define, field, frozen

LONGEST_TEST = 10.0
"""Seconds after which anything that waits gives up, so that a broken test ends."""


@frozen
class Request:
    """One request as it came; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw) if self.raw else None


@define
class Wire:
    """The server's end of one connection, in the hands of a script."""

    socket: socket.socket
    closing: bool = False

    def send(self, raw: bytes) -> None:
        self.socket.sendall(raw)

    def head(self, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        lines = [f"HTTP/1.1 {status} X", *(f"{k}: {v}" for k, v in (headers or {}).items())]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def chunk(self, raw: bytes) -> None:
        self.send(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")

    def last_chunk(self) -> None:
        self.send(b"0\r\n\r\n")

    def close(self) -> None:
        """An orderly end (FIN)."""
        self.closing = True

    def reset(self) -> None:
        """A disorderly one (RST)."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.closing = True

    def wait_for_client_to_leave(self) -> None:
        """Say nothing until the client hangs up."""
        with contextlib.suppress(OSError):
            while self.socket.recv(4096):
                pass
        self.closing = True


Script = Callable[[Wire, Request], None]


@define
class Server:
    """Answers the n-th request by the n-th script, the last one for all that follow."""

    scripts: list[Script]
    url: str = ""
    requests: list[Request] = field(factory=list)
    connections: int = 0
    left: threading.Event = field(factory=threading.Event)
    _lock: threading.Lock = field(factory=threading.Lock)

    def serve(self, connection: socket.socket) -> None:
        wire = Wire(connection)
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(LONGEST_TEST)
            with connection.makefile("rb") as reader:
                self._answer_all(wire, reader)
        self.left.set()

    def _answer_all(self, wire: Wire, reader: Any) -> None:
        while not wire.closing and (request := _read(reader)) is not None:
            with self._lock:
                index = min(len(self.requests), len(self.scripts) - 1)
                self.requests.append(request)
            self.scripts[index](wire, request)


@contextlib.contextmanager
def serving(*scripts: Script, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server at `server.url` until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = Server(list(scripts), f"{'https' if tls else 'http'}://127.0.0.1:{port}")
    open_sockets: list[socket.socket] = []
    workers: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            open_sockets.append(connection)
            worker = threading.Thread(target=greet, args=(connection,), daemon=True)
            workers.append(worker)
            worker.start()

    def greet(connection: socket.socket) -> None:
        try:
            wrapped = tls.wrap_socket(connection, server_side=True) if tls else connection
        except OSError:
            connection.close()
            return
        server.serve(wrapped)

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(LONGEST_TEST)
        for connection in open_sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for worker in workers:
            worker.join(LONGEST_TEST)


def answer(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Script:
    """An ordinary answer: an object as JSON, or bytes as they are."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = {} if isinstance(body, bytes) else {"content-type": "application/json"}

    def script(wire: Wire, _request: Request) -> None:
        wire.head(status, {**kind, **(headers or {}), "content-length": str(len(raw))})
        wire.send(raw)

    return script


def stream(
    *pieces: bytes,
    end: Callable[[Wire], None] = Wire.last_chunk,
    headers: Mapping[str, str] | None = None,
) -> Script:
    """A stream of events: each piece is a chunk of its own; `end` is how it stops."""

    def script(wire: Wire, _request: Request) -> None:
        wire.head(200, {**STREAMED, **(headers or {})})
        for piece in pieces:
            wire.chunk(piece)
        end(wire)

    return script


STREAMED = {"content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked"}


def _read(reader: Any) -> Request | None:
    first = reader.readline().decode("latin-1").split()
    if len(first) != 3 or not first[2].startswith("HTTP/"):
        # the client left, or speaks something else: the random bytes of TLS may hold two spaces
        return None
    method, path, _version = first
    headers = {}
    while (line := reader.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(method, path, headers, reader.read(int(headers.get("content-length", 0))))
