"""What calls use, in tokens, and what a provider says of the account's limits."""

from attrs import frozen

REJECTED = "rejected"
"""The verdict word by which a subscription window says that it turned a call away."""


LIST_PRICES_OF = "2026-11-24"
"""The day of the list prices (providers/prices.py) by which costs are counted."""

LIST_PRICES_OLD_AFTER = 120
"""Days after which they are only about right."""


@frozen
class Usage:
    """Tokens of one call, as the server reports them.

    `input` includes `cached` (read from the provider's cache) and `cache_write`; `output` includes
    `reasoning`. `estimated`: the server reported nothing, and these are our own guess. `at_least`:
    these are reported, and there was more of which nobody tells.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    estimated: bool = False
    at_least: bool = False

    @property
    def total(self) -> int:
        """Input and output together."""
        return self.input + self.output

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cached + other.cached,
            self.cache_write + other.cache_write,
            self.reasoning + other.reasoning,
            self.estimated or other.estimated,
            self.at_least or other.at_least,
        )


@frozen
class ReportedLimit:
    """One limit as a provider's headers told it at `read_at` (epoch seconds, as `resets_at`).

    `name`: `requests`, `tokens`, `input-tokens`, `output-tokens`, or a subscription window (`5h`,
    `7d`, ...). `used`: fraction of a subscription window, may pass 1. `status`: the provider's
    verdict word, if it gives one.
    """

    name: str
    read_at: float
    limit: int | None = None
    remaining: int | None = None
    used: float | None = None
    resets_at: float | None = None
    status: str | None = None

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left of it."""
        return self.status == REJECTED or self.remaining == 0
