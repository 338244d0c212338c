"""How much the looks of one reply may come to."""

from attrs import define, frozen

MOST_LOOKS = 8
MOST_CHARACTERS = 60_000
NOT_RUN = "not run"
_WORTH_A_LOOK = 2_500
"""Characters below which no look is begun: one line of a file may have 2,000."""


@frozen
class Budget:
    """What one reply may have: looking calls, and characters of all answers together."""

    looks: int = MOST_LOOKS
    characters: int = MOST_CHARACTERS


@define
class Spending:
    """What of a budget is used up while the calls of one reply are answered."""

    budget: Budget
    looks: int = 0
    characters: int = 0

    @property
    def room(self) -> int:
        """Characters that are left."""
        return self.budget.characters - self.characters

    def refusal(self) -> str:
        """Why one more look is not run, with what to do; "" if it may be."""
        if self.looks >= self.budget.looks:
            return f"{NOT_RUN}: at most {self.budget.looks} a reply; ask for it in your next reply."
        if self.room < min(_WORTH_A_LOOK, self.budget.characters):
            most = f"{self.budget.characters:,} characters"
            return f"{NOT_RUN}: at most {most} a reply; ask for it in your next reply."
        return ""
