"""From the text of a reply to what it asks for.

One pass over its lines. What is marked as an edit is read to its end or complained about; a fence
without markers is a file only if nothing but a path stands by it; all else is prose.
"""

import re
from collections.abc import Sequence

from attrs import define, evolve, field

from agent_runner.edits.edit import Edit, NoChange, Reply, StrayFence, Unreadable, Write
from agent_runner.edits.formats import envelope, foreign, search_replace, unified, whole_file
from agent_runner.edits.formats.fences import Fences
from agent_runner.edits.formats.reasoning import enclosures, without_reasoning
from agent_runner.edits.formats.scan import Fence, Format, Scan, fence_on
from agent_runner.edits.naming import Label, extension, label_on

FORMATS: tuple[Format, ...] = (envelope, search_replace, unified)
"""All formats with markers. A new one is a file in `formats/` and a word here."""

_NO_CHANGE = re.compile(r"^\W*NO CHANGES? NEEDED\b[\s*_`:.-]*(.*)$")
_DRESSING = re.compile(
    r"^\s*(?:apply_patch\b.*<<.*|\)\"|[A-Z_]*(?:EOF|PATCH|END)[A-Z_]*"
    r"|Index: \S.*|={20,}|(?:commit [0-9a-f]{7,}|Author:|Date:|Subject:).*)\s*$"
)
"""What stands around blocks in a fence: shells and the tools that make diffs put it there."""

_COMMAND = re.compile(r"(?:sh|bash|shell|zsh|console|shell-session)\s(?:.*\s)?run\b", re.IGNORECASE)
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)]) ")
_IN_FENCE = "edits in a fence"
_OUTSIDE = "Write it outside of all tags."
_COMMENTS = ("#", "//", "--", "<!--", "*", ";")
_TOKENS = re.compile(r"(?:\s*(?:<\|\w+\|>|</s>))+\s*\Z")
"""What some servers leave at the end of a text: tokens that end it."""

_BLANKS = re.compile("^[ \t\u00a0\u2007\u202f]*[-+]?[ \t\u00a0\u2007\u202f]+")
_MOST_SEEN = 6


def parse_reply(text: str) -> Reply:
    """Read a model's reply.

    Never raises: what was meant as an edit and cannot be read is `Unreadable`.
    """
    text = _TOKENS.sub("", text).rstrip("\r\n")  # a blank line at the end is none of a diff
    lines = [_BLANKS.sub(_spaces, line.removesuffix("\r")) for line in text.split("\n")]
    return _Reader(lines).reply()


def _spaces(found: re.Match[str]) -> str:
    """No-break spaces never get into the indentation of a file."""
    return re.sub("[\u00a0\u2007\u202f]", " ", found[0])


def parse_diffs(diffs: Sequence[str]) -> Reply:
    """Read unified diffs of files as a program made them: nothing else is looked for in them.

    Never raises: what cannot be read is `Unreadable`. A new file keeps its CRLF.
    """
    scan = Scan("\n".join(diff.removesuffix("\n") for diff in diffs).split("\n"))
    edits: list[Edit] = []
    at = 0
    while at < len(scan):
        if not unified.starts(scan, at):
            at += 1
            continue
        at, found = unified.read(scan, at)
        edits += found
        scan.floor = at
    if not edits and any(diff.strip() for diff in diffs):
        origin = scan.next_block(0, "unified diff")
        edits.append(Unreadable("", origin, "there is no diff in it.", "Send diffs."))
    return Reply(tuple(edits), exact=True)


