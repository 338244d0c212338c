"""The loop: the next ready task goes through its steps, until none is ready or the run stops."""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial

import anyio
from attrs import define, field, frozen

from agent_runner.engine import decisions
from agent_runner.engine.commits import Commits
from agent_runner.engine.control import Control
from agent_runner.engine.core import Core
from agent_runner.engine.endings import EXIT_CODES, nothing_ready
from agent_runner.engine.recovery import Recovery
from agent_runner.engine.reverting import Outcome, Reverting
from agent_runner.engine.schedule import EVERYTHING, Schedule, Selection
from agent_runner.engine.trees import Trees
from agent_runner.engine.waiting import Waiter
from agent_runner.engine.work import Halt, Step, Work
from agent_runner.ground.disk import storage_errors
from agent_runner.ground.invocation import Invocation
from agent_runner.ground.timings import part
from agent_runner.model import events as e
from agent_runner.model.decisions import Choice, Decision, Escalation, Person
from agent_runner.model.errors import StateError, StorageError
from agent_runner.model.flow import MAY_RUN_OUT, seconds_left
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import OnEscalation
from agent_runner.model.signals import Said
from agent_runner.model.states import STEPS, TaskState
from agent_runner.model.task import Task, TaskList

MAX_CRASHES = 3
"""Unclean stops in one step without a new fact before the task is escalated."""


@frozen
class RunOptions:
    """What this run works on, and how it treats escalations.

    `invocation` words the commands that it suggests.
    """

    on_escalation: OnEscalation = OnEscalation.ASK
    max_consecutive_escalations: int = 3
    invocation: Invocation = field(factory=Invocation)
    selection: Selection = EVERYTHING


