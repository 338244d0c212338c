"""Reads git's index: which files stand as git last hashed them, so that they need not be read."""

import contextlib
import os
import struct
from collections.abc import Iterator
from itertools import islice
from typing import TypeAlias

from attrs import define, field

from agent_runner.workspace.command import Running, demanded
from agent_runner.workspace.filetree import EXECUTABLE, LINK, PLAIN, Entry, mode_of
from agent_runner.workspace.git import Repository
from agent_runner.workspace.git_settings import stamp_of
from agent_runner.workspace.status import Report

_HEADER = struct.Struct(">4sII")
_STAT = struct.Struct(">4I4xI12xI")  # times of inode and content, inode, size
_MODES = {b"\x81\xed": EXECUTABLE, b"\xa0\x00": LINK}  # 0o100755, 0o120000
_MODE = slice(26, 28)
_NAME = slice(40, -2)
_LOW = 0xFFFFFFFF  # the index has the low halves of sizes and inodes
_HIDING, _EXTENDED, _STAGE, _LENGTH = 0x8000, 0x4000, 0x3000, 0x0FFF
_UNUSABLE = _HIDING | _EXTENDED | _STAGE
_SECOND = 10**9

_CONVERTING = ("text", "eol", "crlf", "filter", "ident", "working-tree-encoding")
_UNCONVERTED = " ".join(f"!{name}" for name in _CONVERTING)
_CONVERTED = [  # of the whole work tree: below a folder git 2.39 misses the attributes
    *("--no-literal-pathspecs", "ls-files", "-z", "--", ":(top)"),
    f":(top,exclude,attr:{_UNCONVERTED})",
]
_DOUBTED = [
    *("-c", "core.fileMode=true", "-c", "core.symlinks=true", "diff-files", "-z", "--name-only"),
    *("--relative", "--ignore-submodules=all", "--no-ext-diff"),
]
_TRIES = 3
_SAMPLE = 64  # files, about
_STALE = 8  # of so many files, one with another stat is many
_BYTES_AN_ENTRY = 80  # of an index, about; enough to tell a large one

Staged: TypeAlias = bytes
"""What the index says of one file, as it stands there: 62 bytes, 74 with SHA-256.

Taken apart only when it is asked for: as tuples of numbers, 50,000 took three times as long.
"""


