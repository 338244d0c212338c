"""From the bytes of an answer to its reader: a stream of server-sent events, or one JSON object.

Bytes are taken as they come, wherever the network cut them. Lines end with LF, CRLF or CR; only
whole lines are decoded, so that a character split between two chunks comes out whole. Comments are
skipped, the `data:` lines of one event are joined by newlines. An event that no empty line ended is
no event: what a cut stream leaves behind is never handed on.
"""

import json
from collections.abc import Iterator, Mapping

from attrs import define, field, frozen

from agent_runner.providers.http.reply import ReplyReader

MAX_EVENT = 32 * 1024 * 1024
"""Bytes of one event; a server that sends more without an end is not to be believed."""

MAX_WORDS = 2000
"""Bytes of a body that is no JSON of which a person is shown something."""

_DONE = "[DONE]"
"""The data that ends a stream of Chat Completions, and of some gateways' other protocols."""


class Feed:
    """Puts bytes into a reader; each of the two kinds of answer has its own."""

    def __init__(self, reader: ReplyReader) -> None:
        self.reader = reader

    def take(self, chunk: bytes) -> bool:
        """Take more bytes; whether there was a word in them, and no mere sign of life."""
        raise NotImplementedError

    def end(self) -> None:
        """The bytes ended as they should."""

    def cut(self) -> None:
        """The bytes broke off."""


class EventFeed(Feed):
    """A stream of events."""

    def __init__(self, reader: ReplyReader) -> None:
        super().__init__(reader)
        self._parser = EventParser()

    def take(self, chunk: bytes) -> bool:
        """Read the events that are complete with these bytes."""
        reply = self.reader.reply
        before = reply.received, reply.started
        try:
            for event in self._parser.feed(chunk):
                self._read(event)
        except StreamBrokenError as error:
            self._give_up(str(error))
        return (reply.received, reply.started) != before

    def _read(self, event: "ServerEvent") -> None:
        reply = self.reader.reply
        if reply.ended or reply.failure is not None:
            return  # whatever comes after the end is no part of the answer
        if event.data.strip() == _DONE:
            self.reader.read_done()
            return
        try:
            content = json.loads(event.data)
        except (ValueError, RecursionError):
            self._give_up("an event that is not JSON")
            return
        if event.name == "error" and isinstance(content, Mapping):
            # some gateways name the event and send the bare error object as its data
            content = {"type": "error", "error": content.get("error", content)}
        if isinstance(content, Mapping):
            self.reader.read_event(content)

    def _give_up(self, what: str) -> None:
        self.reader.reply.unreadable = f"the stream holds {what}"


class WholeFeed(Feed):
    """One JSON object."""

    def __init__(self, reader: ReplyReader) -> None:
        super().__init__(reader)
        self._pieces: list[bytes] = []

    def take(self, chunk: bytes) -> bool:
        """Keep the bytes: nothing can be read before the end. Blanks keep a line open, no more."""
        self._pieces.append(chunk)
        return not chunk.isspace()

    def end(self) -> None:
        """Read the object."""
        raw = b"".join(self._pieces)
        if not raw.strip():
            return
        reply = self.reader.reply
        try:
            content = json.loads(raw)
        except (ValueError, RecursionError):
            if raw.lstrip()[:1] not in b'[{"':  # words where an answer should be: a gateway's error
                reply.failure = {"message": raw[:MAX_WORDS].decode("utf-8", "replace")}
                return
            content = None
        if isinstance(content, Mapping):
            self.reader.read_whole(content)
        else:
            reply.unreadable = "the answer is not a JSON object"

    def cut(self) -> None:
        """Note that an answer was on its way: half an object cannot be read, but may be billed."""
        self.reader.reply.started = bool(self._pieces)


class StreamBrokenError(ValueError):
    """The bytes are no event stream: bad UTF-8, or an event without end."""


@frozen
class ServerEvent:
    """One event: its `event:` name ("" where there was none) and its data."""

    name: str
    data: str


@define
class EventParser:
    """Yields the events that are complete with the chunks it was fed so far."""

    _partial_line: list[bytes] = field(factory=list)
    _held: bytes = b""
    _name: str = ""
    _data: list[str] = field(factory=list)
    _size: int = 0
    _seen_a_line: bool = False

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that `chunk` completes. Raises StreamBrokenError."""
        fresh = self._held + chunk
        # a CR at the very end may be half of a CRLF: it waits for the next chunk
        self._held = b"\r" if fresh.endswith(b"\r") else b""
        fresh = fresh.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        # split as bytes, never with str.splitlines: that would also end lines at U+2028 and its
        # like, which may stand unescaped inside of JSON
        *ends, partial = fresh.split(b"\n")
        for end in ends:
            # only what is new is looked at: joining the whole line for every chunk made a long
            # line cost the square of its length
            self._count(end)
            event = self._line(b"".join([*self._partial_line, end]))
            self._partial_line.clear()
            if event is not None:
                yield event
        self._partial_line.append(partial)
        self._count(partial)

    def _line(self, raw: bytes) -> ServerEvent | None:
        if not raw:
            return self._dispatch()
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise StreamBrokenError("bytes that are not UTF-8") from error
        if not self._seen_a_line:  # the standard allows one byte order mark, at the very beginning
            line, self._seen_a_line = line.removeprefix("\ufeff"), True
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
