"""The command line: one file per group of commands. This file is the only error boundary."""

import contextlib
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent_runner.model.errors import AgentRunnerError

BUG = 70
HANGUP, INTERRUPTED, BROKEN_PIPE, TERMINATED = 129, 130, 141, 143
"""128 and the number of the signal. Errors bring their own codes (`model/errors.py`), a run has
those of `engine.runner.EXIT_CODES`."""


def main() -> None:
    """Run the command line and exit with its code. Nothing that goes wrong ends in a traceback."""
    _open_closed_streams()
    code = _run()
    with contextlib.suppress(BrokenPipeError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
        sys.exit(code)
    # whoever read our output is gone: do not let the interpreter complain about it at exit
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(BROKEN_PIPE)


def _open_closed_streams() -> None:
    """Open the null device in place of standard streams that were closed at the start (`>&-`).

    Else the first files that are opened would get their numbers, and what is printed would end up
    in the journal.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # stderr's number
        pass
    os.close(descriptor)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: SIM115, PTH123  # for good


def _run() -> int:
    """Run the command; every error becomes a message and an exit code."""
    import typer

    from agent_runner.cli.commands import app
    from agent_runner.model.errors import AgentRunnerError, UsageError

    given: dict[str, Any] = {}
    try:
        code = app(prog_name="agent-runner", standalone_mode=False, obj=given)
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except typer.TyperException as error:
        error.show()  # type: ignore[attr-defined]  # every exception for the user has it
        return UsageError.exit_code
    except AgentRunnerError as error:
        _report(error, given)
        return error.exit_code
    except (BrokenPipeError, SystemExit):  # at a broken pipe typer exits with a code of its own
        return BROKEN_PIPE
    except Exception:  # noqa: BLE001  # the last boundary: a bug is reported and kept in a file
        return _report_bug()
    return code if isinstance(code, int) else 0


def _report(error: "AgentRunnerError", given: Mapping[str, Any]) -> None:
    """Say on stderr what is wrong, what to do next and what to type.

    `given`: the command's options by name, so that a suggested command means the same list.
    """
    from agent_runner.app.place import invocation_of
    from agent_runner.model.errors import InputError

    each = error.problems if isinstance(error, InputError) else (error,)
    lines = [f"error: {one}" for one in each]
    if error.fix:
        lines.append(f"  next: {error.fix}")
    if error.command:
        invocation = invocation_of(given.get("tasks") or given.get("named"), given.get("state_dir"))
        lines.append(f"  type: {invocation.command(*error.command)}")
    with contextlib.suppress(BrokenPipeError):
        print("\n".join(lines), file=sys.stderr)


def _report_bug() -> int:
    import tempfile
    import traceback

    descriptor, name = tempfile.mkstemp(prefix="agent-runner-bug-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        traceback.print_exc(file=file)
    what = traceback.format_exc().strip().rpartition("\n")[2]
    print(f"error: this is a bug in agent-runner: {what}", file=sys.stderr)
    print(f"  details: {name}", file=sys.stderr)
    print("  next: your state is safe; go on with agent-runner resume", file=sys.stderr)
    return BUG
