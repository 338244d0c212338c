"""The screen at a terminal: what is seen on a real pty, at two widths, with and without colour."""

import fcntl
import os
import pty
import re
import struct
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from attrs import define

from agent_runner.model import events as e, signals as s
from agent_runner.model.hooks import HookOutcome, HookResult, Phase
from agent_runner.model.states import TaskState as S
from agent_runner.model.task import Task, TaskList
from agent_runner.ui.console import Console
from agent_runner.ui.output import Output, can_draw
from agent_runner.ui.tally import Tally
from tests.support.clocks import FakeClock
from tests.ui.scenario import Script, small_run, task_list
from tests.ui.screen import SCRIPTS, Screen


@define
class Terminal:
    """A pty: the program's end as an Output, ours as the bytes that came."""

    out: Output
    master: int
    columns: int

    def resize(self, columns: int) -> None:
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

    def received(self) -> str:
        """All that was written since the last look."""
        os.set_blocking(self.master, False)
        pieces = []
        while True:
            try:
                pieces.append(os.read(self.master, 65536))
            except BlockingIOError:
                return b"".join(pieces).decode()


@contextmanager
def opened(columns: int) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    stream = os.fdopen(slave, "w", encoding="utf-8")
    made = Terminal(Output(stream), master, columns)
    made.resize(columns)
    yield made
    stream.close()
    os.close(master)


