"""The lines of the shared ledger.

How they are written, read, counted and added up when they grow old.
"""

import json
import math
from collections.abc import Iterable
from typing import Any

from attrs import evolve, frozen

from agent_runner.model.meters import EXACT, KEPT, MINUTE, NOTHING, Amount, Meters, Reservation

VERSION = 1
"""Of the lines; those of a newer version are passed over."""

RESERVED, SETTLED, USED = "reserved", "settled", "used"
"""Kinds: a call before it is sent; what one really used; use that stays, of one call or of many."""


@frozen
class Line:
    """One line.

    `owner`: the state it belongs to; `call`: the call's id in it; `at`: epoch seconds (settled: 0).
    """

    kind: str
    owner: str
    call: str
    at: float
    provider: str
    model: str
    amount: Amount

    @property
    def key(self) -> str:
        """The call among those of all owners."""
        return f"{self.owner}/{self.call}"

    def render(self) -> bytes:
        """The line with its newline."""
        members = {
            "v": VERSION,
            "kind": self.kind,
            "owner": self.owner,
            "call": self.call,
            "at": self.at,
            "provider": self.provider,
            "model": self.model,
            "requests": self.amount.requests,
            "tokens": self.amount.tokens,
            "nanodollars": self.amount.nanodollars,
        }
        return json.dumps(members, separators=(",", ":")).encode("ascii") + b"\n"

    def count_in(self, meters: Meters) -> None:
        """Count the line; a call reserved twice was never sent the first time, and counts once."""
        if self.kind == SETTLED:
            meters.settle(self.key, self.amount)
        elif self.kind == USED:
            meters.count(self.provider, self.model, self.at, self.amount)
        else:
            meters.settle(self.key, NOTHING)
            amount = self.amount
            meters.reserve(
                self.key,
                Reservation(self.at, self.provider, self.model, amount.tokens, amount.nanodollars),
            )


def parse(raw: bytes) -> Line | None:
    """A line without its newline; None: damaged, of a newer version, or none of these."""
    try:
        members = json.loads(raw)
        if members["v"] != VERSION or members["kind"] not in {RESERVED, SETTLED, USED}:
            return None
        line = Line(
            members["kind"],
            str(members["owner"]),
            str(members["call"]),
            float(members["at"]),
            str(members["provider"]),
            str(members["model"]),
            Amount(*(int(members[name]) for name in ("requests", "tokens", "nanodollars"))),
        )
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    return line if math.isfinite(line.at) else None


def compacted(lines: Iterable[Line], now: float) -> list[Line]:
    """Lines that count the same with nothing older than any window.

    Settled calls added up by the minute.
    """
    ended: dict[str, Amount] = {}  # what comes of a call, by the lines after the one in hand
    kept: list[Line] = []
    turned_back = math.inf
    for line in reversed(list(lines)):
        if line.kind == SETTLED:
            ended[line.key] = line.amount
            continue
        turned_back = min(turned_back, line.at)  # the clock was set back after this line
        stays = evolve(line, at=turned_back)
        if line.kind == RESERVED:
            if line.key in ended:
                stays = evolve(stays, kind=USED, call="", amount=ended[line.key])
            ended[line.key] = NOTHING  # a reservation of the same call before this one was not sent
        if stays.amount != NOTHING and stays.at >= now - KEPT:
            kept.append(stays)
    return _added_up(kept[::-1], now)


def _added_up(lines: list[Line], now: float) -> list[Line]:
    sums: dict[Any, Line] = {}
    for number, line in enumerate(lines):
        old = line.kind == USED and line.at < now - EXACT
        group = (line.owner, line.provider, line.model, line.at // MINUTE) if old else number
        before = sums.get(group)
        amount = line.amount + before.amount if before else line.amount
        sums[group] = evolve(line, amount=amount)
    return sorted(sums.values(), key=lambda line: line.at)
