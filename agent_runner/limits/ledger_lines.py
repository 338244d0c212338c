"""The lines of the shared ledger: how they are written, read, counted, and added up when old."""

import json
import math
import zlib
from collections.abc import Iterable
from typing import Any

from attrs import evolve, frozen

from agent_runner.model.meters import EXACT, KEPT, MINUTE, NOTHING, Amount, Meters, Reservation

VERSION = 1
"""The version of the lines; those of a newer one are passed over."""

RESERVED, SETTLED, USED = "reserved", "settled", "used"
"""Kinds of lines: a call before it is sent; what it really used; use that stays as it is."""


_CHECKSUM = b',"crc":'
"""What stands before the CRC-32 of all the rest of a line; lines written before have none."""


@frozen
class LedgerLine:
    """One line: what a call, or many old ones together, count.

    Attributes:
        owner: The state that it belongs to.
        call: The call's id in that state.
        at: Epoch seconds; 0 where the line settles a call.
        provider: Empty, as the model is, where the line settles a call.
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
        """The line with its newline, a checksum at its end."""
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
        if self.amount.cached:  # a program of before passes over what it does not know
            members["cached"] = self.amount.cached
        body = json.dumps(members, separators=(",", ":")).encode("ascii")
        return body[:-1] + _CHECKSUM + b"%d}\n" % zlib.crc32(body)

    def count_in(self, meters: Meters) -> None:
        """Count the line; a call reserved twice was never sent the first time, and counts once."""
        # in the order of the file: a settlement always stands behind its reservation
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


def parse(raw: bytes) -> LedgerLine | None:
    """A line, with or without its newline; None: damaged, of a newer version, or none of these.

    A flipped digit of a time would do most harm: a line from long ago, as if the clock had been set
    back, takes all lines before it out of today's windows.
    """
    body, has_checksum, checksum = raw.rpartition(_CHECKSUM)
    if has_checksum and checksum.rstrip() != b"%d}" % zlib.crc32(body + b"}"):
        return None
    try:
        members = json.loads(raw)
        if members["v"] != VERSION or members["kind"] not in {RESERVED, SETTLED, USED}:
            return None
        line = LedgerLine(
            members["kind"],
            str(members["owner"]),
            str(members["call"]),
            float(members["at"]),
            str(members["provider"]),
            str(members["model"]),
            Amount(
                int(members["requests"]),
                int(members["tokens"]),
                int(members["nanodollars"]),
                int(members.get("cached", 0)),
            ),
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return line if math.isfinite(line.at) else None


def compacted(lines: Iterable[LedgerLine], now: float) -> list[LedgerLine]:
    """Lines that count the same, without what is older than any window.

    Settled calls are added up by the minute; open ones stay as they are. `now`: epoch seconds. They
    are gone through from the last to the first, for what came of a call stands behind it.
    """
    ended: dict[str, Amount] = {}  # what came of a call, by the lines after the one in hand
    kept: list[LedgerLine] = []
    # no line may lie ahead of a later one: read from the end, times can only go down
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


def _added_up(lines: list[LedgerLine], now: float) -> list[LedgerLine]:
    sums: dict[Any, LedgerLine] = {}
    for number, line in enumerate(lines):
        old = line.kind == USED and line.at < now - EXACT
        group = (line.owner, line.provider, line.model, line.at // MINUTE) if old else number
        before = sums.get(group)
        amount = line.amount + before.amount if before else line.amount
        sums[group] = evolve(line, amount=amount)
    return sorted(sums.values(), key=lambda line: line.at)
