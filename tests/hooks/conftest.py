"""A hook runner over real folders and real commands, with short graces."""

import os
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from agent_runner.ground.clock import SystemClock
from agent_runner.ground.redaction import Redactor
from agent_runner.hooks.runner import HookRunner
from agent_runner.hooks.session import Graces
from agent_runner.hooks.watch import PidfdWatch, ThreadWatch, WatchFactory
from agent_runner.model.hooks import Hook, HookResult, Phase
from agent_runner.model.task import Task

KEY = "sk-planted-0123456789"

ENVIRONMENT = {
    "PATH": f"{os.environ['PATH']}",
    "HOME": "/nowhere",
    "PLANTED_KEY": KEY,
    "AGENT_RUNNER_PROVIDERS__X__API_KEY": KEY,
}


@define
class Stage:
    """A runner with a task, and what its callbacks were told."""

    runner: HookRunner
    task: Task
    started: list[tuple[int, str]] = field(factory=list)
    seen: bytearray = field(factory=bytearray)
    changed: Collection[str] = ()

    async def run(
        self,
        command: str | tuple[str, ...],
        *,
        phase: Phase = Phase.POST,
        on_start: Callable[[int], None] = lambda _pid: None,
        on_output: Callable[[bytes], None] = lambda _piece: None,
        on_long: Callable[[], None] = lambda: None,
        log_name: str = "",
        **options: Any,
    ) -> HookResult:
        """Run a hook with these options, as attempt 2 of task T1 in run `run-7`."""

        def start(pid: int, began: str) -> None:
            self.started.append((pid, began))
            on_start(pid)

        def output(piece: bytes) -> None:
            self.seen += piece
            on_output(piece)

        return await self.runner.run(
            Hook("h", command=command, **{"timeout": 30.0, **options}),
            phase=phase,
            task=self.task,
            attempt=2,
            run_id="run-7",
            changed=lambda: self.changed,
            on_start=start,
            on_output=output,
            on_long=on_long,
            log_name=log_name,
        )

    def log(self, name: str = "post") -> bytes:
        return (self.runner.state_dir / "logs" / "T1" / f"{name}.log").read_bytes()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def watch() -> WatchFactory:
    """The way to see a child's exit; files whose tests depend on it run them with both."""
    return PidfdWatch if hasattr(os, "pidfd_open") else ThreadWatch


@pytest.fixture
async def stage(tmp_path: Path, watch: WatchFactory) -> AsyncIterator[Stage]:
    root = tmp_path / "project"
    root.mkdir()
    runner = HookRunner(
        clock=SystemClock(),
        state_dir=tmp_path / "state",
        environment=ENVIRONMENT,
        key_names=("PLANTED_KEY",),
        redactor=Redactor([KEY]),
        watch=watch,
        graces=Graces(output=0.2, term=0.3, kill=2.0),
    )
    yield Stage(runner, Task("T1", "title", "", root))
    runner.close()
