"""A change set as a unified diff in git's form, for people and for `git apply`."""

import re
from collections.abc import Callable

from agent_runner.ground.linediff import same_runs
from agent_runner.model.changes import BlobReader, ChangeSet, FileChange, Image, Kind

_CONTEXT = 3
_BINARY_SNIFF = 8_000
_NO_NEWLINE = b"\\ No newline at end of file\n"

_Step = tuple[int, int, int, int]
"""Old lines from, to; new lines from, to: what is replaced by what."""


def diff(change_set: ChangeSet, blobs: BlobReader) -> bytes:
    """The whole change set; files in its order. Binary contents are named, not shown."""
    return b"".join(_file(change, blobs) for change in change_set.changes)


def concealed(text: str, hides: Callable[[str, str], bool]) -> str:
    """Such a diff without what the files hold that `hides` says of, by path and text."""
    first, *files = re.split(r"^(?=diff --git )", text, flags=re.MULTILINE)
    return "".join([first, *(_concealed(file, hides) for file in files)])


def _concealed(file: str, hides: Callable[[str, str], bool]) -> str:
    head, _, body = file.partition("\n")
    names = head.removeprefix("diff --git ")
    lines = "\n".join(line[1:] for line in body.split("\n"))
    hidden = hides(_unquoted(names[: len(names) // 2]), lines)
    return f"{head}\n[what it holds is not shown: it may hold a secret]\n" if hidden else file


def _unquoted(name: str) -> str:
    """The path of a name as git writes it, `a/` before it."""
    if not name.startswith('"'):
        return name[2:]
    plain = re.sub(r"\\([0-7]{3}|.)", _byte, name[1:-1])
    return plain.encode("latin-1", "replace").decode("utf-8", "replace")[2:]


def _byte(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 8)) if len(escape[1]) == 3 else escape[1]  # three octal digits


def _file(change: FileChange, blobs: BlobReader) -> bytes:
    path = change.path
    old, new = _quoted("a/", path), _quoted("b/", path)
    head = [f"diff --git {old} {new}", *_modes(change.before, change.after)]
    before, after = _content(change.before, blobs), _content(change.after, blobs)
    lines = [line.encode() + b"\n" for line in head]
    if before == after:
        return b"".join(lines)
    old = old if change.before.kind is Kind.FILE else "/dev/null"
    new = new if change.after.kind is Kind.FILE else "/dev/null"
    if b"\0" in before[:_BINARY_SNIFF] or b"\0" in after[:_BINARY_SNIFF]:
        return b"".join([*lines, f"Binary files {old} and {new} differ\n".encode()])
    tab = b"\t" if " " in path else b""
    lines += [b"--- " + old.encode() + tab * (old[0] != "/") + b"\n"]
    lines += [b"+++ " + new.encode() + tab * (new[0] != "/") + b"\n"]
    return b"".join(lines + _hunks(_lines(before), _lines(after)))


def _modes(before: Image, after: Image) -> list[str]:
    if before.kind is Kind.ABSENT:
        return [f"new file mode {_mode(after)}"]
    if after.kind is Kind.ABSENT:
        return [f"deleted file mode {_mode(before)}"]
    if _mode(before) != _mode(after):
        return [f"old mode {_mode(before)}", f"new mode {_mode(after)}"]
    return []


def _mode(image: Image) -> str:
    """Git knows two: executable by its owner, or not."""
    return "100755" if image.mode & 0o100 else "100644"


def _content(image: Image, blobs: BlobReader) -> bytes:
    return blobs.get(image.sha256) if image.kind is Kind.FILE else b""


def _lines(content: bytes) -> list[bytes]:
    return re.findall(rb"[^\n]*\n|[^\n]+", content)


def _hunks(old: list[bytes], new: list[bytes]) -> list[bytes]:
    steps: list[_Step] = []
    at = new_at = 0
    for start, new_start, size in [*same_runs(old, new), (len(old), len(new), 0)]:
        if at < start or new_at < new_start:
            steps.append((at, start, new_at, new_start))
        at, new_at = start + size, new_start + size
    text: list[bytes] = []
    for group in _grouped(steps):
        text += _hunk(group, old, new)
    return text


def _grouped(steps: list[_Step]) -> list[list[_Step]]:
    """Steps whose context would touch stand in one hunk."""
    groups: list[list[_Step]] = []
    for step in steps:
        if groups and step[0] - groups[-1][-1][1] <= 2 * _CONTEXT:
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups


def _hunk(group: list[_Step], old: list[bytes], new: list[bytes]) -> list[bytes]:
    lead = min(_CONTEXT, group[0][0])
    low, new_low = group[0][0] - lead, group[0][2] - lead
    trail = min(_CONTEXT, len(old) - group[-1][1])
    high, new_high = group[-1][1] + trail, group[-1][3] + trail
    head = f"@@ -{_span(low, high)} +{_span(new_low, new_high)} @@\n"
    text = [head.encode()]
    at = low
    for start, stop, new_start, new_stop in group:
        text += [_line(b" ", line) for line in old[at:start]]
        text += [_line(b"-", line) for line in old[start:stop]]
        text += [_line(b"+", line) for line in new[new_start:new_stop]]
        at = stop
    return text + [_line(b" ", line) for line in old[at:high]]


def _span(low: int, high: int) -> str:
    size = high - low
    first = low + 1 if size else low
    return f"{first}" if size == 1 else f"{first},{size}"


def _line(sign: bytes, line: bytes) -> bytes:
    return sign + line if line.endswith(b"\n") else sign + line + b"\n" + _NO_NEWLINE


def _quoted(prefix: str, path: str) -> str:
    """The name as git writes it.

    Quoted where it holds quotes, backslashes or bytes beyond ASCII.
    """
    if path.isascii() and path.isprintable() and not set('"\\') & set(path):
        return prefix + path
    text = "".join(
        f"\\{chr(byte)}"
        if chr(byte) in '"\\'
        else chr(byte)
        if 32 <= byte < 127  # printable ASCII
        else f"\\{byte:03o}"
        for byte in (prefix + path).encode()
    )
    return f'"{text}"'
