"""Use over time, kept so that any window of the last eight days is summed up at once.

A track holds running sums at growing times: the use since a moment is the last sum less the sum
before that moment. Old rows are thinned to one a minute, then (only where there are very many) to
one a quarter of an hour, and dropped after eight days. A thinned row keeps the time of the last
call in it, so that it leaves a window late, never early.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from attrs import define, evolve, field, frozen

KEPT = 8 * 86_400.0
"""Seconds for which use is kept: a week of 169 hours, and a day to spare."""

EXACT = 150.0
"""Seconds for which every call has its own row: more than the shortest window."""

DAY = 26 * 3600.0
"""Seconds after which rows may be thinned to quarters of an hour: more than a day of 25 hours."""

MINUTE, QUARTER = 60.0, 900.0
MANY = 1024
"""Rows that a track may keep at one a minute; with more, the days before yesterday get fewer."""

SLACK = 128
"""Rows that may gather before old ones are thinned again."""

MAX_OPEN = 256
"""Calls of unknown outcome that can still be settled; older ones keep their reservation."""

NANO = 1_000_000_000


def nanodollars(dollars: float | None) -> int:
    """Dollars as whole billionths, so that sums are exact; None counts as nothing."""
    return round(dollars * NANO) if dollars else 0


@frozen
class Amount:
    """Use: calls, tokens (input and output) and billionths of a dollar.

    `cached`: those of the tokens that were read from the provider's cache.
    """

    requests: int = 0
    tokens: int = 0
    nanodollars: int = 0
    cached: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(
            self.requests + other.requests,
            self.tokens + other.tokens,
            self.nanodollars + other.nanodollars,
            self.cached + other.cached,
        )

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(
            self.requests - other.requests,
            self.tokens - other.tokens,
            self.nanodollars - other.nanodollars,
            self.cached - other.cached,
        )

    @property
    def cost(self) -> float:
        """The money in dollars, for people; sums are made in billionths, which are exact."""
        return self.nanodollars / NANO


NOTHING = Amount()
"""No use at all."""


@define
class Track:
    """The use of one model, as columns of equal length.

    `times` are epoch seconds and grow; the others are sums of all use up to and with that time. The
    first row may be older than what is kept: it carries the sum of all that was dropped. `thinned`:
    how many rows were left when it was last thinned.
    """

    times: list[float] = field(factory=list)
    requests: list[int] = field(factory=list)
    tokens: list[int] = field(factory=list)
    nanodollars: list[int] = field(factory=list)
    thinned: int = 0
    cached: list[int] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        # snapshots of earlier versions have no such column
        self.cached += [0] * (len(self.times) - len(self.cached))

    def since(self, start: float) -> Amount:
        """Use at or after `start` (epoch seconds)."""
        return self._sum(len(self.times)) - self._sum(bisect_left(self.times, start))

    def after(self, start: float) -> Amount:
        """Use after `start` (epoch seconds), not at it."""
        return self._sum(len(self.times)) - self._sum(bisect_right(self.times, start))

    def times_after(self, start: float) -> list[float]:
        """The times of use after `start`."""
        return self.times[bisect_right(self.times, start) :]

    def add(self, at: float, amount: Amount) -> None:
        """Count use at `at`, which is no earlier than any before (see `turn_back`)."""
        if not self.times or self.times[-1] < at:
            self._append(at, self._sum(len(self.times)))
        self._change(len(self.times) - 1, amount)
        if len(self.times) > self.thinned * 3 // 2 + SLACK:
            self._thin(at)

    def correct(self, at: float, change: Amount) -> None:
        """Change what was counted at `at`; without effect on windows if that is no longer kept."""
        self._change(bisect_left(self.times, at), change)

    def turn_back(self, now: float) -> None:
        """Count what seems to lie ahead as used now: the clock was set back to `now`.

        Otherwise it would leave its windows late by as much, and `add` would find the times out of
        order.
        """
        first_ahead = bisect_right(self.times, now)
        everything = self._sum(len(self.times))
        self._keep(range(first_ahead))
        self._append(now, everything)

    def _sum(self, rows: int) -> Amount:
        """The use in the first `rows` rows."""
        if rows == 0:
            return NOTHING
        last = rows - 1
        money, cached = self.nanodollars[last], self.cached[last]
        return Amount(self.requests[last], self.tokens[last], money, cached)

    def _append(self, at: float, total: Amount) -> None:
        self.times.append(at)
        self.requests.append(total.requests)
        self.tokens.append(total.tokens)
        self.nanodollars.append(total.nanodollars)
        self.cached.append(total.cached)

    def _change(self, first: int, change: Amount) -> None:
        for row in range(first, len(self.times)):
            self.requests[row] += change.requests
            self.tokens[row] += change.tokens
            self.nanodollars[row] += change.nanodollars
            self.cached[row] += change.cached

    def _thin(self, now: float) -> None:
        first = max(0, bisect_right(self.times, now - KEPT) - 1)
        rows = self._last_of_each(range(first, len(self.times)), MINUTE, now - EXACT)
        if len(rows) > MANY:
            rows = self._last_of_each(rows, QUARTER, now - DAY)
        self._keep(rows)
        self.thinned = len(rows)

    def _last_of_each(self, rows: Iterable[int], unit: float, fine_from: float) -> list[int]:
        """The first row, which carries the sums of what was dropped, and then one row a `unit`."""
        # of each unit the last row is kept: sums of all before are in it, and its time is that of
        # the last call, so that the whole unit leaves a window late rather than early
        first, *rest = rows
        times = self.times
        return [first] + [
            row
            for row, following in zip(rest, [*rest[1:], None], strict=True)
            if following is None
            or times[row] >= fine_from
            or times[row] // unit != times[following] // unit
        ]

    def _keep(self, rows: Iterable[int]) -> None:
        kept = list(rows)
        self.times = [self.times[row] for row in kept]
        self.requests = [self.requests[row] for row in kept]
        self.tokens = [self.tokens[row] for row in kept]
        self.nanodollars = [self.nanodollars[row] for row in kept]
        self.cached = [self.cached[row] for row in kept]


@frozen
class Reservation:
    """The worst case of one call that was begun, and what it is counted under.

    `raw_estimate`: tokens of the prompt as guessed before anything was learned.
    """

    at: float
    provider: str
    model: str
    tokens: int = 0
    nanodollars: int = 0
    task: str = ""
    run: str = ""
    day: str = ""
    raw_estimate: int = 0

    @property
    def amount(self) -> Amount:
        """What it counts until it is settled."""
        return Amount(1, self.tokens, self.nanodollars)


@define
class Meters:
    """Use by provider and model; a call counts with its reservation until it is settled.

    `open`: reserved calls by id, the oldest first.
    """

    tracks: dict[str, dict[str, Track]] = field(factory=dict)
    open: dict[str, Reservation] = field(factory=dict)

    def of(self, provider: str, model: str | None = None) -> tuple[Track, ...]:
        """The tracks of a provider, or of one of its models."""
        models = self.tracks.get(provider, {})
        if model is None:
            return tuple(models.values())
        return (models[model],) if model in models else ()

    def reserve(self, call: str, reservation: Reservation) -> None:
        """Count a call that is about to be sent."""
        self.count(reservation.provider, reservation.model, reservation.at, reservation.amount)
        self.open[call] = reservation
        if len(self.open) > MAX_OPEN:
            del self.open[next(iter(self.open))]

    def settle(self, call: str, used: Amount) -> None:
        """Put what a call really used in the place of its reservation.

        An unknown call changes nothing.
        """
        reservation = self.open.pop(call, None)
        if reservation is not None:
            track = self._track(reservation.provider, reservation.model)
            track.correct(reservation.at, used - reservation.amount)

    def count(self, provider: str, model: str, at: float, amount: Amount) -> None:
        """Count use at `at` that stays as it is."""
        self.turn_back(at)
        self._track(provider, model).add(at, amount)

    def turn_back(self, now: float) -> None:
        """Learn what time it is: nothing lies ahead of it, whatever the clock said before."""
        every = [track for models in self.tracks.values() for track in models.values()]
        ahead = [track for track in every if track.times and track.times[-1] > now]
        if not ahead:
            return
        for track in ahead:
            track.turn_back(now)
        for call, reservation in self.open.items():
            if reservation.at > now:
                self.open[call] = evolve(reservation, at=now)

    def _track(self, provider: str, model: str) -> Track:
        return self.tracks.setdefault(provider, {}).setdefault(model, Track())
