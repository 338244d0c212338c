"""`--json` of `run` and `resume`: the journal's events, one JSON object a line (docs/json.md)."""

import json

from agent_runner.ground.clock import iso
from agent_runner.model.fold import Entry
from agent_runner.model.record import TaskRecord
from agent_runner.model.signals import Signal
from agent_runner.store.codec import to_plain_whole
from agent_runner.ui.output import Output
from agent_runner.ui.words import json_without_commands

VERSION = 1
"""Version of the lines' form, in `v`. Adding kinds and fields does not change it."""


def entry_line(entry: Entry) -> str:
    """The entry as one line of ASCII, without its line end."""
    shown = {
        "v": VERSION,
        "seq": entry.seq,
        "at": iso(entry.at),
        "kind": type(entry.event).__name__,
        "task": entry.task or None,
        "to": None if entry.to is None else entry.to.value,
        "data": to_plain_whole(entry.event),
    }
    return json_without_commands(json.dumps(shown, ensure_ascii=True, separators=(",", ":")))


class JsonLines:
    """An observer that prints every entry. Signals have no line: what passes is not promised."""

    def __init__(self, out: Output) -> None:
        self._out = out

    @property
    def broken(self) -> Exception | None:
        """The first error of the stream, if it broke."""
        return self._out.broken

    def entry(self, entry: Entry, before: TaskRecord | None, after: TaskRecord | None) -> None:
        """Print the entry as one line."""
        del before, after
        self._out.line(entry_line(entry))

    def signal(self, signal: Signal) -> None:
        """Ignore it."""
