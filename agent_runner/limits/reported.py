"""What the provider itself said.

Remaining and reset headers, subscription windows, a wish to be left alone.

These are obeyed even where configured limits are not.
"""

from collections.abc import Iterator

from agent_runner.limits.decision import Full, Need
from agent_runner.limits.windows import Use
from agent_runner.model.meters import KEPT, Amount
from agent_runner.model.spending import Spending
from agent_runner.model.usage import ReportedLimit


def told_to_wait(
    spending: Spending, provider: str, model: str, need: Need, use: Use
) -> Iterator[Full]:
    """Every reason of the provider's own for which a call must wait.

    `use` is that of the whole account.
    """
    holds = spending.holds.get(provider, {})
    for hold in (holds.get(""), holds.get(model)):
        if hold is not None and hold.at <= use.now < min(hold.until, hold.at + KEPT):
            reason = hold.reason or f"{provider} asked to wait"
            yield Full(f"{provider}: asked to wait", hold.until, reason)
    for limit in spending.limits_reported(provider, model):
        if in_force(limit, use.now) and not _leaves_room(limit, need, use.after(limit.read_at)):
            assert limit.resets_at is not None  # noqa: S101  # in_force says so
            reason = f"{provider} says: {_said(limit)}"
            yield Full(
                f"{provider}: {limit.name}, as the provider reports", limit.resets_at, reason
            )


def in_force(limit: ReportedLimit, now: float) -> bool:
    """Whether a reading still binds.

    Not yet reset, not older than any window, not from a clock that ran ahead.
    """
    if limit.resets_at is None:
        return False
    return limit.read_at <= now < min(limit.resets_at, limit.read_at + KEPT)


def _leaves_room(limit: ReportedLimit, need: Need, since: Amount) -> bool:
    """Whether a call fits into what was left; `since` is what was used after the reading.

    A need beyond the whole limit passes once that is full again: then the provider decides, who
    knows better what it counts (some count neither the cap of the output nor input from their
    cache).
    """
    if limit.status is not None or limit.used is not None:
        return _allowed(limit)
    if limit.remaining is None:
        return True
    wanted, used = _counted(limit.name, need, since)
    if limit.limit is not None:
        wanted = min(wanted, limit.limit)
    return limit.remaining - used >= wanted


def _allowed(limit: ReportedLimit) -> bool:
    """A subscription window.

    The verdict counts where there is one, since use may pass the whole window on credit.
    """
    if limit.status is not None:
        return limit.status != "rejected"
    return limit.used is None or limit.used < 1


def _counted(name: str, need: Need, since: Amount) -> tuple[int, int]:
    """What of a need, and of the use since the reading, counts towards a limit of this name."""
    if "requests" in name:
        return 1, since.requests
    if "output" in name:
        return 1, since.tokens  # the output's cap is not charged up front, what was written is
    if "input" in name:
        return need.input_estimate, since.tokens
    return need.tokens, since.tokens


def _said(limit: ReportedLimit) -> str:
    if limit.status is not None or limit.used is not None:
        used = "" if limit.used is None else f" {limit.used:.0%} used"
        return f"window {limit.name}{used}{f', {limit.status}' if limit.status else ''}"
    whole = "" if limit.limit is None else f" of {limit.limit:,}"
    return f"{limit.remaining:,}{whole} {limit.name} left"
