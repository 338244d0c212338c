"""Unified diffs: with or without `diff --git`, prefixes, and right line numbers."""

import re

from attrs import evolve, frozen

from agent_runner.edits.edit import (
    Alter,
    Delete,
    Edit,
    Hunk,
    Move,
    Origin,
    SetMode,
    Unreadable,
    Write,
)
from agent_runner.edits.formats.hunks import read_hunk
from agent_runner.edits.formats.scan import Found, Scan, fence_on, indentation
from agent_runner.edits.naming import DIFF_LANGUAGES, label_on, unquoted
from agent_runner.ground.linediff import KEEP

_OLD = re.compile(r"^--- (\S.*)$")
_NEW = re.compile(r"^\+\+\+ (\S.*)$")
_META = re.compile(
    r"^(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to"
    r"|similarity index|dissimilarity index|index|Binary files|GIT binary patch) ?(.*)$"
)
_BINARY = {"Binary files", "GIT binary patch"}
_NOWHERE = "/dev/null"
_BACKUPS = (".orig", ".old", ".bak", "~")
_PREFIXES = frozenset("abciow")
_FORM = (
    "Write `--- a/PATH`, `+++ b/PATH` and hunks: `@@ -LINE,COUNT +LINE,COUNT @@`, then lines that"
    " begin with a space (unchanged), `-` or `+`; for a new file `--- /dev/null` and only lines"
    " with `+`; to delete one, `+++ /dev/null` and no hunks; to rename one, `rename from OLD` and"
    " `rename to NEW` below `diff --git`. Only regular text files can be changed."
)


def starts(scan: Scan, at: int) -> bool:
    """At `diff --git`, at `---` with `+++` on the next line, at a hunk in a diff fence."""
    line, below = scan.line(at), scan.line(at + 1)
    if scan.fence is None and line[:1] in {" ", "\t"}:  # indented as a whole, in a list
        deep = indentation(line)
        line, below = line[deep:], below[deep:] if indentation(below) == deep else ""
    if line.startswith("diff --git ") or (_OLD.match(line) and _NEW.match(below)):
        return True
    if scan.fence is None or scan.fence.language not in DIFF_LANGUAGES:
        return False
    label = label_on(scan.raw[at - 1])
    is_first = fence_on(scan.raw[at - 1]) is not None or (label is not None and label.sure)
    return line.startswith("@@") or (is_first and line[:1] in {"+", "-", " "})


def read(scan: Scan, at: int) -> Found:
    """The headers and hunks of one file; each is a block."""
    if scan.fence is None:
        scan.indent = indentation(scan.raw[at])
    origin = scan.next_block(at, "unified diff")
    names, meta, end = _headers(scan, at)
    names = names or _Names("", "")
    heads = {scan.line(place) for place in range(at, end)}
    hunks, wrong, end = _hunks(scan, end, skips=bool(_BINARY & meta.keys()))
    again = next((op + s for hunk in hunks for op, s in hunk.lines if op + s in heads), "")
    wrong = wrong or (f"its header `{again}` stands once more, in a hunk." if again else "")
    numbers = [hunk.start for hunk in hunks if hunk.start and not hunk.kept]
    if not wrong and numbers != sorted(numbers):  # perhaps two headers have changed places
        wrong = "its hunks are not in the order of their line numbers, and have no unchanged lines."
    if "rename from" in meta and "rename to" in meta:
        names = _Names(unquoted(meta["rename from"]), unquoted(meta["rename to"]))
    found = wrong or _edits(origin, names, meta, hunks)
    if isinstance(found, str):
        found = [Unreadable("", origin, found, _FORM)]
    found = [evolve(edit, other=names.other) for edit in found]
    return max(end, at + 1), found


def is_header(scan: Scan, at: int) -> bool:
    """Whether another file's part begins here, rather than lines of a hunk that look like it."""
    line, third = scan.line(at), scan.line(at + 2)
    if line.startswith("diff --git "):
        return True
    is_pair = _OLD.match(line) is not None and _NEW.match(scan.line(at + 1)) is not None
    return is_pair and (third.startswith("@@") or not third.strip())


@frozen
class _Names:
    """The names before and after; `other`: the one that only one side has, with its prefix."""

    old: str
    new: str
    other: str = ""


def _headers(scan: Scan, at: int) -> tuple[_Names | None, dict[str, str], int]:
    """The file's two names, git's other lines by their first words, and the line below."""
    names: _Names | None = None
    meta: dict[str, str] = {}
    if scan.line(at).startswith("diff --git"):
        names = _git_names(scan.line(at)[11:])
        at += 1
        while found := _META.match(scan.line(at)):
            meta[found[1]] = found[2].strip()
            at += 1
    first, second = _OLD.match(scan.line(at)), _NEW.match(scan.line(at + 1))
    if first and second:
        both = _plain(unquoted(first[1]), unquoted(second[1]))
        return both if names is None else evolve(both, other=names.other), meta, at + 2
    if not names and not meta and (path := scan.path_for(at)):
        return _Names(path, path), meta, at
    return names, meta, at


