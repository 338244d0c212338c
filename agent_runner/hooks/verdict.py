"""Reads a red hook's output once more: which checks failed, and the fingerprint of how."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import anyio.lowlevel
from attrs import define, field, frozen

from agent_runner.hooks.checks import (
    KnownRunners,
    Stamp,
    failing_cases,
    stamp_of,
    without_escapes,
)
from agent_runner.hooks.fingerprint import Fingerprint
from agent_runner.hooks.log import HookLog
from agent_runner.hooks.regex import ByRegex
from agent_runner.model.hooks import Failures

READ = 4 * 1024 * 1024
"""Bytes of one output that are read: of a longer one, its first and its last half of that.

Reading is a hundred times slower than logging; a flood says nothing in its middle.
"""

_PIECE = 65_536
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")  # the variables that programs look at, Python's among them

LONGEST_LINE = 65_536
"""Bytes of a line that are kept together; a longer one is cut, at a space if it has one."""


@frozen
class HookVerdict:
    """What a red output says. Names sorted; the fingerprint as 16 hex digits."""

    failing: tuple[str, ...]
    fingerprint: str


@frozen
class FailureReader:
    """How one hook's failures are read; made before it starts, so that an old report is known."""

    root: Path
    report: Path | None
    stamp: Stamp
    regex: str | None
    temporary: tuple[str, ...] = ()

    async def read(self, log: HookLog, ending: str) -> HookVerdict:
        """Read the output from the log, in slices: keys and signals act between them.

        A report that the hook wrote names the failures; else its regex, else what test runners
        print. `ending` says how the command ended: it belongs to the fingerprint.
        """
        named = ByRegex(self.regex) if self.regex else KnownRunners()
        prints = Fingerprint(self.root, self.temporary)
        for first, last in _stretches(log.length):
            for block in _blocks(log, first, last):
                clean = without_escapes(block)
                named.feed(clean)
                prints.feed(clean)
                await anyio.lowlevel.checkpoint()
        names = await named.search() if isinstance(named, ByRegex) else named.names
        failing = names.sorted()
        if self.report is not None:
            reported = failing_cases(self.report, self.stamp)
            failing = failing if reported is None else reported
        return HookVerdict(failing, prints.digest(failing, ending))


def failure_reader(
    failures: Failures, *, root: Path, cwd: Path, env: Mapping[str, str]
) -> FailureReader:
    """Prepare to read the failures of a hook that runs in `cwd` with the variables of `env`.

    Raises re.error, OverflowError or RecursionError for a regex that is none.
    """
    if failures.regex:
        re.compile(failures.regex)
    report = cwd / failures.junit if failures.junit else None
    stamp = stamp_of(report) if report else Stamp()
    temporary = tuple(env[name] for name in _TEMPORARY if env.get(name))
    return FailureReader(root, report, stamp, failures.regex, temporary)


@define
class LineBlocks:
    """Where long lines are cut depends on the bytes alone, not on the pieces they came in."""

    _held: bytes = field(default=b"", init=False)

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The blocks that are complete now: whole lines, or parts of a long one."""
        held = self._held + piece
        end = held.rfind(b"\n") + 1
        self._held = held[end:]
        if end > LONGEST_LINE:
            for line in held[: end - 1].split(b"\n"):
                yield from _parts(line + b"\n")
        elif end:
            yield held[:end]
        if len(self._held) > LONGEST_LINE:
            *whole, self._held = _parts(self._held)
            yield from whole

    def end(self) -> Iterator[bytes]:
        """The last line, if it has no newline."""
        held, self._held = self._held, b""
        if held:
            yield held


def _parts(line: bytes) -> Iterator[bytes]:
    """One line in parts of at most LONGEST_LINE bytes; cut at spaces, so that no number is torn."""
    while len(line) > LONGEST_LINE:
        size = line.rfind(b" ", 0, LONGEST_LINE) + 1 or LONGEST_LINE
        yield line[:size]
        line = line[size:]
    yield line


def _stretches(length: int) -> tuple[tuple[int, int], ...]:
    """What is read of an output: all of it, or its head and tail."""
    if length <= READ:
        return ((0, length),)
    return (0, READ // 2), (length - READ // 2, length)


def _blocks(log: HookLog, first: int, last: int) -> Iterator[bytes]:
    """Whole lines of a stretch; the line in which a later stretch begins is left out."""
    lines = LineBlocks()
    for at in range(first, last, _PIECE):
        yield from lines.feed(_piece(log, at, first, last))
    yield from lines.end()


def _piece(log: HookLog, at: int, first: int, last: int) -> bytes:
    piece = log.read(at, min(_PIECE, last - at))
    if at == first > 0:
        return piece[piece.find(b"\n") + 1 :]
    return piece
