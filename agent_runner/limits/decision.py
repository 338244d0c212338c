"""What a call may need and what is decided about it."""

from typing import TypeAlias

from attrs import frozen

from agent_runner.model.meters import Amount, nanodollars


@frozen
class Need:
    """A call's worst case: estimated input and capped output in tokens, `cost` in dollars (None.

    No prices known).
    """

    input_estimate: int
    output_cap: int
    cost: float | None = None

    @property
    def tokens(self) -> int:
        """All tokens that are reserved."""
        return self.input_estimate + self.output_cap

    @property
    def amount(self) -> Amount:
        """What the call counts while it is not settled."""
        return Amount(1, self.tokens, nanodollars(self.cost))


@frozen
class Fits:
    """There is room: reserve and call."""


@frozen
class Full:
    """No room before `not_before` (epoch seconds), the earliest time at which the call fits.

    `window`: which limit.
    """

    window: str
    not_before: float
    reason: str


@frozen
class Never:
    """The call can never fit: waiting changes nothing."""

    reason: str


@frozen
class OverBudget:
    """A cap on the whole `scope` (`run` or `task`) is reached.

    Waiting changes nothing, a person decides.
    """

    scope: str
    reason: str


Decision: TypeAlias = Fits | Full | Never | OverBudget
