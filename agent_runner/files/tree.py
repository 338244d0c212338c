"""The task's files as a reply leaves them, in memory: read once, changed, taken back by block."""

import hashlib
import os
import stat
import unicodedata
from collections.abc import Mapping

from attrs import Factory, define, evolve, field

from agent_runner.files.images import Stamp, stamp
from agent_runner.files.jail import folded
from agent_runner.files.repositories import Repositories
from agent_runner.files.rules import Gate
from agent_runner.files.textfile import TextFile
from agent_runner.ground.beneath import Refusal, names_in, standing
from agent_runner.ground.linediff import same_runs
from agent_runner.ground.lookalikes import like_latin, plain
from agent_runner.model.changes import ABSENT, Image, Kind

_NEW_FILE = 0o644
_EXECUTABLE = 0o111


@define
class Entry:
    """One path: what stood there, and what stands there now (`content`, or `text` once edited).

    `counted_from`: the text from which lines that come and go are counted; it moves with the file.
    """

    path: str
    before: Image
    original: bytes | None
    content: bytes | None
    mode: int = _NEW_FILE
    missing: tuple[str, ...] = ()
    stamp: Stamp = ()
    counted_from: bytes = field(
        default=Factory(lambda entry: entry.original or b"", takes_self=True)
    )
    _text: TextFile | None = None

    @property
    def exists(self) -> bool:
        """Whether a file is here now."""
        return self.content is not None or self._text is not None

    def text(self) -> TextFile:
        """The text to be changed in place. Raises NotTextError for what is no text."""
        if self._text is None:
            self.put(TextFile.read(self.content or b""))
        assert self._text is not None  # noqa: S101  # what put() did
        return self._text

    def put(self, text: TextFile | None) -> None:
        """Let this be the whole text; None: let nothing be here."""
        self._text, self.content = text, None

    def bytes_now(self) -> bytes:
        """The content now. Raises NotTextError for text that cannot be written."""
        return self._text.content() if self._text is not None else self.content or b""

    def replace(self, content: bytes) -> None:
        """Let these very bytes be here, text or not."""
        self._text, self.content = None, content

    def move_to(self, other: "Entry") -> None:
        """Let the other path have what is here."""
        other.content, other.mode = self.content, self.mode
        other._text = self._text  # noqa: SLF001  # an entry like this one
        other.counted_from, self.counted_from = self.counted_from, b""
        self.put(None)

    @property
    def counted(self) -> tuple[int, int]:
        """Lines that came and went; a file that only moved has none."""
        if self._text is not None:
            return self._text.plus, self._text.minus
        old, new = self.counted_from.splitlines(), self.bytes_now().splitlines()
        same = sum(count for _, _, count in same_runs(old, new))
        return len(new) - same, len(old) - same

    def copy(self) -> "Entry":
        """A copy that later changes do not reach."""
        return evolve(self, text=None if self._text is None else self._text.copy())

    def executable(self, *, on: bool) -> None:
        """Set or clear the bits for executing; set where reading is allowed, as git does."""
        self.mode = self.mode | (self.mode & 0o444) >> 2 if on else self.mode & ~_EXECUTABLE

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
    _saved: dict[str, Entry] = field(init=False, factory=dict)
    _inodes: dict[tuple[int, int], str] = field(init=False, factory=dict)
    _names: dict[str, dict[str, list[str]]] = field(init=False, factory=dict)
    _size: int = field(init=False, default=0)
    _repositories: Repositories = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._repositories = Repositories(self.root)

    def begin(self) -> None:
        """Remember the state, for `revert`: what is touched from here on is a copy."""
        self._saved = {}

    def resume(self, entries: Mapping[str, Entry]) -> bool:
        """Go on from what an earlier tree of this root came to, if no file was changed since."""
        if any(_stamp_at(self.root, path) != entry.stamp for path, entry in entries.items()):
            return False
        self.entries = dict(entries)
        self._size = sum(len(entry.original or b"") for entry in entries.values())
        for path, entry in entries.items():
            self._know(path, entry.stamp)
            refused = self._repositories.refusal(path)
            if refused or (not entry.stamp and entry.exists and self.make_way(path)):
                self.entries = {}
                return False
        return True

    def revert(self) -> None:
        """Take back all changes since `begin`."""
        self.entries.update(self._saved)

    def at(self, spelling: str) -> Entry | Refusal:
        """The entry of a path, to be read or changed; or why the path may not be touched."""
        path = self.gate.passes(spelling)
        if isinstance(path, Refusal):
            return path
        repository = self._repositories.refusal(path)
        if repository is not None:
            return repository
        if path in self.ignored:
            return Refusal("git ignores it (`apply.ignored_files: true` would allow it)")
        entry = self.entries.get(path) or self._look(path)
        if isinstance(entry, Entry):
            if path not in self._saved:
                self._saved[path], entry = entry, entry.copy()
            self.entries[path] = entry
        return entry

    def make_way(self, path: str) -> str | None:
        """Let a new file stand at the path; or why none can, in words that complete "PATH: ...".

        A file where a folder is needed, the reverse, or a name that a person, or some file system,
        takes for the same; one that comes in this reply, or one that stands in the tree and stays.
        """
        parts = path.split("/")
        for depth, part in enumerate(parts):
            folder = "/".join(parts[:depth])
            above = self.entries.get(folder)
            if above is not None and above.exists:
                return f"`{folder}` is a file, not a folder"
            names = self._alike(folder, part)
            alike = [twin for name in names if self._stays(twin := f"{folder}/{name}".strip("/"))]
            if alike and part not in names:
                differs = "only in case, composition, or characters that look alike"
                return f"its name differs from `{alike[0]}` {differs}"
            names += [part] if part not in names else []
        below = next((p for p in self.entries if p.startswith(f"{path}/") and self._stays(p)), None)
        return None if below is None else f"it is a folder: `{below}` lies in it"

    def _stays(self, path: str) -> bool:
        entry = self.entries.get(path)
        return entry is None or entry.exists

    def _alike(self, folder: str, name: str) -> list[str]:
        """The names in a folder that are the same but for such differences."""
        if folder not in self._names:
            known = self._names[folder] = {}
            for there in names_in(self.root, folder):
                known.setdefault(_twin_key(there), []).append(there)
        return self._names[folder].setdefault(_twin_key(name), [])

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
        now, mode = stamp(found.status), stat.S_IMODE(found.status.st_mode)
        first = self._know(path, now)
        if first != path:
            return Refusal(
                f"on this file system it is the same file as `{first}`; use one spelling"
            )
        image = Image(Kind.FILE, mode, sha256(found.content))
        return Entry(path, image, found.content, found.content, mode, stamp=now)

    def _know(self, path: str, stamp: Stamp) -> str:
        """The path by which the file is known already, else this one."""
        device, inode, links = stamp[:3] or (0, 0, 0)
        if links != 1:  # hard links are files of their own
            return path
        return self._inodes.setdefault((device, inode), path)


def _stamp_at(root: int, path: str) -> Stamp:
    try:
        return stamp(os.stat(path, dir_fd=root, follow_symlinks=False))
    except OSError:
        return ()


def _twin_key(path: str) -> str:
    """What paths share that differ only in case, composition, or characters that look alike."""
    seen = "".join(char for char in plain(path) if unicodedata.category(char) != "Cf")
    return like_latin(folded(like_latin(seen)))


def sha256(content: bytes) -> str:
    """The name of a content among the blobs."""
    return hashlib.sha256(content).hexdigest()
