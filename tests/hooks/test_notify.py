"""A notify command is told what happened; whatever it does, the run goes on."""

import json
from pathlib import Path

import anyio
import pytest

from agent_runner.hooks.notify import notify

pytestmark = pytest.mark.anyio

ENV = {"PATH": "/usr/bin:/bin"}


async def test_it_gets_a_json_line_and_variables(tmp_path: Path) -> None:
    event = {
        "event": "escalated",
        "task": "T1",
        "attempts": 3,
        "why": ["x"],
        "title": 'a "b"\n\u00e9',
    }
    command = 'cat > line; echo "$AGENT_RUNNER_EVENT $AGENT_RUNNER_ATTEMPTS $OURS" > told'
    problem = await notify(command, event, {**ENV, "OURS": "yes"}, 10.0, cwd=tmp_path)
    assert problem is None
    assert (tmp_path / "told").read_text() == "escalated 3 yes\n"
    line = (tmp_path / "line").read_bytes()
    assert line.count(b"\n") == 1
    assert json.loads(line) == event


async def test_a_megabyte_of_event_that_nobody_reads_is_no_trouble() -> None:
    assert await notify("true", {"much": ["x" * 1_000_000]}, ENV, 10.0) is None


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("echo 'no route' >&2; exit 3", "notify command failed (exit code 3): no route"),
        ("exit 1", "notify command failed (exit code 1)"),
        ("no-such-program", "notify command failed (exit code 127): "),
        ("kill -9 $$", "notify command failed (exit code -9)"),
        ("sleep 60", "notify command failed (still running after 0.1 s)"),
        (
            "trap '' TERM; sleep 60 & wait; sleep 60",
            "notify command failed (still running after 0.1 s)",
        ),
        ("a\0b", "notify command could not start: embedded null byte"),
    ],
)
async def test_a_failing_or_slow_one_is_reported(command: str, problem: str) -> None:
    with anyio.fail_after(20):
        said = await notify(
            command, {"event": "finished"}, ENV, 0.1 if "sleep" in command else 10.0
        )
    assert said is not None
    assert said.startswith(problem)


async def test_an_event_that_is_no_json_is_reported() -> None:
    said = await notify("true", {"event": object()}, ENV, 10.0)
    assert said is not None
    assert "could not start" in said
