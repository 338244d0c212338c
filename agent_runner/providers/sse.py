"""Reads server-sent events out of bytes as they come, wherever the network cut them.

Lines end with LF, CRLF or CR; only whole lines are decoded, so a character split between two chunks
comes out whole. Comments are skipped, `data:` lines of one event are joined by newlines. An event
that no empty line ended is no event: what a cut stream leaves is never handed out.
"""

from collections.abc import Iterator

from attrs import define, field, frozen

DONE = "[DONE]"
"""The data that ends a stream of Chat Completions."""

MAX_EVENT = 32 * 1024 * 1024
"""Bytes of one event; a server that sends more without an end is not to be believed."""


class StreamBrokenError(ValueError):
    """The bytes are no event stream: bad UTF-8, or an event without end."""


@frozen
class ServerEvent:
    """One event: its `event:` name ("" where there was none) and its data."""

    name: str
    data: str


@define
class EventParser:
    """Feed it chunks; it yields the events that are complete."""

    _begun: list[bytes] = field(factory=list)
    _held: bytes = b""
    _name: str = ""
    _data: list[str] = field(factory=list)
    _size: int = 0
    _started: bool = False

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that `chunk` completes. Raises StreamBrokenError."""
        fresh = self._held + chunk
        # a CR at the very end may be half of a CRLF: it waits for the next chunk
        self._held = b"\r" if fresh.endswith(b"\r") else b""
        fresh = fresh.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *ends, begun = fresh.split(b"\n")
        for end in ends:
            # only what is new is looked at, so that a long line costs no more than its length
            self._count(end)
            event = self._line(b"".join([*self._begun, end]))
            self._begun.clear()
            if event is not None:
                yield event
        self._begun.append(begun)
        self._count(begun)

    def _line(self, raw: bytes) -> ServerEvent | None:
        if not raw:
            return self._dispatch()
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise StreamBrokenError("bytes that are not UTF-8") from error
        if not self._started:
            line, self._started = line.removeprefix("\ufeff"), True
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._name = value
        return None  # comments (empty name), `id`, `retry` and unknown fields say nothing to us

    def _dispatch(self) -> ServerEvent | None:
        name, data = self._name, self._data
        self._name, self._data, self._size = "", [], 0
        return ServerEvent(name, "\n".join(data)) if data else None

    def _count(self, raw: bytes) -> None:
        self._size += len(raw)
        if self._size > MAX_EVENT:
            raise StreamBrokenError("an event without end")
