"""Runs a user's notify command: it is told what happened, and never stops a run."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent_runner.hooks.excerpt import excerpt
from agent_runner.hooks.starting import start_command

_KEPT = 2_000  # bytes of the command's output, for the report of a failure


async def notify(
    command: str,
    event: Mapping[str, Any],
    env: Mapping[str, str],
    timeout: float,
    *,
    cwd: Path | None = None,
) -> str | None:
    """Run `command` by `sh -c`; None if it went well, else one line on what went wrong.

    It gets `event` as one JSON line on standard input, and its plain fields as variables
    `AGENT_RUNNER_<NAME>` beside `env`. After `timeout` seconds it is ended, with all that it
    started; so is what it leaves behind.
    """
    last = bytearray()

    def keep(piece: bytes) -> None:
        last.extend(piece)
        del last[:-_KEPT]

    try:
        with tempfile.TemporaryFile() as line:
            line.write(json.dumps(event).encode() + b"\n")
            line.seek(0)
            child = start_command(command, cwd=cwd, env={**env, **_variables(event)}, stdin=line)
    except (OSError, ValueError, TypeError) as error:
        return f"notify command could not start: {error}"
    try:
        timed_out = await child.follow(keep, timeout=timeout)
    finally:
        await child.close()
    if child.exit_code == 0:
        return None
    why = f"still running after {timeout:g} s" if timed_out else f"exit code {child.exit_code}"
    said = excerpt(lambda at, size: bytes(last[at : at + size]), len(last)).strip()
    return f"notify command failed ({why})" + (f": {said.splitlines()[-1][:200]}" if said else "")


def _variables(event: Mapping[str, Any]) -> dict[str, str]:
    """The fields that are plain values, as environment variables."""
    return {
        f"AGENT_RUNNER_{name.upper()}": str(value)
        for name, value in event.items()
        if isinstance(value, str | int | float) and "\0" not in str(value)
    }
