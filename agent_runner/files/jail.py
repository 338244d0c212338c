"""Which paths a reply may name, by their spelling.

The second gate is the walk of `ground/beneath.py`, which follows no link: whatever is read or
written in this room goes through it.
"""

import re
import unicodedata
from collections.abc import Iterator

from agent_runner.ground.beneath import Refusal

_FORBIDDEN_NAMES = frozenset({".git", ".agent-runner", ".gitmodules"})
_SHORT_NAMES = re.compile(r"^(?:git|gitmod|gi7eba|agent-|agentr)~\d+$", re.IGNORECASE)
"""What NTFS calls them in eight letters."""

_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
"""What Unicode calls ignorable by default, beside the characters of category `Cf`."""

_LONGEST_NAME = 255
_LONGEST_PATH = 2048


def spelled(path: str) -> str | Refusal:
    """The path in its plain form (`./a//b` is `a/b`), or why its spelling is refused."""
    parts = [part for part in path.split("/") if part not in {"", "."}]
    fault = next(_faults(path, parts), None)
    return "/".join(parts) if fault is None else Refusal(fault)


def _faults(path: str, parts: list[str]) -> Iterator[str]:
    kinds = {unicodedata.category(char) for char in path}
    of_path = {
        "it holds a NUL character": "\0" in path,
        "it holds control characters": "Cc" in kinds,
        "it holds half of a character pair (a surrogate)": "Cs" in kinds,
        "it holds a line separator": kinds & {"Zl", "Zp"},
        "the path is empty": not path.strip(),
        "it is an absolute path; paths are relative to the task's folder": path.startswith("/"),
        "`~` is a home folder; paths are relative to the task's folder": path.startswith("~"),
        "it is a Windows path; use relative paths with `/`": re.match(r"[A-Za-z]:|.*\\", path),
        "it names a folder, not a file": path.endswith("/"),
        "it names the task's folder, not a file": not parts,
    }
    yield from (fault for fault, is_so in of_path.items() if is_so)
    for part in parts:
        if part == "..":
            yield "`..` is not allowed; paths stay below the task's folder"
        if is_forbidden_name(part):
            yield f"nothing in `{as_seen(part)}` may be changed or read"
        if len(part.encode()) > _LONGEST_NAME:
            yield f"a name in it is longer than {_LONGEST_NAME} bytes"
    if "Cf" in kinds or _INVISIBLE.search(path):  # it would pass for the name without it
        yield "it holds a character that nobody sees"
    if len(path.encode()) > _LONGEST_PATH:
        yield f"it is longer than {_LONGEST_PATH} bytes"


def folded(path: str) -> str:
    """The path as file systems see it that ignore case and Unicode composition."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", path).casefold())


def is_forbidden_name(name: str) -> bool:
    """Whether some file system takes this name for `.git`, `.gitmodules` or `.agent-runner`.

    `.gitmodules` says from where git fetches, and is git's own file like those in `.git`.
    """
    return as_seen(name) in _FORBIDDEN_NAMES or _SHORT_NAMES.match(as_seen(name)) is not None


def as_seen(name: str) -> str:
    """The name without what a file system may ignore: case, composition, the invisible, tails."""
    if name.isascii():  # nearly every name, and each in a folder is looked at
        return name.lower().split(":", 1)[0].rstrip(". ")
    seen = _INVISIBLE.sub("", name)
    visible = "".join(char for char in seen if unicodedata.category(char) != "Cf")
    return folded(visible).split(":", 1)[0].rstrip(". ")
