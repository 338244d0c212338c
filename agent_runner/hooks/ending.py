"""How a command ended, in codes and words."""

import signal

from attrs import frozen

from agent_runner.model.hooks import HookOutcome

NOT_EXECUTABLE = 126
NOT_FOUND = 127
_SIGNALLED = 128
"""POSIX shells: 126 found but not executable, 127 not found, above 128 ended by a signal."""


@frozen
class Ending:
    """What came of one command, before retries and allowances.

    `exit_code`: -n for a death by signal n, None where there is none. `reason`: why it is not
    green, in a few words; "" only for a command that passed.
    """

    outcome: HookOutcome
    exit_code: int | None
    reason: str


def broken(reason: str) -> Ending:
    """The ending of a command that could not start, for this reason."""
    return Ending(HookOutcome.BROKEN, None, reason)


def timed_out(timeout: float) -> Ending:
    """The ending of a command that we ended after `timeout` seconds: its exit code says nothing."""
    return Ending(HookOutcome.TIMED_OUT, None, f"timed out after {timeout:g} s")


def exited(exit_code: int | None) -> Ending:
    """The ending of a command that ended by itself; None: its exit code was lost."""
    if exit_code is None:  # never taken for a success: a judge that says nothing has not passed
        return broken("its exit status was lost (is SIGCHLD ignored?)")
    if exit_code == 0:
        return Ending(HookOutcome.PASSED, 0, "")
    if exit_code == NOT_EXECUTABLE:
        return Ending(HookOutcome.BROKEN, exit_code, "exit code 126: not executable")
    if exit_code == NOT_FOUND:
        return Ending(HookOutcome.BROKEN, exit_code, "exit code 127: command not found")
    if exit_code < 0:
        return Ending(HookOutcome.FAILED, exit_code, f"killed by {_signal_name(-exit_code)}")
    reason = f"exit code {exit_code}"
    if exit_code > _SIGNALLED and (name := _signal_name(exit_code - _SIGNALLED)).startswith("SIG"):
        reason += f" (in a shell: {name})"
    return Ending(HookOutcome.FAILED, exit_code, reason)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