@define
class Runner:
    """One run over a task list.

    Attributes:
        person: Who decides about escalated tasks; None where nobody can be asked.
        summarise: The lines that a person reads before the question about a task.
        explain: Shows these lines and what can be typed, where nobody can be asked.
    """

    core: Core
    tasks: TaskList
    steps: Mapping[TaskState, Step]
    recovery: Recovery
    control: Control
    waiter: Waiter
    trees: Trees
    commits: Commits
    reverting: Reverting
    options: RunOptions = field(factory=RunOptions)
    person: Person | None = None
    summarise: Callable[[Task], tuple[str, ...]] = field(default=lambda _task: ())
    explain: Callable[[Task], None] = field(default=lambda _task: None)
    _run_id: str = field(init=False, default="")
    _schedule: Schedule = field(init=False)
    _consecutive_escalations: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self._schedule = Schedule(
            self.tasks, lambda task: self.core.record(task).state, self.options.selection
        )

    async def run(self, started: e.RunStarted) -> e.RunStopped:
        """Work until nothing is ready or the run must stop.

        Returns the last entry of the run, already journaled.

        Raises:
            StateError: the state folder vanished or the disk refused; the journal holds all until
                then.
        """
        self._run_id = started.run
        self.core.journal("", started)
        try:
            await self.recovery.end_survivors()
            self.recovery.finish()
            await self.trees.sweep()
            await self._catch_up()
            halt = await self._decide_open_escalations() or await self._work()
            halt = await self._committed(halt)
        except StorageError as error:
            self._journal_refusal(error)
            raise
        finally:
            await self.trees.close()
        code = EXIT_CODES.get(halt.reason, self.control.exit_code or 1)
        stopped = e.RunStopped(
            started.run, halt.reason, code, halt.detail, halt.not_before, halt.fix
        )
        self.core.journal("", stopped)
        return stopped

    async def _catch_up(self) -> None:
        """Commit what an earlier run, or an earlier task, could not."""
        with self.control.interruptible():
            await self.commits.catch_up(self._run_id)

    async def _committed(self, halt: Halt) -> Halt:
        """A run with nothing left to do is not finished while something is to be committed."""
        if self.control.stop_reason:
            return halt
        await self._catch_up()
        left = self.commits.uncommitted()
        if halt.reason != "finished" or not left:
            return halt
        names, problem = ", ".join(one.id for one in left[:10]), left[0].change.commit_problem
        return Halt("uncommitted", f"{names}: {problem}", "mend what git says")

    def _journal_refusal(self, error: StorageError) -> None:
        """Say why the run stops, if the disk takes at least that: then it was no crash."""
        stopped = e.RunStopped(
            self._run_id, "storage", EXIT_CODES["storage"], str(error), fix=error.fix
        )
        with contextlib.suppress(StorageError):
            self.core.journal("", stopped)

    async def _work(self) -> Halt:
        """Work on one ready task after the other, until none is left or something stops the run."""
        taken_up: set[str] = set()
        while True:
            if self.control.stop_reason:
                return self._stopped()
            if self.control.pause_requested:
                await self.waiter.pause(self.control)
                self.trees.expire()
                continue
            task = self._schedule.next()
            if task is None:
                return self._nothing_ready(self.tasks.tasks)
            is_new = task.id not in taken_up
            if len(taken_up) + is_new > (self.options.selection.most or len(self.tasks)):
                return self._nothing_ready(t for t in self.tasks.tasks if t.id in taken_up)
            taken_up.add(task.id)
            halt = await self._work_on(task)
            if halt is not None:
                return halt
            self._schedule.update(task.id)
            self.core.store.refresh_snapshot()

    async def _work_on(self, task: Task) -> Halt | None:
        """Run a task's steps until it is in none; None: go on with the next task."""
        self.control.drop_skip()
        record = self.core.record(task.id)
        if record.state is TaskState.PENDING:
            record = await self._start(task)
        while record.state in STEPS:
            outcome = await self._step(task)
            self.core.store.journal.check_in_place()  # a hook may have taken the folder away
            if isinstance(outcome, Halt):
                return outcome
            record = self.core.fire(task.id, outcome)
            if isinstance(outcome, e.Deferred):
                halt = await self.waiter.wait_or_halt(outcome, task.id, self.control)
                self.trees.expire()
                if halt is not None:
                    return halt
        return await self._finish(task)

    async def _start(self, task: Task) -> TaskRecord:
        """Start a task: its folder is created, and how its files stood is stored."""
        with storage_errors(task.root):
            task.root.mkdir(parents=True, exist_ok=True)
        tree, kept = await self.trees.start(task, self.commits.uncommitted_below(task.root))
        return self.core.fire(task.id, e.Started(task.definition, tree.id, kept))

    async def _step(self, task: Task) -> e.TaskEvent | Halt:
        """Run the step of the task's state once; its event, or what a key made of it."""
        record = self.core.record(task.id)
        if record.counts.crashes >= MAX_CRASHES:
            return e.CrashLooped(record.state.value, record.counts.crashes)
        work = Work(
            task,
            record,
            self.core.settings_of(task.id),
            self._run_id,
            journal=partial(self.core.journal, task.id),
            latest=partial(self.core.record, task.id),
            signal=self.core.signal,
        )
        left = seconds_left(record, work.settings) if record.state in MAY_RUN_OUT else None
        over = e.OutOfTime(record.state.value, work.settings.max_minutes_task or 0)
        if left is not None and left <= 0:
            return over
        outcome: e.TaskEvent | Halt | None = None
        with self.control.interruptible(), part(f"step {record.state.value}"):
            with anyio.move_on_after(left) as time:
                outcome = await self.steps[record.state](work)
            if time.cancelled_caught:
                return over
        if outcome is not None:
            return outcome
        if self.control.stop_reason:
            return self._stopped()
        return self._skipped(task)

    def _skipped(self, task: Task) -> e.Skipped:
        """Leave no half-applied change behind, and say what stays."""
        self.recovery.settle(task.id, reason="the task is skipped")
        self.trees.expire()
        applied = self.core.record(task.id).change.applied
        command = self.options.invocation.command("undo", task.id)
        undo = f"; its changes stay in the files (to undo them: {command})"
        self.core.signal(Said(task.id, f"{task.id} skipped{undo if applied else ''}"))
        return e.Skipped("skipped by a key")

    async def _finish(self, task: Task) -> Halt | None:
        """Have a person decide about a task that ended escalated."""
        state = self.core.record(task.id).state
        if state is not TaskState.ESCALATED:
            self._consecutive_escalations = 0
            return None
        self._consecutive_escalations += 1
        if self.options.on_escalation is OnEscalation.CONTINUE:
            self.explain(task)
            self._take_back(task)
        halt = await self._decide(task)
        count = self._consecutive_escalations  # a decision has set it back
        if halt is None and count >= self.options.max_consecutive_escalations:
            return Halt("escalations", f"{count} tasks in a row need a person")
        return halt

    async def _decide(self, task: Task) -> Halt | None:
        """Ask the person about an escalated task; without one, the settings say what follows."""
        rule = self.options.on_escalation
        if rule is OnEscalation.CONTINUE:
            return None
        if self.person is None or rule is not OnEscalation.ASK:
            self.explain(task)
            return Halt("held", f"{task.id} needs a person: {self.core.record(task.id).last_error}")
        escalation = Escalation(task, self.core.record(task.id), self.summarise(task))
        decision = Decision(Choice.SKIP)  # what the key for skipping means at the question
        with self.control.interruptible():
            decision = await self.person.decide(escalation)
        if self.control.stop_reason:
            return self._stopped()
        self.trees.expire()
        if decisions.carry_out(self.core, self.recovery, task.id, decision) is None:
            return Halt("aborted", f"aborted at {task.id}")
        self._consecutive_escalations = 0
        self._schedule.update(task.id)
        return None

    def _take_back(self, task: Task) -> None:
        """Take a failed task's changes back, so that the tasks after it do not fail of them.

        Not where somebody else changed its files: that is a person's to look at.
        """
        change = self.core.record(task.id).change
        wanted = self.core.settings_of(task.id).take_back_failed
        if not wanted or not change.applied or change.is_gone or change.planned is not None:
            return
        reason = "taken back before other tasks"
        try:
            outcome = self.reverting.take_back(task, reason=reason)
        except StorageError:
            raise
        except StateError as error:
            outcome = Outcome(refused=str(error))
        self.trees.expire()
        if outcome.refused:
            text = f"what {task.id} changed stays, and other tasks meet it: {outcome.refused}"
            self.core.signal(Said(task.id, text, "warning"))
        elif outcome.paths:
            again = self.options.invocation.command("retry", task.id, "--put-back")
            text = f"to try {task.id} again from what it had changed: {again}"
            self.core.signal(Said(task.id, text))

    async def _decide_open_escalations(self) -> Halt | None:
        """Tasks that an earlier run left for a person are asked about before new work begins."""
        for task in self.tasks.tasks:
            chosen = task.id in self.options.selection
            if chosen and self.core.record(task.id).state is TaskState.ESCALATED:
                if self.options.on_escalation is OnEscalation.CONTINUE:
                    self._take_back(task)
                halt = await self._decide(task)
                if halt is not None:
                    return halt
        return None

    def _stopped(self) -> Halt:
        return Halt(self.control.stop_reason, self.control.detail)

    def _nothing_ready(self, tasks: Iterable[Task]) -> Halt:
        chosen = (task.id for task in tasks if task.id in self.options.selection)
        return nothing_ready(map(self.core.record, chosen))
