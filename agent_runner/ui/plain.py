"""Screens without a terminal: plain lines, hardly any, and those that GitHub Actions reads."""

from collections.abc import Iterable

from agent_runner.ground.clock import local
from agent_runner.model import events as e
from agent_runner.model.fold import Entry
from agent_runner.model.record import TaskRecord
from agent_runner.model.signals import Said, Signal, Waiting
from agent_runner.model.states import TaskState
from agent_runner.ui import words
from agent_runner.ui.event_lines import LogLine, Tone
from agent_runner.ui.narration import said_line, screen_lines
from agent_runner.ui.output import Output
from agent_runner.ui.tally import Tally


class Plain:
    """One line for everything that happens, with its task in front and without control codes."""

    def __init__(self, out: Output, tally: Tally) -> None:
        self._out = out
        self._tally = tally
        self._task = ""
        self._waiting_until = 0.0

    @property
    def broken(self) -> Exception | None:
        """The first error of the stream, if it broke."""
        return self._out.broken

    def entry(self, entry: Entry, before: TaskRecord | None, after: TaskRecord | None) -> None:
        """Print the lines of the entry."""
        del before
        if after is not None:
            self._tally.take(after)
            if entry.task != self._task:
                self._task = entry.task
                self._begin(entry.task)
        self._lines(entry, after)
        if entry.to is TaskState.ESCALATED and after is not None:
            self._failed(entry.task, words.first_line(after.last_error))
        if isinstance(entry.event, e.RunStopped):
            self._closing(entry.event)

    def signal(self, signal: Signal) -> None:
        """Print what is said, and each wait once, however often it is sent while it counts down."""
        if isinstance(signal, Said):
            self._said(signal)
        elif isinstance(signal, Waiting) and signal.until != self._waiting_until:
            self._waiting_until = signal.until
            until = local(signal.until, seconds=True)
            self._fact(signal.task, LogLine(f"waiting until {until}: {words.clean(signal.why)}"))

    def show(self, lines: Iterable[str]) -> None:
        """Print ready lines, such as the summary of an escalation."""
        for line in lines:
            self._out.line(self._safe(words.shown(line)))

    def _begin(self, task_id: str) -> None:
        self._out.line(self._safe(f"{task_id} {self._tally.title(task_id)}"))

    def _lines(self, entry: Entry, after: TaskRecord | None) -> None:
        for line in screen_lines(entry, after):
            self._fact(entry.task, line)

    def _fact(self, task_id: str, line: LogLine) -> None:
        mark = f"{task_id} " if task_id else ""
        for text in (line.text, *(f"  | {detail}" for detail in line.details)):
            self._out.line(self._safe(f"{mark}{text}"))

    def _said(self, said: Said) -> None:
        self._fact(said.task, said_line(said))

    def _failed(self, task_id: str, reason: str) -> None:
        """Mark a failure, whose line is printed already, where the output has marks for that."""

    def _closing(self, stopped: e.RunStopped) -> None:
        self._tally.run_is_on = False
        self._out.line(self._safe(self._tally.closing_line()))
        for line in self._tally.next_steps(stopped):
            self._out.line(self._safe(line))

    def _safe(self, text: str) -> str:
        return words.no_command(text)


class Quiet(Plain):
    """A line a failure, warnings and one closing line."""

    def _begin(self, task_id: str) -> None:
        """A start is no failure."""

    def _lines(self, entry: Entry, after: TaskRecord | None) -> None:
        """Whatever it is, it can be read later."""

    def _fact(self, task_id: str, line: LogLine) -> None:
        """As above."""

    def _failed(self, task_id: str, reason: str) -> None:
        super()._fact(task_id, LogLine(f"failed, needs a person: {reason}", Tone.BAD))

    def _said(self, said: Said) -> None:
        if said.level == "warning":
            super()._fact(said.task, said_line(said))

    def _closing(self, stopped: e.RunStopped) -> None:
        self._tally.run_is_on = False
        *before, step = self._tally.next_steps(stopped)
        for line in (*before, f"{self._tally.closing_line()}. {step}"):
            self._out.line(self._safe(line))


class GitHub(Plain):
    """A group per task and an annotation per failure and warning, as GitHub Actions reads them.

    Source: docs.github.com, "Workflow commands for GitHub Actions".
    """

    def __init__(self, out: Output, tally: Tally) -> None:
        super().__init__(out, tally)
        self._in_group = False

    def _begin(self, task_id: str) -> None:
        self._end_group()
        title = f"{task_id} {self._tally.title(task_id)}"
        self._out.line(f"::group::{_escaped(title)}")
        self._in_group = True

    def _said(self, said: Said) -> None:
        if said.level != "warning":
            super()._said(said)
            return
        title = f" title={_property(said.task)}" if said.task else ""
        self._out.line(f"::warning{title}::{_escaped(words.clean(said.text))}")

    def _failed(self, task_id: str, reason: str) -> None:
        self._end_group()
        title = _property(f"{task_id} failed")
        self._out.line(f"::error title={title}::{_escaped(reason)}")

    def _closing(self, stopped: e.RunStopped) -> None:
        self._end_group()
        super()._closing(stopped)

    def show(self, lines: Iterable[str]) -> None:
        """Print ready lines after the group, where nobody has to unfold it to see them."""
        self._end_group()
        super().show(lines)

    def _end_group(self) -> None:
        if self._in_group:
            self._out.line("::endgroup::")
            self._in_group = False


def _escaped(text: str) -> str:
    text = words.no_bracket_command(text)
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
