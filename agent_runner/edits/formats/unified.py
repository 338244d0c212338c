"""Unified diffs: with or without `diff --git`, prefixes, and right line numbers.

New, deleted and renamed files.
"""

import re

from attrs import define, field

from agent_runner.edits.edit import (
    Alter,
    Complaint,
    Delete,
    Edit,
    Hunk,
    Move,
    Origin,
    SetMode,
    Write,
)
from agent_runner.edits.formats.hunks import read_hunk
from agent_runner.edits.formats.scan import Found, Scan, complaint
from agent_runner.edits.spelling import unquoted

_GIT = re.compile(r"^diff --git (.*)$")
_OLD = re.compile(r"^--- (\S.*)$")
_NEW = re.compile(r"^\+\+\+ (\S.*)$")
_META = re.compile(
    r"^(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to"
    r"|similarity index|dissimilarity index|index) ?(.*)$"
)
_BINARY = re.compile(r"^(?:Binary files .* differ|GIT binary patch)$")
_NOWHERE = "/dev/null"
_DIFF_LANGUAGES = frozenset({"diff", "patch", "udiff"})
_BACKUPS = (".orig", ".old", ".bak", "~")
_PREFIXES = frozenset("abciow")
_FORM = (
    "Write `--- a/PATH`, `+++ b/PATH` and hunks: `@@ -LINE,COUNT +LINE,COUNT @@`, then lines"
    " that begin with a space (unchanged), `-` or `+`."
)


class Unified:
    """Reads one file's part of a unified diff at a time; each is a block."""

    name = "unified diff"

    def starts(self, scan: Scan, at: int) -> bool:
        """At `diff --git`, at `---` with `+++` on the next line.

        Or at a hunk in a fence marked as diff.
        """
        line = scan.line(at)
        if line.startswith("diff --git "):
            return True
        if _OLD.match(line):
            return _NEW.match(scan.line(at + 1)) is not None
        return line.startswith("@@") and in_diff_fence(scan)

    def read(self, scan: Scan, at: int) -> Found:
        """The headers and hunks of one file."""
        section = _Section(scan, scan.next_block(at, self.name))
        end = section.read(at)
        return Found(end, tuple(section.edits), problems=tuple(section.problems))


def in_diff_fence(scan: Scan) -> bool:
    """Whether the open fence says that it holds a diff."""
    return scan.fence is not None and scan.fence.language in _DIFF_LANGUAGES


def is_header(scan: Scan, at: int) -> bool:
    """Whether another file's part begins here.

    Rather than removed and added lines that look like it.
    """
    line = scan.line(at)
    if line.startswith("diff --git "):
        return True
    return bool(
        _OLD.match(line)
        and _NEW.match(scan.line(at + 1))
        and (scan.line(at + 2).startswith("@@") or not scan.line(at + 2).strip())
    )


