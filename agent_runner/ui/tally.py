"""What a list's tasks come to: how many stand where, the cost, what holds them, what is next."""

from collections import Counter
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from agent_runner.ground.invocation import Invocation
from agent_runner.limits.waiting import limit_line, safe_after
from agent_runner.model.events import RunStopped
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import FINAL, TaskState
from agent_runner.model.task import Task, TaskList
from agent_runner.model.usage import Usage
from agent_runner.ui import words

_MOST_HOLDERS = 4


class Tally:
    """The records of a list's tasks, as last seen.

    `records` is copied: it is only the beginning. Limits open in `zone` (None: the machine's).
    Commands that are suggested name the list as `invocation` did.
    """

    def __init__(
        self,
        tasks: TaskList,
        records: Mapping[str, TaskRecord] | None = None,
        zone: ZoneInfo | None = None,
        invocation: Invocation | None = None,
    ) -> None:
        self.tasks = tasks
        self._zone = zone
        self._command = (invocation or Invocation()).command
        self._records = dict(records or {})
        self._stuck: dict[str, tuple[str, ...]] = {}

    def take(self, record: TaskRecord) -> None:
        """The task's newest record."""
        self._records[record.id] = record
        self._stuck.clear()

    def record(self, task_id: str) -> TaskRecord:
        """The task's record; a fresh one if nothing has happened to it."""
        return self._records.get(task_id) or TaskRecord(task_id)

    def title(self, task_id: str) -> str:
        """The task's title on one line; "" if the list has no such task (any more)."""
        return words.clean(self.tasks[task_id].title) if task_id in self.tasks else ""

    def held_by(self, task: Task) -> tuple[str, ...]:
        """Ids of what a pending task waits for: what only a person frees, else its direct needs."""
        if self.record(task.id).state is not TaskState.PENDING:
            return ()
        direct = tuple(i for i in task.depends_on if self.record(i).state is not TaskState.PASSED)
        return self._stuck_before(task.id) or direct

    def is_stale(self, task: Task) -> bool:
        """Whether the task was finished under another text than the list has now."""
        record = self.record(task.id)
        return record.state in FINAL and record.definition not in {"", task.definition}

    def in_state(self, state: TaskState) -> tuple[str, ...]:
        """Ids of the tasks in this state, in list order."""
        return tuple(task.id for task in self.tasks.tasks if self.record(task.id).state is state)

    def totals(self) -> tuple[float, int, Usage, float]:
        """Seconds, answered calls, usage and dollars of all tasks."""
        records = [self.record(task.id) for task in self.tasks.tasks]
        usage = sum((record.spent.usage for record in records), Usage())
        seconds = sum(record.spent.seconds for record in records)
        return (
            seconds,
            sum(r.counts.calls_answered for r in records),
            usage,
            sum(r.spent.cost for r in records),
        )

    def closing_line(self) -> str:
        """`3 tasks: 2 passed, 1 failed; 1m05s, 5 calls, 12.3k tokens, $0.12`."""
        counted = Counter(words.record_word(self.record(task.id)) for task in self.tasks.tasks)
        order = ("passed", "passed (unchecked)", "failed", "skipped", "running", "pending")
        states = ", ".join(f"{counted[word]} {word}" for word in order if counted[word])
        seconds, calls, usage, cost = self.totals()
        facts = [words.duration(seconds), words.plural(calls, "call")]
        facts.append(f"{words.count(usage.total)} tokens")
        facts.extend([words.money(cost)] if cost else [])
        total = words.plural(len(self.tasks), "task")
        return f"{total}: {states}; {', '.join(facts)}" if states else f"{total}"

    def lost_calls(self) -> tuple[str, ...]:
        """One line on the calls that may have been billed without an answer; none without any."""
        lost = {t.id: self.record(t.id).spent.possibly_billed for t in self.tasks.tasks}
        total, where = sum(lost.values()), words.listed(name for name in lost if lost[name])
        if not total:
            return ()
        return (f"{words.plural(total, 'call')} possibly billed without an answer: {where}",)

    def next_steps(self, stopped: RunStopped) -> tuple[str, ...]:
        """Why the run ended and the command to type next.

        One line; after a limit a line of its own that says when, then this one.
        """
        if stopped.reason == "finished":
            return (self._finished(),)
        if stopped.reason in {"held", "escalations"}:
            return (self._for_a_person(_WHY[stopped.reason]),)
        resume = self._command("resume")
        why = _WHY.get(stopped.reason, f"Stopped: {stopped.reason}")
        detail = (
            f" ({words.clean(stopped.detail).rstrip('.')})" if stopped.reason in _DETAILED else ""
        )
        fix = words.clean(stopped.fix).rstrip(".")
        before = f" {fix[:1].upper()}{fix[1:]}." if fix and fix not in stopped.detail else ""
        line = f"{why}{detail}.{before} Go on with `{resume}`"
        if stopped.not_before is None:
            return (line,)
        if stopped.reason == "limit":
            return (limit_line(stopped.not_before, self._zone), line)
        return (f"{line} after {safe_after(stopped.not_before, self._zone)}",)

    def _finished(self) -> str:
        unfinished = [t.id for t in self.tasks.tasks if self.record(t.id).state not in FINAL]
        if unfinished:
            left = f"{len(unfinished)} left"
            return f"{left}: `{self._command('resume')}` goes on with {unfinished[0]}"
        return "Nothing is left to do."

    def _for_a_person(self, why: str) -> str:
        resume = f"`{self._command('resume')}`"
        failed = self.in_state(TaskState.ESCALATED)
        if failed:
            one = failed[0]
            return (
                f"{why}: {words.listed(failed)} failed. Look with `{self._command('why', one)}`, "
                f"then `{self._command('retry', one)}` (or skip, check, reset) and {resume}"
            )
        held = [
            t.id for t in self.tasks.tasks if self._only_waits(t.id) and self._stuck_before(t.id)
        ]
        if not held:  # a person has decided since
            return self._finished()
        roots = self._stuck_before(held[0])
        return (
            f"{why}: {words.listed(held)} held by {words.listed(roots)}, which was skipped. Do "
            f"that after all with `{self._command('reset', roots[0])}`, or leave out what it "
            f"holds with `{self._command('skip', held[0])}`, then {resume}"
        )

    def _stuck_before(self, task_id: str) -> tuple[str, ...]:
        """Tasks that only a person frees, among all that `task_id` stands on; the first few.

        Each is visited once.
        """
        waiting = [task_id]
        while waiting:
            one = waiting[-1]
            needs = self.tasks[one].depends_on if one in self.tasks else ()
            unknown = [i for i in needs if i not in self._stuck and self._only_waits(i)]
            if unknown:
                waiting.extend(unknown)
                continue
            found = dict.fromkeys(
                root
                for i in needs
                for root in ((i,) if self._needs_person(i) else self._stuck.get(i, ()))
            )
            self._stuck[one] = tuple(found)[:_MOST_HOLDERS]
            waiting.pop()
        return self._stuck[task_id]

    def _only_waits(self, task_id: str) -> bool:
        return task_id in self.tasks and self.record(task_id).state is TaskState.PENDING

    def _needs_person(self, task_id: str) -> bool:
        return self.record(task_id).state in {TaskState.ESCALATED, TaskState.SKIPPED}


_DETAILED = frozenset({"limit", "auth", "budget", "outage", "storage", "fatal", "error"})
"""Reasons whose detail tells more than the reason itself does."""

_WHY = {
    "held": "A person is needed",
    "escalations": "Too many tasks failed in a row, a person is needed",
    "aborted": "Aborted",
    "interrupted": "Interrupted; everything is saved",
    "quit": "Stopped; everything is saved",
    "paused": "Paused; everything is saved",
    "limit": "No task is at fault",
    "auth": "The provider refused the key; no task is at fault",
    "budget": "Credit or budget is used up; no task is at fault",
    "outage": "The provider does not answer; no task is at fault",
    "storage": "The state could not be written; what was saved is safe",
    "fatal": "The provider cannot do what was asked; no task is at fault",
    "preview": "Preview only; nothing was changed, the reply is kept and will be used",
    "error": "Stopped by an error; everything before it is saved",
}
