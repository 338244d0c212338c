"""Reads what a command prints: what it does right now, what it used, and how it ended.

A reader sees the lines of one call as they come, and then how the program ended. It is pure, so
that the kept stream of a call that nobody saw the end of can be read again after a crash.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from attrs import define, field, frozen

from agent_runner.model.agent import AgentResponse, Finish
from agent_runner.model.errors import ProviderError
from agent_runner.model.usage import ReportedLimit, Usage
from agent_runner.providers.commands.troubles import Told, Trouble, error_of, reset_in
from agent_runner.providers.http.reply import whole_characters

_LONGEST_ACTIVITY = 60
_MOST_LOGS = 200
_GREATEST = 2.5e11
"""Epoch seconds of the last year that a date may have."""


class SessionLostError(Exception):
    """The command does not know the session that it should go on with: it has to begin anew."""


@frozen
class Ended:
    """How a program ended.

    Attributes:
        exit_code: -n for a death by signal n; None where it was ended by us, or nobody knows.
        changed: Paths of the files that differ from what it was given.
        errors: The last of what it wrote to its standard error.
        beside: What its own log beside the stream holds, from this call on.
        now: Epoch seconds.
        silent: It was ended because it said nothing for this long, in seconds; 0: it was not.
    """

    exit_code: int | None
    changed: tuple[str, ...] = ()
    errors: str = ""
    beside: bytes = b""
    now: float = 0.0
    silent: float = 0.0


class Reader(Protocol):
    """Reads one call of one command."""

    @property
    def usage(self) -> Usage:
        """What the call used so far, as far as it is known."""

    @property
    def cost(self) -> float | None:
        """Dollars so far, as it says itself; None where it does not."""

    @property
    def session(self) -> str:
        """The command's name for the conversation; "" as long as it is not known."""

    @property
    def finished(self) -> bool:
        """Whether the command itself said that its work is done."""

    @property
    def wants_stop(self) -> str:
        """Why the program has to be ended now; "" while it may go on."""

    def read_line(self, line: bytes) -> str:
        """Take in one line; what it does now in a few words, "" where that is not news."""

    def conclude(self, ended: Ended) -> AgentResponse:
        """What came of the call.

        Raises ProviderError where it brought nothing, SessionLostError where it has to begin anew.
        """


@define
class StreamReader:
    """What the readers share. `program`: the command's name for people; `log_in`: how to log in."""

    program: str
    log_in: str = ""
    usage: Usage = field(factory=Usage)
    cost: float | None = None
    session: str = ""
    finished: bool = False
    wants_stop: str = ""
    text: str = ""
    model: str = ""
    limits: list[ReportedLimit] = field(factory=list)
    denied: list[str] = field(factory=list)
    logs: list[str] = field(factory=list)

    def read_line(self, line: bytes) -> str:
        """See `Reader`. A line that is no event is kept for the log."""
        event = event_of(line)
        if event is None:
            self._keep(line.decode("utf-8", "replace").strip())
            return ""
        activity = self.take(event)
        self._keep(activity)
        return activity

    def take(self, event: Mapping[str, Any]) -> str:  # noqa: ARG002  # for the readers below
        """Take in one event of the stream."""
        return ""

    def add(self, usage: Usage, cost: float | None = None) -> None:
        """Count what one answer of the model used."""
        self.usage += usage
        if cost is not None:
            self.cost = (self.cost or 0.0) + cost

    def response(
        self, finish: Finish = Finish.COMPLETE, *, detail: str = "", model: str = ""
    ) -> AgentResponse:
        """The answer, with all that is known of it."""
        return AgentResponse(
            self.text,
            finish,
            self.usage,
            model=model or self.model,
            detail=detail,
            limits=tuple(self.limits),
            service={"session": self.session} if self.session else {},
            logs=tuple(self.logs[-_MOST_LOGS:]),
            notes=tuple(f"{self.program} was not allowed: {what}" for what in unique(self.denied)),
            cost=self.cost,
        )

    def error(  # all that may be known of a failed call, by name
        self,
        trouble: Trouble,
        words: str,
        ended: Ended,
        *,
        resets_at: float | None = None,
        again: bool = True,
        fix: str = "",
    ) -> ProviderError:
        """The error that a failed call is, with what it used all the same."""
        if trouble is Trouble.LIMIT and resets_at is None:
            resets_at = reset_in(words, ended.now)
        if trouble is Trouble.AUTH:
            fix = fix or self.log_in
        told = Told(
            f"{self.program}: {one_line(words)}",
            resets_at=resets_at,
            limits=tuple(self.limits),
            usage=self.usage if self.usage.total else None,
            cost=self.cost,
            fix=fix,
            again=again,
        )
        return error_of(trouble, told, ended.now)

    def unfinished(self, ended: Ended) -> ProviderError:
        """The error of a program that ended, or was ended, before it said how."""
        if ended.silent:
            words = f"it said nothing for {ended.silent:g} s, and was ended"
        else:
            words = f"it ended {_ending(ended.exit_code)} before its work was done"
        last = one_line(ended.errors.strip().rpartition("\n")[2][-400:])
        words += f": {last}" if last else ""
        return self.error(Trouble.CUT, f"{words}; it may have been billed", ended)

    def _keep(self, line: str) -> None:
        if line:
            self.logs.append(line)
            del self.logs[: -2 * _MOST_LOGS]


def event_of(line: bytes) -> Mapping[str, Any] | None:
    """The JSON object that a line is; None for anything else."""
    line = line.strip()
    if not line.startswith(b"{"):
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def mapping(value: object) -> Mapping[str, Any]:
    """The value where it is an object; an empty one where a program has something else there."""
    return value if isinstance(value, dict) else {}


def text(value: object) -> str:
    """The value where it is a text that UTF-8 can hold; "" for anything else."""
    return whole_characters(value) if isinstance(value, str) else ""


def count(value: object) -> int:
    """The value where it is a count; 0 for anything else."""
    return value if isinstance(value, int) and (number(value) or 0) > 0 else 0


def number(value: object) -> float | None:
    """The value where it is a number that counts, times and sums may come to; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < _GREATEST else None  # which NaN is not


def dollars(value: object) -> float | None:
    """The value where it is a sum of dollars; None for anything else."""
    sum_of = number(value)
    return sum_of if sum_of is not None and sum_of >= 0 else None


def items(value: object) -> Sequence[Any]:
    """The value where it is a list; an empty one for anything else."""
    return value if isinstance(value, list) else ()


def doing(verb: str, what: str, folder: str = "") -> str:
    """What an agent does in a few words: `editing src/a.py`, `running pytest -q`."""
    if folder and what.startswith(f"{folder}/"):
        what = os.path.relpath(what, folder)
    what = one_line(what)
    if len(what) > _LONGEST_ACTIVITY:
        what = f"{what[: _LONGEST_ACTIVITY - 1]}…"
    return f"{verb} {what}".strip()


def one_line(words: str) -> str:
    """A text on one line."""
    return re.sub(r"\s+", " ", words).strip()


def unique(words: Iterable[str]) -> tuple[str, ...]:
    """Each of the words once, in order."""
    return tuple(dict.fromkeys(words))


def _ending(exit_code: int | None) -> str:
    if exit_code is None:
        return "unseen"
    return f"with exit code {exit_code}" if exit_code >= 0 else f"by signal {-exit_code}"
