"""Everything that a hook started ends with it, whatever it does against that."""

import contextlib
import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from agent_runner.ground.processes import this_machine
from agent_runner.hooks.session import Graces, Session
from agent_runner.hooks.starting import start_held_command
from agent_runner.hooks.watch import ExitWatch, PidfdWatch, ThreadWatch, WatchFactory
from agent_runner.model.hooks import HookOutcome, Phase

pytestmark = pytest.mark.anyio

Stage = Any  # the fixture's class stands in conftest, which importlib mode does not import


@pytest.fixture(params=["pidfd", "thread"])
def watch(request: pytest.FixtureRequest) -> WatchFactory:
    """Both ways to see a child's exit."""
    if request.param == "pidfd" and not hasattr(os, "pidfd_open"):
        pytest.skip("this system has no pidfd")
    return PidfdWatch if request.param == "pidfd" else ThreadWatch


@pytest.fixture
def strays() -> Iterator[list[int]]:
    """Groups that a test lets live; ended after it."""
    groups: list[int] = []
    yield groups
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def living(stage: Stage) -> tuple[int, ...]:
    """What still runs of the last started hook."""
    return this_machine().session(stage.started[-1][0])


DEAF = "trap '' TERM; "


@pytest.mark.parametrize(
    "command",
    [
        "sleep 60",
        "sleep 60 & sleep 60 & wait",
        "(sh -c 'sleep 60 & sleep 60') & wait",
        DEAF + "sleep 60 & sleep 60; sleep 60",
        DEAF + "while :; do sleep 0.01; done",
        "true; timeout 60 sleep 60; true",
        "set -m; sleep 60 & sleep 60 > /dev/null & wait",
    ],
)
async def test_a_time_out_ends_all_that_was_started(stage: Stage, command: str) -> None:
    with anyio.fail_after(10):
        result = await stage.run(command, timeout=0.2)
    assert result.outcome is HookOutcome.TIMED_OUT
    assert result.reason == "timed out after 0.2 s"
    assert living(stage) == ()


async def test_last_words_after_a_time_out_are_logged(stage: Stage) -> None:
    polite = "trap 'echo cleaning up; exit 0' TERM; echo begun; while :; do sleep 0.01; done"
    result = await stage.run(polite, timeout=0.2)
    assert result.outcome is HookOutcome.TIMED_OUT
    assert result.excerpt.startswith("begun\n")
    assert "cleaning up\n" in result.excerpt


@pytest.mark.parametrize("command", ["sleep 60 & sleep 60", DEAF + "sleep 60; sleep 60", "yes"])
async def test_a_cancelled_hook_dies_with_its_group_and_has_no_result(
    stage: Stage, command: str
) -> None:
    results = []
    with anyio.fail_after(10), anyio.CancelScope() as scope:
        results.append(await stage.run(command, on_start=lambda _pid: scope.cancel()))
    assert scope.cancelled_caught
    assert results == []
    assert living(stage) == ()
    assert b"\n=== stopped after " in stage.log()


async def test_a_cancelled_hook_may_finish_its_clean_up(stage: Stage) -> None:
    """It is not killed by a broken pipe for a word on the way out."""
    polite = (
        "trap 'echo bye; echo done > cleaned; exit' TERM; echo up; while :; do sleep 0.01; done"
    )
    with anyio.CancelScope() as scope:
        await stage.run(polite, on_output=lambda _piece: scope.cancel())
    assert (stage.task.root / "cleaned").read_text() == "done\n"


async def test_kill_now_cuts_the_grace(stage: Stage) -> None:
    stage.runner.graces = Graces(term=60.0)
    up = anyio.Event()

    async def cancelled_run() -> None:
        with anyio.CancelScope() as scope:

            def begun(_piece: bytes) -> None:
                scope.cancel()
                up.set()

            await stage.run(DEAF + "echo up; while :; do sleep 0.01; done", on_output=begun)

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cancelled_run)
            await up.wait()
            stage.runner.kill_now()
    assert living(stage) == ()


async def test_a_child_that_holds_the_output_does_not_hang_the_run(stage: Stage) -> None:
    with anyio.fail_after(10):
        result = await stage.run("echo first; (sleep 60; echo late) & exit 5")
    assert (result.outcome, result.exit_code) == (HookOutcome.FAILED, 5)
    assert result.excerpt.startswith("first\n")


async def test_a_child_in_another_session_that_holds_the_output_does_not_either(
    stage: Stage, strays: list[int]
) -> None:
    """It left the group on purpose, so it is not ours to end."""
    command = "setsid sh -c 'echo $$ > pid; exec sleep 60' & while ! test -s pid; do :; done"
    with anyio.fail_after(10):
        result = await stage.run(command)
    stray = int((stage.task.root / "pid").read_text())
    strays.append(stray)
    assert result.outcome is HookOutcome.PASSED
    assert this_machine().session(stray) == (stray,)


