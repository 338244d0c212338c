"""The screen of a run at a terminal: lines that stay, and below them a few that change."""

from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager

from rich.text import Text

from agent_runner.ground.clock import Clock
from agent_runner.model import events as e, signals as s
from agent_runner.model.fold import Entry
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import STEPS
from agent_runner.ui import words
from agent_runner.ui.activity import Activity
from agent_runner.ui.event_lines import LogLine, Tone
from agent_runner.ui.keyboard import key_help
from agent_runner.ui.live import LivePart
from agent_runner.ui.narration import said_line, screen_lines
from agent_runner.ui.output import Output
from agent_runner.ui.painting import STATE_STYLES, TONE_STYLES, Painter, Part
from agent_runner.ui.tables import final_table
from agent_runner.ui.tally import Tally

_TICK = 0.25
"""Seconds between redraws while nothing happens, so that the time ticks."""

_LEAST_BETWEEN = 0.1
"""Seconds at least between redraws for signals, so that a flooding hook costs next to nothing."""

_LONG_ID = 20
"""Characters up to which the id of a task is never cut."""

_SHAPES = {Tone.GOOD: "passed", Tone.WARN: "warning", Tone.BAD: "failed"}
"""The state whose shape stands before a line of this tone."""

_MOST_OUTPUT = 200
"""Lines of a hook's output that one redraw shows in verbose mode; the log has all of them."""


