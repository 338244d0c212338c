"""Every error that the program raises on purpose, under one base.

Expected failures of a task (red tests, a malformed edit, a limit) are events, not errors. An error
here means wrong usage, a broken environment, or a provider that did not answer; the agent step
turns the provider's into events. Every command imports this file, so it does without attrs.
"""

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from agent_runner.model import exit_codes

if TYPE_CHECKING:
    from agent_runner.model.usage import ReportedLimit, Usage


class AgentRunnerError(Exception):
    """Base of all errors that the program raises on purpose.

    `str()` says what is wrong and where, `fix` what to do about it. `command`: the words to type
    then, after `agent-runner`; whoever shows them adds the options that name the list. `exit_code`:
    what a command ends with when the error reaches its end; 70 stands for a bug.
    """

    exit_code: ClassVar[int] = exit_codes.BUG

    def __init__(self, what: str, *, fix: str = "", command: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.fix = fix
        self.command = command


class InvariantError(AgentRunnerError):
    """The program contradicts itself: a bug (exit code 70)."""


# --- wrong usage, configuration or task list (exit code 2) ---


class UsageError(AgentRunnerError):
    """The command was called with words that cannot be followed, or a setting cannot be used.

    `option`: dotted path of the setting at fault, for whoever knows where it was set.
    """

    exit_code = exit_codes.WRONG_INPUT

    def __init__(
        self, what: str, *, fix: str = "", command: tuple[str, ...] = (), option: str = ""
    ) -> None:
        super().__init__(what, fix=fix, command=command)
        self.option = option


class Problem(NamedTuple):
    """One mistake in what a person wrote: lines and columns from 1, 0 for the file as a whole."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class InputError(UsageError):
    """A configuration, task list or template has mistakes; `problems` are all of them, in order."""

    def __init__(self, problems: tuple[Problem, ...], *, fix: str = "") -> None:
        super().__init__("\n".join(str(p) for p in problems), fix=fix)
        self.problems = problems


class IllegalEventError(UsageError):
    """The flow table has no row for an event in the task's state; nothing happened."""


# --- the state folder (exit code 3) ---


class StateError(AgentRunnerError):
    """The state cannot be used; nothing in it was changed."""

    exit_code = exit_codes.STATE_UNUSABLE


class StateLockedError(StateError):
    """Another run holds the state or the project folder."""


class JournalDamagedError(StateError):
    """The journal holds a bad record before good ones."""


class StateMismatchError(StateError):
    """The state belongs to another task list, or the snapshot is ahead of the journal."""


class StateVersionError(StateError):
    """The state was written by a newer version of the program."""


class StateLostError(StateError):
    """The state folder vanished under a running program."""


class StorageError(StateError):
    """The disk refused a write (full, read-only, input/output error)."""


# --- providers (turned into events by the agent step) ---


class ProviderError(AgentRunnerError):
    """A call brought no reply; each subclass says what that means for the task and the run.

    `status`: the HTTP status, if there was one. `request_id`: the provider's name for the call.
    `limits`: what its headers said of the account's limits (`model.usage.ReportedLimit`).
    `usage`: what it used all the same (`model.usage.Usage`), None where nothing is known.
    `cost`: dollars, where the provider itself says so. `as_answer`: it came in the words of an
    ordinary answer, and was billed like one. `session`: the agent's own name for the conversation
    in which it can go on with what it has done so far; "" where it cannot.
    """

    exit_code = exit_codes.PERSON_NEEDED

    def __init__(
        self,
        what: str,
        *,
        fix: str = "",
        status: int | None = None,
        request_id: str | None = None,
        limits: "tuple[ReportedLimit, ...]" = (),
        usage: "Usage | None" = None,
    ) -> None:
        super().__init__(what, fix=fix)
        self.status = status
        self.request_id = request_id
        self.limits = limits
        self.usage = usage
        self.cost: float | None = None
        self.as_answer = False
        self.session = ""


class RateLimitedError(ProviderError):
    """The provider asks for a wait of `retry_after` seconds (None: it did not say).

    `again`: whether this run may try once more after a short wait; some servers forbid it.
    """

    def __init__(
        self, what: str, *, retry_after: float | None = None, again: bool = True, **rest: object
    ) -> None:
        super().__init__(what, **rest)  # type: ignore[arg-type]  # forwarded unchanged
        self.retry_after = retry_after
        self.again = again


class TransientError(ProviderError):
    """Nothing was billed and the same call may work soon (overload, refused connection).

    `retry_after`: the seconds that the provider asked to wait, if it said so.
    """

    def __init__(self, what: str, *, retry_after: float | None = None, **rest: object) -> None:
        super().__init__(what, **rest)  # type: ignore[arg-type]  # forwarded unchanged
        self.retry_after = retry_after


class UnknownOutcomeError(ProviderError):
    """The connection was lost after the request was sent: it may have been billed."""


class AuthError(ProviderError):
    """The key is missing, wrong or not allowed: the run stops, the task is not at fault."""


class BudgetError(ProviderError):
    """Credit, quota or spend cap is used up: the run stops, the task is not at fault."""


class FatalError(ProviderError):
    """The request itself can never work (unknown model, malformed): it is not sent again."""


class CallTooLargeError(FatalError):
    """The prompt does not fit the model or the limit: this task's call can never fit."""


class ToolsDeclinedError(ProviderError):
    """The endpoint does not take tools: the same call may work without them. Nothing was billed."""
