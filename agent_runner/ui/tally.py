"""What a task list comes to: states, cost, what holds its tasks, and what to type next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, NamedTuple

from agent_runner.ground.invocation import Invocation
from agent_runner.limits.waiting import limit_line, safe_after
from agent_runner.model.standing import Standing
from agent_runner.model.states import FINAL, TaskState
from agent_runner.ui import words

if TYPE_CHECKING:  # `status` shows outlines and needs no events
    from agent_runner.model.events import RunStopped
    from agent_runner.model.record import TaskRecord
    from agent_runner.model.standing import ListOutline, StoppedRun, TaskOutline
    from agent_runner.model.task import Task, TaskList

_MOST_BLOCKERS = 4
"""Tasks that are named as the reason why another cannot start."""


class Totals(NamedTuple):
    """What all tasks of a list took: seconds, answered calls, tokens, dollars.

    `at_least`: there were more tokens, which an agent did not report.
    """

    seconds: float
    calls: int
    tokens: int
    cost: float
    at_least: bool = False


class Progress(NamedTuple):
    """How far a list has come: tasks that are done (passed or skipped) and failed, dollars."""

    done: int
    failed: int
    cost: float


class Tally:
    """The tasks of a list with their records as last seen.

    `records` is where it starts from and is copied. Limits open in `zone` (None: the machine's).
    Commands that are suggested name the list as `invocation` did.
    """

    def __init__(
        self,
        tasks: TaskList | ListOutline,
        records: Mapping[str, TaskRecord | Standing] | None = None,
        zone: tzinfo | None = None,
        invocation: Invocation | None = None,
    ) -> None:
        self.tasks = tasks
        self.listed: Sequence[Task | TaskOutline] = tasks.tasks
        self._zone = zone
        self.command = (invocation or Invocation()).command
        self._records = dict(records or {})
        self.run_is_on = True
        """Whether somebody is at work on the tasks; else one in the middle of a step is stopped."""
        self._blockers: dict[str, tuple[str, ...]] = {}
        self._progress: Progress | None = None

    def take(self, record: TaskRecord) -> None:
        """Replace what is known of a task by its newest record."""
        if self._progress is not None and record.id in self.tasks:
            before, after = _progress_of(self.record(record.id)), _progress_of(record)
            done, failed, cost = self._progress
            self._progress = Progress(
                done - before.done + after.done,
                failed - before.failed + after.failed,
                cost - before.cost + after.cost,
            )
        self._records[record.id] = record
        self._blockers.clear()

    @property
    def progress(self) -> Progress:
        """How far the list has come: counted once, then kept up with, as a screen asks often."""
        if self._progress is None:
            each = [_progress_of(self.record(task.id)) for task in self.listed]
            self._progress = Progress(
                sum(one.done for one in each),
                sum(one.failed for one in each),
                sum(one.cost for one in each),
            )
        return self._progress

    def record(self, task_id: str) -> TaskRecord | Standing:
        """The task's record; an empty one if nothing has happened to it."""
        return self._records.get(task_id) or Standing(task_id)

    def word(self, task_id: str) -> str:
        """What the task's state is called on screen."""
        word = words.record_word(self.record(task_id))
        return word if self.run_is_on or word != "running" else "stopped"

    def in_words(self, wanted: frozenset[str]) -> Sequence[Task | TaskOutline]:
        """The tasks whose state is one of these words on screen, in list order; of none, all."""
        if not wanted:
            return self.listed
        return [t for t in self.listed if self.word(t.id).partition(" ")[0] in wanted]

    def title(self, task_id: str) -> str:
        """The task's title on one line; "" if the list has no such task (any more)."""
        return words.clean(self.tasks[task_id].title) if task_id in self.tasks else ""

    def held_by(self, task: Task | TaskOutline) -> tuple[str, ...]:
        """Ids of the tasks that a pending one waits for.

        Those that need a person, however far below it; without any, its unfinished dependencies.
        """
        if self.record(task.id).state is not TaskState.PENDING:
            return ()
        direct = tuple(i for i in task.depends_on if self.record(i).state is not TaskState.PASSED)
        return self._blockers_of(task.id) or direct

    def is_stale(self, task: Task | TaskOutline) -> bool:
        """Whether the task was finished under another text than the list has now."""
        record = self.record(task.id)
        return record.state in FINAL and record.definition not in {"", task.definition}

    def built_on(self, task: Task | TaskOutline) -> tuple[str, ...]:
        """Ids of the tasks that a passed one was built on and that do not count as done any more.

        Those that it depends on directly: of the others they know themselves.
        """
        if self.record(task.id).state is not TaskState.PASSED:
            return ()
        return tuple(i for i in task.depends_on if self.record(i).state is not TaskState.PASSED)

    def in_state(self, state: TaskState) -> tuple[str, ...]:
        """Ids of the tasks in this state, in list order."""
        return tuple(task.id for task in self.listed if self.record(task.id).state is state)

    def totals(self) -> Totals:
        """What all tasks took together."""
        records = [self.record(task.id) for task in self.listed]
        return Totals(
            sum(record.spent.seconds for record in records),
            sum(record.calls for record in records),
            sum(record.spent.usage.total for record in records),
            sum(record.spent.cost for record in records),
            any(record.spent.usage.at_least for record in records),
        )

    def closing_line(self) -> str:
        """`3 tasks: 2 passed, 1 failed; 1m05s, 5 calls, 12.3k tokens, $0.12`."""
        counted = Counter(self.word(task.id) for task in self.listed)
        order = (*words.PASSED, "failed", "skipped", "running", "stopped", "pending")
        states = ", ".join(f"{counted[word]} {word}" for word in order if counted[word])
        totals = self.totals()
        facts = [words.duration(totals.seconds), words.plural(totals.calls, "call")]
        facts.append(words.tokens_used(totals.tokens, at_least=totals.at_least))
        facts.extend([words.money(totals.cost)] if totals.cost else [])
        tasks = words.plural(len(self.tasks), "task")
        return f"{tasks}: {states}; {', '.join(facts)}" if states else tasks

    def lost_calls(self) -> tuple[str, ...]:
        """One line on the calls that may have been billed without an answer; none without any."""
        lost = {t.id: self.record(t.id).spent.possibly_billed for t in self.listed}
        total, where = sum(lost.values()), words.listed(name for name in lost if lost[name])
        if not total:
            return ()
        return (f"{words.plural(total, 'call')} possibly billed without an answer: {where}",)

    def not_committed(self) -> tuple[str, ...]:
        """One line for each reason why files of tasks are not committed; none without any."""
        waiting: dict[str, list[str]] = {}
        for task in self.listed:
            problem = self.record(task.id).change.commit_problem
            if problem:
                waiting.setdefault(words.first_line(problem), []).append(task.id)
        return tuple(f"not committed: {words.listed(t)}: {why}" for why, t in waiting.items())

    def next_steps(self, stopped: RunStopped | StoppedRun) -> tuple[str, ...]:
        """Why the run ended and the command to type next.

        One line; after a limit, a line of its own with the time comes first.
        """
        if stopped.reason == "finished":
            return (self._finished(),)
        if stopped.reason in {"held", "escalations"}:
            return (self._for_a_person(_WHY[stopped.reason]),)
        why = _WHY.get(stopped.reason, f"Stopped: {stopped.reason}")
        detail = words.clean(stopped.detail).rstrip(".") if stopped.reason in _DETAILED else ""
        fix = words.clean(stopped.fix).rstrip(".")
        said = [f"{why} ({detail})." if detail else f"{why}."]
        said.extend([f"{fix[:1].upper()}{fix[1:]}."] if fix and fix not in stopped.detail else [])
        line = " ".join([*said, f"Continue with `{self.command('resume')}`"])
        if stopped.not_before is None:
            return (line,)
        if stopped.reason == "limit":
            return (limit_line(stopped.not_before, self._zone), line)
        return (f"{line} after {safe_after(stopped.not_before, self._zone)}",)

    def _finished(self) -> str:
        left = [t.id for t in self.listed if self.record(t.id).state not in FINAL]
        if not left:
            return "Nothing is left to do."
        held = {i for i in left if self._is_held(i) and self._blockers_of(i)}
        blocked = [i for i in left if i in held or self._needs_person(i)]
        if blocked == left:  # undone since, and nothing else can go on
            return self._for_a_person(_WHY["held"])
        tasks, first = words.plural(len(left), "task"), next(i for i in left if i not in blocked)
        return f"{tasks} left; `{self.command('resume')}` continues with {first}"

    def _for_a_person(self, why: str) -> str:
        resume = f"`{self.command('resume')}`"
        failed = self.in_state(TaskState.ESCALATED)
        if failed:
            one = failed[0]
            return (
                f"{why}: {words.listed(failed)} failed. See `{self.command('why', one)}`, decide "
                f"with `{self.command('retry', one)}` (or skip, check, reset), then {resume}"
            )
        held = [t.id for t in self.listed if self._is_held(t.id) and self._blockers_of(t.id)]
        if not held:  # a person has decided since
            return self._finished()
        blockers = self._blockers_of(held[0])
        were = "was" if len(blockers) == 1 else "were"
        return (
            f"{why}: {words.listed(held)} cannot start before {words.listed(blockers)}, which "
            f"{were} skipped. Bring {blockers[0]} back with "
            f"`{self.command('reset', blockers[0])}`, or skip {held[0]} as well with "
            f"`{self.command('skip', held[0])}`, then {resume}"
        )

    def _blockers_of(self, task_id: str) -> tuple[str, ...]:
        """The first few tasks below this one that only a person can get out of the way.

        Depth first with a list instead of recursion, which a chain of a thousand tasks would break;
        what is found is kept until a record changes, so that a table of all tasks costs one pass.
        """
        waiting = [task_id]
        while waiting:
            one = waiting[-1]
            needs = self.tasks[one].depends_on if one in self.tasks else ()
            unknown = [i for i in needs if i not in self._blockers and self._is_held(i)]
            if unknown:
                waiting.extend(unknown)
                continue
            found = dict.fromkeys(
                blocker
                for i in needs
                for blocker in ((i,) if self._needs_person(i) else self._blockers.get(i, ()))
            )
            self._blockers[one] = tuple(found)[:_MOST_BLOCKERS]
            waiting.pop()
        return self._blockers[task_id]

    def _is_held(self, task_id: str) -> bool:
        return task_id in self.tasks and self.record(task_id).state is TaskState.PENDING

    def _needs_person(self, task_id: str) -> bool:
        return self.record(task_id).state in {TaskState.ESCALATED, TaskState.SKIPPED}


def _progress_of(record: TaskRecord | Standing) -> Progress:
    done, failed = record.state in FINAL, record.state is TaskState.ESCALATED
    return Progress(int(done), int(failed), record.spent.cost)


_DETAILED = frozenset(
    {"limit", "auth", "budget", "outage", "storage", "fatal", "error", "uncommitted"}
)
"""Reasons whose detail says more than the reason itself does."""

_WHY = {
    "held": "A person is needed",
    "escalations": "Too many tasks failed in a row, and a person is needed",
    "aborted": "Aborted",
    "interrupted": "Interrupted; everything is saved",
    "quit": "Stopped; everything is saved",
    "paused": "Paused; everything is saved",
    "limit": "No task is at fault",
    "auth": "The provider refused the key; no task is at fault",
    "budget": "Credit or budget is used up; no task is at fault",
    "outage": "The provider is not answering; no task is at fault",
    "storage": "The state could not be written; what was saved is safe",
    "fatal": "The provider cannot do what is asked of it; no task is at fault",
    "uncommitted": "Every task is done, but git did not take all that they changed",
    "preview": "Preview only: nothing was changed, and the next run uses the same reply",
    "error": "Stopped by an error; everything before it is saved",
}
"""Why the run stopped, by the words of `STOP_REASONS`."""
