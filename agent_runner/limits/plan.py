"""Which of the remaining tasks fit into the windows now, and when the rest could run.

The calls are played through on a copy of what was used, by the same judgement and the same fold as
in a real run: whatever a run would do at a limit, the plan does too.
"""

import copy
from collections.abc import Iterable, Sequence
from statistics import median
from zoneinfo import ZoneInfo

from attrs import define, field, frozen

from agent_runner.limits.room import Fits, Full, Need, OverBudget, Room, room_for
from agent_runner.limits.waiting import soon
from agent_runner.model import events as e
from agent_runner.model.meters import Meters
from agent_runner.model.settings import Settings
from agent_runner.model.spending import EARLIER, Spending, Total
from agent_runner.model.usage import Usage

MAX_CALLS = 5_000
"""Calls that are played through; when those beyond could be made is not said."""

_NAMED_SLOTS = 3


@frozen
class Expected:
    """What one task is expected to take.

    Attributes:
        calls: How many are still to come at the least: when it can run follows from these.
        likely: How many it will be, as far as that can be told.
        need: The worst case of one, which is reserved.
        input: Tokens of input that one is likely to use in the end; `output` likewise.
        cost: Dollars that one is likely to cost; None where no price is known.
    """

    task: str
    provider: str
    model: str
    calls: int
    likely: int
    need: Need
    input: int
    output: int
    cost: float | None = None


@frozen
class Slot:
    """Tasks that can run after `at` (epoch seconds; None: too far ahead to say)."""

    at: float | None
    tasks: tuple[str, ...]


@frozen
class Blocked:
    """A task whose calls no waiting lets through; with `this_run` another run does."""

    task: str
    reason: str
    this_run: bool = False


@frozen
class Plan:
    """When the tasks of `order` can run, and what they are expected to take in all.

    now: at once. later: after a window opens. calls, tokens, cost: what is likely; cost in dollars,
    None where no price is known.
    """

    order: tuple[str, ...]
    now: tuple[str, ...]
    later: tuple[Slot, ...]
    blocked: tuple[Blocked, ...]
    calls: int
    tokens: int
    cost: float | None

    def line(self, now: float, zone: ZoneInfo | None = None) -> str:
        """The plan in one line: `4 of 9 now; T5-T9 after Tue 09:00`. `now`: epoch seconds."""
        words = [f"{len(self.now)} of {len(self.order)} now"]
        named = self.later[:_NAMED_SLOTS]
        words += [f"{self._range(slot.tasks)} {_after(slot.at, now, zone)}" for slot in named]
        rest = [task for slot in self.later[_NAMED_SLOTS:] for task in slot.tasks]
        if rest:
            words.append(
                f"{self._range(rest)} later, the last {_after(self.later[-1].at, now, zone)}"
            )
        for word, this_run in (("in a further run", True), ("never", False)):
            tasks = [one.task for one in self.blocked if one.this_run is this_run]
            words += [f"{self._range(tasks)} {word}"] if tasks else []
        return "; ".join(words)

    def _range(self, tasks: Sequence[str]) -> str:
        """Task names, a run of them in list order as first-last."""
        place = {task: n for n, task in enumerate(self.order)}
        runs: list[list[str]] = []
        for task in tasks:
            if runs and place[task] == place[runs[-1][-1]] + 1:
                runs[-1].append(task)
            else:
                runs.append([task])
        return ", ".join(
            f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(run)  # two are a pair
            for run in runs
        )


def turns_of_tasks(spending: Spending) -> int:
    """How many calls a task of this journal took, by the median; 0 where none has made any."""
    calls = [
        total.calls for name, total in spending.tasks.items() if total.calls and name != EARLIER
    ]
    return round(median(calls)) if calls else 0


@frozen
class Turns:
    """Calls of a task: `least` in any case, `guess` as long as no task has shown how many."""

    least: int = 1
    guess: int = 1