def _hunks(scan: Scan, at: int, *, skips: bool) -> tuple[list[Hunk], str, int]:
    """The hunks, what is wrong with them, and the line below; `skips`: lines that are none."""
    hunks: list[Hunk] = []
    wrong = ""
    while skips and at < len(scan) and not scan.closes(at) and not is_header(scan, at):
        at += 1
    while at < len(scan) and not scan.closes(at):
        below = at
        while below < len(scan) and not scan.line(below).strip():
            below += 1
        line = scan.line(below)
        is_bare = not hunks and below == at and line[:1] in {"+", "-", " "}
        is_bare = is_bare and not (_OLD.match(line) or _NEW.match(line))
        if is_header(scan, below) or not (line.startswith("@@") or is_bare):
            break
        found = read_hunk(scan, below, is_header)
        hunks.append(found.hunk)
        wrong = wrong or found.wrong
        at = max(found.end, below + 1)
    return hunks, wrong, at


def _edits(
    origin: Origin, names: _Names, meta: dict[str, str], hunks: list[Hunk]
) -> list[Edit] | str:
    """What the diff of one file asks for, or why that is in doubt."""
    old, new = names.old, names.new
    mode = meta.get("new file mode") or meta.get("new mode") or ""
    kept = [line for hunk in hunks for line in hunk.before]
    added = [line for hunk in hunks for line in hunk.added]
    stays = any(op == KEEP and s.strip() for hunk in hunks for op, s in hunk.lines)
    is_new = old == _NOWHERE or "new file mode" in meta
    is_gone = new == _NOWHERE or "deleted file mode" in meta
    path = new if new != _NOWHERE else old
    moves = old != new and not is_new and not is_gone
    is_link = "120000" in {mode, meta.get("deleted file mode")} or mode == "160000"
    is_empty = not (is_new or is_gone or hunks or mode or moves)
    doubts = (
        (_BINARY & meta.keys(), f"binary files cannot be changed by a reply ({new[:200]})."),
        (not old or not new, "no header says which file is meant."),
        (is_link, "symbolic links and submodules cannot be changed by a reply."),
        ("copy to" in meta, "a copied file cannot be read; send the new file as a whole file."),
        (moves and "rename to" not in meta, f"the headers name two files, `{old}` and `{new}`."),
        (is_gone and added, f"it deletes `{path}` and adds lines to it."),
        (is_gone and stays, f"it deletes `{path}` and keeps lines of it."),
        (is_new and kept, f"it makes `{path}` a new file and quotes lines that stand in it."),
        (is_empty, "the diff has no hunks."),
    )
    wrong = next((text for is_so, text in doubts if is_so), "")
    if wrong:
        return wrong
    made: list[Edit] = []
    if is_gone:
        made.append(Delete(path, origin, tuple(kept) or None))
    elif is_new:
        is_bare = not added or hunks[-1].newline_at_end is False
        made.append(Write(path, origin, "\n".join(added) + "\n" * (not is_bare), new=True))
    elif hunks:
        made.append(Alter(old, origin, tuple(hunks)))
    made += [Move(old, origin, new)] if moves else []
    if mode and (not is_new or mode == "100755"):
        made.append(SetMode(path, origin, executable=mode.endswith("755")))
    return made


def _git_names(text: str) -> _Names | None:
    """The two names of a `diff --git` line; unquoted ones with spaces have to be the same."""
    quoted = re.match(r'^("(?:[^"\\]|\\.)*"|\S+) ("(?:[^"\\]|\\.)*"|\S+)$', text)
    if quoted:
        return _plain(unquoted(quoted[1]), unquoted(quoted[2]))
    old, new = text[: len(text) // 2], text[len(text) // 2 + 1 :]
    return _plain(old, new) if old.split("/", 1)[-1] == new.split("/", 1)[-1] != "" else None


def _plain(old: str, new: str) -> _Names:
    """Both names without `a/` and `b/` (or git's other letters), and without `.orig` and the like.

    The same name behind one prefix, or behind none, is one file: nobody moves `f` to `b/f` so. But
    it may be `b/f`, where there is such a file.
    """
    other = ""
    (old_prefix, _, old_rest), (new_prefix, _, new_rest) = old.partition("/"), new.partition("/")
    old_has = old_prefix in _PREFIXES and bool(old_rest)
    new_has = new_prefix in _PREFIXES and bool(new_rest)
    if old_has and new_has and old_prefix != new_prefix:
        old, new = old_rest, new_rest
    elif old_has and old == new:
        other = old_rest
    elif old_has and (old_rest == new or (new == _NOWHERE and old_prefix != "b")):
        old, other = old_rest, old
    elif new_has and (new_rest == old or (old == _NOWHERE and new_prefix != "a")):
        new, other = new_rest, new
    return _Names(new if old in {f"{new}{tail}" for tail in _BACKUPS} else old, new, other)
