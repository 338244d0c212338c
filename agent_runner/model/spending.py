"""What was used, folded from the journal: over time, and in totals by run, task, model and day.

Bounded: 100,000 calls take no more room than a few thousand, and one entry costs the same at any
length of the journal.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from attrs import define, field, frozen

from agent_runner.model import events as e
from agent_runner.model.meters import Amount, Meters, Reservation, nanodollars
from agent_runner.model.usage import ReportedLimit, Usage

MAX_DAYS = 400
"""Days with a total of their own; older ones are added up by month."""

MAX_TASKS = 10_000
"""Tasks with a total of their own; older ones are added up under `EARLIER`."""

EARLIER = "(earlier)"

UNBILLED = frozenset({"throttled", "failed", "refused"})
"""Outcomes after which only the request counts: the server took no tokens for it."""

_MOST_RECENT = 15
"""Calls of a provider that are remembered one by one."""

_MONTH = len("2026-11")
_WHOLE_ACCOUNT = re.compile(r"\d+[hd]")
"""Names of reported windows (`5h`, `7d`) that hold for all models of an account.

Other limits are a model's own.
"""


@define
class Total:
    """Calls and tokens in all.

    `calls`: answered or of unknown outcome; `unanswered`: certainly not billed.

    `cached` is part of `input`; `reserved`: tokens of calls whose use is not (or will never be)
    known. `at_least`: there were more tokens, which an agent did not report.
    """

    calls: int = 0
    unanswered: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    reserved: int = 0
    nanodollars: int = 0
    at_least: bool = False

    @property
    def tokens(self) -> int:
        """All tokens, those only reserved too."""
        return self.input + self.output + self.reserved

    @property
    def amount(self) -> Amount:
        """The same as one amount."""
        return Amount(self.calls, self.tokens, self.nanodollars, self.cached)

    def begin(self, call: Reservation) -> None:
        """Count a call's worst case."""
        self.calls += 1
        self.reserved += call.tokens
        self.nanodollars += call.nanodollars

    def settle(self, call: Reservation, usage: Usage | None, cost: int) -> None:
        """Count what a call really used (None: it was not answered) in place of its worst case."""
        self.reserved -= call.tokens
        self.nanodollars += cost - call.nanodollars
        if usage is None:
            self.calls -= 1
            self.unanswered += 1
            return
        self.input += usage.input
        self.output += usage.output
        self.cached += usage.cached
        self.at_least |= usage.at_least

    def absorb(self, other: "Total") -> None:
        """Add another total to this one."""
        self.calls += other.calls
        self.unanswered += other.unanswered
        self.input += other.input
        self.output += other.output
        self.cached += other.cached
        self.reserved += other.reserved
        self.nanodollars += other.nanodollars
        self.at_least |= other.at_least


@define
class Ratio:
    """How the real input of a model's calls compares to the guess: moving mean and deviation."""

    seen: int = 0
    mean: float = 1.0
    spread: float = 0.0

    def learn(self, ratio: float) -> None:
        """Take one more real ratio in; the first weighs most, later ones at least a tenth."""
        self.seen += 1
        weight = max(1 / (self.seen + 1), 0.1)
        distance = ratio - self.mean
        self.mean += weight * distance
        self.spread += weight * (abs(distance) - self.spread)


@frozen
class Hold:
    """A provider asked at `at` to send nothing before `until` (epoch seconds)."""

    at: float
    until: float
    reason: str = ""


