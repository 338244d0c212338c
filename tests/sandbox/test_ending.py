"""All that a confined command started ends with it, by every means that there is here."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_runner.sandbox.confinement import Confinement, Tier
from agent_runner.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import started
from tests.support.sandboxes import REAL, had

STUBBORN = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()  # as the shells of agents' commands are
    if os.fork() == 0:
        os.setsid()
        with open("beats", "w") as beats:
            print("ready", flush=True)
            while True:
                beats.write(".")
                beats.flush()
                time.sleep(0.02)
    os._exit(0)
time.sleep(float(sys.argv[1]))
"""
"""Leaves a grandchild in a session of its own that ignores every polite signal, and beats."""


@pytest.fixture(params=[*REAL, Tier.NONE], ids=lambda tier: tier.name.lower())
def any_sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Those that confine, and the one that only ends what was started."""
    return Sandbox(Tier.NONE) if request.param is Tier.NONE else had(request.param)


def silent(beats: Path) -> bool:
    """Whether nobody beats any more."""
    size = -1
    for _ in range(100):
        if beats.stat().st_size == size:
            return True
        size = beats.stat().st_size
        time.sleep(0.1)
    return False


def ready(child: "subprocess.Popen[bytes]") -> bool:
    """Wait for the command to be at it."""
    assert child.stdout
    return child.stdout.readline() == b"ready\n"


def start_stubborn(sandbox: Sandbox, lasting: Path, seconds: float) -> "subprocess.Popen[bytes]":
    (lasting / "stubborn.py").write_text(STUBBORN)
    python = os.path.realpath(sys.executable)  # an environment below /tmp is hidden
    wrapped = sandbox.wrapped(
        [python, "stubborn.py", str(seconds)], Confinement(writable=(lasting,)), cwd=lasting
    )
    return started(wrapped)


def test_when_the_command_ends_by_itself(any_sandbox: Sandbox, lasting: Path) -> None:
    with start_stubborn(any_sandbox, lasting, 0.3) as child:
        assert ready(child)
        assert child.wait(30) == 0
        assert silent(lasting / "beats")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_when_it_is_ended(
    any_sandbox: Sandbox,
    lasting: Path,
    number: signal.Signals,
    send: Callable[[int, signal.Signals], None],
) -> None:
    with start_stubborn(any_sandbox, lasting, 60) as child:
        assert ready(child)
        since = time.monotonic()
        send(child.pid, number)
        child.wait(30)
        assert silent(lasting / "beats")
        assert time.monotonic() - since < 10  # a second is given, and machines are busy


def test_when_the_runner_is_killed(any_sandbox: Sandbox, lasting: Path) -> None:
    runner = os.fork()
    if runner == 0:
        with start_stubborn(any_sandbox, lasting, 60):
            time.sleep(60)
    for _ in range(500):
        if (lasting / "beats").exists():
            break
        time.sleep(0.02)
    os.kill(runner, signal.SIGKILL)
    os.waitpid(runner, 0)
    assert silent(lasting / "beats")


def test_a_command_that_can_is_let_finish(landlock: Sandbox, lasting: Path) -> None:
    """With bwrap it ends at once; the launcher hands SIGTERM on."""
    command = 'trap "echo done > words; exit 4" TERM; echo ready; sleep 60 & wait'
    wrapped = landlock.wrapped(
        ["/bin/sh", "-c", command], Confinement(writable=(lasting,)), cwd=lasting
    )
    with started(wrapped) as child:
        assert ready(child)
        child.terminate()
        assert child.wait(30) == 4
    assert (lasting / "words").read_text() == "done\n"


def test_the_command_cannot_end_who_watches_it(landlock: Sandbox, lasting: Path) -> None:
    command = "kill -9 $PPID; echo $?; kill -9 -1; echo still"
    wrapped = landlock.wrapped(
        ["/bin/sh", "-c", command], Confinement(writable=(lasting,)), cwd=lasting
    )
    with started(wrapped) as child:
        output = child.communicate(timeout=20)[0]
    assert b"0\n" not in output
