"""All that can happen, as past-tense facts: task events move the machine, facts move nothing.

Both go to the journal.

Every event is frozen and made of plain values, so that a journal record is its fields and nothing
else. A new field needs a default: journals of earlier releases are read for ever.
"""

from attrs import field, frozen

from agent_runner.model.changes import ChangeSet
from agent_runner.model.hooks import HookResult, Phase
from agent_runner.model.usage import ReportedLimit, Usage


@frozen
class Event:
    """Base of all events."""


@frozen
class TaskEvent(Event):
    """An event with rows in the flow table: it moves its task."""


@frozen
class Fact(Event):
    """An event that moves nothing.

    `RunStarted`, `RunStopped` and `Aborted` belong to the run, the rest to a task.
    """


# --- task events, in the order of the flow table ---


@frozen
class Started(TaskEvent):
    """A task was taken from the list.

    `definition` is the hash of what it asked for at that time, `tree` that of its files; `start`
    names the blob that tells later what changed since.
    """

    definition: str = ""
    tree: str = ""
    start: str = ""


@frozen
class PreHooksPassed(TaskEvent):
    """All pre-hooks let the task go on."""


@frozen
class AlreadyGreen(TaskEvent):
    """The post-hooks passed before any call, and the user asked to take that as done."""

    tree: str = ""


@frozen
class PreHooksFailed(TaskEvent):
    """A pre-hook failed."""

    hook: str
    reason: str


@frozen
class Consulted(TaskEvent):
    """The agent asked to see something (`asked`: paths) and was answered in the next turn."""

    call: str
    asked: tuple[str, ...] = ()


@frozen
class Unusable(TaskEvent):
    """A reply that is no full answer: truncated, empty, cut short, unreadable."""

    call: str
    reason: str


@frozen
class Deferred(TaskEvent):
    """A limit: no call fits before `not_before` (epoch seconds). `window` says which one.

    `told`: the provider said so at a call; else our own count did, which is asked anew each time.
    """

    provider: str
    window: str
    not_before: float
    reason: str = ""
    told: bool = False


@frozen
class Refused(TaskEvent):
    """The model declined, or the call can never fit."""

    reason: str
    call: str = ""


@frozen
class Replied(TaskEvent):
    """A full answer is on disk under `call`."""

    call: str


@frozen
class Applied(TaskEvent):
    """The reply's changes stand in the tree.

    `tree` is the tree's hash after them, `summary` one line for people.
    """

    paths: tuple[str, ...] = ()
    tree: str = ""
    summary: str = ""
    notes: tuple[str, ...] = ()


@frozen
class Rejected(TaskEvent):
    """The reply could not be applied; nothing of it stands in the tree.

    `problems` is what the next turn is told, `summary` one line for people.
    """

    problems: str
    summary: str = ""


@frozen
class Conflicted(TaskEvent):
    """A planned file is neither its before- nor its after-image; nothing was touched."""

    path: str
    reason: str


@frozen
class Judged:
    """One line of proof: a hook that judged, its exit code and seconds."""

    hook: str
    exit_code: int | None
    seconds: float


@frozen
class PostHooksPassed(TaskEvent):
    """All judges passed on `tree`; `commit` is git's HEAD at the time, if there is git."""

    proof: tuple[Judged, ...] = ()
    tree: str = ""
    commit: str = ""


@frozen
class PostHooksFailed(TaskEvent):
    """A judge failed on `tree`.

    `unchanged`: the attempt changed nothing; `fingerprint`: how it failed, normalised.
    """

    hook: str
    reason: str
    tree: str = ""
    unchanged: bool = False
    fingerprint: str = ""
    failing: tuple[str, ...] = ()


@frozen
class HookBroken(TaskEvent):
    """A hook could not start (126, 127, missing folder).

    That is the fault of the set-up, not of the agent.
    """

    hook: str
    reason: str


@frozen
class CrashLooped(TaskEvent):
    """The runner died `stops` times in this step without a new fact."""

    step: str
    stops: int


@frozen
class Retried(TaskEvent):
    """A person asked for another try.

    `grants`: attempts added, 0 where some are left; `hint` goes into the prompt.
    """

    hint: str = ""
    grants: int = 0


@frozen
class Checked(TaskEvent):
    """A person changed the files: judge them without a call."""


@frozen
class Skipped(TaskEvent):
    """A person skipped the task; `reason` says how."""

    reason: str = ""


@frozen
class Reset(TaskEvent):
    """The task starts from nothing again; `reason` says why."""

    reason: str = ""


# --- facts ---


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
    """A hook's process began: leader of its own group.

    `began`: its start time as the system tells it, to know it again.
    """

    phase: Phase
    hook: str
    pid: int
    began: str = ""
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
class CallStarted(Fact):
    """About to be sent.

    Reserved: `input_estimate` and `output_cap` tokens, `cost` dollars (None: no prices).
    `raw_estimate`: the input as guessed before this journal's usage corrected the guess (0: not
    corrected). `day`: the calendar day (`2026-11-24`) where the user is; "": that of UTC.
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


@frozen
class CallSettled(Fact):
    """What came of a call.

    `outcome`: a word of `CALL_OUTCOMES`; `usage` None: nothing is known, the reservation stays.

    `not_before`: the next call waits until then (epoch seconds). `adopted`: the answer was found on
    disk after a crash. `by_us`: lost because we stopped waiting, not through any fault of the line.
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
    by_us: bool = False


CALL_OUTCOMES = ("answered", "throttled", "failed", "lost", "refused")
"""What a call can come to.

answered: a reply is on disk; throttled/failed: certainly not billed; lost: possibly billed;
refused: by the server.
"""


@frozen
class CallCreated(Fact):
    """The provider named the call.

    By its name (`response_id`) the answer can be fetched after a crash.
    """

    call: str
    response_id: str


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
    """The rollback stands in the tree."""

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
class Committed(Fact):
    """Git holds the task's files as `commit`.

    `left_out`: changed files that were already modified by the user.
    """

    commit: str
    paths: tuple[str, ...] = field(factory=tuple)
    left_out: tuple[str, ...] = field(factory=tuple)


@frozen
class Undone(Fact):
    """A person took the task's changes back."""

    paths: tuple[str, ...] = ()


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
    "error",
)
"""Why a run ended, in `RunStopped.reason`."""