@define
class _Section:
    """The part of a diff that is about one file."""

    scan: Scan
    origin: Origin
    edits: list[Edit] = field(factory=list)
    problems: list[Complaint] = field(factory=list)
    _meta: dict[str, str] = field(init=False, factory=dict)

    def read(self, at: int) -> int:
        git, at = self._git_header(at)
        old = new = None
        if (first := _OLD.match(self.scan.line(at))) and (
            second := _NEW.match(self.scan.line(at + 1))
        ):
            old, new = unquoted(first[1]), unquoted(second[1])
            at += 2
        elif git is not None:
            old, new = git
        elif "rename from" in self._meta:
            old = new = ""  # the names stand in the lines of meta
        else:
            old = new = self.scan.path_above(at)
        hunks, at = self._hunks(at)
        if self.problems:
            return at
        if old is None or new is None:
            self._complain("no header says which file is meant.")
            return at
        if first is not None or git is not None:
            old, new = _stripped(old, new)
        if "rename from" in self._meta and "rename to" in self._meta:
            old, new = unquoted(self._meta["rename from"]), unquoted(self._meta["rename to"])
        elif git is None and not hunks:
            self._complain("the diff has no hunks.")
            return at
        elif old in {f"{new}{tail}" for tail in _BACKUPS}:
            old = new
        self._edits(old, new, hunks)
        return at

    def _complain(self, wrong: str, remedy: str = _FORM) -> None:
        self.problems.append(complaint(self.origin, wrong, remedy))

    def _git_header(self, at: int) -> tuple[tuple[str, str] | None, int]:
        """The names in `diff --git` and the lines of meta that follow it."""
        found = _GIT.match(self.scan.line(at))
        if found is None:
            return None, at
        at += 1
        while at < len(self.scan):
            line = self.scan.line(at)
            if meta := _META.match(line):
                self._meta[meta[1]] = meta[2].strip()
            elif _BINARY.match(line):
                names = _git_names(found[1]) or ("", "")
                path = _stripped(*names)[1]
                which = f" ({path[:200]})" if path else ""
                self._complain(
                    f"binary files cannot be changed by a reply{which}.",
                    "Leave the file as it is.",
                )
                return None, _past_binary(self.scan, at + 1)
            else:
                break
            at += 1
        return _git_names(found[1]), at

    def _hunks(self, at: int) -> tuple[list[Hunk], int]:
        hunks: list[Hunk] = []
        while at < len(self.scan) and not self.scan.closes(at):
            line = self.scan.line(at)
            if line.startswith("@@"):
                hunk, at = read_hunk(self.scan, at, is_header)
                if hunk is not None:
                    hunks.append(hunk)
            elif not line.strip() and self.scan.line(at + 1).startswith("@@"):
                at += 1
            elif not hunks and line[:1] in {"+", "-"} and not is_header(self.scan, at):
                hunk, at = read_hunk(self.scan, at - 1, is_header)
                if hunk is not None:
                    hunks.append(hunk)
            else:
                break
        return hunks, at

    def _edits(self, old: str, new: str, hunks: list[Hunk]) -> None:
        mode = self._meta.get("new file mode") or self._meta.get("new mode") or ""
        if "120000" in {mode, self._meta.get("deleted file mode")} or mode == "160000":
            self._complain(
                "symbolic links and submodules cannot be changed by a reply.",
                "Change regular files only.",
            )
        elif "copy to" in self._meta:
            self._complain("a copied file cannot be read.", "Send the new file as a whole file.")
        elif new == _NOWHERE or "deleted file mode" in self._meta:
            self.edits.append(Delete(old if old != _NOWHERE else new, self.origin))
        elif old == _NOWHERE or "new file mode" in self._meta:
            self._write(new, hunks, mode)
        else:
            self._alter(old, new, hunks, mode)

    def _write(self, path: str, hunks: list[Hunk], mode: str) -> None:
        lines = [line for hunk in hunks for line in hunk.after]
        bare = bool(hunks) and hunks[-1].newline_at_end is False
        text = "\n".join(lines) + ("" if bare or not lines else "\n")
        self.edits.append(Write(path, self.origin, text))
        if mode == "100755":
            self.edits.append(SetMode(path, self.origin, executable=True))

    def _alter(self, old: str, new: str, hunks: list[Hunk], mode: str) -> None:
        moves = old != new
        if not hunks and not moves and not mode:
            self._complain("the diff has no hunks.")
            return
        if hunks:
            self.edits.append(Alter(old, self.origin, tuple(hunks)))
        if moves:
            self.edits.append(Move(old, self.origin, new))
        if mode:
            self.edits.append(SetMode(new, self.origin, executable=mode.endswith("755")))


def _past_binary(scan: Scan, at: int) -> int:
    while at < len(scan) and not scan.closes(at) and not is_header(scan, at):
        at += 1
    return at


def _git_names(text: str) -> tuple[str, str] | None:
    """The two names of a `diff --git` line.

    Unquoted ones with spaces are told apart by being the same.
    """
    quoted = re.match(r'^("(?:[^"\\]|\\.)*"|\S+) ("(?:[^"\\]|\\.)*"|\S+)$', text)
    if quoted:
        return unquoted(quoted[1]), unquoted(quoted[2])
    middle = len(text) // 2
    old, new = text[:middle], text[middle + 1 :]
    if text[middle : middle + 1] == " " and old.split("/", 1)[-1] == new.split("/", 1)[-1]:
        return old, new
    return None


def _stripped(old: str, new: str) -> tuple[str, str]:
    """Both names without `a/` and `b/` (or git's other letters), where both have them."""
    old_prefix, _, old_rest = old.partition("/")
    new_prefix, _, new_rest = new.partition("/")
    old_has = old_prefix in _PREFIXES and bool(old_rest)
    new_has = new_prefix in _PREFIXES and bool(new_rest)
    if old == _NOWHERE and new_has and new_prefix != "a":
        return old, new_rest
    if new == _NOWHERE and old_has and old_prefix != "b":
        return old_rest, new
    if old_has and new_has and old_prefix != new_prefix:
        return old_rest, new_rest
    return old, new
