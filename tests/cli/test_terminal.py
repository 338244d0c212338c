"""Keys, signals and questions at a real terminal, which is left as it was found."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.scene import COMMAND, Scene, environment, reply
from tests.cli.terminal import Seat, gone, seat, silent_provider, until, visible

pytestmark = pytest.mark.slow

SLOW = "echo begun; sleep 60 & echo $! > pid.part; mv pid.part pid; wait"
STUBBORN = "trap '' TERM INT HUP; echo $$ > pid.part; mv pid.part pid; while :; do sleep 1; done"
FOOTER = "p pause"
ASKS = "[A]bort: "


def with_hook(scene: Scene, command: str) -> None:
    scene.config({"hooks": {"post": {"command": command}}, "defaults": {"post_hooks": ["post"]}})
    scene.tasks({"id": "T1"}, {"id": "T2", "post_hooks": []})
    scene.reply("T1", 1, reply(a__txt="x"))
    scene.change("T2", 1)


@contextmanager
def busy(scene: Scene, what: str, *words: str) -> Iterator[Seat]:
    """A run at a terminal that is in the middle of `what`."""
    with silent_provider() as address:
        with_hook(scene, {"flood": "yes | head -c 200M"}.get(what, SLOW))
        slow = {"protocol": "chat", "model": "m", "base_url": address}
        if what == "backoff":
            slow["base_url"] = "http://127.0.0.1:9/v1"
        if what in {"call", "backoff"}:
            scene.config(
                {"provider": "slow", "providers": {"slow": slow}, "retry": {"first_wait": "60s"}}
            )
        with seat(scene, "run", *words) as at:
            at.sees({"call": "asking slow", "backoff": "r try now"}.get(what, "post-hook post"))
            at.sees(FOOTER)
            if what == "hook":
                assert until((scene.project / "pid").exists)
            yield at


def pid_of(scene: Scene) -> int:
    assert until((scene.project / "pid").exists)
    return int(scene.read("pid"))


@pytest.mark.parametrize("what", ["hook", "flood", "call", "backoff"])
def test_keys_act_at_once_whatever_is_going_on(scene: Scene, what: str) -> None:
    with busy(scene, what) as at:
        at.types("s")
        at.sees("T1 skipped")
        if what in {"hook", "flood"}:
            at.sees("to undo them: agent-runner undo T1")
        if what == "hook":
            assert until(lambda: gone(pid_of(scene)))
        if what in {"call", "backoff"}:  # the next task waits as well
            at.sees("T2")
            at.sees(FOOTER)
            at.types("q")
            code, told = at.ends()
            assert code == 130
            assert "Stopped; everything is saved. Continue with `agent-runner resume`" in told
        else:
            assert at.ends()[0] == 0
            assert scene.run("undo", "T1").code == 0
            assert not (scene.project / "a.txt").exists()
    assert scene.states()["T1"] == "skipped"


def test_stopping_leaves_all_that_was_done_and_resume_goes_on(scene: Scene) -> None:
    with busy(scene, "hook") as at:
        at.types("q")
        code, told = at.ends()
    assert code == 130
    assert "\x1b[?25h" in told  # the cursor is back
    assert gone(pid_of(scene))
    with_hook(scene, "true")
    ended = scene.run("resume")
    assert ended.code == 0
    assert "T1 attempt 1: asked" not in ended.out  # the answer was there


def test_pause_is_taken_back_and_acts_after_the_task(scene: Scene) -> None:
    with busy(scene, "hook") as at:
        at.types("p")
        at.sees("pausing after this task")
        at.types("p")
        at.sees(FOOTER)
        at.types("p")
        at.sees("pausing after this task")
        at.types("s")
        at.sees("paused; p goes on, q stops and saves")
        at.types("p")
        at.sees("2 of 2")
        assert at.ends()[0] == 0


def test_output_and_help_are_shown_on_demand(scene: Scene) -> None:
    with busy(scene, "hook") as at:
        at.types("v")
        assert "| begun" in at.sees("hook output: on")
        at.types("?")
        at.sees("stop now; everything is saved")
        at.types("v")
        at.sees("hook output: off")
        at.types("q")
        assert at.ends()[0] == 130


@pytest.mark.parametrize(
    ("number", "code"),
    [("INT", 130), pytest.param("TERM", 143, marks=pytest.mark.long), ("HUP", 129)],
)
def test_signals_stop_save_and_restore(scene: Scene, number: str, code: int) -> None:
    with busy(scene, "hook") as at:
        os.kill(at.child.pid, signal.Signals[f"SIG{number}"])
        ended, told = at.ends()
    assert ended == code
    assert "everything is saved" in told
    assert gone(pid_of(scene))


def test_ctrl_c_is_for_the_runner_and_twice_ends_a_stubborn_hook(scene: Scene) -> None:
    with_hook(scene, STUBBORN)
    with seat(scene, "run") as at:
        at.sees("post-hook post")
        pid = pid_of(scene)
        at.types("\x03")
        at.types("\x03")
        assert at.ends()[0] == 130
    assert until(lambda: gone(pid))
    assert scene.states() == {"T1": "post_hooks", "T2": "pending"}


def test_a_closed_terminal_stops_and_saves(scene: Scene) -> None:
    with busy(scene, "hook") as at:
        runner = at.child.pid
        os.close(at.child.child_fd)
        _, status = os.waitpid(runner, 0)
        at.child.closed = True
    assert os.waitstatus_to_exitcode(status) == 129
    assert gone(pid_of(scene))
    assert "everything is saved" in scene.run("status").out


def test_the_question_takes_every_answer(scene: Scene) -> None:
    scene.config(
        {
            "hooks": {"post": {"command": "grep -q good a.txt"}},
            "defaults": {"post_hooks": ["post"]},
            "max_attempts_per_task": 1,
        }
    )
    scene.tasks({"id": "T1"}, {"id": "T2"}, {"id": "T3", "post_hooks": []})
    for number in (1, 2, 3):
        scene.reply("T1", number, reply(a__txt=f"bad {number}"))
        scene.reply("T2", number, reply(a__txt=f"bad {number} again"))
    scene.change("T3", 1)
    with seat(scene, "run") as at:
        told = at.sees(ASKS)
        assert "T1 needs a person: its only attempt is used up" in told
        assert "Type one of these" not in told  # there is somebody to ask
        at.types("x\r")
        at.sees("type r, h, e, s or a")
        at.sees(ASKS)
        at.types("r\r")
        at.sees("attempt 2: changed")
        at.sees(ASKS)
        at.types("h\r")
        at.sees("Hint for the agent")
        at.types("use the letter g\r")
        at.sees("attempt 3: changed")
        at.sees(ASKS)
        at.types("e\r")
        at.sees("run the post-hooks on them")
        scene.write("a.txt", "good")
        at.types("\r")
        at.sees("passed: post")
        at.sees(ASKS)  # now T2
        at.types("a\r")
        code, told = at.ends()
    assert code == 1
    assert "Aborted. Continue with `agent-runner resume`" in told
    assert scene.states() == {"T1": "passed", "T2": "escalated", "T3": "pending"}
    assert "with the hint: use the letter g" in scene.run("why", "T1").out
    with seat(scene, "resume") as at:
        at.sees(ASKS)
        at.types("s\r")
        assert at.ends()[0] == 0
    assert scene.states() == {"T1": "passed", "T2": "skipped", "T3": "passed"}


@pytest.mark.parametrize("columns", [80, pytest.param(200, marks=pytest.mark.long)])
def test_lines_fit_the_terminal(scene: Scene, columns: int) -> None:
    with_hook(scene, f"echo {'long ' * 80}; false")
    scene.config({"hooks": {"post": {"command": f"echo {'long ' * 80}; false"}}})
    scene.tasks(
        {"id": "T1", "title": "Many words " * 20, "post_hooks": ["post"], "max_attempts": 1}
    )
    with seat(scene, "run", "--on-escalation", "stop", columns=columns) as at:
        code, told = at.ends()
    assert code == 1
    lines = [visible(part) for part in re.split(r"\x1b\[K|\r\n", told)]
    assert max(map(len, lines)) <= columns
    assert max(map(len, lines)) >= columns - 1  # the whole width is used


def test_no_colour_where_nobody_wants_any(scene: Scene) -> None:
    scene.env = {"NO_COLOR": "1"}
    with_hook(scene, "true")
    with seat(scene, "run") as at:
        code, told = at.ends()
    assert code == 0
    assert "\x1b[3" not in told


def test_a_dumb_terminal_gets_plain_lines(scene: Scene) -> None:
    scene.env = {"TERM": "dumb"}
    with_hook(scene, "true")
    with seat(scene, "run") as at:
        code, told = at.ends()
    assert code == 0
    assert "\x1b" not in told


def test_a_reader_that_leaves_stops_the_run_and_loses_nothing(scene: Scene) -> None:
    with_hook(scene, "true")
    command = " ".join(f"'{word}'" for word in (*COMMAND, "run"))
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -1; echo code ${{PIPESTATUS[0]}}"],
        cwd=scene.project,
        env=environment(scene.home),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines() == ["T1 Do T1", "code 141"]
    assert done.stderr == ""
    assert scene.run("resume").code == 0


def test_a_reader_that_leaves_is_told_by_the_code_of_any_command(scene: Scene) -> None:
    with_hook(scene, "true")
    command = " ".join(f"'{word}'" for word in (*COMMAND, "debug", "prompt", "T1"))
    done = subprocess.run(
        ["bash", "-c", f"{command} | true; echo code ${{PIPESTATUS[0]}}"],
        cwd=scene.project,
        env=environment(scene.home),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("code 141\n", "")


def test_output_may_be_closed(scene: Scene) -> None:
    with_hook(scene, "true")
    command = " ".join(f"'{word}'" for word in COMMAND)
    for words, code in (("status", 0), ("run", 0), ("status", 0)):
        subprocess.run(
            ["bash", "-c", f"{command} {words} <&- >&- 2>&-; echo $? >code"],
            cwd=scene.project,
            env=environment(scene.home),
            timeout=60,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        assert scene.read("code") == f"{code}\n", words
    assert set(scene.states().values()) == {"passed"}


def test_a_wait_for_a_limit_counts_down_and_listens(scene: Scene) -> None:
    scene.config({"rate_limits": {"replay": {"max_requests_hour": 1}}})
    scene.tasks({"id": "T1"}, {"id": "T2"})
    scene.change("T1", 1)
    with seat(scene, "run", "--wait") as at:
        at.sees("waiting ")
        assert re.match(r"[\dhms]+: ", at.sees("an hour"))
        at.sees("r try now")
        at.types("q")
        code, told = at.ends()
    assert code == 130
    assert "Stopped; everything is saved" in told
    assert scene.states() == {"T1": "passed", "T2": "agent"}


EVIL = "\x1b]0;PWN\x07\x1b[2J\u009b31mx"


def test_a_patch_on_a_terminal_holds_nothing_that_it_obeys(scene: Scene) -> None:
    scene.config({})
    scene.tasks({"id": "T1"})
    scene.write("a.txt", "a\n")
    scene.reply("T1", 1, reply(a__txt=f"\tb\n{EVIL}"))
    assert scene.run("run").code == 0
    with seat(scene, "diff", "T1") as at:
        shown = at.ends()[1]
    assert not {"\x1b", "\x07", "\u009b"} & set(re.sub(r"\x1b\[\d*m", "", shown))
    assert "\\x1b]0;PWN" in shown
    assert EVIL in scene.run("diff", "T1").out  # for programs as it is
