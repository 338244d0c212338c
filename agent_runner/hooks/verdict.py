"""Reads a red hook's output once more: which checks failed, and the fingerprint of how."""

from collections.abc import Iterator
from pathlib import Path

import anyio.lowlevel
from attrs import frozen

from agent_runner.hooks import junit
from agent_runner.hooks.blocks import LineBlocks
from agent_runner.hooks.checks import ByRegex, KnownRunners, by_regex, without_escapes
from agent_runner.hooks.fingerprint import Fingerprint
from agent_runner.hooks.log import HookLog
from agent_runner.model.hooks import Failures

READ = 4 * 1024 * 1024
"""Bytes of one output that are read: of a longer one, its first and its last half of that.

Reading is a hundred times slower than logging; a flood says nothing in its middle.
"""

_PIECE = 65_536


@frozen
class Verdict:
    """What a red output says. Names sorted; the fingerprint as 16 hex digits."""

    failing: tuple[str, ...]
    fingerprint: str


@frozen
class Judgement:
    """How one hook's failures are read; made before it starts, so that an old report is known."""

    root: Path
    report: Path | None
    stamp: junit.Stamp
    regex: str | None
    temporary: tuple[str, ...] = ()

    async def read(self, log: HookLog, ending: str) -> Verdict:
        """Read the output from the log, in slices: keys and signals act between them.

        A report that the hook wrote names the failures; else its regex, else what test runners
        print. `ending` says how the command ended: it belongs to the fingerprint.
        """
        named: ByRegex | KnownRunners = by_regex(self.regex) if self.regex else KnownRunners()
        prints = Fingerprint(self.root, self.temporary)
        for first, last in _stretches(log.length):
            for block in _blocks(log, first, last):
                clean = without_escapes(block)
                named.feed(clean)
                prints.feed(clean)
                await anyio.lowlevel.checkpoint()
        failing = named.names.sorted()
        if self.report is not None:
            reported = junit.failing_cases(self.report, self.stamp)
            failing = failing if reported is None else reported
        return Verdict(failing, prints.digest(failing, ending))


def judgement(failures: Failures, *, root: Path, cwd: Path, temporary: str | None) -> Judgement:
    """Prepare to read a hook's failures. Raises re.error for a regex that is none."""
    if failures.regex:
        by_regex(failures.regex)
    report = cwd / failures.junit if failures.junit else None
    stamp = junit.stamp(report) if report else junit.Stamp()
    return Judgement(root, report, stamp, failures.regex, (temporary,) if temporary else ())


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
