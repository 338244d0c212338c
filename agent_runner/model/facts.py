"""What can happen without moving a task: calls, hooks, intents, runs. Journaled like the rest.

`events.py` passes all of these names on, and its rules hold here too.
"""

from typing import Any

from attrs import field, frozen

from agent_runner.model.changes import ChangeSet
from agent_runner.model.hooks import HookResult, Phase
from agent_runner.model.usage import ReportedLimit, Usage

WRITTEN_AS = "written_as"
"""Key in a field's metadata: its name in journals and `--json`, where that is not its own."""


def written_as(name: str, *, default: Any) -> Any:
    """A field that was renamed in the code; what is on disk keeps the name of the first release."""
    return field(default=default, metadata={WRITTEN_AS: name})


@frozen
class Event:
    """Base of everything that the journal records."""


@frozen
class Fact(Event):
    """An event that moves no task.

    `RunStarted`, `RunStopped` and `Aborted` belong to the run, all others to a task.
    """


@frozen
class RunStarted(Fact):
    """A run (one execution over the list) began."""

    run: str
    pid: int
    version: str
    list_id: str
    ignore_limits: bool = False


@frozen
class RunStopped(Fact):
    """A run ended; `reason` is a word of `STOP_REASONS`, `exit_code` what the command returned."""

    run: str
    reason: str
    exit_code: int
    detail: str = ""
    not_before: float | None = None
    fix: str = ""


@frozen
class Aborted(Fact):
    """A person chose to abort the run at a question."""


@frozen
class HookStarted(Fact):
    """A hook's process was started, the leader of a session of its own.

    `process_start`: its start time in the system's own words. Pids are given again, so that only
    pid and start time together name a process for good.
    """

    phase: Phase
    hook: str
    pid: int
    process_start: str = written_as("began", default="")
    run: str = ""


@frozen
class HookFinished(Fact):
    """A hook ended by itself or by its time-out; one that we killed to stop is not recorded."""

    phase: Phase
    attempt: int
    result: HookResult
    run: str = ""


@frozen
class BaselineTaken(Fact):
    """The post-hooks' outcome before the first call: what was already red, on `tree`."""

    green: bool
    tree: str = ""
    failing: tuple[str, ...] = ()
    fingerprint: str = ""


@frozen
class JudgedAsBefore(Fact):
    """The post-hooks ran once more, in a copy in which what judges stood as before the task.

    `paths`: files that judge and that the task changed. `outcome`: a word of `AS_BEFORE_OUTCOMES`.
    `summary`: one line for people. `allowed`: the task may change all of them by name. `hook`,
    `failing`, `reason`: the red one, its failing checks, and what it says; why nothing is known.
    """

    paths: tuple[str, ...]
    outcome: str
    summary: str = ""
    allowed: bool = False
    hook: str = ""
    failing: tuple[str, ...] = ()
    reason: str = ""


AS_BEFORE_OUTCOMES = ("green", "red", "unknown")
"""What came of it; unknown: the hooks cannot run in a copy, or it could not be made."""


@frozen
class CallStarted(Fact):
    """A call is about to be sent, and its worst case is reserved.

    Reserved are `input_estimate` and `output_cap` tokens, and `cost` dollars (None: no prices).
    `raw_estimate`: the input as guessed before this journal's usage corrected the guess (0: not
    corrected). `day`: the calendar day (`2026-11-24`) where the user is; "": that of UTC. `after`:
    the call whose conversation goes on; "": a new one begins.
    """

    call: str
    attempt: int
    turn: int
    number: int
    provider: str
    model: str
    input_estimate: int = 0
    output_cap: int = 0
    cost: float | None = None
    raw_estimate: int = 0
    day: str = ""
    after: str = ""


@frozen
class CallSettled(Fact):
    """A call came to an end: `outcome` is a word of `CALL_OUTCOMES`.

    `usage`: None where nothing is known, and then the reservation stays. `not_before`: the next
    call waits until then (epoch seconds). `adopted`: the answer was found on disk after a crash.
    `caused_by_runner`: lost because the runner stopped waiting, through no fault of the line.
    """

    call: str
    outcome: str
    provider: str = ""
    usage: Usage | None = None
    cost: float | None = None
    seconds: float = 0.0
    request_id: str | None = None
    response_id: str | None = None
    not_before: float | None = None
    reason: str = ""
    adopted: bool = False
    limits: tuple[ReportedLimit, ...] = ()
    caused_by_runner: bool = written_as("by_us", default=False)


