"""Names of failing checks: from a test runner's output or a JUnit report."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.parsers import expat

from attrs import define, field, frozen

from agent_runner.hooks.excerpt import ANSI

MOST = 200
"""Names that are kept; the rest is counted."""

LONGEST = 200
"""Characters of a name that are kept."""

_SUMMARY = re.compile(rb"^=+ short test summary info =+$")
_SUMMARY_LINE = re.compile(
    rb"^(?:FAILED|ERROR|SUBFAIL(?:ED)?(?:\[.*?\] ?|\(.*?\) ?)*) ?"
    rb"(?P<name>\S[^\[\n]*?(?:\[.*?\])?)(?: - .*)?$"
)

_OTHERS = re.compile(
    rb"^(?:"
    rb"(?:FAIL|ERROR): (?P<test>\w+) \((?P<where>[\w.]+)\)"  # unittest
    rb"|[ ]*--- FAIL: (?P<go>\S+) \("  # go test
    rb"|test (?P<cargo>\S+) \.\.\. FAILED$"  # cargo test
    rb")",
    re.MULTILINE,
)

LARGEST_REPORT = 64 * 1024 * 1024
"""Bytes of a report that are read; what fails later in it goes unnamed."""

_PIECE = 65_536
_BAD = frozenset({"failure", "error"})


@define
class Names:
    """A set of names, bounded in memory: the first `MOST` different ones, then only a count."""

    _kept: set[str] = field(factory=set, init=False)
    _more: int = field(default=0, init=False)

    def add(self, name: str) -> None:
        """One more name; empty ones and those seen before add nothing."""
        name = name.strip()[:LONGEST]
        if not name or name in self._kept:
            return
        if len(self._kept) < MOST:
            self._kept.add(name)
        else:
            self._more += 1

    def take(self, names: Iterable[str], more: int) -> None:
        """Names from elsewhere, and how many that one has counted beside them."""
        for name in names:
            self.add(name)
        self._more += more

    def sorted(self) -> tuple[str, ...]:
        """The names in order, and `... and n more` at the end where there were too many."""
        rest = (f"... and {self._more} more",) if self._more else ()
        return (*sorted(self._kept), *rest)


@define
class KnownRunners:
    """pytest's short summary, and the failure lines of unittest, go test and cargo test."""

    names: Names = field(factory=Names)
    _in_summary: bool = field(default=False, init=False)

    def feed(self, block: bytes) -> None:
        """Read whole lines, free of escape sequences."""
        if self._in_summary or b" short test summary info " in block:
            for line in block.splitlines():
                self._summary_line(line)
        for match in _OTHERS.finditer(block):
            self._other(match)

    def _summary_line(self, line: bytes) -> None:
        """pytest's lines count only below its heading: a log line may begin with ERROR too."""
        if _SUMMARY.match(line):
            self._in_summary = True
        elif self._in_summary:
            if match := _SUMMARY_LINE.match(line):
                self.names.add(_text(match["name"]))
            elif line.startswith(b"="):
                self._in_summary = False

    def _other(self, match: re.Match[bytes]) -> None:
        test, where = match["test"], match["where"]
        if test is None:
            self.names.add(_text(match["go"] or match["cargo"]))
        elif where.split(b".")[-1] == test:  # since 3.11 the place ends with the test's own name
            self.names.add(_text(where))
        else:
            self.names.add(_text(where + b"." + test))


def without_escapes(block: bytes) -> bytes:
    """The block without colours and other escape sequences."""
    return ANSI.sub(b"", block) if b"\x1b" in block else block


@frozen
class Stamp:
    """What tells a report from a later one at the same path; None in all: there was none."""

    inode: int | None = None
    changed: int | None = None
    size: int | None = None


def stamp_of(report: Path) -> Stamp:
    """The report as it stands. No clock is asked for this: file times lag behind it."""
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
    if not report.is_file() or stamp_of(report) == before:
        return None
    cases = _Cases()
    try:
        for piece in _pieces(report):
            cases.feed(piece)
    except (OSError, ValueError, expat.ExpatError, LookupError):
        if not cases.seen:
            return None
    return cases.names.sorted()


def _pieces(report: Path) -> Iterator[bytes]:
    left = LARGEST_REPORT
    with report.open("rb") as opened:
        while left > 0 and (piece := opened.read(min(_PIECE, left))):
            left -= len(piece)
            yield piece


@define
class _Cases:
    """Expat's listener: it keeps the names of failed cases, and that of the one in hand."""

    names: Names = field(factory=Names, init=False)
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
            self.names.add(self._name)

    def _end(self, tag: str) -> None:
        if tag == "testcase":
            self._name = ""


def _refuse(*_: object) -> None:
    raise ValueError("a report has no use for a DTD")


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