@define
class _Reader:
    """One pass over the lines of a reply, and what was found so far."""

    lines: list[str]
    scan: Scan = field(init=False)
    fences: Fences = field(init=False)
    edits: list[Edit] = field(init=False, factory=list)
    stray_fences: list[StrayFence] = field(init=False, factory=list)
    commands: list[str] = field(init=False, factory=list)
    asks: list[str] = field(init=False, factory=list)
    looks: list[str] = field(init=False, factory=list)
    why: str | None = field(init=False, default=None)
    seen: list[str] = field(init=False, factory=list)
    unclosed: int | None = field(init=False, default=None)
    named: dict[str, int] = field(init=False, factory=dict)
    enclosed: list[tuple[int, int, str]] = field(init=False, factory=list)

    def reply(self) -> Reply:
        self.lines, unended = without_reasoning(self.lines)
        self.scan, self.fences = Scan(self.lines), Fences(self.lines)
        self.enclosed = enclosures(self.lines)
        if unended is not None:
            wrong = "the reasoning that begins here does not end, so nothing below it was read."
            self._complain(unended, "reasoning", wrong, "End it, then write the changes.")
        at = 0
        while at < len(self.lines):
            fence = fence_on(self.lines[at])
            at = max(self._prose(at) if fence is None else self._fence(at, fence), at + 1)
        self._doubt_fences()
        edits, stray_fences = tuple(self.edits), tuple(self.stray_fences)
        found = Reply(
            edits, stray_fences, tuple(self.commands), tuple(self.asks), looks=tuple(self.looks)
        )
        if self.edits or self.commands or self.asks or self.looks:
            return found
        words = "words only" if any(map(str.strip, self.lines)) else "nothing"
        more = [f"{len(self.seen) - _MOST_SEEN} more"] * (len(self.seen) > _MOST_SEEN)
        seen = "; ".join([*self.seen[:_MOST_SEEN], *more]) or words
        return evolve(found, no_change=NoChange(seen, self.why, shows_code=bool(self.seen)))

    def _doubt_fences(self) -> None:
        """Refuse commands and files that are perhaps a part of a file whose own fence was lost.

        Its end is then left over, or (above a command) its path, of which the reply has no edit.
        """
        edited = {edit.path for edit in self.edits}
        named = next((one for one in self.named.items() if one[0] not in edited), None)
        is_file = any(e.origin.form == whole_file.NAME for e in self.edits if isinstance(e, Write))
        if self.unclosed is not None and (self.commands or is_file):
            wrong = "the fence that begins here is not closed, so others may be part of a text."
            self._complain(self.unclosed, "fence", wrong, "Close every fence of the reply.")
        elif self.commands and named is not None:
            wrong = f"`{named[0]}` stands here and no block follows: a command may be its text."
            remedy = "Send the file in a longer fence, or name it within a sentence."
            self._complain(named[1], "request", wrong, remedy)

    def _complain(self, at: int, form: str, wrong: str, remedy: str) -> None:
        self.edits.append(Unreadable("", self.scan.next_block(at, form), wrong, remedy))

    def _take(self, end: int, found: list[Edit]) -> int:
        self.stray_fences += [edit for edit in found if isinstance(edit, StrayFence)]
        self.edits += [self._outside(edit) for edit in found if not isinstance(edit, StrayFence)]
        self.scan.floor, self.scan.path_fence = end, None
        paths = [edit.path for edit in found if edit.path]
        self.scan.last_path = paths[-1] if paths else self.scan.last_path
        return end

    def _outside(self, edit: Edit) -> Edit:
        """The edit; refused where it stands between tags, and may be a draft."""
        wrong = self._draft(edit.origin.line - 1)
        return Unreadable(edit.path, edit.origin, wrong, _OUTSIDE) if wrong else edit

    def _draft(self, at: int) -> str:
        names = (name for low, high, name in self.enclosed if low < at < high)
        return next(
            (f"it stands between `<{name}>` tags, and may be a draft." for name in names), ""
        )

    def _prose(self, at: int) -> int:
        """A line outside of all fences."""
        line = self.lines[at]
        if (end := self._marked(at)) is not None:
            return end
        if _DRESSING.match(line) and any(map(envelope.begins, self.lines[at + 1 : at + 2])):
            return at + 1
        if wrong := foreign.strange_line(line, self.lines[at - 1] if at else ""):
            self._complain(at, foreign.NAME, wrong, foreign.REMEDY)
        elif found := _NO_CHANGE.match(line):
            below = next((line.strip() for line in self.lines[at + 1 :] if line.strip()), "")
            self.why = found[1].strip() or below or "no reason given"
        elif not _ITEM.match(line):
            label = label_on(line)
            path = label.path if label is not None and label.sure else None
            if path is not None:
                self.named[path] = at
            if (fence := whole_file.unfenced_below(self.scan, at)) is not None:
                self.stray_fences.append(fence)
            if line.lstrip().startswith(("#", "**")):
                self.scan.section = path
        if line.strip():
            self.scan.path_fence = None
        return at + 1

    def _marked(self, at: int) -> int | None:
        """Read the block with markers that begins at this line, if one does; where it ends."""
        form = next((form for form in FORMATS if form.starts(self.scan, at)), None)
        if form is None:
            return None
        end, found = form.read(self.scan, at)
        self.scan.indent = 0
        return max(self._take(end, found), at + 1)

    def _fence(self, at: int, fence: Fence) -> int:
        end = self.fences.end(at + 1, fence)
        body, is_closed = self.lines[at + 1 : end], end < len(self.lines)
        self.unclosed = self.unclosed if is_closed else at
        if _COMMAND.match(fence.info) or fence.info.lower() in {"show", "look"}:
            return self._request(at, fence, body, end)
        named = whole_file.named_by(self.scan, at, fence)
        if not (named and named.whole) and self._is_dressing(at, end, fence):
            return self._dressed(at, fence, named) if is_closed else at + 1  # it was left open
        path = whole_file.path_alone(body) if named is None or not named.sure else None
        if path and fence_on(next((line for line in self.lines[end + 1 :] if line.strip()), "")):
            self.scan.path_fence = path
            return end + 1
        end, found = whole_file.read_fence(self.scan, self.fences, at, fence, named)
        if found and isinstance(found[0], StrayFence):
            kind = f"`{fence.language}` fence" if fence.language else "fence"
            self.seen.append(f"a {kind} at line {at + 1}, with no path alone on the line above it")
        return self._take(end, found)

    def _request(self, at: int, fence: Fence, body: list[str], end: int) -> int:
        """A command to be run, paths and globs to be shown, or uses of the looking tools."""
        if end == len(self.lines):
            remedy = f"Close it with `{fence.marks}` on a line of its own."
            self._complain(at, "request", "the fence is not closed.", remedy)
        elif wrong := self._draft(at):
            self._complain(at, "request", wrong, _OUTSIDE)
        elif fence.info.lower() == "show":
            asks = (line.strip().strip("`").removeprefix("- ").strip("` ") for line in body)
            self.asks += filter(None, asks)
        elif fence.info.lower() == "look":
            self.looks += [line.strip() for line in body if line.strip()] or [""]
        elif text := "\n".join(body).strip():
            self.commands.append(text)
        self.scan.floor = end + 1
        return end + 1

    def _is_dressing(self, at: int, end: int, fence: Fence) -> bool:
        """Whether a block with markers begins the fence: nothing but dressing stands above it."""
        self.scan.fence = fence
        is_marked = False
        for place in range(at + 1, end):
            is_marked = any(form.starts(self.scan, place) for form in FORMATS)
            if is_marked or not _belongs(self.lines[place]):
                break
        self.scan.fence = None
        return is_marked

    def _dressed(self, at: int, fence: Fence, named: Label | None) -> int:
        """A fence around blocks with markers: all that stands in it has to belong to them."""
        if named is not None and extension(named.path) in {"patch", "diff"}:
            wrong = f"it may be the file `{named.path}` or a change of other files."
            remedy = f"If it is the file, write `Whole file: {named.path}` on the line above."
            self._complain(at, whole_file.NAME, wrong, remedy)
            return self.fences.end(at + 1, fence) + 1
        before, place = len(self.edits), at + 1
        strays: list[int] = []
        self.scan.fence = fence
        while place < len(self.lines) and not self.scan.closes(place):
            opened, line = fence_on(self.lines[place]), self.scan.line(place)
            is_outer = opened is not None and opened.indent <= fence.indent  # else it is quoted
            if opened and opened.info and is_outer and len(opened.marks) >= len(fence.marks):
                break  # the fence was never closed, and another one begins
            end = self._marked(place)
            if end is None and not _belongs(line, above=len(self.edits) == before):
                strays.append(place)
            place = end or place + 1
        is_closed = self.scan.closes(place)
        self.scan.fence = None
        paths = {edit.path for edit in self.edits[before:] if edit.path}
        if named is not None and named.sure and paths and named.path not in paths:
            listed = ", ".join(f"`{path}`" for path in sorted(paths)[:3])
            wrong = f"`{named.path}` stands above it, and the changes in it are to {listed}."
            self._complain(at, _IN_FENCE, wrong, "Name one file, and the same one.")
        if strays and is_closed:
            line = f"line {strays[0] + 1} of the reply, `{self.lines[strays[0]].strip()[:80]}`"
            wrong = f"{line}, belongs to no block in this fence."
            remedy = "Put nothing but edits into a fence with edits, each line with its mark."
            self._complain(strays[0], _IN_FENCE, wrong, remedy)
        if is_closed:
            self.scan.floor = place + 1
        return place + is_closed


def _belongs(line: str, *, above: bool = True) -> bool:
    """Whether a line between blocks may stand there: a path, a comment above all of them."""
    label = label_on(line)
    if not line.strip() or (label is not None and label.sure) or _DRESSING.match(line):
        return True
    return above and (label is not None or line.lstrip().startswith(_COMMENTS))