@pytest.fixture(params=[80, 200])
def terminal(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    with opened(request.param) as made:
        yield made


def console_on(terminal: Terminal, environ: dict[str, str] | None = None) -> Console:
    known = {"TERM": "xterm-256color"} if environ is None else environ
    return Console(terminal.out, Tally(task_list()), FakeClock(), known)


def seen(terminal: Terminal, console: Console) -> tuple[Screen, str]:
    """The screen after the whole run, and all that was written."""
    screen = Screen(terminal.columns)
    written = ""
    script = Script((console,))
    for _ in small_run(script):
        received = terminal.received()
        screen.feed(received)
        written += received
    return screen, written


def test_all_that_happened_stands_in_the_scrollback_once(terminal: Terminal) -> None:
    screen, _ = seen(terminal, console_on(terminal))
    text = "\n".join(screen.lines)
    for line in (
        "T1 Make slugs of titles  1 of 3 ──",
        "attempt 2: changed slug/text.py, slug/__init__.py (2 files)",
        "\u2713 passed: unit-tests exit 0 in 2.0s; judged tree bbbb111, commit 9f8e7d6",
        "\u2717 failed, needs a person",
        "T2    Count words              \u2713 passed         1",
        "3 tasks: 2 passed, 1 failed; ",
        "A person is needed: T3 failed.",
    ):
        assert text.count(line) == 1, line
    assert "p pause" not in text, "the live part is gone at the end"
    assert screen.cursor_shown


def test_nothing_flickers(terminal: Terminal) -> None:
    """Each redraw is whole, with at most three live lines; `Screen` itself refuses any clearing."""
    _, written = seen(terminal, console_on(terminal))
    frames = written.split("\x1b[?2026h")[1:]
    assert len(frames) > 30
    for frame in frames:
        assert frame.endswith("\x1b[?2026l")
        assert "\x1b[3A" not in frame


def test_the_live_part_says_what_is_going_on(terminal: Terminal) -> None:
    clock = FakeClock()
    console = Console(terminal.out, Tally(task_list()), clock, {"TERM": "xterm"})
    screen = Screen(terminal.columns)
    shown = []
    for _ in small_run(Script((console,))):
        clock.at += 1
        screen.feed(terminal.received())
        shown.append("\n".join(screen.lines[-3:]))
    every = "\n".join(shown)
    assert "running  pre-hook test-env 1s" in every
    assert "  | Resolving dependencies..." in every
    assert "running  post-hook unit-tests 1s  attempt 2" in every
    assert "running  receiving 340 tokens 3s  attempt 1" in every
    assert "running  asking claude 0s" in every
    assert "p pause  s skip  q stop  v output  ? keys" in every


def test_no_color_has_no_colour_but_the_same_words(terminal: Terminal) -> None:
    plain_environ = {"TERM": "xterm-256color", "NO_COLOR": "1"}
    screen, written = seen(terminal, console_on(terminal, plain_environ))
    assert "\x1b[32m" not in written
    assert "\x1b[1;31m" not in written
    assert "38;5" not in written
    assert "passed: unit-tests exit 0" in "\n".join(screen.lines)


def test_colour_is_there_without_it(terminal: Terminal) -> None:
    _, written = seen(terminal, console_on(terminal))
    assert "\x1b[32m" in written
    assert "\x1b[1;31m" in written


def in_a_hook(console: Console, clock: FakeClock) -> Script:
    script = Script((console,))
    script.add("T1", e.Started(), S.PRE_HOOKS)
    script.add("T1", e.HookStarted(Phase.PRE, "build", 1))
    clock.at += 1
    return script


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_verbose_streams_the_output_and_a_flood_is_counted(
    terminal: Terminal, clock: FakeClock
) -> None:
    console = Console(terminal.out, Tally(task_list()), clock, {"TERM": "xterm"})
    script = in_a_hook(console, clock)
    screen = Screen(terminal.columns)
    script.signal(s.HookOutput("T1", "build", b"before\nhalf a li"))
    console.toggle_verbose()
    script.signal(s.HookOutput("T1", "build", b"ne\n\x1b[2Jhostile\n"))
    clock.at += 1
    console.show_pausing(pausing=True)
    screen.feed(terminal.received())
    text = "\n".join(screen.lines)
    assert text.index("| before") < text.index("| half a line") < text.index("| hostile")
    assert "pausing after this task (p to cancel)" in text
    flood = b"".join(b"line %d\n" % n for n in range(3000))
    script.signal(s.HookOutput("T1", "build", flood))
    clock.at += 1
    console.toggle_verbose()
    screen.feed(terminal.received())
    text = "\n".join(screen.lines)
    assert "2800 more lines in the log" in text
    assert "| line 2999" in text
    assert "hook output: off" in text


def test_a_narrowed_terminal_loses_nothing(terminal: Terminal, clock: FakeClock) -> None:
    console = Console(terminal.out, Tally(task_list()), clock, {"TERM": "xterm"})
    script = in_a_hook(console, clock)
    script.signal(s.HookOutput("T1", "build", b"x" * 70 + b"\n"))
    terminal.received()
    terminal.resize(40)
    script.add("T1", e.PreHooksPassed(), S.AGENT)
    redrawn = terminal.received()
    assert "\x1b[5A" in redrawn, "three lines had become six rows"


def test_while_hidden_the_terminal_belongs_to_the_question(
    terminal: Terminal, clock: FakeClock
) -> None:
    console = Console(terminal.out, Tally(task_list()), clock, {"TERM": "xterm"})
    in_a_hook(console, clock)
    screen = Screen(terminal.columns)
    screen.feed(terminal.received())
    with console.hidden():
        screen.feed(terminal.received())
        assert screen.cursor_shown
        assert "p pause" not in "\n".join(screen.lines)
        console.show_pausing(pausing=False)
        assert terminal.received() == ""
    console.show_keys()
    screen.feed(terminal.received())
    assert "q  stop now; everything is saved" in "\n".join(screen.lines)
    assert screen.lines[-1].startswith("0 of 3 done  p pause")


def test_waiting_counts_down_and_offers_to_try_now(terminal: Terminal, clock: FakeClock) -> None:
    console = Console(terminal.out, Tally(task_list()), clock, {"TERM": "xterm"})
    script = in_a_hook(console, clock)
    script.signal(s.Waiting("T1", clock.at + 45.5, "throttled"))
    clock.at += 1
    script.signal(s.Waiting("T1", clock.at + 44.5, "throttled"))
    screen = Screen(terminal.columns)
    screen.feed(terminal.received())
    assert "waiting 44s: throttled" in screen.lines[-2]
    assert screen.lines[-1].startswith("0 of 3 done  r try now")


async def ticked(console: Console, clock: FakeClock) -> None:
    """Let the clock go on for three seconds."""
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(console.tick)
            while clock.at < 1_800_000_003:
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()


def test_time_ticks_and_the_cursor_comes_back(terminal: Terminal, clock: FakeClock) -> None:
    console = Console(terminal.out, Tally(task_list()), clock, {"TERM": "xterm"})
    in_a_hook(console, clock)
    anyio.run(ticked, console, clock)
    written = terminal.received()
    screen = Screen(terminal.columns)
    screen.feed(written)
    assert screen.cursor_shown
    assert "pre-hook build 2s" in written


def test_a_closed_terminal_ends_the_drawing_only(clock: FakeClock) -> None:
    master, slave = pty.openpty()
    os.close(master)
    stream = os.fdopen(slave, "w")
    console = Console(Output(stream), Tally(task_list()), clock, {"TERM": "xterm"})
    script = Script((console,))
    for _ in small_run(script):
        pass
    assert isinstance(console.broken, OSError)
    anyio.run(console.tick)
    stream.close()


def test_an_ascii_terminal_gets_ascii_lines(clock: FakeClock) -> None:
    master, slave = pty.openpty()
    stream = os.fdopen(slave, "w", encoding="ascii")
    terminal = Terminal(Output(stream), master, 80)
    terminal.resize(80)
    assert can_draw(stream, {"TERM": "xterm"})
    assert not can_draw(stream, {"TERM": "dumb"})
    console = Console(terminal.out, Tally(task_list()), clock, {"TERM": "xterm"})
    script = Script((console,))
    written = ""
    for _ in small_run(script):
        written += terminal.received()
    stream.close()
    os.close(master)
    screen = Screen(80)
    screen.feed(written)
    assert any(line.startswith("T1 Make slugs of titles  1 of 3 ---") for line in screen.lines)
    assert "?" not in "".join(screen.lines)


@pytest.mark.parametrize("columns", [20, 33, 40, 80])
@pytest.mark.parametrize("writing", SCRIPTS)
def test_no_script_breaks_a_line_of_the_screen(
    writing: str, columns: int, clock: FakeClock
) -> None:
    """`Screen` measures all that is written, and refuses a line that the terminal would break."""
    text = f"{SCRIPTS[writing][0]} " * 30
    task = Task("T1", text, "...", Path("/project"))
    tasks = TaskList("tasks", Path("/project/tasks.yml"), Path("/project"), (task,))
    with opened(columns) as terminal:
        console = Console(terminal.out, Tally(tasks), clock, {"TERM": "xterm"})
        script = Script((console,))
        script.add("T1", e.Started(), S.PRE_HOOKS)
        script.add("T1", e.HookStarted(Phase.PRE, "build", 1))
        clock.at += 1
        script.signal(s.HookOutput("T1", "build", f"{text}\n".encode()))
        red = HookResult("build", HookOutcome.FAILED, 1, 1.0, text, (text,))
        script.add("T1", e.HookFinished(Phase.PRE, 0, red))
        script.add("T1", e.PreHooksFailed("build", text), S.ESCALATED)
        script.add("", e.RunStopped("r", "held", 1))
        screen = Screen(columns)
        screen.feed(terminal.received())
    assert any(line.startswith("T1 ") for line in screen.lines)


def test_a_baseline_is_called_one_while_it_runs(terminal: Terminal, clock: FakeClock) -> None:
    console = Console(terminal.out, Tally(task_list()), clock, {"TERM": "xterm"})
    script = Script((console,))
    script.add("T1", e.Started(), S.PRE_HOOKS)
    script.add("T1", e.HookStarted(Phase.POST, "tests", 1))
    assert "  baseline tests 0s" in re.sub(r"\x1b\[[0-9;]*m", "", terminal.received())


def test_the_footer_says_how_far_the_list_has_come_and_what_it_cost(terminal: Terminal) -> None:
    screen = Screen(terminal.columns)
    footers = []
    for _ in small_run(Script((console_on(terminal),))):
        screen.feed(terminal.received())
        footers.append(screen.lines[-1])
    assert any(line.startswith("0 of 3 done  p pause") for line in footers)
    assert any(re.match(r"1 of 3 done, \$0\.0\d+  p pause", line) for line in footers)
    assert any(line.startswith("2 of 3 done, $") for line in footers)


@pytest.mark.parametrize("columns", [30, 40, 60])
def test_titles_and_names_are_cut_and_counters_never(columns: int) -> None:
    name = "a-hook-with-quite-a-name-as-hooks-may-have-them"
    root = Path("/project")
    task = Task("T1", "A title that is much too long for any screen of this width", "", root)
    tally = Tally(TaskList("l", root / "tasks.yml", root, (task,) * 1))
    with opened(columns) as narrow:
        clock = FakeClock()
        console = Console(narrow.out, tally, clock, {"TERM": "xterm"})
        script = Script((console,))
        script.add("T1", e.Started(), S.PRE_HOOKS)
        script.add("T1", e.HookStarted(Phase.PRE, name, 1))
        clock.at += 83
        console.show_pausing(pausing=True)
        screen = Screen(columns)
        screen.feed(narrow.received())
    title, status, footer = screen.lines[1], screen.lines[-2], screen.lines[-1]
    assert re.match("T1 A tit.*\u2026  1 of 1 \u2500{3}", title)
    assert re.search(r"\u2026 1m23s(  \d+s total)?$", status)
    assert footer.startswith("0 of 1 done  paus")
    assert max(map(len, screen.lines)) < columns
