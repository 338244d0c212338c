"""The task's files as a reply leaves them, in memory.

Read once, changed by edits, taken back block by block.
"""

import hashlib
import stat

from attrs import define, evolve, field

from agent_runner.edits.edit import ADD, DROP, Hunk
from agent_runner.edits.jail import Refusal, Standing, folded, standing
from agent_runner.edits.rules import Gate
from agent_runner.edits.shortcut import replaced
from agent_runner.edits.textfile import TextFile
from agent_runner.model.changes import ABSENT, Image, Kind

_NEW_FILE = 0o644
_EXECUTABLE = 0o111


@define
class Entry:
    """One path.

    What stood there, and what stands there now (`content`, or `text` where it is edited).
    """

    path: str
    before: Image
    original: bytes | None
    content: bytes | None
    mode: int = _NEW_FILE
    missing: tuple[str, ...] = ()
    moved: bool = False
    plus: int = 0
    minus: int = 0
    _text: TextFile | None = None

    @property
    def exists(self) -> bool:
        """Whether a file is here now."""
        return self.content is not None or self._text is not None

    @property
    def empty(self) -> bool:
        """Whether nothing, or an empty file, is here now."""
        return not self.bytes_now() if self.exists else True

    def text(self) -> TextFile:
        """The text to be changed in place. Raises NotTextError for what is no text."""
        if self._text is None:
            self._text = TextFile.read(self.content or b"")
            self._text.plus, self._text.minus = self.plus, self.minus
            self.content = None
        return self._text

    def shortcut(self, hunk: Hunk) -> bool:
        """Carry the hunk out on the bytes, where that is possible; whether it was."""
        made = None if self.content is None else replaced(self.content, hunk)
        if made is None:
            return False
        self.content = made
        self.plus += sum(op == ADD for op, _ in hunk.lines)
        self.minus += sum(op == DROP for op, _ in hunk.lines)
        return True

    def put(self, text: TextFile) -> None:
        """Let this be the whole text."""
        self._text, self.content = text, None

    def bytes_now(self) -> bytes:
        """The content now. Raises NotTextError for text that cannot be written."""
        if self._text is not None:
            return self._text.content()
        return self.content or b""

    def remove(self) -> None:
        """Let nothing be here."""
        self.content = self._text = None

    @property
    def counted(self) -> tuple[int, int]:
        """Lines that came and went; a file that only moved has none."""
        if self._text is not None:
            return self._text.plus, self._text.minus
        if self.exists or self.moved or self.original is None:
            return self.plus, self.minus
        return 0, len(self.original.splitlines())

    def copy(self) -> "Entry":
        """A copy that later changes do not reach."""
        text = self._text
        return evolve(self, text=None if text is None else text.copy())

    def executable(self, *, on: bool) -> None:
        """Set or clear the bits for executing; set where reading is allowed, as git does."""
        if on:
            self.mode |= (self.mode & 0o444) >> 2
        else:
            self.mode &= ~_EXECUTABLE

    def after(self, content: bytes | None) -> Image:
        """The image of what stands here now, `content` being its bytes."""
        return ABSENT if content is None else Image(Kind.FILE, self.mode, sha256(content))


@define
class Tree:
    """All paths that a reply touches, below one root descriptor."""

    root: int
    gate: Gate
    ignored: frozenset[str] = frozenset()
    entries: dict[str, Entry] = field(init=False, factory=dict)
    _saved: dict[str, Entry | None] = field(init=False, factory=dict)
    _inodes: dict[tuple[int, int], str] = field(init=False, factory=dict)
    _alike: dict[str, list[str]] = field(init=False, factory=dict)
    _below: dict[str, list[str]] = field(init=False, factory=dict)
    _size: int = field(init=False, default=0)

    def begin(self) -> None:
        """Remember the state, for `revert`."""
        self._saved = {}

    def revert(self) -> None:
        """Take back all changes since `begin`."""
        for path, entry in self._saved.items():
            if entry is not None:
                self.entries[path] = entry

    def at(self, spelling: str) -> Entry | Refusal:
        """The entry of a path, to be read or changed; or why the path may not be touched."""
        path = self.gate.passes(spelling)
        if isinstance(path, Refusal):
            return path
        if path in self.ignored:
            return Refusal("git ignores it (`apply.ignored_files: true` would allow it)")
        entry = self.entries.get(path)
        if entry is None:
            looked = self._look(path)
            if isinstance(looked, Refusal):
                return looked
            entry = looked
            self._register(entry)
        if path not in self._saved:
            self._saved[path] = entry.copy()
        return entry

    def in_the_way(self, path: str) -> Refusal | None:
        """Why no new file can stand at the path.

        A file is where a folder is needed, or the reverse.
        """
        parts = path.split("/")
        for depth in range(1, len(parts)):
            above = self.entries.get("/".join(parts[:depth]))
            if above is not None and above.exists:
                return Refusal(f"`{above.path}` is a file, not a folder")
        for below in self._below.get(path, ()):
            if self.entries[below].exists:
                return Refusal(f"it is a folder: `{below}` lies in it")
        return None

    def twin(self, entry: Entry) -> str | None:
        """Another new path that differs from this new one only as some file systems do not."""
        for path in self._alike.get(folded(entry.path), ()):
            other = self.entries[path]
            if other is not entry and other.exists and other.original is None:
                return path
        return None

    def _register(self, entry: Entry) -> None:
        path = entry.path
        self.entries[path] = entry
        self._alike.setdefault(folded(path), []).append(path)
        at = path.rfind("/")
        while at > 0:
            self._below.setdefault(path[:at], []).append(path)
            at = path.rfind("/", 0, at)

    def _look(self, path: str) -> Entry | Refusal:
        rules = self.gate.rules
        if len(self.entries) >= rules.max_files:
            return Refusal(f"a reply may touch at most {rules.max_files} files")
        found = standing(self.root, path, rules.max_file_size)
        if isinstance(found, Refusal):
            return found
        if found.content is None or found.status is None:
            return Entry(path, ABSENT, None, None, missing=found.missing)
        self._size += len(found.content)
        if self._size > rules.max_total_size:
            return Refusal(f"the files of a reply may have at most {rules.max_total_size} bytes")
        same = self._same_file(path, found)
        if same is not None:
            return Refusal(f"on this file system it is the same file as `{same}`; use one spelling")
        mode = stat.S_IMODE(found.status.st_mode)
        image = Image(Kind.FILE, mode, sha256(found.content))
        return Entry(path, image, found.content, found.content, mode)

    def _same_file(self, path: str, found: Standing) -> str | None:
        """The other path in this reply that leads to the same file and is no hard link of it."""
        status = found.status
        if status is None or status.st_nlink != 1:
            return None
        first = self._inodes.setdefault((status.st_dev, status.st_ino), path)
        return first if first != path else None


def sha256(content: bytes) -> str:
    """The name of a content among the blobs."""
    return hashlib.sha256(content).hexdigest()
