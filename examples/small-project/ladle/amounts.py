"""Reads and writes amounts the way cookbooks print them: `3`, `2/3`, `1 1/2`."""

from __future__ import annotations

from fractions import Fraction


def read_amount(text: str) -> Fraction:
    """The amount that `text` says; ValueError if it says none."""
    amount = Fraction(text.strip())
    if amount < 0:
        raise ValueError(f"an amount cannot be negative: {text!r}")
    return amount


def write_amount(amount: Fraction) -> str:
    """`amount` as a cookbook prints it: whole part first, then what is left over."""
    whole, rest = divmod(amount, 1)
    if not rest:
        return str(whole)
    return f"{whole} {rest}" if whole else str(rest)
