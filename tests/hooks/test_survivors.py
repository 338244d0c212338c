"""What a dead runner's hook left is found and ended; a stranger with its number is not."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from agent_runner.ground.processes import ProcessTable, ProcTable, PsTable, this_machine
from agent_runner.hooks.session import Graces, Trace, end_survivors

OURS = {"AGENT_RUNNER_RUN_ID": "run-7", "AGENT_RUNNER_TASK": "T1"}
GRACES = Graces(term=0.3, kill=2.0)


@pytest.fixture(params=["proc", "ps"])
def table(request: pytest.FixtureRequest) -> ProcessTable:
    """Both ways to see what runs."""
    if request.param == "proc" and not Path("/proc/self/stat").exists():
        pytest.skip("this system has no /proc")
    if request.param == "ps" and not shutil.which("ps"):
        pytest.skip("this system has no ps")
    return ProcTable() if request.param == "proc" else PsTable()


class Orphans:
    """Starts commands the way hooks are started, and forgets them."""

    def __init__(self) -> None:
        self.leaders: list[subprocess.Popen[bytes]] = []

    def start(self, command: str, env: dict[str, str]) -> int:
        """The pid of a group's leader that has said a word, so that all of it is there."""
        leader = subprocess.Popen(
            ["/bin/sh", "-c", command],
            env={"PATH": os.environ["PATH"], **env},
            start_new_session=True,
            stdout=subprocess.PIPE,
        )
        self.leaders.append(leader)
        assert leader.stdout is not None
        assert leader.stdout.readline() == b"up\n"
        return leader.pid

    def end(self) -> None:
        for leader in self.leaders:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(leader.pid, signal.SIGKILL)
            leader.wait()
            assert leader.stdout is not None
            leader.stdout.close()


@pytest.fixture
def orphans() -> Iterator[Orphans]:
    started = Orphans()
    yield started
    started.end()


def trace(pid: int, table: ProcessTable) -> Trace:
    return Trace(pid, table.start_time(pid), "run-7", "T1")


LEADING = "sleep 60 & echo up; wait"
LEFT = "sleep 60 & echo up"  # the leader ends at once


@pytest.mark.anyio
async def test_a_living_leader_makes_its_group_the_hooks(
    orphans: Orphans, table: ProcessTable
) -> None:
    pid = orphans.start(LEADING, {})
    found = await end_survivors(trace(pid, table), table, GRACES)
    assert pid in found
    assert len(found) == 2


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("env", "found"),
    [
        (OURS, True),
        ({**OURS, "AGENT_RUNNER_TASK": "T2"}, False),
        ({**OURS, "AGENT_RUNNER_RUN_ID": "run-71"}, False),
        ({}, False),
    ],
)
async def test_without_its_leader_a_member_must_carry_our_run_and_task(
    orphans: Orphans, table: ProcessTable, env: dict[str, str], *, found: bool
) -> None:
    pid = orphans.start(LEFT, env)
    known = trace(pid, table)
    orphans.leaders[-1].wait()
    assert bool(await end_survivors(known, table, GRACES)) is found
    assert bool(table.session(pid)) is not found


@pytest.mark.anyio
async def test_nothing_is_found_where_nothing_is_left(
    orphans: Orphans, table: ProcessTable
) -> None:
    pid = orphans.start("echo up", OURS)
    known = trace(pid, table)
    orphans.leaders[-1].wait()
    assert await end_survivors(known, table, GRACES) == []
    assert table.start_time(pid) == ""
    assert table.session(pid) == ()
    assert not table.carries(pid, OURS)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "command",
    [
        LEADING,
        LEFT,
        "trap '' TERM; sleep 60 & sleep 60 & echo up; wait; sleep 60",
        "env -i sleep 60 & echo up; wait",
        "timeout 60 sh -c 'echo up; sleep 60'; true",
    ],
    ids=["leader", "left", "deaf", "without environment", "a group of its own"],
)
async def test_survivors_are_ended(orphans: Orphans, table: ProcessTable, command: str) -> None:
    pid = orphans.start(command, OURS)
    known = trace(pid, table)
    if command is LEFT:
        orphans.leaders[-1].wait()
    before = table.session(pid)
    assert before
    ended = await end_survivors(known, table, GRACES)
    assert set(before) <= set(ended)  # more may have been started since the first look
    assert ended == sorted(ended)
    assert table.session(pid) == ()