@define
class Spending:
    """All use that the journal tells of. `take` is the only way it changes.

    run: id of the last run, `run_total` its use. models, holds: by provider, then model. reported:
    by provider, model ("" for the whole account) and the limit's name. ratios: by model. set_aside:
    by provider, why it was last passed over for a fallback; until it answers or a run begins later.
    no_tools: by provider, the models whose endpoint declined tools.
    recent: by provider, the tokens of its last answered calls, oldest first.
    """

    meters: Meters = field(factory=Meters)
    run: str = ""
    run_total: Total = field(factory=Total)
    tasks: dict[str, Total] = field(factory=dict)
    models: dict[str, dict[str, Total]] = field(factory=dict)
    days: dict[str, Total] = field(factory=dict)
    reported: dict[str, dict[str, dict[str, ReportedLimit]]] = field(factory=dict)
    holds: dict[str, dict[str, Hold]] = field(factory=dict)
    ratios: dict[str, Ratio] = field(factory=dict)
    set_aside: dict[str, e.SetAside] = field(factory=dict)
    no_tools: dict[str, list[str]] = field(factory=dict)
    recent: dict[str, list[int]] = field(factory=dict)

    def take(self, at: float, task: str, event: e.Event) -> None:
        """Fold one journal entry in: its time (epoch seconds), task ("": the run's) and event."""
        self.meters.turn_back(at)
        if isinstance(event, e.CallStarted):
            self._call_started(at, task, event)
        elif isinstance(event, e.CallSettled):
            self._call_settled(at, event)
        elif isinstance(event, e.SetAside):
            self.set_aside[event.provider] = event
        elif isinstance(event, e.ToolsDeclined):
            models = self.no_tools.setdefault(event.provider, [])
            models.extend([event.model] if event.model not in models else [])
        elif isinstance(event, e.RunStarted) and event.run != self.run:
            self.run, self.run_total = event.run, Total()
            self.set_aside = {n: aside for n, aside in self.set_aside.items() if aside.until > at}

    def limits_reported(self, provider: str, model: str) -> Iterator[ReportedLimit]:
        """What the provider last said of the limits that hold for a model."""
        of_provider = self.reported.get(provider, {})
        for scope in ("", model) if model else ("",):
            yield from of_provider.get(scope, {}).values()

    def _call_started(self, at: float, task: str, event: e.CallStarted) -> None:
        call = Reservation(
            at,
            event.provider,
            event.model,
            event.input_estimate + event.output_cap,
            nanodollars(event.cost),
            task,
            self.run,
            event.day or datetime.fromtimestamp(at, UTC).date().isoformat(),
            event.raw_estimate or event.input_estimate,
        )
        self.meters.reserve(event.call, call)
        self.tasks.setdefault(task, Total())
        self.days.setdefault(call.day, Total())
        self.models.setdefault(call.provider, {}).setdefault(call.model, Total())
        for total in self._totals(call):
            total.begin(call)
        if len(self.days) > MAX_DAYS:
            oldest = next(day for day in self.days if day != day[:_MONTH])
            _absorb(self.days, oldest, oldest[:_MONTH])
        if len(self.tasks) > MAX_TASKS:
            _absorb(self.tasks, next(name for name in self.tasks if name != EARLIER), EARLIER)

    def _call_settled(self, at: float, event: e.CallSettled) -> None:
        call = self.meters.open.get(event.call)
        provider, model = (call.provider, call.model) if call else (event.provider, "")
        # also of a call that is not known any more: what the provider said of its limits holds
        self._listen(at, provider, model, event)
        used = settlement(call, event) if call else None
        if call is None or used is None:
            return
        self.meters.settle(event.call, used)
        for total in self._totals(call):
            total.settle(call, event.usage, used.nanodollars)
        usage = event.usage
        if usage is not None and event.outcome == "answered":
            self.recent[provider] = [*self.recent.get(provider, []), usage.total][-_MOST_RECENT:]
        # against the raw guess, not the corrected one: else each correction would undo the last
        if usage is not None and usage.input and call.raw_estimate and not usage.estimated:
            ratio = self.ratios.setdefault(call.model, Ratio())
            ratio.learn(usage.input / call.raw_estimate)

    def _totals(self, call: Reservation) -> Iterator[Total]:
        """Every total that a call counts in, also where it was added to others in the meantime."""
        if call.run == self.run:
            yield self.run_total
        yield self.tasks.get(call.task) or self.tasks[EARLIER]
        yield self.models[call.provider][call.model]
        yield self.days.get(call.day) or self.days[call.day[:_MONTH]]

    def _listen(self, at: float, provider: str, model: str, event: e.CallSettled) -> None:
        """Remember what the provider said of its limits, and until when it wants no more calls."""
        for limit in event.limits:
            scope = "" if _WHOLE_ACCOUNT.fullmatch(limit.name) else model
            of_provider = self.reported.setdefault(provider, {})
            of_provider.setdefault(scope, {})[limit.name] = limit
        if event.outcome == "throttled" and event.not_before is not None:
            hold = Hold(at, event.not_before, event.reason)
            self.holds.setdefault(provider, {})[model] = hold
        elif event.outcome == "answered":
            self.holds.get(provider, {}).pop(model, None)
            self.set_aside.pop(provider, None)


def settlement(call: Reservation, event: e.CallSettled) -> Amount | None:
    """What a settled call counts from now on; None: nothing is known, its reservation stays."""
    if event.usage is None:
        return Amount(requests=1) if event.outcome in UNBILLED else None
    if event.outcome == "lost":
        return None
    cost = call.nanodollars if event.cost is None else nanodollars(event.cost)
    usage = event.usage
    return Amount(1, usage.total, cost, cached=min(usage.cached, usage.input))


def _absorb(totals: dict[str, Total], name: str, into: str) -> None:
    total = totals.pop(name)
    totals.setdefault(into, Total()).absorb(total)
