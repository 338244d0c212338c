"""Puts the bytes of an answer into a protocol's reader: a stream of events, or one JSON object."""

import json
from collections.abc import Mapping

from agent_runner.providers.reading import Reader
from agent_runner.providers.sse import DONE, EventParser, ServerEvent, StreamBrokenError


class Feed:
    """Puts bytes into a reader."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def take(self, chunk: bytes) -> None:
        """More bytes."""

    def end(self) -> None:
        """The bytes ended as they should."""

    def cut(self) -> None:
        """The bytes broke off."""


class EventFeed(Feed):
    """A stream of events."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader)
        self._parser = EventParser()

    def take(self, chunk: bytes) -> None:
        """The events that are complete with these bytes."""
        try:
            for event in self._parser.feed(chunk):
                self._event(event)
        except StreamBrokenError as error:
            self._broken(str(error))

    def _event(self, event: ServerEvent) -> None:
        draft = self.reader.draft
        if draft.ended or draft.failure is not None:
            return
        if event.data.strip() == DONE:
            self.reader.done()
            return
        try:
            content = json.loads(event.data)
        except (ValueError, RecursionError):
            self._broken("an event that is not JSON")
            return
        if event.name == "error" and isinstance(content, Mapping):
            content = {"type": "error", "error": content.get("error", content)}
        if isinstance(content, Mapping):
            self.reader.take(content)

    def _broken(self, what: str) -> None:
        self.reader.draft.unreadable = f"the stream holds {what}"


class WholeFeed(Feed):
    """One JSON object."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader)
        self._pieces: list[bytes] = []

    def take(self, chunk: bytes) -> None:
        """Nothing can be read before the end."""
        self._pieces.append(chunk)

    def end(self) -> None:
        """Read the object."""
        raw = b"".join(self._pieces)
        if not raw.strip():
            return
        try:
            content = json.loads(raw)
        except (ValueError, RecursionError):
            content = None
        if isinstance(content, Mapping):
            self.reader.take_whole(content)
        else:
            self.reader.draft.unreadable = "the answer is not a JSON object"

    def cut(self) -> None:
        """Half an object cannot be read, but it was an answer."""
        self.reader.draft.begun = bool(self._pieces)