@define
class Vouchers:
    """The tracked files of a repository that stand as git last hashed them: we need not read them.

    `files` are those that git's index may vouch for, by path below the root. Not a file that is as
    young as the index, that a flag hides (assume-unchanged, skip-worktree), that is in the midst
    of a merge, that has more than `largest` bytes, or of which git stores other bytes than stand in
    the tree.
    """

    largest: int
    files: dict[str, Staged] = field(factory=dict)
    _stamp: tuple[int, ...] = ()
    _asked: "tuple[Repository, Running | None, tuple[int, ...]] | None" = None

    def ask(self, repository: Repository, *, reported: bool = False) -> None:
        """Have git compare the stat of all tracked files; `doubted` is its answer.

        `reported`: git is asked for its status, which says the same.

        Raises:
            UsageError: git fails.
        """
        stamp = stamp_of(repository.index)
        running = None if reported else repository.git.start(repository.root, _DOUBTED)
        self._asked = (repository, running, stamp)
        self.refresh(repository)

    def doubted(self, report: Report | None) -> frozenset[str] | None:
        """The tracked files that are not as in the index; None if git was not asked.

        `report`: its status, if that was asked for. None also where the index was replaced again
        and again while git looked: its answer must not be taken for another index than it was given
        for.

        Raises:
            UsageError: git fails.
        """
        for _ in range(_TRIES):
            if self._asked is None:
                return None
            (repository, running, stamp), self._asked = self._asked, None
            found = report.doubted if report else None
            if running is not None:
                found = frozenset(demanded(running.finish(), repository.root).paths)
            if found is not None and stamp == self._stamp == stamp_of(repository.index):
                return found
            self.ask(repository)
        self.stop()
        return None

    def are_stale(self, root: int) -> bool:
        """Whether many files below the open root have another stat than git's index says.

        As after a copy of the whole work tree, whose files git would have to read again each time.
        A sample tells.
        """
        step = max(1, len(self.files) // _SAMPLE)
        sample = list(islice(self.files.items(), 0, None, step))
        return sum(_stands(root, *one) for one in sample) * _STALE < len(sample) * (_STALE - 1)

    def stop(self) -> None:
        """Leave no process behind."""
        asked, self._asked = self._asked, None
        if asked is not None and asked[1] is not None:
            asked[1].stop()

    def refresh(self, repository: Repository) -> None:
        """Read the index, if it is another one than before. Runs git once then.

        Raises:
            UsageError: git fails.
        """
        stamp = stamp_of(repository.index)
        if stamp != self._stamp:
            self.files = {} if repository.converts_all else _trusted(repository, self.largest)
            self._stamp = stamp

    def entry(self, path: str, found: os.stat_result) -> Entry | None:
        """What stands at `path`, whose `lstat` is `found`, by its stat to the nanosecond.

        None if that is not sure.
        """
        own = self.files.get(path)
        if own is None or not _is_as_staged(found, own):
            return None
        entry = entry_of(own)
        return entry if entry.mode == mode_of(found) else None


def entry_of(staged: Staged) -> Entry:
    """What stands at a path of the index."""
    # nearly twice as quick as `Entry(...)`, and a first look makes one for each file
    return tuple.__new__(Entry, (_MODES.get(staged[_MODE], PLAIN), staged[_NAME]))


def _is_as_staged(found: os.stat_result, staged: Staged) -> bool:
    """Whether a file's `lstat` is the one that the index has of it, to the nanosecond."""
    stamp = (*divmod(found.st_ctime_ns, _SECOND), *divmod(found.st_mtime_ns, _SECOND))
    return _STAT.unpack_from(staged) == (*stamp, found.st_ino & _LOW, found.st_size & _LOW)


def _stands(root: int, path: str, staged: Staged) -> bool:
    """Whether a path below an open folder has the stat that the index has of it, or is gone."""
    try:
        return _is_as_staged(os.stat(path, dir_fd=root, follow_symlinks=False), staged)
    except OSError:
        return True


def has_many(repository: Repository, files: int) -> bool:
    """Whether the index is as large as one of so many files."""
    try:
        return repository.index.stat().st_size > files * _BYTES_AN_ENTRY
    except OSError:
        return False


def _trusted(repository: Repository, largest: int) -> dict[str, Staged]:
    """The entries of a repository that can be trusted, by path below its root."""
    running = repository.git.start(repository.root, _CONVERTED)
    try:
        content = repository.index.read_bytes()
        written = repository.index.stat().st_mtime_ns // _SECOND
    except OSError:
        content, written = b"", 0
    digest = 32 if repository.hashing == "sha256" else 20
    prefix = os.fsencode(repository.prefix)
    paths: list[bytes] = []
    rows: list[Staged] = []
    for path, changed, size, staged in index_entries(content, digest):
        if changed < written and size <= largest and path.startswith(prefix):
            paths.append(path[len(prefix) :])
            rows.append(staged)
    # in one go, which takes half the time; there is one text too many where there are no paths
    files = dict(zip(os.fsdecode(b"\0".join(paths)).split("\0"), rows, strict=False))
    for name in demanded(running.finish(), repository.root).paths:
        files.pop(name.removeprefix(repository.prefix), None)
    return files


def index_entries(content: bytes, digest: int) -> Iterator[tuple[bytes, int, int, Staged]]:
    """The entries that say something of a file, of an index of version 2, 3 or 4.

    Each with its path, the second of its last change and its size. `digest` is the length of a
    content's name in bytes. Ends where the index is not as git's.
    """
    with contextlib.suppress(struct.error, ValueError, IndexError):
        magic, version, count = _HEADER.unpack_from(content)
        if magic == b"DIRC" and version in {2, 3, 4}:
            yield from _entries(content, digest, version, count)


def _entries(
    content: bytes, digest: int, version: int, count: int
) -> Iterator[tuple[bytes, int, int, Staged]]:
    """The loop that takes the time of a first look: about 1 us an entry."""
    fixed = struct.Struct(f">I4xI24xI{digest}xH")
    unpack, size_of_fixed = fixed.unpack_from, fixed.size
    at, path = _HEADER.size, b""
    for _ in range(count):
        changed, modified, size, flags = unpack(content, at)
        start = at + size_of_fixed
        staged = content[at:start]
        if flags & _EXTENDED:
            start += 2
        if version == 4:  # the path as its difference to the one before
            cut, start = _varint(content, start)
            at = content.index(b"\0", start) + 1
            path = path[: len(path) - cut] + content[start : at - 1]
        else:
            length = flags & _LENGTH
            end = start + length if length < _LENGTH else content.index(b"\0", start + length)
            path = content[start:end]
            at += (end - at + 8) // 8 * 8
        if not flags & _UNUSABLE:
            yield path, max(changed, modified), size, staged


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """A number in git's own packing, and where it ends."""
    value = content[at] & 0x7F
    while content[at] & 0x80:
        at += 1
        value = (value + 1) << 7 | content[at] & 0x7F
    return value, at + 1