def expect(
    spending: Spending, task: str, provider: str, model: str, need: Need, turns: Turns
) -> Expected:
    """What a task will take, from this journal's history of tasks and of the model."""
    known, so_far = turns_of_tasks(spending), spending.tasks.get(task) or Total()
    calls, likely = (max(turns.least, n - so_far.calls) for n in (known or 1, known or turns.guess))
    past = spending.models.get(provider, {}).get(model) or Total()
    answered = past.calls
    # without a history the worst case is all there is to say; with one the mean of what calls used,
    # for those still unknown what was reserved for them
    if not answered:
        cost = need.cost
        return Expected(
            task, provider, model, calls, likely, need, need.input_estimate, need.output_cap, cost
        )
    return Expected(
        task,
        provider,
        model,
        calls,
        likely,
        need,
        past.input // answered,
        (past.output + past.reserved) // answered,
        past.amount.cost / answered if need.cost is not None else None,
    )


def plan_calls(
    tasks: Iterable[Expected],
    spending: Spending,
    settings: Settings,
    now: float,
    *,
    ignore_config: bool = False,
    others: Meters | None = None,
) -> Plan:
    """Play the tasks through in their order, each call at the earliest time at which it fits.

    Calls take no time of their own here, so that the times are the earliest possible ones. Raises
    UsageError where the time zone or the start of the week is none.
    """
    wanted = list(tasks)
    play = _Play(_copied(spending, wanted), settings, now, ignore_config, others)
    at_once: list[str] = []
    slots: dict[float | None, list[str]] = {}
    blocked: list[Blocked] = []
    for task in wanted:
        outcome = play.run(task)
        if isinstance(outcome, Blocked):
            blocked.append(outcome)
        elif outcome == now:
            at_once.append(task.task)
        else:
            slots.setdefault(outcome, []).append(task.task)
    prices = [task.likely * task.cost for task in wanted if task.cost is not None]
    return Plan(
        tuple(task.task for task in wanted),
        tuple(at_once),
        tuple(Slot(at, tuple(names)) for at, names in slots.items()),
        tuple(blocked),
        sum(task.likely for task in wanted),
        sum(task.likely * (task.input + task.output) for task in wanted),
        sum(prices) if prices else None,
    )


@define
class _Play:
    """A run that is only played: it moves a clock of its own and counts on a copy of its own."""

    spending: Spending
    settings: Settings
    now: float
    ignore_config: bool
    others: Meters | None
    calls: int = field(default=0, init=False)

    def run(self, task: Expected) -> float | Blocked | None:
        """When the task's last call fits (None: too far ahead to say), or what it never gets by."""
        for _ in range(task.calls):
            if self.calls >= MAX_CALLS:
                return None
            self.calls += 1
            room = self._wait_for_room(task)
            if not isinstance(room, Fits):
                assert not isinstance(room, Full)  # noqa: S101  # those were waited for
                this_run = isinstance(room, OverBudget) and room.scope == "run"
                return Blocked(task.task, room.reason, this_run)
            self._count(task)
        return self.now

    def _wait_for_room(self, task: Expected) -> Room:
        room = self._room(task)
        while isinstance(room, Full):
            self.now = room.not_before
            self.spending.run_total = Total()  # a run that stops at a limit goes on as a new one
            room = self._room(task)
        return room

    def _room(self, task: Expected) -> Room:
        return room_for(
            self.spending,
            self.settings,
            task.provider,
            task.model,
            task.need,
            self.now,
            task=task.task,
            ignore_config=self.ignore_config,
            others=self.others,
        )

    def _count(self, task: Expected) -> None:
        call = f"planned-{self.calls}"
        need = task.need
        started = e.CallStarted(
            call,
            1,
            1,
            1,
            task.provider,
            task.model,
            need.input_estimate,
            need.output_cap,
            need.cost,
        )
        usage = Usage(task.input, task.output, estimated=True)
        settled = e.CallSettled(call, "answered", task.provider, usage, task.cost)
        self.spending.take(self.now, task.task, started)
        self.spending.take(self.now, task.task, settled)


def _copied(spending: Spending, tasks: Iterable[Expected]) -> Spending:
    """As much of the spending as matters for room; the next run begins with nothing used."""
    return Spending(
        meters=copy.deepcopy(spending.meters),
        tasks={
            task.task: copy.copy(spending.tasks[task.task])
            for task in tasks
            if task.task in spending.tasks
        },
        reported=spending.reported,
        holds=copy.deepcopy(spending.holds),
    )


def _after(at: float | None, now: float, zone: ZoneInfo | None) -> str:
    return "at a time too far ahead to say" if at is None else f"after {soon(at, now, zone)}"
