"""What is known of one task: `TaskRecord`, in five parts by what they are about.

Only `evolve` makes a new record of an old one and an event; only the machine moves `state`. All
parts are immutable, so that a step can be handed a record and nothing that it does changes it.
"""

from attrs import field, frozen

from agent_runner.model import events as e
from agent_runner.model.changes import ChangeSet
from agent_runner.model.states import TaskState
from agent_runner.model.usage import Usage

STUCK = 2
"""Attempts in a row without progress after which a conversation is of no more use."""


@frozen
class Counts:
    """How often things have happened: what the guards of the flow table compare with the settings.

    Attributes:
        attempts: Number of the attempt that was begun last; the first is 1.
        extra_attempts: Attempts granted by a person beyond the configured ones.
        failures: Post-hook failures since the task started, never set back by a person.
        consecutive_failures: Post-hook failures since the last success or decision of a person.
        rejections: Replies of this attempt that could not be applied.
        unusable_replies: Replies of this attempt that were no full answer, since the last full one.
        turns: Times in this attempt that the model asked for something and was answered.
        last_look: The turn of them at which it was told to look no more; 0: it may look.
        no_progress: Attempts in a row after which nothing was better than before.
        crashes: Unclean stops of the runner in this step without a new fact in between.
        calls_started: Calls ever sent. Never set back, not even by a reset: call ids count on it.
        calls_answered: Calls that brought an answer.
    """

    attempts: int = 0
    extra_attempts: int = 0
    failures: int = 0
    consecutive_failures: int = 0
    rejections: int = 0
    unusable_replies: int = 0
    turns: int = 0
    last_look: int = 0
    no_progress: int = 0
    crashes: int = 0
    calls_started: int = 0
    calls_answered: int = 0


@frozen
class CallState:
    """The call in hand, and the conversation that the next one goes on with.

    Attributes:
        attempt_open: Whether the next call still belongs to attempt `counts.attempts`.
        started: Id of a call that was sent and has not been settled.
        provider: Who was asked last.
        failures: Calls in a row that `provider` left without an answer.
        response_id: The provider's own name of the call in hand, by which it can be fetched.
        reply: Id of the call whose answer is on disk and has not been applied.
        not_before: No call is made before this time (epoch seconds).
        deferred: The limit that the task waits for.
        continues: Id of the call whose conversation the next one continues.
        judged: Id of the call whose change was applied last, as long as its conversation may go on
            after a failure of what judges it.
        drafted: Ids of the replies of this attempt with drafts that have not been applied, oldest
            first.
        corrected: Ids of the rejected replies that the next one corrects, oldest first.
        unusable: Id of the call whose answer was of no use, while it is asked for again.
        held: Whether a limit ended the attempt, and nothing that was said: a retry goes on with it,
            as all of its turns are paid for.
    """

    attempt_open: bool = False
    started: str | None = None
    provider: str = ""
    failures: int = 0
    response_id: str | None = None
    reply: str | None = None
    not_before: float | None = None
    deferred: e.Deferred | None = None
    continues: str | None = None
    judged: str | None = None
    drafted: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()
    unusable: str | None = None
    held: bool = False


@frozen
class ChangeState:
    """What the task did to the files.

    Attributes:
        start: Blob with the tree as it stood when the task started.
        planned: A change set (or its inverse) that was begun and is not known to be finished.
        rolling_back: Whether `planned` takes an earlier one back.
        command_running: Number of a proposed command that was started and has not ended.
        commands_done: Proposed commands of this reply that have succeeded.
        applied: Ids of the change sets that stand in the files, oldest first.
        paths: Every file that they changed, in the order of first change.
        taken_back: Ids of the change sets that were taken back last, oldest first.
        kept: Files of those that stay, since somebody had edited them.
        in_attempt: Whether this attempt has changed a file.
        commanded: Whether a proposed command has run: it may have changed any file.
        missing: Whether the last reply asked for no change and did not say why.
        idle_attempt: Number of the attempt that was applied last, if it changed no file; else 0.
        notes: What there is to say of the change that was applied last, a line each.
        no_change: Why nothing has to be changed, as the last reply said; "" if it did not.
        commit: Git's commit of the task's files.
        committing: A git that was started to commit and is not known to have ended.
        uncommitted: Files that are to be committed, as soon as git lets us.
        commit_problem: What keeps git from it.
    """

    start: str = ""
    planned: ChangeSet | None = None
    rolling_back: bool = False
    command_running: int | None = None
    commands_done: int = 0
    applied: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    taken_back: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    in_attempt: bool = False
    commanded: bool = False
    missing: bool = False
    idle_attempt: int = 0
    notes: tuple[str, ...] = ()
    no_change: str = ""
    commit: str = ""
    committing: e.CommitStarted | None = None
    uncommitted: tuple[str, ...] = ()
    commit_problem: str = ""

    @property
    def is_gone(self) -> bool:
        """Whether all that the task did to the files was taken back."""
        return bool(self.taken_back) and set(self.applied) <= set(self.taken_back)


