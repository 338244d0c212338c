"""A lost exit status is never taken for a success."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LOST = """
import signal, sys
from pathlib import Path
import anyio
from agent_runner.ground.clock import SystemClock
from agent_runner.hooks import watch
from agent_runner.hooks.runner import HookRunner
from agent_runner.model.hooks import Hook, Phase
from agent_runner.model.task import Task

signal.signal(signal.SIGCHLD, signal.SIG_IGN)

async def main(folder, factory):
    runner = HookRunner(SystemClock(), folder / "state", {"PATH": "/usr/bin:/bin"}, watch=factory)
    result = await runner.run(
        Hook("h", command="false"), phase=Phase.POST, task=Task("T1", "t", "", folder), attempt=1,
        run_id="r", changed=tuple, on_start=lambda *_: None, on_output=lambda _: None,
    )
    print(result.outcome, result.exit_code, result.reason)

anyio.run(main, Path(sys.argv[1]), getattr(watch, sys.argv[2]))
"""


@pytest.mark.parametrize("factory", ["watch_exit", "ThreadWatch"])
def test_with_sigchld_ignored_a_judge_does_not_pass(tmp_path: Path, factory: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOST, str(tmp_path), factory],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stderr == ""
    assert done.stdout.startswith("broken None its exit status was lost")
