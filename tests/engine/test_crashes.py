"""Core and store under random events and random stops, against a plain list of what was durable."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent_runner.engine.core import Core
from agent_runner.engine.machine import allows
from agent_runner.model import events as e
from agent_runner.model.changes import ABSENT, ChangeSet, FileChange
from agent_runner.model.fold import Entry, RunState
from agent_runner.model.hooks import HookOutcome, HookResult, Phase
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import Settings
from agent_runner.model.states import FINAL, TaskState
from agent_runner.model.usage import Usage
from agent_runner.store.store import Store
from tests.support.clocks import FakeClock
from tests.support.exploring import examples
from tests.support.lossy import LossyDisk

TASKS = ("T1", "T2", "T3")
PERSON = (e.Retried, e.Checked, e.Skipped, e.Reset)
SURE = (e.CallStarted, e.ApplyPlanned, e.Undone)
"""Facts after which the run does what a power cut would not undo."""

words = st.text(max_size=20)
results = st.builds(HookResult, hook=words, outcome=st.sampled_from(HookOutcome), excerpt=words)
change_sets = st.builds(
    ChangeSet,
    id=words,
    changes=st.lists(
        st.builds(FileChange, words, st.just(ABSENT), st.just(ABSENT)), max_size=3
    ).map(tuple),
)
moves: dict[TaskState, st.SearchStrategy[e.TaskEvent]] = {
    TaskState.PENDING: st.builds(e.Started, words),
    TaskState.PRE_HOOKS: st.one_of(
        st.builds(e.PreHooksPassed),
        st.builds(e.PreHooksFailed, words, words),
        st.just(e.AlreadyGreen()),
    ),
    TaskState.AGENT: st.one_of(
        st.builds(e.Replied, words),
        st.builds(e.Consulted, words),
        st.builds(e.Unusable, words, words),
        st.builds(e.Refused, words),
        st.builds(e.Deferred, words, words, st.floats(0, 1e9)),
    ),
    TaskState.APPLY: st.one_of(
        st.builds(e.Applied), st.builds(e.Rejected, words), st.builds(e.Conflicted, words, words)
    ),
    TaskState.POST_HOOKS: st.one_of(
        st.builds(e.PostHooksPassed),
        st.builds(e.PostHooksFailed, words, words, words, st.booleans(), words),
        st.builds(e.HookBroken, words, words),
    ),
}
facts: st.SearchStrategy[e.Fact] = st.one_of(
    st.builds(e.HookStarted, st.sampled_from(Phase), words, st.integers(1, 9)),
    st.builds(e.HookFinished, st.sampled_from(Phase), st.integers(0, 3), results),
    st.builds(e.CallStarted, words, st.integers(1, 4), st.just(1), st.just(1), words, words),
    st.builds(
        e.CallSettled,
        words,
        st.sampled_from(e.CALL_OUTCOMES),
        usage=st.none() | st.builds(Usage, st.integers(0, 99), st.integers(0, 99)),
    ),
    st.builds(e.ApplyPlanned, change_sets),
    st.builds(e.Rejected, st.just("y" * 20_000)).map(lambda _: e.Undone(("z" * 20_000,))),
)


class CrashMachine(RuleBasedStateMachine):
    """`expected` holds every entry whose append returned; `sure` how many of them were synced."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="crash-"))
        self.clock = FakeClock()
        self.expected: list[Entry] = []
        self.sure = 0
        self.finals: dict[str, int] = {}

    @initialize()
    def begin(self) -> None:
        self.open()

    def open(self) -> None:
        self.disk = LossyDisk(self.folder)
        self.store = Store.open(
            self.folder / "state",
            project=self.folder,
            list_id="tasks.yml",
            clock=self.clock,
            disk=self.disk,
        )
        self.disk.sync_folder(self.folder / "state")
        self.core = Core(self.store, lambda _: Settings(), (self,))
        self.core.journal("", e.RunStarted("run", 1, "0", "tasks.yml"))

    # the observer that keeps the model's list
    def entry(self, entry: Entry, before: TaskRecord | None, after: TaskRecord | None) -> None:
        self.expected.append(entry)
        if before and after and before.state in FINAL and after.state is not before.state:
            assert isinstance(entry.event, PERSON), "a final task was entered again"

    def signal(self, signal: object) -> None:
        raise AssertionError(signal)

    @rule(task=st.sampled_from(TASKS), data=st.data())
    def move(self, task: str, data: st.DataObject) -> None:
        state = self.core.record(task).state
        strategy = moves.get(state)
        if strategy is not None:
            after = self.core.fire(task, data.draw(strategy))
            if after.state in {TaskState.PASSED, TaskState.ESCALATED}:
                self.sure = len(self.expected)

    @rule(task=st.sampled_from(TASKS), event=st.sampled_from(PERSON))
    def decide(self, task: str, event: type[e.TaskEvent]) -> None:
        if allows(self.core.record(task).state, event):
            self.core.fire(task, event())
            self.sure = len(self.expected)

    @rule(task=st.sampled_from(TASKS), fact=facts)
    def journal(self, task: str, fact: e.Fact) -> None:
        self.core.journal(task, fact)
        if isinstance(fact, SURE):
            self.sure = len(self.expected)

    @rule()
    def snapshot(self) -> None:
        self.store.refresh_snapshot()

    @rule()
    def leave_and_come_back(self) -> None:
        self.store.close()
        self.open()

    @rule(lose_snapshot=st.booleans())
    def killed(self, lose_snapshot: bool) -> None:
        """The process is gone: every append survives, synced or not."""
        self.store.abandon()
        if lose_snapshot:
            self.store.layout.snapshot.unlink(missing_ok=True)
        self.reopen(len(self.expected))

    @precondition(lambda self: self.expected)
    @rule(keep=st.integers(0, 2000))
    def power_cut(self, keep: int) -> None:
        """Only what was synced is there, and perhaps a torn piece of what was not."""
        self.store.abandon()
        self.disk.power_cut(keep=keep)
        self.reopen(self.sure)

    def reopen(self, at_least: int) -> None:
        before, self.expected = self.expected, []
        self.disk = LossyDisk(self.folder)
        store = Store.open(
            self.folder / "state",
            project=self.folder,
            list_id="tasks.yml",
            clock=self.clock,
            disk=self.disk,
        )
        survived = store.state.seq
        assert at_least <= survived <= len(before)
        assert store.state == fold(before[:survived])
        store.abandon()
        self.expected = before[:survived]
        self.sure = survived
        self.open()

    @invariant()
    def live_state_is_the_fold_of_the_journal(self) -> None:
        if hasattr(self, "store"):
            assert self.store.state == fold(self.expected)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.abandon()
        shutil.rmtree(self.folder)


def fold(entries: list[Entry]) -> RunState:
    state = RunState()
    for entry in entries:
        state.take(entry)
    return state


TestCrashes = CrashMachine.TestCase
TestCrashes.settings = settings(examples(60), stateful_step_count=40)
