"""Failing test cases of a JUnit XML report: parsed as a stream, bounded, without entities."""

from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from attrs import define, field, frozen

from agent_runner.hooks.checks import bounded

LARGEST = 64 * 1024 * 1024
"""Bytes of a report that are read; what fails later in it goes unnamed."""

_PIECE = 65_536
_BAD = frozenset({"failure", "error"})


@frozen
class Stamp:
    """A report as it stood at some time; None in all: there was none."""

    inode: int | None = None
    changed: int | None = None
    size: int | None = None


def stamp(report: Path) -> Stamp:
    """What tells this report from a later one. No clock is asked: file times lag behind it."""
    try:
        status = report.stat()
    except (OSError, ValueError):
        return Stamp()
    return Stamp(status.st_ino, status.st_mtime_ns, status.st_size)


def failing_cases(report: Path, before: Stamp) -> tuple[str, ...] | None:
    """`classname.name` of each case with a failure or error, sorted.

    None where there is nothing to go by: no regular file, not written since `before` was taken, or
    no XML from its first byte on. A report that is cut short counts as far as it goes.
    """
    if not report.is_file() or stamp(report) == before:
        return None
    cases = _Cases()
    try:
        for piece in _pieces(report):
            cases.feed(piece)
    except (OSError, ValueError, expat.ExpatError, LookupError):
        if not cases.seen:
            return None
    return bounded(cases.failing)


def _pieces(report: Path) -> Iterator[bytes]:
    left = LARGEST
    with report.open("rb") as opened:
        while left > 0 and (piece := opened.read(min(_PIECE, left))):
            left -= len(piece)
            yield piece


@define
class _Cases:
    """Expat's listener; holds the case in hand and the names of failed ones."""

    failing: set[str] = field(factory=set, init=False)
    seen: bool = field(default=False, init=False)
    _name: str = field(default="", init=False)
    _parser: expat.XMLParserType = field(init=False)

    @_parser.default
    def _listening(self) -> expat.XMLParserType:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = _refuse
        return parser

    def feed(self, piece: bytes) -> None:
        self._parser.Parse(piece, False)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.seen = True
        if tag == "testcase":
            place, name = attributes.get("classname", ""), attributes.get("name", "")
            self._name = f"{place}.{name}" if place else name
        elif tag in _BAD and self._name:
            self.failing.add(self._name)

    def _end(self, tag: str) -> None:
        if tag == "testcase":
            self._name = ""


def _refuse(*_: object) -> None:
    raise ValueError("a report has no use for a DTD")
