"""Searches files for a regular expression, in a process of its own: some never come to an end.

Run as a script, alone, by `search_run.py`: one JSON object in; out come lines of JSON as things are
found, so that what was found stands when the process is killed. It imports nothing of ours.
"""

import difflib
import json
import os
import re
import resource
import stat
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_REPORTS = 200  # times that it is said how far it got
_MEMORY = 2 << 30
_WORD = re.compile(r"\w{3,60}")
_MOST_WORDS = 2_000
_MOST_READ = 8 << 20  # characters that are read once more to find a word like the one asked for


class Request(NamedTuple):
    """What is searched for where. `files` below `root`; `drafts`: texts in place of files.

    `near`: words like the pattern are wanted, not matches.
    """

    root: str
    files: list[str]
    drafts: dict[str, str]
    pattern: str
    literal: bool
    ignore_case: bool
    context: int
    hidden: str
    largest: int
    most_lines: int
    most_in_file: int
    most_files: int
    longest: int
    seconds: int
    near: bool = False


class Folders:
    """Reads files below a root through no link, keeping the folder of the last one open."""

    def __init__(self, root: str) -> None:
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._name, self._open = "", self._root

    def read(self, path: str, largest: int) -> bytes | None:
        """The bytes of a regular file; None for anything else, and for one that is too large."""
        folder, _, name = path.rpartition("/")
        try:
            if folder != self._name:
                self._enter(folder)
            descriptor = os.open(name, _FILE, dir_fd=self._open)
        except OSError:
            return None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > largest:
                return None
            return _all(descriptor, status.st_size)
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def _enter(self, folder: str) -> None:
        if self._open != self._root:
            os.close(self._open)
        self._name, self._open = "", self._root
        below = self._root
        for part in folder.split("/") if folder else ():
            inner = os.open(part, _FOLDER, dir_fd=below)
            if below != self._root:
                os.close(below)
            below = inner
        self._name, self._open = folder, below


def _all(descriptor: int, size: int) -> bytes:
    content = os.read(descriptor, size + 1)
    while len(content) < size:
        more = os.read(descriptor, size + 1 - len(content))
        if not more:
            break
        content += more
    return content


class Search:
    """One search, and what came of it so far."""

    def __init__(self, request: Request) -> None:
        self.request = request
        flags = re.MULTILINE | (re.IGNORECASE if request.ignore_case else 0)
        plain = re.escape(request.pattern) if request.literal else request.pattern
        self.regex = re.compile(plain, flags)
        self.hidden = re.compile(request.hidden, re.MULTILINE)
        self.folders = Folders(request.root)
        self.lines_left, self.files_left = request.most_lines, request.most_files
        self.searched = self.skipped = self.files = self.matches = 0
        # most files can be told from their bytes, where every match holds the pattern as it stands
        is_plain = request.literal or not set(r"\.^$*+?{}[]|()") & set(request.pattern)
        self.needle = b"" if request.ignore_case or not is_plain else request.pattern.encode()

    def run(self) -> None:
        """Search all files."""
        every = 1 + len(self.request.files) // _REPORTS
        for path in self.request.files:
            text = self.text(path, self.needle)
            if text and self.regex.search(text) and not self.hidden.search(text):
                self._found(path, text)
            self.searched += 1
            if not self.searched % every:
                self.say()
        self.say(done=True)

    def text(self, path: str, needle: bytes = b"") -> str:
        """The text of a file, "" for one that is not searched or does not hold the needle."""
        if path in self.request.drafts:
            return self.request.drafts[path]
        content = self.folders.read(path, self.request.largest)
        if content is not None and needle not in content and needle:
            return ""
        if content is None or b"\0" in content:
            self.skipped += 1
            return ""
        try:
            return content.decode()
        except UnicodeDecodeError:
            self.skipped += 1
            return ""

    def _found(self, path: str, text: str) -> None:
        numbers: list[int] = []
        count = 0
        most = min(self.lines_left, self.request.most_in_file)
        for number in _matching(self.regex, text):
            count += 1
            if len(numbers) < most:
                numbers.append(number)
        self.files += 1
        self.matches += count
        self.lines_left -= len(numbers)
        if numbers:
            _write({"file": path, "count": count, "lines": self._shown(text, numbers)})
        elif self.files_left > 0:
            self.files_left -= 1
            _write({"file": path, "count": count})

    def _shown(self, text: str, numbers: list[int]) -> list[tuple[int, str, bool]]:
        """Number and text of the lines, and of those around them; whether each is a match."""
        rows = text.split("\n")
        context, last = self.request.context, len(rows) - (not rows[-1])
        wanted = {
            near: near in numbers
            for number in numbers
            for near in range(max(1, number - context), min(last, number + context) + 1)
        }
        return [(at, self._cut(rows[at - 1]), wanted[at]) for at in sorted(wanted)]

    def _cut(self, row: str) -> str:
        """The line, or the part of a long one that matches."""
        row, longest = row.rstrip("\r"), self.request.longest
        if len(row) <= longest:
            return row
        found = self.regex.search(row)
        start = max(0, min(found.start() - longest // 4, len(row) - longest)) if found else 0
        end = start + longest
        return "..." * (start > 0) + row[start:end] + "..." * (end < len(row))

    def near(self) -> None:
        """Look for words of the files that are spelled like the pattern."""
        wanted = self.request.pattern.casefold()
        words: set[str] = set()
        left = _MOST_READ
        for path in self.request.files:
            text = self.text(path)
            left -= len(text)
            if left < 0 or len(words) > _MOST_WORDS:
                break
            if not self.hidden.search(text):
                words.update(w for w in set(_WORD.findall(text)) if _may_be(w.casefold(), wanted))
        folded = {word.casefold(): word for word in sorted(words)}
        near = [folded[word] for word in difflib.get_close_matches(wanted, folded, 3, 0.7)]
        self.say(done=True, near=near)

    def say(self, **more: Any) -> None:
        """How far it got."""
        counts = {"searched": self.searched, "skipped": self.skipped}
        _write({**counts, "files": self.files, "matches": self.matches, **more})


def _matching(regex: re.Pattern[str], text: str) -> Iterator[int]:
    """The numbers, from 1, of lines in which a match begins, each once."""
    at, line, counted, size = 0, 1, 0, len(text)
    while at <= size and (found := regex.search(text, at)):
        start = found.start()
        if start == size and text[-1:] in {"", "\n"}:  # below the last line there is none
            return
        line += text.count("\n", counted, start)
        counted = start
        yield line
        end = text.find("\n", start)
        if end < 0:
            return
        at = end + 1


def _may_be(word: str, wanted: str) -> bool:
    return word[:1] == wanted[:1] and abs(len(word) - len(wanted)) <= len(wanted) // 2


def _write(record: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Answer one request; the system ends this process when it has worked too long."""
    request = Request(**json.load(sys.stdin))
    resource.setrlimit(resource.RLIMIT_CPU, (request.seconds, request.seconds))
    if sys.platform == "linux":  # others refuse it
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        search = Search(request)
    except re.error as error:
        where = "" if error.pos is None else f" at position {error.pos}"
        _write({"wrong": f"{error.msg}{where}"})
    except (RecursionError, OverflowError, MemoryError):
        _write({"wrong": "it is too large"})
    else:
        try:
            (search.near if request.near else search.run)()
        except (RecursionError, MemoryError):
            _write({"wrong": "it takes too much memory"})


if __name__ == "__main__":
    main()