@frozen
class KeptLog:
    """Where the whole output of a hook stands: a file in the state folder, `offset` and `length`.

    Both in bytes.
    """

    hook: str
    log: str
    offset: int
    length: int


@frozen
class Judgement:
    """What the hooks said, and about which files.

    Attributes:
        finished: Hooks of the step in hand that have ended.
        running: A hook that was started and has not ended: its processes may outlive a crash.
        baseline: The post-hooks' outcome before the first call.
        failed_trees: Hashes of the trees on which the post-hooks failed, and of the first tree.
        fingerprints: How the post-hooks failed, normalised, one for each failure.
        no_progress_reason: Why the last failure was no step forward; "" if it was one.
        by_person: Whether a person asked to judge files that they changed themselves.
        checked_by_hook: Whether at least one hook judged the task that passed.
        proof: The hooks that passed it.
        tree: Hash of the tree that was applied or judged last.
        as_before: What the hooks said with the tests of before, where the task changed tests.
        logs: What each hook printed when it ran last.
        nothing_changed: Whether the hooks passed on files that are as they were before the task.
    """

    finished: tuple[e.HookFinished, ...] = ()
    running: e.HookStarted | None = None
    baseline: e.BaselineTaken | None = None
    failed_trees: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    no_progress_reason: str = ""
    by_person: bool = False
    checked_by_hook: bool = False
    proof: tuple[e.Judged, ...] = ()
    tree: str = ""
    as_before: e.JudgedAsBefore | None = None
    logs: tuple[KeptLog, ...] = ()
    nothing_changed: bool = False


@frozen
class Spent:
    """What the task has cost so far; a reset keeps it.

    Attributes:
        usage: Tokens of all answered calls.
        cost: Dollars, as far as prices are known.
        possibly_billed: Calls that were lost after they were sent.
        running_since: Since when a live run has had the task in a step (epoch seconds).
        seconds: Time in steps before that, without waits for limits.
        seconds_waived: Those of them before a person's last decision, after which the time that
            the task may take counts anew.
        earlier_calls: Answered calls before the last reset, whose tokens are in `usage`.
    """

    usage: Usage = field(factory=Usage)
    cost: float = 0.0
    possibly_billed: int = 0
    running_since: float | None = None
    seconds: float = 0.0
    seconds_waived: float = 0.0
    earlier_calls: int = 0


@frozen
class TaskRecord:
    """Everything that the journal says of one task; only `evolve` makes a new one of it.

    Attributes:
        id: The task's id.
        state: Where it stands; moved by the machine alone.
        definition: Hash of what the task asked for when it started.
        counts: How often things have happened.
        call: The call in hand and its conversation.
        change: What was done to the files.
        judgement: What the hooks said.
        spent: What it cost.
        retry_to: The step that `retry` goes back to.
        last_error: One line on what went wrong last, for people.
        feedback: What the next prompt says about it.
        hint: A person's words for the next prompt.
    """

    id: str
    state: TaskState = TaskState.PENDING
    definition: str = ""
    counts: Counts = field(factory=Counts)
    call: CallState = field(factory=CallState)
    change: ChangeState = field(factory=ChangeState)
    judgement: Judgement = field(factory=Judgement)
    spent: Spent = field(factory=Spent)
    retry_to: TaskState | None = None
    last_error: str = ""
    feedback: str = ""
    hint: str = ""

    @property
    def calls(self) -> int:
        """Answered calls in all, as `spent` has their tokens."""
        return self.spent.earlier_calls + self.counts.calls_answered

    @property
    def waits_for_limit(self) -> bool:
        """Whether nothing is done for the task until a limit has room for its next call."""
        return self.state is TaskState.AGENT and self.call.deferred is not None

    @property
    def may_be_passed(self) -> bool:
        """Whether it came to a person with green hooks, so that they may say that this is fine.

        Since nothing was changed, or tests were.
        """
        return self.state is TaskState.ESCALATED and (
            self.judgement.nothing_changed
            or self.change.missing
            or self.judgement.as_before is not None
        )
