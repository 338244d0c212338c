"""The command line: one file per command. This file is the only error boundary."""

import contextlib
import os
import sys
import tempfile
import traceback
from collections.abc import Mapping
from typing import Any

import typer

from agent_runner.cli import exit_codes
from agent_runner.cli.commands import app
from agent_runner.model.errors import AgentRunnerError, InputError


def main() -> None:
    """Run the command line and exit with its code. Nothing that goes wrong ends in a traceback."""
    _open_closed_streams()
    code = _guarded()
    with contextlib.suppress(BrokenPipeError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
        sys.exit(code)
    # whoever read our output is gone: do not let the interpreter complain about it at exit
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(exit_codes.BROKEN_PIPE)


def _open_closed_streams() -> None:
    """Started with closed streams (`>&-`): nobody else's file may get their numbers."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # stderr's number
        pass
    os.close(descriptor)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: SIM115, PTH123  # for good


def _guarded() -> int:
    given: dict[str, Any] = {}
    try:
        code = app(prog_name="agent-runner", standalone_mode=False, obj=given)
    except (typer.Abort, KeyboardInterrupt):
        return exit_codes.INTERRUPTED
    except typer.TyperException as error:
        error.show()  # type: ignore[attr-defined]  # every exception for the user has it
        return exit_codes.USAGE
    except AgentRunnerError as error:
        complain(error, given)
        return exit_codes.code_of(error)
    except (
        BrokenPipeError,
        SystemExit,
    ):  # typer leaves so at a broken pipe, with a code of its own
        return exit_codes.BROKEN_PIPE
    except Exception:  # noqa: BLE001  # the last boundary: a bug is said, kept in a file, never dumped
        return _bug()
    return code if isinstance(code, int) else exit_codes.DONE


def complain(error: AgentRunnerError, given: Mapping[str, Any]) -> None:
    """Say on stderr what is wrong, what to do next and what to type.

    `given`: the command's options by name, for a suggested command that means the same list.
    """
    from agent_runner.app.project import invocation_of  # lazy: a command that works needs none

    many = error.problems if isinstance(error, InputError) else (error,)
    lines = [f"error: {one}" for one in many]
    if error.fix:
        lines.append(f"  next: {error.fix}")
    if error.command:
        invocation = invocation_of(given.get("tasks") or given.get("named"), given.get("state_dir"))
        lines.append(f"  type: {invocation.command(*error.command)}")
    with contextlib.suppress(BrokenPipeError):
        print("\n".join(lines), file=sys.stderr)


def _bug() -> int:
    descriptor, name = tempfile.mkstemp(prefix="agent-runner-bug-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        traceback.print_exc(file=file)
    what = traceback.format_exc().strip().rpartition("\n")[2]
    print(f"error: this is a bug in agent-runner: {what}\n  details: {name}", file=sys.stderr)
    print("  your state is safe; next: agent-runner resume", file=sys.stderr)
    return exit_codes.BUG