@pytest.mark.anyio
@pytest.mark.parametrize("start_time", ["another time", ""])
async def test_a_stranger_is_not_ended(
    orphans: Orphans, table: ProcessTable, start_time: str
) -> None:
    pid = orphans.start(LEADING, {})
    recycled = evolve(trace(pid, table), start_time=start_time)
    assert await end_survivors(recycled, table, GRACES) == []
    assert len(table.session(pid)) == 2


def test_a_start_time_stays_and_is_nobody_elses(orphans: Orphans) -> None:
    table, pid = this_machine(), orphans.start(LEADING, {})
    first = table.start_time(pid)
    assert first
    assert table.start_time(pid) == first != table.start_time(os.getpid())


def test_a_strange_name_does_not_confuse_the_table(tmp_path: Path, orphans: Orphans) -> None:
    program = tmp_path / "a) S 1 1 (b"
    program.write_text("#!/bin/sh\necho up\nsleep 60\n:\n")
    program.chmod(0o755)
    pid = orphans.start(f"exec '{program}'", {})
    assert pid in this_machine().session(pid)
    assert this_machine().start_time(pid)


DYING = """
import sys
from pathlib import Path
import anyio
from agent_runner.ground.clock import SystemClock
from agent_runner.hooks.runner import HookRunner
from agent_runner.model.hooks import Hook, Phase
from agent_runner.model.task import Task

async def main(folder):
    runner = HookRunner(SystemClock(), folder / "state", {"PATH": "/usr/bin:/bin"})
    started = []
    await runner.run(
        Hook("h", command="sleep 60 & sleep 60 > /dev/null & echo up; sleep 60; true"),
        phase=Phase.POST, task=Task("T1", "t", "", folder), attempt=1, run_id="run-7",
        changed=tuple, on_start=lambda pid, began: started.extend((pid, began)),
        on_output=lambda _: print(*started, flush=True),
    )

anyio.run(main, Path(sys.argv[1]))
"""


@pytest.fixture
def trace_of_killed_runner(tmp_path: Path) -> Trace:
    """What the journal of a runner that was killed within a hook would know."""
    runner = subprocess.Popen(
        [sys.executable, "-c", DYING, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert runner.stdout is not None
    pid, _, started = runner.stdout.readline().strip().partition(" ")
    runner.kill()
    runner.wait()
    runner.stdout.close()
    return Trace(int(pid), started, "run-7", "T1")


@pytest.mark.crash
@pytest.mark.anyio
async def test_after_a_killed_runner_its_hook_is_found_and_ended(
    trace_of_killed_runner: Trace,
) -> None:
    known = trace_of_killed_runner
    assert known.pid in await end_survivors(known, graces=GRACES)
    assert this_machine().session(known.pid) == ()


def test_all_that_carry_a_variable_are_found_wherever_they_went(
    table: ProcessTable, orphans: Orphans
) -> None:
    mark = {"AGENT_RUNNER_TEST_MARK": f"mark-{os.getpid()}"}
    away = f"{shlex.quote(sys.executable)} -c 'import os, time; os.setsid(); time.sleep(60)' & "
    leader = orphans.start(f"{away} sleep 0.5; echo up; wait", mark)

    found = table.carriers(mark)
    try:
        assert leader in found
        assert len(found) == 2
        assert table.carriers({**mark, "OTHER": "1"}) == ()
    finally:
        for pid in found:
            os.kill(pid, signal.SIGKILL)
