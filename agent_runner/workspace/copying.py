"""Copies a folder as it is, ignored files too, and again later only what differs by then."""

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from attrs import define, field, frozen

from agent_runner.ground.disk import write_all
from agent_runner.workspace.filetree import Signature, signature_of
from agent_runner.workspace.removing import remove

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SOURCE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 20
_SMALL = 1 << 16  # bytes of a file that is quicker read and written than left to the system
_NO_RANGE = frozenset({errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM})
_DEEPEST = 128  # folders within folders; each takes two descriptors

Wanted = Callable[[str], bool]
"""Whether a path, relative to the source, is copied (a folder: linked)."""

Copied = Mapping[str, tuple[Signature, Signature]]
"""Files that were copied, by path: the signature of the source as it was read, and of the copy."""


@define
class Mirror:
    """One folder and its copy. What ran in the copy cannot make us write outside of it.

    Contents are shared with the source where the file system can (btrfs, XFS), never by hard link:
    what writes a file in place would write the source's. Links to absolute paths in the source
    lead into the copy. A folder that is `linked` is no copy, but a link to the source's own.

    A copy is known by the time that the system stamps on its last change, which no program sets.
    """

    source: Path
    target: Path
    wanted: Wanted = field(default=lambda _path: True)
    linked: Wanted = field(default=lambda _path: False)
    links: list[str] = field(init=False, factory=list)
    copied: dict[str, tuple[Signature, Signature]] = field(init=False, factory=dict)
    _led: set[str] = field(init=False, factory=set)
    _paths: list[str] = field(init=False, factory=list)

    def copy(self) -> tuple[str, ...]:
        """Make the target as the source is now; the paths of all files and links in it.

        Sockets, pipes, devices, and what cannot be read are left out; what else is in the target
        is removed.

        Raises:
            OSError: the source is not there, or the target cannot be written.
        """
        self._paths, self.links = [], []
        before, self.copied = self.copied, {}
        self.target.mkdir(parents=True, exist_ok=True)
        root = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        with _opened(self.source, root) as source, _opened(self.target, _FOLDER) as target:
            self._folder(_Place(source, target, ""), before)
        return tuple(self._paths)

    def move(self, target: Path, wanted: Wanted, linked: Wanted) -> None:
        """Go on with the copy at another place, where it was moved, and with another choice."""
        if target != self.target:  # these lead to the place of before
            for path in self._led:
                self.copied.pop(path, None)
        self.target, self.wanted, self.linked = target, wanted, linked

    def _folder(self, at: "_Place", before: Copied) -> None:
        with os.scandir(at.target) as entries:
            rest = {entry.name for entry in entries}
        with os.scandir(at.source) as entries:
            # in the order of the inodes, which is about that in which the disk has the files
            names = [name for _, name in sorted((entry.inode(), entry.name) for entry in entries)]
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                found = os.stat(name, dir_fd=at.source, follow_symlinks=False)
                if self.wanted(at.prefix + name) and self._entry(at, name, found, before):
                    rest.discard(name)
        for name in rest:
            remove(at.target, name)

    def _entry(self, at: "_Place", name: str, found: os.stat_result, before: Copied) -> bool:
        """One entry of a folder; whether it is in the copy."""
        path = at.prefix + name
        if stat.S_ISDIR(found.st_mode) and self.linked(path):
            remove(at.target, name)
            os.symlink(self.source / path, name, dir_fd=at.target)
            self.links.append(path)
            return True
        if stat.S_ISDIR(found.st_mode):
            return path.count("/") < _DEEPEST and self._below(at, name, found, before)
        known, now = before.get(path), signature_of(found)
        if known is None or known != (now, _signature_at(at.target, name)):
            remove(at.target, name)
            if stat.S_ISLNK(found.st_mode):
                own = self._link(at, name)
            elif stat.S_ISREG(found.st_mode):
                own = _copied(at, name, now)
            else:
                own = None
            if own is None:
                return False
            known = (now, own)
        if known[1] is not _CHANGING:
            self.copied[path] = known
        self._paths.append(path)
        return True

    def _below(self, at: "_Place", name: str, found: os.stat_result, before: Copied) -> bool:
        """A folder with all that is in it, its rights and times."""
        with _opened_new_folder(at.target, name) as target:
            try:
                with _opened(name, _FOLDER, at.source) as source:
                    self._folder(_Place(source, target, f"{at.prefix}{name}/"), before)
            except PermissionError:
                return False
            os.fchmod(target, stat.S_IMODE(found.st_mode) | stat.S_IRWXU)
            os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
        return True

    def _link(self, at: "_Place", name: str) -> Signature | None:
        """Copy a link; one that leads into the source leads into the copy."""
        leads, inside = os.readlink(name, dir_fd=at.source), f"{self.source}/"
        self._led.discard(at.prefix + name)
        if f"{leads}/".startswith(inside):
            leads = str(self.target / leads[len(inside) :])
            self._led.add(at.prefix + name)
        os.symlink(leads, name, dir_fd=at.target)
        return _signature_at(at.target, name)


_CHANGING: Signature = (-2, -2, -2, -2)
"""In place of the signature of a copy that was made while its source was written."""


@frozen
class _Place:
    """A folder of the source and its copy, both open, and the path that leads to them."""

    source: int
    target: int
    prefix: str


def _copied(at: _Place, name: str, seen: Signature) -> Signature | None:
    """Copy one file with its rights and times; None if it cannot be read.

    `seen`: the signature of the source, by which it is known again.
    """
    try:
        source = os.open(name, _SOURCE, dir_fd=at.source)
    except OSError:
        return None
    try:
        with _opened(name, _NEW, at.target) as target:
            found = os.fstat(source)
            _copy_content(source, target, found.st_size)
            os.fchmod(target, stat.S_IMODE(found.st_mode))
            os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
            as_seen = signature_of(os.fstat(source)) == seen
            return signature_of(os.fstat(target)) if as_seen else _CHANGING
    finally:
        os.close(source)


def _copy_content(source: int, target: int, size: int) -> None:
    """By the system where that pays: it shares the blocks where the file system can."""
    if size > _SMALL and hasattr(os, "copy_file_range"):
        try:
            while size > 0 and (copied := os.copy_file_range(source, target, size)):
                size -= copied
        except OSError as error:
            if error.errno not in _NO_RANGE:
                raise
    while chunk := os.read(source, _CHUNK):  # the rest, or all of it
        write_all(target, chunk)


def _signature_at(folder: int, name: str) -> Signature | None:
    try:
        return signature_of(os.stat(name, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def _opened(path: Path | str, flags: int, folder: int | None = None) -> Iterator[int]:
    descriptor = os.open(path, flags, 0o600, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _opened_new_folder(folder: int, name: str) -> Iterator[int]:
    """The folder of this name, made if something else, or nothing, has it."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        os.mkdir(name, 0o700, dir_fd=folder)
    else:
        if not stat.S_ISDIR(found.st_mode):
            remove(folder, name)
            os.mkdir(name, 0o700, dir_fd=folder)
    with _opened(name, _FOLDER, folder) as descriptor:
        os.fchmod(descriptor, stat.S_IRWXU)
        yield descriptor
