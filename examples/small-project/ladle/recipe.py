"""A recipe: how many it serves and what goes into it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ladle.amounts import read_amount, write_amount

COUNTED = frozenset({"egg", "lemon", "onion"})
"""Ingredients that come in pieces; nobody buys a third of an egg."""


@dataclass(frozen=True)
class Ingredient:
    """So much of something: `amount` in `unit`s of `name`; counted things have no unit."""

    amount: Fraction
    unit: str
    name: str

    def __str__(self) -> str:
        return " ".join(part for part in (write_amount(self.amount), self.unit, self.name) if part)


@dataclass(frozen=True)
class Recipe:
    """A dish for `servings` people."""

    title: str
    servings: int
    ingredients: tuple[Ingredient, ...]


def ingredient(amount: str, unit: str, name: str) -> Ingredient:
    """An ingredient as a cookbook writes it: `ingredient("1 1/2", "cup", "flour")`."""
    return Ingredient(read_amount(amount), unit, name)
