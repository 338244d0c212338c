"""All that can happen, as past-tense facts: task events move the machine, facts move nothing.

Both go to the journal. Every event is frozen and made of plain values, so that a journal record is
its fields and nothing else. A new field needs a default: journals of earlier releases are read for
ever.
"""

from attrs import frozen

from agent_runner.model.changes import ChangeSet, FileChange
from agent_runner.model.facts import (
    AS_BEFORE_OUTCOMES,
    CALL_OUTCOMES,
    SET_ASIDE_CAUSES,
    STOP_REASONS,
    WRITTEN_AS,
    Aborted,
    ApplyPlanned,
    BaselineTaken,
    CallCreated,
    CallSettled,
    CallStarted,
    CommandFinished,
    CommandStarted,
    CommitStarted,
    Committed,
    ConversationClosed,
    Event,
    Fact,
    HookFinished,
    HookStarted,
    JudgedAsBefore,
    NotCommitted,
    PutBack,
    RollbackDone,
    RollbackPlanned,
    RunStarted,
    RunStopped,
    SetAside,
    ToolsDeclined,
    Trimmed,
    Undone,
    written_as,
)
from agent_runner.model.looks import Look


@frozen
class TaskEvent(Event):
    """An event with rows in the flow table: it moves its task."""


# --- task events, in the order of the flow table ---


@frozen
class Started(TaskEvent):
    """A task was taken up.

    `definition`: hash of what it asked for at that time. `tree`: hash of its files then. `start`:
    the blob by which it is known later what has changed since.
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
    """A pre-hook failed, so that the agent is not asked."""

    hook: str
    reason: str


@frozen
class Consulted(TaskEvent):
    """The agent asked for something and is answered in the next turn.

    `requested`: paths that it asked for in its words. `looks`: what it used tools for. `drafts`:
    the files that it drafted changes of, which are written only when it replies. `last_look`: it is
    told to look no more, as its turns are used up, or it asks for the same again and again.
    """

    call: str
    requested: tuple[str, ...] = written_as("asked", default=())
    looks: tuple[Look, ...] = ()
    drafts: tuple[str, ...] = ()
    last_look: bool = False


@frozen
class Unusable(TaskEvent):
    """A reply that is no full answer: truncated, empty, cut short, unreadable."""

    call: str
    reason: str


@frozen
class Deferred(TaskEvent):
    """A limit: no call fits before `not_before` (epoch seconds). `window` says which one.

    `from_provider`: the provider said so at a call; else our own count did, which is looked at
    again each time. `reported`: that count is of a limit of the provider's own.
    """

    provider: str
    window: str
    not_before: float
    reason: str = ""
    from_provider: bool = written_as("told", default=False)
    reported: bool = False


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
    """The reply's changes are in the tree, whose hash is `tree` now.

    `paths`: the files that changed, none for a reply that asked for what was there already.
    `summary`: one line for people. `notes`: what else people should know, a line each.
    `no_change`: why nothing has to be changed, where the reply says that and asks for nothing.
    """

    paths: tuple[str, ...] = ()
    tree: str = ""
    summary: str = ""
    notes: tuple[str, ...] = ()
    no_change: str = ""


NO_CHANGE = "no change"
"""The reason of `Rejected` where the reply asked for no change and did not say why."""


@frozen
class Rejected(TaskEvent):
    """The reply could not be applied; nothing of it is in the tree.

    `problems`: what the agent is told in the next turn. `summary`: one line for people. `reason`:
    `NO_CHANGE`, or "" where edits were found and could not be applied.
    """

    problems: str
    summary: str = ""
    reason: str = ""


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
    """All post-hooks passed on `tree`; `commit` is git's HEAD at the time, "" without git.

    `reshaped`: what the hooks themselves did to files of the task, as a formatter does.
    `nothing_changed`: the files are as they were before the task, as far as it could change them.
    """

    proof: tuple[Judged, ...] = ()
    tree: str = ""
    commit: str = ""
    reshaped: tuple[FileChange, ...] = ()
    nothing_changed: bool = False


@frozen
class PostHooksFailed(TaskEvent):
    """A post-hook failed on `tree`.

    `unchanged`: the attempt changed nothing. `fingerprint`: how it failed, equal for two failures
    of the same kind. `failing`: the names of the failing checks, where they could be read.
    `reshaped`: what the hooks themselves did to files of the task.
    """

    hook: str
    reason: str
    tree: str = ""
    unchanged: bool = False
    fingerprint: str = ""
    failing: tuple[str, ...] = ()
    reshaped: tuple[FileChange, ...] = ()


@frozen
class HookBroken(TaskEvent):
    """A hook could not start (126, 127, missing folder): the set-up's fault, not the agent's."""

    hook: str
    reason: str


@frozen
class CrashLooped(TaskEvent):
    """The runner died `stops` times in this step without a new fact in between."""

    step: str
    stops: int


@frozen
class OutOfTime(TaskEvent):
    """The time that a task may take (`minutes`) was over in this step, which was stopped."""

    step: str
    minutes: float


@frozen
class Retried(TaskEvent):
    """A person asked for another try; `hint` goes into the prompt.

    `grants`: attempts added to those allowed, 0 where some were left.
    """

    hint: str = ""
    grants: int = 0


@frozen
class Checked(TaskEvent):
    """A person changed the files: judge them without a call."""


@frozen
class TakenBack(TaskEvent):
    """A person took back what a passed task had changed: it does not count as done any more.

    `change_set`: how, which is written next. `kept`: files that stay, since somebody edited them.
    """

    change_set: ChangeSet
    kept: tuple[str, ...] = ()


@frozen
class Skipped(TaskEvent):
    """A person skipped the task; `reason` says how."""

    reason: str = ""


@frozen
class Reset(TaskEvent):
    """The task starts from nothing again; `reason` says why."""

    reason: str = ""


__all__ = [
    "AS_BEFORE_OUTCOMES",
    "CALL_OUTCOMES",
    "NO_CHANGE",
    "SET_ASIDE_CAUSES",
    "STOP_REASONS",
    "WRITTEN_AS",
    "Aborted",
    "AlreadyGreen",
    "Applied",
    "ApplyPlanned",
    "BaselineTaken",
    "CallCreated",
    "CallSettled",
    "CallStarted",
    "Checked",
    "CommandFinished",
    "CommandStarted",
    "CommitStarted",
    "Committed",
    "Conflicted",
    "Consulted",
    "ConversationClosed",
    "CrashLooped",
    "Deferred",
    "Event",
    "Fact",
    "HookBroken",
    "HookFinished",
    "HookStarted",
    "Judged",
    "JudgedAsBefore",
    "NotCommitted",
    "OutOfTime",
    "PostHooksFailed",
    "PostHooksPassed",
    "PreHooksFailed",
    "PreHooksPassed",
    "PutBack",
    "Refused",
    "Rejected",
    "Replied",
    "Reset",
    "Retried",
    "RollbackDone",
    "RollbackPlanned",
    "RunStarted",
    "RunStopped",
    "SetAside",
    "Skipped",
    "Started",
    "TakenBack",
    "TaskEvent",
    "ToolsDeclined",
    "Trimmed",
    "Undone",
    "Unusable",
    "written_as",
]
