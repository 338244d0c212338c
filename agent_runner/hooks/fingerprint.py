"""How a hook failed, as a short hash: equal for two runs that failed the same way.

What differs from run to run without meaning anything is taken out first: numbers with their units,
times and dates, addresses, long hexadecimal names, paths under temporary folders, colours, and
lines that a progress bar wrote over. So is where the task lies on this machine.

A judge that says nothing (`grep -q`, a script without output) has no fingerprint: two such failures
may be of any kind. What make or npm say around it is not its own word.
"""

import hashlib
import os
import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from agent_runner.hooks.missing import CALLERS

_OVERWRITTEN = re.compile(rb"^[^\n]*\r(?!\n)", re.MULTILINE)
_RUNS = (
    (re.compile(rb"==+"), b"="),
    (re.compile(rb"--+"), b"-"),
    (re.compile(rb"__+"), b"_"),
    (re.compile(rb"[ \t]+"), b" "),
    (re.compile(rb" $", re.MULTILINE), b""),
)
"""Rulers and columns are drawn to fit the numbers beside them."""

_HEX = re.compile(
    rb"0x[0-9a-fA-F]+"
    rb"|(?<![0-9A-Za-z])(?:[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
    rb"|(?=[a-fA-F]*[0-9])[0-9a-fA-F]{7,})(?![0-9A-Za-z])"
)
"""Addresses, UUIDs, hashes; letters alone may be a word."""

_DATE_WORDS = re.compile(
    rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec),? +"
    rb"(?=[A-Z0-9])|[AP]M(?<=[0-9 ]..)(?![A-Za-z])"
)
_NUMBER = re.compile(
    rb"[0-9]+(?:[.,:][0-9]+)*(?:[eE][+-]?[0-9]+)?"
    rb"(?:(?: ?(?:nanoseconds?|microseconds?|milliseconds?|seconds?|secs?|minutes?|mins?|hours?"
    rb"|ns|us|\xc2\xb5s|ms|[KMGT]i?B(?:/s)?)|[smhd])(?![0-9A-Za-z]))?"
)
_CALLER = re.compile(rb" *(?:%b)" % CALLERS.encode())
_WORD = re.compile(rb"[^\s!-/:-@\[-`{-~]")
_SEVERAL = re.compile(rb"#(?:[ ,:/.T+-]*\(?#\)?)+Z?")


class Fingerprint:
    """Takes blocks of whole lines; memory is bounded by a block.

    `root`: the task's folder. `temporary`: folders for temporary files beside the usual ones.
    """

    def __init__(self, root: Path | None = None, temporary: Iterable[str] = ()) -> None:
        self._hash = hashlib.sha256()
        self._last = b""
        self._own_lines = 0
        self._by_make = False
        places = {str(root), os.path.realpath(root)} if root else set()
        self._roots = sorted((os.fsencode(place) for place in places), key=len, reverse=True)
        self._temporary = _below((*temporary, *_TEMPORARY))

    def feed(self, block: bytes) -> None:
        """Add lines, free of escape sequences. A line equal to the one before it adds nothing."""
        for line, _ in groupby(self.normalised(block).split(b"\n")):
            if line and line != self._last:
                self._hash.update(line + b"\n")
                self._last = line
                if _CALLER.match(line):
                    self._by_make = self._by_make or b"make" in line
                else:
                    self._own_lines += bool(_WORD.search(line))

    def digest(self, failing: Iterable[str], ending: str) -> str:
        """16 hex digits over the lines, the failing checks' names and how the command ended.

        Without names and a line of the judge's own: "". Of a recipe's lines one is make's echo.
        """
        failing = tuple(failing)
        if not failing and self._own_lines <= self._by_make:
            return ""
        whole = self._hash.copy()
        for part in (*sorted(failing), ending):
            whole.update(b"\0" + part.encode(errors="surrogateescape"))
        return whole.hexdigest()[:16]

    def normalised(self, block: bytes) -> bytes:
        """The lines without what differs from run to run."""
        if b"\r" in block:
            block = _OVERWRITTEN.sub(b"", block.replace(b"\r\n", b"\n"))
        # The order matters. The task's own folder first: it may lie below a temporary one, and what
        # is in it has meaning. Hexadecimal names before numbers, which would leave their letters
        # behind. Dates before numbers too, as their words are known by what follows them. Blanks
        # and rulers last: test runners draw them to fit the numbers that are gone by then.
        for place in self._roots:
            block = block.replace(place, b".")
        block = self._temporary.sub(b"<tmp>", block)
        block = _HEX.sub(b"#", block)
        block = _DATE_WORDS.sub(b"", block)
        block = _NUMBER.sub(b"#", block)
        block = _SEVERAL.sub(b"#", block)
        for run, short in _RUNS:
            block = run.sub(short, block)
        return block


_TEMPORARY = ("tmp", "var/tmp", "var/folders", "private/tmp", "private/var/folders")
"""Where Linux and macOS keep temporary files, below the root."""


def _below(folders: Iterable[str]) -> re.Pattern[bytes]:
    """Any path below one of the folders."""
    ordered = sorted({f"/{folder.strip('/')}" for folder in folders if folder.strip("/")})
    names = b"|".join(re.escape(os.fsencode(folder)) for folder in ordered)
    return re.compile(rb"(?<![0-9A-Za-z_.-])(?:" + names + rb")(?:/[^\s'\"`:,;()<>\[\]{}|]*)+")
