"""The files below a root as they were last seen, in memory, named by content as git names them."""

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from attrs import define, field, frozen

from agent_runner.workspace.objects import BLOB, FOLDER_MODE, TREE, object_name

PLAIN, EXECUTABLE, LINK = b"100644", b"100755", b"120000"
_STAT_ONLY = {PLAIN: b"100664", EXECUTABLE: b"100775"}
"""Modes of files known by size and time only, too large to be read or unreadable.

Git reads them as the plain ones, and writes them never.
"""

_CONTENT = frozenset({PLAIN, EXECUTABLE, LINK})
_NAMES = (sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
_CHUNK = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

Signature: TypeAlias = tuple[int, int, int, int]
"""What changes when a file does: times of content and inode (ns), size, inode."""


class Entry(NamedTuple):
    """What stands at a path: git's mode, and the name of the content (20 or 32 bytes)."""

    mode: bytes
    name: bytes

    @property
    def is_content(self) -> bool:
        """Whether it names a content, not only a size and a time."""
        return self.mode in _CONTENT


Seen: TypeAlias = tuple[Signature | None, Entry | None]
"""A file as last seen. No signature: it must be read again. No entry: no file is there."""

UNSEEN: Seen = (None, None)

BY_GIT: Signature = (-1, -1, -1, -1)
"""In place of a signature: git says that the file is unchanged, so we do not look."""

Reader: TypeAlias = Callable[[str, int, str, os.stat_result], Seen]
"""Reads a file anew: its path, its folder's descriptor, its name there, its `lstat`."""

OnChange: TypeAlias = Callable[[str, Entry | None, Entry | None], None]
"""Hears of a path whose entry is another one: the old and the new."""


@define(eq=False)
class Folder:
    """One folder: its files and folders, by name. `name` is its tree's, None until worked out."""

    files: dict[str, Seen] = field(factory=dict)
    folders: dict[str, "Folder"] = field(factory=dict)
    name: bytes | None = None

    def inner(self, place: str) -> "Folder":
        """The folder `place` below this one ("" for itself), made if need be, as to be changed."""
        here = self
        here.name = None
        for part in place.split("/") if place else ():
            found = here.folders.get(part)
            if found is None:
                found = here.folders[part] = Folder()
            here = found
            here.name = None
        return here

    def drop(self, path: str) -> Entry | None:
        """Forget `path`; the entry that it had."""
        self.name = None
        head, slash, rest = path.partition("/")
        if not slash:
            return self.files.pop(head, UNSEEN)[1]
        folder = self.folders.get(head)
        if folder is None:
            return None
        entry = folder.drop(rest)
        if not folder.files and not folder.folders:
            del self.folders[head]
        return entry

    def entry(self, path: str) -> Entry | None:
        """What was seen at a path."""
        here: Folder | None = self
        *folders, name = path.split("/")
        for part in folders:
            here = here.folders.get(part) if here is not None else None
        return here.files.get(name, UNSEEN)[1] if here is not None else None

    def paths(self, prefix: str = "") -> Iterator[str]:
        """All paths at which a file stands."""
        yield from (prefix + name for name, seen in self.files.items() if seen[1])
        for name, folder in self.folders.items():
            yield from folder.paths(f"{prefix}{name}/")

    def tree(self, hashing: str, keep: Callable[[bytes, bytes, bytes], None]) -> bytes:
        """The name of this folder's tree; each tree that is new is handed to `keep`."""
        if self.name is None:
            content = self._tree(hashing, keep)
            self.name = object_name(TREE, content, hashing)
            keep(TREE, content, self.name)
        return self.name

    def _tree(self, hashing: str, keep: Callable[[bytes, bytes, bytes], None]) -> bytes:
        """Git's form: sorted by name, a folder as if it ended in `/`; empty ones are left out."""
        empty = object_name(TREE, b"", hashing)
        rows = []
        for name, (_, entry) in self.files.items():
            if entry is not None:
                raw = name.encode(*_NAMES)
                rows.append((raw, b"%b %b\0%b" % (entry.mode, raw, entry.name)))
        for name, folder in self.folders.items():
            tree = folder.tree(hashing, keep)
            if tree != empty:
                raw = name.encode(*_NAMES)
                rows.append((raw + b"/", b"%b %b\0%b" % (FOLDER_MODE, raw, tree)))
        rows.sort()
        return b"".join([row for _, row in rows])


@frozen
class Look:
    """One look at files whose paths are known; calls `on_change` for each that is another one."""

    read: Reader
    on_change: OnChange

    def all(self, folder: Folder, descriptor: int, prefix: str = "") -> bool:
        """Look at everything below an open folder; whether anything changed.

        Each folder is opened from the one above, so that no link is followed, wherever it is put.
        """
        changed = self._files(folder, descriptor, prefix)
        for name, inner in folder.folders.items():
            try:
                below = os.open(name, _FOLDER, dir_fd=descriptor)
            except OSError:  # gone, or a file or a link where a folder was
                changed |= self.gone(inner, f"{prefix}{name}/")
                continue
            try:
                changed |= self.all(inner, below, f"{prefix}{name}/")
            finally:
                os.close(below)
        if changed:
            folder.name = None
        return changed

    def gone(self, folder: Folder, prefix: str = "") -> bool:
        """Find that nothing is left below a folder; whether that is a change."""
        changed = False
        for name, (signature, entry) in folder.files.items():
            if signature is BY_GIT:
                continue
            if entry is not None:
                changed = True
                self.on_change(prefix + name, entry, None)
            folder.files[name] = UNSEEN
        for name, inner in folder.folders.items():
            changed |= self.gone(inner, f"{prefix}{name}/")
        if changed:
            folder.name = None
        return changed

    def vouched(self, folder: Folder, entries: Mapping[str, Entry]) -> None:
        """Take git's word for these paths."""
        files, last = folder.files, None
        for path, new in entries.items():
            place, _, name = path.rpartition("/")
            if place != last:  # they come folder by folder, or nearly so
                files, last = folder.inner(place).files, place
            old = files.get(name, UNSEEN)[1]
            files[name] = (BY_GIT, new)
            if old is not None and old != new:
                self.on_change(path, old, new)

    def some(self, folder: Folder, descriptor: int, paths: Iterable[str]) -> None:
        """Look at these paths only; they are known then, whether or not a file is there."""
        for place, names in _by_folder(paths).items():
            inner, prefix = folder.inner(place), f"{place}/" if place else ""
            with contextlib.ExitStack() as opened:
                here = descended(descriptor, place, opened)
                for name in names:
                    old = inner.files.get(name, UNSEEN)
                    inner.files[name] = new = self._one(prefix + name, here, name, old)
                    if new[1] is not old[1] and new[1] != old[1]:
                        self.on_change(prefix + name, old[1], new[1])

    def _files(self, folder: Folder, descriptor: int, prefix: str) -> bool:
        """The loop that takes the time of a look: about 2 us a file, half of it in the system."""
        doubted = []
        lstat = os.stat
        for name, (signature, _) in folder.files.items():
            if signature is BY_GIT:
                continue
            try:
                found = lstat(name, dir_fd=descriptor, follow_symlinks=False)
            except OSError:
                doubted.append(name)
                continue
            if signature != (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino):
                doubted.append(name)
        changed = False
        for name in doubted:
            old = folder.files[name]
            folder.files[name] = new = self._one(prefix + name, descriptor, name, old)
            if new[1] != old[1]:
                changed = True
                self.on_change(prefix + name, old[1], new[1])
        return changed

    def _one(self, path: str, descriptor: int | None, name: str, old: Seen) -> Seen:
        """One file in an open folder (None: the folder is not there)."""
        if descriptor is None:
            return UNSEEN
        try:
            found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        except OSError:
            return UNSEEN
        if old[0] is not None and old[0] == signature_of(found):
            return old
        return self.read(path, descriptor, name, found)


def signature_of(found: os.stat_result) -> Signature:
    """The signature in an `lstat`."""
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def mode_of(found: os.stat_result) -> bytes:
    """Git's mode of a file or a link."""
    if stat.S_ISLNK(found.st_mode):
        return LINK
    return EXECUTABLE if found.st_mode & stat.S_IXUSR else PLAIN


def read_path(root: int, path: str, hashing: str, largest: int) -> tuple[Entry | None, bytes]:
    """The same of a path below an open folder, through no link; b"" where nothing was read."""
    with contextlib.ExitStack() as opened:
        folder, _, name = path.rpartition("/")
        here = descended(root, folder, opened)
        if here is None:
            return None, b""
        try:
            found = os.stat(name, dir_fd=here, follow_symlinks=False)
        except OSError:
            return None, b""
        entry, content = read_entry(here, name, found, hashing, largest)
        return entry, content or b""


def read_entry(
    descriptor: int, name: str, found: os.stat_result, hashing: str, largest: int
) -> tuple[Entry | None, bytes | None]:
    """What stands at a name in an open folder, and its content where that was read.

    None for what is neither file nor link, or gone meanwhile. A file of more than `largest` bytes,
    or one that cannot be read, has an entry made of its size and time.
    """
    try:
        if stat.S_ISLNK(found.st_mode):
            content = os.fsencode(os.readlink(name, dir_fd=descriptor))
            return Entry(LINK, object_name(BLOB, content, hashing)), content
        if not stat.S_ISREG(found.st_mode):
            return None, None
        if found.st_size <= largest:
            content = _content(descriptor, name, found.st_size, largest)
            if len(content) <= largest:  # else it grew meanwhile
                return Entry(mode_of(found), object_name(BLOB, content, hashing)), content
    except FileNotFoundError:
        return None, None
    except OSError:  # not readable: as one that is too large
        pass
    text = b"%d %d" % (found.st_size, found.st_mtime_ns)
    return Entry(_STAT_ONLY[mode_of(found)], object_name(BLOB, text, hashing)), None


def _content(descriptor: int, name: str, expected: int, largest: int) -> bytes:
    """All bytes, or a few more than `largest`; `expected`: how many there were a moment ago."""
    file = os.open(name, _FILE, dir_fd=descriptor)
    try:
        first = os.read(file, expected + 1)  # one more shows that this is the end
        if len(first) <= expected and not os.read(file, 1):
            return first
        pieces = [first]
        size = len(first)
        os.lseek(file, size, os.SEEK_SET)
        while size <= largest and (piece := os.read(file, _CHUNK)):
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)
    finally:
        os.close(file)


def _by_folder(paths: Iterable[str]) -> dict[str, list[str]]:
    """The last parts of the paths, by what stands before them."""
    found: dict[str, list[str]] = {}
    for path in paths:
        place, _, name = path.rpartition("/")
        found.setdefault(place, []).append(name)
    return found


def descended(descriptor: int, place: str, opened: contextlib.ExitStack) -> int | None:
    """The folder `place` below an open one, opened through no link; None if it is not there."""
    for part in place.split("/") if place else ():
        try:
            descriptor = os.open(part, _FOLDER, dir_fd=descriptor)
        except OSError:
            return None
        opened.callback(os.close, descriptor)
    return descriptor
