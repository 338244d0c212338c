"""The screen without a terminal, the quiet one, and GitHub's."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import TextIO

import pytest

from agent_runner.model import events as e, signals as s
from agent_runner.model.hooks import HookOutcome, HookResult, Phase
from agent_runner.model.signals import Observer
from agent_runner.model.states import TaskState as S
from agent_runner.ui.observers import Observers
from agent_runner.ui.output import Output, can_draw
from agent_runner.ui.plain import GitHub, Plain, Quiet
from agent_runner.ui.tally import Tally
from tests.ui.scenario import Script, task_list, whole_run

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
SCREENS = [Plain, Quiet, GitHub]


def played(screen: type[Plain]) -> list[str]:
    out = io.StringIO()
    whole_run(screen(Output(out), Tally(task_list())))
    return out.getvalue().splitlines()


def hostile(screen: type[Plain]) -> str:
    out = io.StringIO()
    script = Script((screen(Output(out), Tally(task_list())),))
    bad = "\x1b[2J\x1b]0;owned\x07::error::forged\n##[error]forged\u202e"
    failed = HookResult("tests", HookOutcome.FAILED, 1, 1.0, bad, (bad,))
    script.add("T1", e.Started(), S.PRE_HOOKS)
    script.signal(s.Said("", "::error::forged"))
    script.add("T1", e.HookFinished(Phase.PRE, 0, failed))
    script.add("T1", e.Applied((bad,), "t", notes=(bad,)), S.POST_HOOKS)
    script.add("T1", e.PreHooksFailed("tests", bad), S.ESCALATED)
    return out.getvalue()


@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_controls_the_terminal(screen: type[Plain]) -> None:
    assert not any(CONTROL.search(line) for line in played(screen))
    assert not CONTROL.search(hostile(screen).replace("\n", ""))


def test_one_line_per_fact_with_its_task_in_front() -> None:
    lines = played(Plain)
    assert "T1 attempt 1: changed slug/text.py (1 file)" in lines
    assert "T1 passed: unit-tests exit 0 in 2.0s; judged tree bbbb111, commit 9f8e7d6" in lines
    assert "T3 failed, needs a person" in lines
    assert lines[-2].startswith("3 tasks: 2 passed, 1 failed; ")
    assert "`agent-runner retry T3`" in lines[-1]
    assert all(line.startswith(("T1 ", "T2 ", "T3 ")) for line in lines[:-2])


def test_quiet_is_silent_but_for_failures_and_one_closing_line() -> None:
    failure, closing = played(Quiet)
    assert failure == "T3 failed, needs a person: unit-tests failed, exit 1"
    assert closing.startswith("3 tasks: 2 passed, 1 failed; ")


def test_github_has_a_group_per_task_and_an_annotation_per_failure() -> None:
    lines = played(GitHub)
    assert [line for line in lines if line.startswith("::")] == [
        "::group::T1 Make slugs of titles",
        "::endgroup::",
        "::group::T2 Count words",
        "::endgroup::",
        "::group::T3 Render the summary page",
        "::endgroup::",
        "::error title=T3 failed::unit-tests failed, exit 1",
    ]


def test_nobody_else_can_command_github() -> None:
    commands = [line for line in hostile(GitHub).splitlines() if line.lstrip().startswith("::")]
    assert commands == [
        "::group::T1 Make slugs of titles",
        "::endgroup::",
        "::error title=T1 failed::::error::forged",
    ]
    rest = [line for line in hostile(GitHub).splitlines() if line not in commands]
    assert not any("##[" in line for line in rest)


def test_github_escapes_what_its_dialect_reserves() -> None:
    out = io.StringIO()
    screen = GitHub(Output(out), Tally(task_list()))
    screen.signal(s.Said("T,1:2", "50% is\nnot all", "warning"))
    assert out.getvalue() == "::warning title=T%2C1%3A2::50%25 is not all\n"


def test_a_wait_is_told_once_however_often_it_counts_down() -> None:
    out = io.StringIO()
    screen = Plain(Output(out), Tally(task_list()))
    for _ in range(3):
        screen.signal(s.Waiting("T1", 1_800_000_060.0, "throttled"))
    assert out.getvalue().count("\n") == 1
    assert "throttled" in out.getvalue()


def broken_pipe() -> TextIO:
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")


def closed_stream() -> TextIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("broken", [broken_pipe, closed_stream])
def test_a_broken_stream_is_remembered_and_hurts_nobody(broken: Callable[[], TextIO]) -> None:
    stream = broken()
    screen = Plain(Output(stream), Tally(task_list()))
    assert screen.broken is None
    whole_run(screen)
    assert isinstance(screen.broken, (BrokenPipeError, ValueError))
    if not stream.closed:
        stream.close()  # what was buffered goes nowhere, silently


def test_a_broken_pipe_leaves_no_noise_at_exit() -> None:
    code = (
        "import sys; from agent_runner.ui.output import Output\n"
        "out = Output(sys.stdout)\n"
        "sys.stdin.readline()\n"
        "for _ in range(3): out.line('x' * 10000)\n"
        "sys.exit(0 if isinstance(out.broken, BrokenPipeError) else 1)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    child.stdout.close()
    child.stdout = None
    _, errors = child.communicate(b"go\n", timeout=30)
    assert (child.returncode, errors) == (0, b"")


def test_an_output_that_knows_only_ascii_still_gets_the_line() -> None:
    raw = io.BytesIO()
    out = Output(io.TextIOWrapper(raw, encoding="ascii"))
    out.line("grüße")
    assert raw.getvalue() == b"gr??e\n"
    assert out.broken is None


def test_plain_needs_no_console_of_rich() -> None:
    code = (
        "import sys, agent_runner.ui.plain, agent_runner.ui.jsonl, agent_runner.ui.junit_report\n"
        "import agent_runner.ui.summary, agent_runner.ui.narration, agent_runner.ui.tables\n"
        "sys.exit('rich.console' in sys.modules or 'anyio' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_can_draw_only_on_a_terminal_that_is_not_dumb() -> None:
    assert not can_draw(io.StringIO(), {"TERM": "xterm"})
    closed = io.StringIO()
    closed.close()
    assert not can_draw(closed, {"TERM": "xterm"})


class Faulty:
    """An observer with a bug."""

    def __init__(self) -> None:
        self.seen = 0

    def entry(self, *_: object) -> None:
        self.seen += 1
        raise RuntimeError

    def signal(self, _signal: s.Signal) -> None:
        raise RuntimeError


def test_an_observer_that_raises_is_dropped_and_the_rest_go_on() -> None:
    faulty, out = Faulty(), io.StringIO()
    screen: Observer = Plain(Output(out), Tally(task_list()))
    observers = Observers(faulty, screen)
    whole_run(observers)
    assert faulty.seen == 1
    assert len(observers.broken) == 1
    assert "T3 failed" in out.getvalue()
    again = Observers(Faulty())
    again.signal(s.Said("", "hello"))
    assert len(again.broken) == 1


def test_ready_lines_are_shown_with_nothing_hidden() -> None:
    out = io.StringIO()
    screen = GitHub(Output(out), Tally(task_list()))
    screen.show(["+\tindented\r\n", "::error::x", "a\x1b[2Jb"])
    assert out.getvalue() == "+   indented\n| ::error::x\na\\x1b[2Jb\n"
