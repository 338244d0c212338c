"""The command line: one file per group of commands. This file is the only error boundary."""

import contextlib
import errno
import gc
import io
import os
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agent_runner.cli.output import located, note
from agent_runner.model.exit_codes import BROKEN_PIPE, BUG, INTERRUPTED, OUTPUT_LOST

if TYPE_CHECKING:
    from pathlib import Path

    from agent_runner.model.errors import AgentRunnerError

_REFUSALS = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG),
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ELOOP, errno.ENAMETOOLONG),
    *(errno.ENOTDIR, errno.EISDIR, errno.ENOENT, errno.ESTALE),
}
"""What a machine or its user may bring about; any other error of the system's is a bug of ours."""

_YOUNG = 20_000
"""New objects after which Python looks for garbage, which hardly any are; its own figure is 700."""


def main() -> None:
    """Run the command line and exit with its code. Nothing that goes wrong ends in a traceback."""
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    _prepare_streams()
    code = _run()
    gc.freeze()  # the interpreter would look once more through all that there is: 0.1 s after a run
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # as before: the interpreter is being left
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (BrokenPipeError, ValueError):
        code = BROKEN_PIPE
    except OSError as error:
        code = _output_lost(code, error)
    else:
        sys.exit(code)
    # what is still buffered goes nowhere: the interpreter would complain about it at exit
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    sys.exit(code)


def _output_lost(code: int, error: OSError) -> int:
    """Say that the output was lost; a command that did all else well has failed all the same."""
    with contextlib.suppress(OSError, ValueError):
        note(f"error: the output cannot be written: {error.strerror or error}")
        sys.stderr.flush()
    return code or OUTPUT_LOST


def _prepare_streams() -> None:
    """Let the standard streams take whatever is written.

    In place of those that were closed at the start (`>&-`) the null device is opened: else the
    first files that are opened would get their numbers, and what is printed would end up in the
    journal.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # stderr's number
        pass
    os.close(descriptor)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: SIM115, PTH123  # for good
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        # a path or a title may hold what this terminal's encoding has not; stderr is so by itself
        sys.stdout.reconfigure(errors="backslashreplace")


def _run() -> int:
    """Run the command; every error becomes a message and an exit code."""
    import typer

    from agent_runner.cli.parser import app
    from agent_runner.model.errors import AgentRunnerError, UsageError

    given: dict[str, Any] = {}
    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # `__main__` had it so
            signal.signal(signal.SIGINT, signal.default_int_handler)
        code = app(prog_name="agent-runner", standalone_mode=False, obj=given)
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except typer.TyperException as error:
        from agent_runner.cli.help import show_usage_error

        with contextlib.suppress(OSError):
            show_usage_error(error)
        return UsageError.exit_code
    except AgentRunnerError as error:
        _report(error, given)
        return error.exit_code
    except (BrokenPipeError, SystemExit):  # at a broken pipe typer exits with a code of its own
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001  # the last boundary: a bug is kept in a file
        return _report_unforeseen(error, given)
    return code if isinstance(code, int) else 0


def _report(error: "AgentRunnerError", given: Mapping[str, Any]) -> None:
    """Say on stderr what is wrong, what to do next and what to type.

    `given`: the command's options by name, so that a suggested command means the same list.
    """
    from agent_runner.app.place import invocation_of
    from agent_runner.cli.project import entered
    from agent_runner.model.errors import InputError

    each = map(located, error.problems) if isinstance(error, InputError) else (str(error),)
    lines = [f"error: {one}" for one in each]
    if error.fix:
        lines.append(f"  next: {error.fix}")
    if error.command:
        invocation = invocation_of(_list_in(given), given.get("state_dir"), entered())
        lines.append(f"  type: {invocation.command(*error.command)}")
    with contextlib.suppress(OSError):
        note("\n".join(lines))


def _list_in(given: Mapping[str, Any]) -> "Path | None":
    """The task list that the command line named, if it did."""
    from agent_runner.cli.options import lists_in

    named: Path | None = given.get("named") or given.get("tasks")
    return named or next(iter(lists_in(given.get("words"))), None)


def _report_unforeseen(error: Exception, given: Mapping[str, Any]) -> int:
    """Say what the system refused, our output or a file of the user's; all else is a bug."""
    if not isinstance(error, OSError) or error.errno not in _REFUSALS:
        return _report_bug()
    from agent_runner.ground.disk import reason_of
    from agent_runner.model.errors import StorageError

    try:
        sys.stdout.flush()
    except OSError:
        return OUTPUT_LOST  # the flush at the end says so
    where = f"{error.filename}: " if error.filename else ""
    fix = "fix the permissions, or what the system says; saved state is safe"
    _report(StorageError(f"{where}{reason_of(error)}", fix=fix), given)
    return StorageError.exit_code


def _report_bug() -> int:
    import tempfile
    import traceback

    descriptor, name = tempfile.mkstemp(prefix="agent-runner-bug-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        traceback.print_exc(file=file)
    what = traceback.format_exc().strip().rpartition("\n")[2]
    note(f"error: this is a bug in agent-runner: {what}")
    note(f"  details: {name}")
    note("  next: your state is safe; go on with agent-runner resume")
    return BUG
