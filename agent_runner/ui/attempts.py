"""A task's journal entries gathered into attempts and failures."""

from collections.abc import Iterable
from typing import Any

from attrs import define, evolve, field, frozen

from agent_runner.model import events as e
from agent_runner.model.fold import Entry
from agent_runner.model.hooks import HookResult, Phase
from agent_runner.model.states import TaskState
from agent_runner.model.usage import Usage
from agent_runner.ui import words
from agent_runner.ui.outcomes import changed, not_applied


@frozen
class Attempt:
    """One attempt of a task.

    Attributes:
        number: From 1; the same as in `CallStarted`.
        calls: Answered calls: its turns.
        looks: How often the agent looked at something, or drafted a change.
        usage: Their tokens.
        cost: Dollars, as far as prices are known.
        changed: What it did to the files, in words.
        ended: How it ended, in words.
    """

    number: int
    calls: int = 0
    looks: int = 0
    usage: Usage = field(factory=Usage)
    cost: float = 0.0
    changed: str = "changed nothing"
    ended: str = "not judged"

    @property
    def line(self) -> str:
        """All of it in one line."""
        used = words.tokens_used(self.usage.total, at_least=self.usage.at_least)
        share = self.usage.cached / self.usage.input if self.usage.input else 0
        facts = [words.plural(self.calls, "call")]
        facts += [words.plural(self.looks, "look")] if self.looks else []
        facts += [f"{used} ({share:.0%} of the input cached)" if share else used]
        facts += [words.money(self.cost)] if self.cost else []
        return f"attempt {self.number}: {self.changed}; {self.ended} ({', '.join(facts)})"


@frozen
class HookFailure:
    """A hook that was red.

    Attributes:
        attempt: The attempt that it judged; 0 before the first.
        phase: Whether it ran before or after the agent.
        hook: Its id.
        reason: Why the task could not go on, as the event has it.
        result: Its result, where one was journaled.
    """

    attempt: int
    phase: Phase
    hook: str
    reason: str
    result: HookResult | None = None


@define
class History:
    """The attempts and failures of a task since it started or was reset.

    `escalated` is the event by which it was given to a person; None where it does not need one.
    """

    attempts: list[Attempt] = field(factory=list)
    failures: list[HookFailure] = field(factory=list)
    escalated: e.Event | None = None
    _red: dict[str, e.HookFinished] = field(factory=dict)

    def take(self, entry: Entry) -> None:
        """Add the task's next entry."""
        event = entry.event
        if isinstance(event, e.Reset):
            self.attempts, self.failures, self.escalated = [], [], None
            self._red.clear()
            return
        self._take_call(event)
        self._take_judgement(event)
        if isinstance(event, e.Applied):
            self._attempt(changed=changed(event))
        elif isinstance(event, e.Rejected):
            self._attempt(ended=not_applied(event))
        elif isinstance(event, (e.Unusable, e.Refused)):
            self._attempt(ended=words.clean(event.reason))
        elif isinstance(event, e.PostHooksPassed):
            nothing = " (nothing changed)" if event.nothing_changed else ""
            self._attempt(ended=f"passed{nothing}")
        if entry.to is not None:
            self.escalated = event if entry.to is TaskState.ESCALATED else None

    def _take_call(self, event: e.Event) -> None:
        if isinstance(event, e.CallStarted):
            if not self.attempts or self.attempts[-1].number != event.attempt:
                self.attempts.append(Attempt(event.attempt))
        elif isinstance(event, e.CallSettled) and self.attempts:
            last = self.attempts[-1]
            self._attempt(
                calls=last.calls + (event.outcome == "answered"),
                usage=last.usage + (event.usage or Usage()),
                cost=last.cost + (event.cost or 0.0),
            )
        elif isinstance(event, e.Consulted) and self.attempts:
            looks = len(event.looks) or len(event.requested)
            self._attempt(looks=self.attempts[-1].looks + looks)

    def _take_judgement(self, event: e.Event) -> None:
        if isinstance(event, e.HookFinished):
            # Kept until the event that says what follows: only this one has the hook's output.
            if not event.result.green:
                self._red[event.result.hook] = event
        elif isinstance(event, e.BaselineTaken):
            self._red.clear()  # red before the first call is no failure of an attempt
        elif isinstance(event, (e.PostHooksFailed, e.PreHooksFailed, e.HookBroken)):
            number = self.attempts[-1].number if self.attempts else 0
            red = self._red.pop(event.hook, None)
            phase = red.phase if red else _phase_of(event)
            result = red.result if red else None
            self.failures.append(HookFailure(number, phase, event.hook, event.reason, result))
            broken = isinstance(event, e.HookBroken)
            self._attempt(ended=f"{event.hook} {'could not start' if broken else 'was red'}")

    def _attempt(self, **facts: Any) -> None:
        """Add facts to the last attempt, if one has begun."""
        if self.attempts:
            self.attempts[-1] = evolve(self.attempts[-1], **facts)


def _phase_of(event: e.Event) -> Phase:
    return Phase.PRE if isinstance(event, e.PreHooksFailed) else Phase.POST


def history(task_id: str, entries: Iterable[Entry]) -> History:
    """The history of one task; entries of others are passed over."""
    gathered = History()
    for entry in entries:
        if entry.task == task_id:
            gathered.take(entry)
    return gathered
