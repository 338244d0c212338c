"""Reads the files that globs name, for the agent: never secrets, binaries, or what git ignores."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

from agent_runner.ground.globs import Globs, is_plain
from agent_runner.model.shown_files import FileText, Listing, NotShown
from agent_runner.workspace.names import Scope
from agent_runner.workspace.reading import read_text, why_not
from agent_runner.workspace.secrets import looks_secret

MOST = 500
"""Most files of one listing, and most reasons given for those that are left out."""

_WORTH_SHOWING = 1_000  # characters: less room than this is not filled with the head of a file
_WITH_LINES = re.compile(r"(?P<path>.+):(?P<first>\d{1,9})-(?P<last>\d{1,9})", re.DOTALL)


def show(scope: Scope, names: Sequence[str], asked: Sequence[str], max_chars: int) -> Listing:
    """The files that `asked` names, in that order, as far as `max_chars` characters go.

    `names` are those of all files there are (`file_names`, or of a look), sorted.
    An element of `asked` is a path, a folder (all below it), a path with lines (`a.py:10-80`), a
    glob, or `!` and a glob that leaves files out. A file that does not fit is cut after a line,
    and the reason says how to ask for the rest. Whatever is not shown is in `left_out`.

    Raises:
        UsageError: there is a git repository, but git refuses to use it.
    """
    answer = _Answer(scope, names, max_chars)
    taken_back = Globs(tuple(wish[1:] for wish in asked if wish.startswith("!")))
    for wish in asked:
        if not wish.startswith("!"):
            answer.take(wish, taken_back)
    return Listing(tuple(answer.files), tuple(answer.left_out[:MOST]))


@lru_cache(maxsize=2)  # most tasks leave the names of the files as they were
def overview(names: tuple[str, ...], limit: int = 300) -> tuple[str, ...]:
    """What there is to ask for, in at most `limit` lines: paths, or folders with a count."""
    counts = Counter(name for name in names if not looks_secret(name))
    depth = max((name.count("/") + 1 for name in counts), default=1)
    while depth > 1 and len(counts) > limit:
        depth -= 1
        counts = _cut_to(counts, depth)
    lines = [f"{name} ({n} files)" if name.endswith("/") else name for name, n in counts.items()]
    more = len(lines) - limit + 1
    return (*lines[: limit - 1], f"... and {more} more") if more > 1 else tuple(lines)


def _cut_to(counts: Counter[str], depth: int) -> Counter[str]:
    """Files by paths of at most `depth` parts; one of a folder ends in `/`."""
    cut: Counter[str] = Counter()
    for name, count in counts.items():
        parts = name.split("/", depth)
        cut["/".join(parts[:depth]) + "/" if parts[depth:] not in ([], [""]) else name] += count
    return cut


class _Answer:
    """A listing in the making."""

    def __init__(self, scope: Scope, names: Sequence[str], room: int) -> None:
        self.files: list[FileText] = []
        self.left_out: list[NotShown] = []
        self._scope = scope
        self._room = room
        self._names = names
        self._known = frozenset(self._names)
        self._done: set[tuple[str, str]] = set()

    def take(self, wish: str, taken_back: Globs) -> None:
        """Add what one element of `asked` names."""
        plain = wish.removeprefix("./").rstrip("/")
        if plain in self._known:
            self._add(plain, "")
        elif (lines := _WITH_LINES.fullmatch(plain)) and lines["path"] in self._known:
            self._add(lines["path"], f"{lines['first']}-{lines['last']}")
        elif names := self._named(wish, plain):
            for name in names:
                if not taken_back.covers(name):
                    self._add(name, "")
        elif is_plain(wish):
            self.left_out.append(why_not(self._scope, plain, self._names))
        else:
            self.left_out.append(NotShown(wish, "no file matches"))

    def _named(self, wish: str, plain: str) -> Sequence[str]:
        """The files below a folder, or those that a glob covers."""
        if plain == ".":
            return self._names
        below = [name for name in self._names if name.startswith(f"{plain}/")]
        if below or is_plain(wish):
            return below
        return list(Globs((wish,)).covered(self._names))

    def _add(self, path: str, lines: str) -> None:
        """Add one file as far as there is room."""
        if (path, lines) in self._done:
            return
        self._done.add((path, lines))
        if len(self.files) >= MOST:
            self.left_out.append(NotShown(path, f"{MOST} files are shown already"))
            return
        found = read_text(self._scope.root, path)
        if isinstance(found, NotShown):
            self.left_out.append(found)
        else:
            self._fit(found, lines)

    def _fit(self, file: FileText, lines: str) -> None:
        """Show all of it, or the lines asked for; only the first of them where room is short."""
        rows = _rows(file.text)
        first, last = _range(lines, len(rows))
        wanted = rows[first - 1 : last]
        if not wanted and lines:
            self.left_out.append(NotShown(file.path, f"it has {len(rows)} lines"))
            return
        fitting = _fitting(wanted, self._room)
        if len(fitting) < len(wanted):
            shown_to = first - 1 + len(fitting)
            rest = f"{file.path}:{shown_to + 1}-{last}"
            self.left_out.append(NotShown(file.path, f"no room for more; ask for {rest}"))
            if not fitting:
                return
            lines = f"{first}-{shown_to}"
        text = "".join(fitting)
        self._room -= len(text)
        self.files.append(FileText(file.path, text, lines))


def _range(lines: str, count: int) -> tuple[int, int]:
    """First and last line asked for, from 1, within a file of `count` lines."""
    first, _, last = lines.partition("-")
    return (max(1, int(first)), min(int(last), count)) if lines else (1, count)


def _rows(text: str) -> list[str]:
    """The lines with their ends; only a newline ends a line."""
    rows = [f"{row}\n" for row in text.split("\n")]
    rows[-1] = rows[-1].removesuffix("\n")
    return rows if rows[-1] else rows[:-1]


def _fitting(rows: list[str], room: int) -> list[str]:
    """All of `rows`, or the first ones that fit; none where that would be but a scrap."""
    ends = list(accumulate(map(len, rows)))
    fitting = bisect_right(ends, room)
    if fitting < len(rows) and room < _WORTH_SHOWING:
        return []
    return rows[:fitting]