async def test_what_a_child_prints_within_the_grace_is_kept(stage: Stage) -> None:
    result = await stage.run("(sleep 0.05; echo late) & echo first")
    assert result.excerpt == "first\nlate\n"


@pytest.mark.parametrize(
    "command", ["sleep 60 > /dev/null 2>&1 & true", "set -m; sleep 60 & true", "sleep 60 & true"]
)
async def test_what_a_judge_leaves_running_is_ended(stage: Stage, command: str) -> None:
    result = await stage.run(command)
    assert result.outcome is HookOutcome.PASSED
    assert living(stage) == ()
    assert b", ended what it left running: " in stage.log()


async def test_a_service_that_a_pre_hook_leaves_stays_and_can_go_on_printing(
    stage: Stage, strays: list[int]
) -> None:
    server = "(while :; do echo $(date); echo x >> beats; sleep 0.01; done) & echo up"
    result = await stage.run(server, phase=Phase.PRE)
    strays.append(stage.started[-1][0])
    assert result.outcome is HookOutcome.PASSED
    assert set(result.left_running) & set(living(stage))
    assert b", left running: " in stage.log("pre")
    before = len((stage.task.root / "beats").read_bytes())
    with anyio.fail_after(10):  # a write into a closed pipe would have ended it
        while len((stage.task.root / "beats").read_bytes()) < before + 20:  # noqa: ASYNC110 - a file
            await anyio.sleep(0.01)


async def test_a_pre_hook_that_failed_leaves_nothing(stage: Stage) -> None:
    result = await stage.run("sleep 60 & exit 1", phase=Phase.PRE)
    assert (result.outcome, result.left_running) == (HookOutcome.FAILED, ())
    assert living(stage) == ()


async def test_an_error_of_a_callback_ends_the_hook(stage: Stage) -> None:
    def fail(_piece: bytes) -> None:
        raise RuntimeError("the screen is gone")

    with anyio.fail_after(10), pytest.raises(RuntimeError, match="the screen is gone"):
        await stage.run("echo x; sleep 60", on_output=fail)
    assert living(stage) == ()


async def test_an_error_while_the_start_is_recorded_ends_the_hook(stage: Stage) -> None:
    def fail(_pid: int) -> None:
        raise OSError("journal")

    with anyio.fail_after(10), pytest.raises(OSError, match="journal"):
        await stage.run("sleep 60", on_start=fail)
    assert living(stage) == ()


async def test_no_descriptor_is_left_open(stage: Stage) -> None:
    await stage.run("true")
    before = sorted(os.listdir("/dev/fd"))
    for command in ("true", "exit 1", "no-such-program", "sleep 60 & true"):
        await stage.run(command)
    await stage.run(("no-such-program",))
    await stage.run("sleep 60", timeout=0.05)
    assert sorted(os.listdir("/dev/fd")) == before


async def test_the_start_is_told_before_the_end_and_known_again(stage: Stage) -> None:
    seen: list[str] = []
    await stage.run("sleep 0.05", on_start=lambda pid: seen.append(this_machine().start_time(pid)))
    assert seen == [stage.started[0][1]]
    assert seen[0]


async def test_a_command_that_cannot_be_watched_does_not_run(stage: Stage) -> None:
    pids: list[int] = []

    def out_of_descriptors(pid: int) -> ExitWatch:
        pids.append(pid)
        raise OSError(errno.EMFILE, "Too many open files")

    stage.runner.watch = out_of_descriptors
    result = await stage.run("sleep 60")
    assert result.outcome is HookOutcome.BROKEN
    assert "Too many open files" in result.reason
    with anyio.fail_after(10):  # SIGKILL was sent; dying takes its time
        await Session(pids[0], this_machine()).wait_until_empty()


@pytest.mark.anyio
async def test_a_held_command_never_begins_without_its_word(tmp_path: Path) -> None:
    """As when the runner dies before the start of the hook is on record."""
    child = start_held_command("touch begun", cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    child._shut_gate()
    await child.follow(lambda _: None, timeout=None)
    await child.close()
    assert child.exit_code == 1
    assert not (tmp_path / "begun").exists()


@pytest.mark.anyio
async def test_a_held_command_begins_at_its_word_and_reads_nothing(tmp_path: Path) -> None:
    child = start_held_command("cat; touch begun", cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    child.release()
    await child.follow(lambda _: None, timeout=30)
    await child.close()
    assert child.exit_code == 0
    assert (tmp_path / "begun").exists()