CALL_OUTCOMES = ("answered", "throttled", "failed", "lost", "refused")
"""How a call can end.

answered: a reply is on disk. throttled, failed: certainly not billed. lost: possibly billed.
refused: the server would not take it.
"""


@frozen
class CallCreated(Fact):
    """The provider named the call, so that its answer can be fetched by that name after a crash."""

    call: str
    response_id: str


@frozen
class Trimmed(Fact):
    """Of a conversation that has no room for more, the oldest looks are not sent any more.

    `call`: the last one before. `dropped`: so many answers. `tokens_before`, `tokens_after`: of the
    next question, as guessed.
    """

    call: str
    dropped: int = 0
    tokens_before: int = 0
    tokens_after: int = 0


@frozen
class ToolsDeclined(Fact):
    """An endpoint does not take tools: from now on this model is asked in words alone."""

    provider: str
    model: str
    reason: str = ""


@frozen
class ConversationClosed(Fact):
    """The next question begins a conversation anew, and why; what was paid for is still used.

    `drafts_dropped`: what was drafted in the old one, or was fine in a rejected reply, is no part
    of the change any more. The new one does not tell of it.
    """

    reason: str
    drafts_dropped: bool = False


@frozen
class SetAside(Fact):
    """A provider is passed over until `until` (epoch seconds), for all tasks that it serves.

    `instead`: the fallback that is asked in its place; "": no other can be asked now. `cause`: a
    word of `SET_ASIDE_CAUSES`.
    """

    provider: str
    instead: str
    reason: str
    until: float
    cause: str


SET_ASIDE_CAUSES = ("outage", "told", "limit")
"""Why a provider is passed over.

outage: it did not answer. told: it said so itself at a call. limit: one of the user's own, which is
looked at again before each call.
"""


@frozen
class ApplyPlanned(Fact):
    """The intent: these images will be written. Journaled before the first file is touched."""

    change_set: ChangeSet
    call: str = ""


@frozen
class RollbackPlanned(Fact):
    """The intent to take `change_set` back (its images already inverted)."""

    change_set: ChangeSet
    reason: str = ""


@frozen
class RollbackDone(Fact):
    """The tree is as it was before the change set that was taken back."""

    change_set: str


@frozen
class CommandStarted(Fact):
    """A command that the reply proposed and the user allows is about to run."""

    command: str
    number: int


@frozen
class CommandFinished(Fact):
    """A proposed command ended."""

    number: int
    result: HookResult


@frozen
class CommitStarted(Fact):
    """A git that commits, and runs the user's git hooks, was started in a session of its own.

    `process_start`: its start time in the system's own words, as in `HookStarted`; `at`: in epoch
    seconds.
    """

    pid: int
    process_start: str = ""
    run: str = ""
    at: float = 0.0


@frozen
class NotCommitted(Fact):
    """Files of the task that are to be committed and are not yet, and what keeps git from it.

    Without any: they are not to be committed any more.
    """

    paths: tuple[str, ...] = ()
    problem: str = ""


@frozen
class Committed(Fact):
    """Git has the task's files in `commit`.

    `left_out`: files that the task changed but that were not as in the last commit when it began,
    or that git ignores, so that they are not in it. `branch`: one of ours that was made for it.
    """

    commit: str
    paths: tuple[str, ...] = field(factory=tuple)
    left_out: tuple[str, ...] = field(factory=tuple)
    branch: str = ""


@frozen
class Undone(Fact):
    """The task's changes are taken back; its state stays.

    `change_set`: how, which is written next; None where it was written before, as earlier versions
    did. `kept`: files that stay, since somebody edited them. `reason`: who wanted that.
    """

    paths: tuple[str, ...] = ()
    change_set: ChangeSet | None = None
    kept: tuple[str, ...] = ()
    reason: str = ""


@frozen
class PutBack(Fact):
    """The task's changes that were taken back are wanted again; `change_set` is written next."""

    change_set: ChangeSet


STOP_REASONS = (
    "finished",
    "held",
    "limit",
    "interrupted",
    "quit",
    "paused",
    "auth",
    "budget",
    "fatal",
    "outage",
    "aborted",
    "escalations",
    "storage",
    "preview",
    "uncommitted",
    "error",
)
"""Why a run ended, in `RunStopped.reason`."""