class Console:
    """An observer for a terminal; `environ` decides on colour.

    What keys do to the screen is `toggle_verbose`, `show_pausing` and `show_keys`. `tick` must run
    beside the run, or the time on the screen stands still.
    """

    def __init__(self, out: Output, tally: Tally, clock: Clock, environ: Mapping[str, str]) -> None:
        self._out = out
        self._tally = tally
        self._clock = clock
        self._painter = Painter(out, environ)
        self._live = LivePart(out)
        self._activity = Activity(clock)
        self._record: TaskRecord | None = None
        self._numbers = {task.id: number for number, task in enumerate(tally.listed, start=1)}
        self._verbose = False
        self._pausing = False
        self._output: deque[str] = deque(maxlen=_MOST_OUTPUT)
        self._unshown = 0
        self._drawn_at = 0.0

    @property
    def broken(self) -> Exception | None:
        """The first error of the stream, if it broke: the terminal was closed."""
        return self._out.broken

    def entry(self, entry: Entry, before: TaskRecord | None, after: TaskRecord | None) -> None:
        """Print what happened for good and redraw."""
        del before
        above: list[str] = []
        if after is not None:
            self._tally.take(after)
            if self._record is None or self._record.id != after.id:
                above += self._rule(after.id)
            self._record = after
        self._activity.entry(entry, after)
        for line in screen_lines(entry, after):
            above += self._painted(line)
        if isinstance(entry.event, e.RunStopped):
            # Without a record there is no live part: the closing lines are the last on the screen.
            self._record = None
            above += self._closing(entry.event)
        self._redraw(above)

    def signal(self, signal: s.Signal) -> None:
        """Show a signal in the live part; only a line that was said stays."""
        self._activity.signal(signal)
        if isinstance(signal, s.Said):
            self._redraw(self._painted(said_line(signal)))
            return
        if isinstance(signal, s.HookOutput) and self._verbose:
            self._take_output(self._activity.full_lines())
        if self._clock.monotonic() - self._drawn_at >= _LEAST_BETWEEN:
            self._redraw([])

    def show(self, lines: Iterable[str]) -> None:
        """Print ready lines, such as the summary of an escalation."""
        above = []
        for line in lines:
            above += self._painter.paragraph(words.shown(line))
        self._redraw(above)

    def toggle_verbose(self) -> None:
        """Start or stop showing the running hook's output."""
        self._verbose = not self._verbose
        if self._verbose:
            self._take_output(self._activity.full_lines())
        word = "on" if self._verbose else "off"
        self._redraw(self._painted(LogLine(f"hook output: {word}", Tone.DIM)))

    def show_pausing(self, *, pausing: bool) -> None:
        """Show in the footer whether the run will pause after this task."""
        self._pausing = pausing
        self._redraw([])

    def show_keys(self) -> None:
        """Print what each key does."""
        self._redraw([line for text in key_help() for line in self._painted(LogLine(text))])

    def hidden(self) -> AbstractContextManager[None]:
        """Take the live part away for a while: for a question, or while the process is stopped."""
        return self._live.hidden()

    def close(self) -> None:
        """Take the live part away and show the cursor again. Every way out must come by here."""
        self._live.erase()

    async def tick(self) -> None:
        """Redraw every quarter of a second, until cancelled or the stream broke."""
        try:
            while self.broken is None:
                self._redraw([])
                await self._clock.sleep(_TICK)
        finally:
            self.close()

    def _redraw(self, above: list[str]) -> None:
        self._drawn_at = self._clock.monotonic()
        self._live.draw(self._live_lines(), above=[*self._shown_output(), *above])

    def _live_lines(self) -> list[str]:
        record = self._record
        if record is None or record.state not in STEPS:
            return []
        lines = [self._status(record)]
        last = "" if self._verbose else self._activity.last_line()
        if last:
            lines.append(self._painter.one_line(Text(f"  | {last}", style="dim")))
        lines.append(self._footer())
        return lines

    def _status(self, record: TaskRecord) -> str:
        """`T1 running  post-hook unit-tests 12s  attempt 2  1m05s total`."""
        since = (
            record.spent.running_since
            if record.spent.running_since is not None
            else self._clock.now()
        )
        spent = record.spent.seconds + max(0.0, self._clock.now() - since)
        word = words.state_word(record.state)
        attempt = f"  attempt {record.counts.attempts}" if record.counts.attempts else ""
        total = f"{attempt}  {words.ticking(spent)} total"
        doing, time = self._activity.now(record.state)
        return self._painter.squeezed(
            Part(f"{self._painter.mark(word)} ", STATE_STYLES[word]),
            Part(record.id, "bold", shrinks=len(record.id) > _LONG_ID),
            Part(f" {word}  ", STATE_STYLES[word]),
            Part(doing, shrinks=True),
            Part(f" {time}" if time else ""),
            Part(total if 3 * len(total) < self._painter.width else "", "dim"),
        )

    def _footer(self) -> str:
        """How far the list has come, and the keys."""
        done, failed, cost = self._tally.progress
        facts = [f"{done} of {len(self._tally.tasks)} done"]
        facts += [f"{failed} failed"] if failed else []
        facts += [words.money(cost)] if cost else []
        keys = "p pause  s skip  q stop  v output  ? keys"
        if self._activity.waiting:
            keys = f"r try now  {keys}"
        pausing = "  pausing after this task (p to cancel)" if self._pausing else ""
        if len(f"{', '.join(facts)}{pausing}  {keys}") > self._painter.width:
            keys = "? keys"
        return self._painter.squeezed(
            Part(", ".join(facts)),
            Part(pausing, "yellow", shrinks=True),
            Part(f"  {keys}", "dim", shrinks=True),
        )

    def _rule(self, task_id: str) -> list[str]:
        number = self._numbers.get(task_id)
        of = f"  {number} of {len(self._tally.tasks)}" if number else ""
        title = Part(f" {self._tally.title(task_id)}", shrinks=True)
        named = Part(task_id, "bold", shrinks=len(task_id) > _LONG_ID)
        return ["", self._painter.rule(named, title, Part(of, "dim"))]

    def _painted(self, line: LogLine) -> list[str]:
        text = Text(line.text, style=TONE_STYLES[line.tone])
        shape = _SHAPES.get(line.tone, "")
        mark = f"{self._painter.mark(shape)} " if shape else ""
        details = (Text(f"    | {detail}", style="dim") for detail in line.details)
        return [
            *self._painter.wrapped(text, indent=2, hanging=2, mark=mark),
            *map(self._painter.one_line, details),
        ]

    def _take_output(self, lines: list[str]) -> None:
        self._unshown += max(0, len(self._output) + len(lines) - _MOST_OUTPUT)
        self._output.extend(lines)

    def _shown_output(self) -> list[str]:
        """The hook's output since the last redraw, in verbose mode."""
        if not self._output:
            return []
        shown = [Text(f"  | {line}", style="dim") for line in self._output]
        if self._unshown:
            shown.insert(0, Text(f"  | ... {self._unshown} more lines in the log", style="yellow"))
        self._output.clear()
        self._unshown = 0
        return [self._painter.one_line(text) for text in shown]

    def _closing(self, stopped: e.RunStopped) -> list[str]:
        self._tally.run_is_on = False
        table = self._painter.table(final_table(self._tally))
        closing = Text(self._tally.closing_line(), style="bold")
        steps = (Text(line) for line in self._tally.next_steps(stopped))
        painted = [line for text in (closing, *steps) for line in self._painter.wrapped(text)]
        return ["", *table, "", *painted]
