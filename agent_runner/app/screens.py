"""Which observers a run gets: live console, plain lines, JSON or silence; and a JUnit file."""

import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from agent_runner.app.project import Project
from agent_runner.edits.plan import Planned
from agent_runner.engine.work import Work
from agent_runner.ground.clock import Clock
from agent_runner.ground.diff import diff
from agent_runner.limits.windows import zone_of
from agent_runner.model.record import TaskRecord
from agent_runner.ui.keyboard import Keyboard
from agent_runner.ui.observers import Observers
from agent_runner.ui.output import Output, can_draw
from agent_runner.ui.plain import GitHub, Plain, Quiet
from agent_runner.ui.tally import Tally
from agent_runner.ui.terminal import restore_terminal

if TYPE_CHECKING:
    from agent_runner.ui.console import Console  # lazy below: rich is slow to import
    from agent_runner.ui.terminal_person import TerminalPerson


@frozen
class ScreenOptions:
    """How the run is to be shown."""

    quiet: bool = False
    json: bool = False
    junit: Path | None = None


@frozen
class _Memory:
    """Contents that are not on disk yet."""

    contents: Mapping[str, bytes]

    def get(self, name: str) -> bytes:
        return self.contents[name]


@define
class Screen:
    """What a run shows and asks with. Without a terminal there is no console and no person.

    `terse`: whether a failure is one line; the closing line says where to read more.
    """

    observers: Observers
    output: Output
    show: Callable[[Iterable[str]], None]
    console: "Console | None" = None
    keyboard: Keyboard = field(factory=Keyboard)
    person: "TerminalPerson | None" = None
    terse: bool = False

    def explain(self, lines: Iterable[str]) -> None:
        """Show why a task needs a person, and what can be typed, where nobody is asked."""
        if not self.terse:
            self.show(lines)

    def preview(self, work: Work, planned: Planned) -> None:
        """Show what a reply would change."""
        text = diff(planned.change_set, _Memory(planned.blobs)).decode(errors="replace")
        self.show([f"{work.task.id}: {planned.summary}", *planned.notes, *text.splitlines()])

    def close(self) -> None:
        """Leave the terminal as it was, also where the process ends without cleaning up."""
        if self.console is not None:
            self.console.close()
        restore_terminal()


def make_screen(
    project: Project, records: dict[str, TaskRecord], options: ScreenOptions, clock: Clock
) -> Screen:
    """The screen for stdout as it is: terminal or not, GitHub or not."""
    env = project.surroundings.env
    tally, out = _tally(project, records), Output(sys.stdout)
    if options.json:
        from agent_runner.ui.jsonl import JsonLines

        for_people = Quiet(Output(sys.stderr), _tally(project, records))
        both = Observers(JsonLines(out), for_people)
        screen = Screen(both, out, for_people.show, terse=True)
    elif options.quiet:
        quiet = Quiet(out, tally)
        screen = Screen(Observers(quiet), out, quiet.show, terse=True)
    elif can_draw(sys.stdout, env):
        screen = _live_screen(out, tally, env, clock)
    else:
        plain = (GitHub if env.get("GITHUB_ACTIONS") == "true" else Plain)(out, tally)
        screen = Screen(Observers(plain), out, plain.show)
    if options.junit is not None:
        from agent_runner.ui.junit_report import JUnit

        screen.observers.add(JUnit(options.junit, _tally(project, records)))
    if sys.stdin.isatty() and sys.stdout.isatty() and not options.json:
        screen.person = _person(screen)
    return screen


def _tally(project: Project, records: dict[str, TaskRecord]) -> Tally:
    zone = zone_of(project.settings.limits)
    return Tally(project.tasks, records, zone, project.place.invocation)


def _live_screen(out: Output, tally: Tally, env: Mapping[str, str], clock: Clock) -> Screen:
    from agent_runner.ui.console import Console

    console = Console(out, tally, clock, env)
    keyboard = Keyboard(while_stopped=console.hidden)
    return Screen(Observers(console), out, console.show, console, keyboard)


def _person(screen: Screen) -> "TerminalPerson":
    from agent_runner.ui.terminal_person import TerminalPerson

    hide_screen = screen.console.hidden if screen.console else nullcontext
    return TerminalPerson(screen.output, screen.keyboard, hide_screen=hide_screen)
