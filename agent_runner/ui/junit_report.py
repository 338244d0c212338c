"""`--junit FILE`: the tasks as test cases, for tools that show those; written when a run stops."""

from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from agent_runner.ground.disk import Disk
from agent_runner.model import events as e
from agent_runner.model.fold import Entry
from agent_runner.model.record import TaskRecord
from agent_runner.model.signals import Signal
from agent_runner.model.standing import Standing
from agent_runner.model.states import TaskState
from agent_runner.ui import words
from agent_runner.ui.outcomes import proof_line
from agent_runner.ui.tally import Tally

_NAME = "agent-runner"


class JUnit:
    """An observer that writes `file` when the run stops.

    `broken` is why that failed, if it did; the run goes on to its end all the same.
    """

    def __init__(self, file: Path, tally: Tally) -> None:
        self._file = file
        self._tally = tally
        self.broken: Exception | None = None

    def entry(self, entry: Entry, before: TaskRecord | None, after: TaskRecord | None) -> None:
        """Remember the record; write the file when the run has stopped."""
        del before
        if after is not None:
            self._tally.take(after)
        if isinstance(entry.event, e.RunStopped):
            try:
                self._tally.run_is_on = False
                _write(self._file, junit_xml(self._tally))
            except OSError as error:
                self.broken = error

    def signal(self, signal: Signal) -> None:
        """Ignore it: a report has only what was journaled."""


def junit_xml(tally: Tally) -> str:
    """The report as XML: a test case per task.

    Escalated tasks are failures; skipped and unfinished ones are skipped cases that say why.
    """
    cases = [_case(tally, tally.record(task.id)) for task in tally.tasks.tasks]
    states = [tally.record(task.id).state for task in tally.tasks.tasks]
    failed = states.count(TaskState.ESCALATED)
    skipped = len(states) - failed - states.count(TaskState.PASSED)
    counts = f'tests="{len(states)}" failures="{failed}" errors="0" skipped="{skipped}"'
    seconds = f'time="{tally.totals().seconds:.3f}"'
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuites name="{_NAME}" {counts} {seconds}>',
            f'<testsuite name="{_NAME}" {counts} {seconds}>',
            *cases,
            "</testsuite>",
            "</testsuites>",
            "",
        ]
    )


def _case(tally: Tally, record: TaskRecord | Standing) -> str:
    name = f"{record.id} {tally.title(record.id)}"
    head = (
        f'<testcase classname="{_NAME}" name={_attribute(name)} time="{record.spent.seconds:.3f}">'
    )
    return f"{head}{_verdict(tally, record)}</testcase>"


def _verdict(tally: Tally, record: TaskRecord | Standing) -> str:
    if record.state is TaskState.PASSED:
        return f"<system-out>{_text(proof_line(record))}</system-out>"
    if record.state is TaskState.ESCALATED:
        message = _attribute(words.first_line(record.last_error) or "needs a person")
        detail = _text(record.feedback or record.last_error)
        return f'<failure type="escalated" message={message}>{detail}</failure>'
    if record.state is TaskState.SKIPPED:
        return f"<skipped message={_attribute(record.last_error or 'skipped')}/>"
    held = tally.held_by(tally.tasks[record.id]) if record.id in tally.tasks else ()
    reason = f", held by {words.listed(held)}" if held else ""
    return f"<skipped message={_attribute(f'{tally.word(record.id)}{reason}')}/>"


def _attribute(text: str) -> str:
    return quoteattr(_allowed(text))


def _text(text: str) -> str:
    return escape(_allowed(text))


def _allowed(text: str) -> str:
    """The text with what XML 1.0 cannot hold (its section 2.2) written out."""
    return "".join(
        c
        if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
        else ascii(c)[1:-1]
        for c in text
    )


def _write(file: Path, text: str) -> None:
    """Write a report whole or not at all, readable for whoever publishes it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Disk().write_file(file, text.encode(), mode=0o644)
