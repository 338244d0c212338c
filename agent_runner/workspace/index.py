"""The files of a git work tree with their hashes, from git's index where that can be trusted."""

import os
from collections.abc import Iterator
from pathlib import Path

from attrs import field, frozen

from agent_runner.workspace.command import Answer, ask, demanded, finish, start
from agent_runner.workspace.contents import Contents
from agent_runner.workspace.git import Repository
from agent_runner.workspace.names import Scope, nested_names

RAW = ("-z", "--raw", "--ignore-submodules=all", "--no-ext-diff", "--no-renames")
"""Options of git's diff commands for what `raw_records` reads."""

_GITLINK = b"160000"  # the mode of a submodule's entry, which is no file
_CONVERTING = ("text", "eol", "crlf", "filter", "ident", "working-tree-encoding")
_UNCONVERTED = " ".join(f"!{name}" for name in _CONVERTING)
_QUESTIONS = {
    "index": ["ls-files", "-z", "-s", "-v"],
    "dirty": [
        *("-c", "core.fileMode=true", "-c", "core.symlinks=true"),
        *("diff-files", "--relative", *RAW),
    ],
    "others": ["ls-files", "-z", "--others", "--exclude-standard"],
    "autocrlf": ["config", "--default", "false", "--get", "core.autocrlf"],
    "converted": [  # of the whole work tree: below a folder git 2.39 misses the attributes
        *("--no-literal-pathspecs", "ls-files", "-z", "--", ":(top)"),
        f":(top,exclude,attr:{_UNCONVERTED})",
    ],
}


@frozen
class Files:
    """All files that count: `entries` by path, and how they differ from `base`.

    `base` is git's tree of the last commit at this root, "" if there is none. `differing`: the
    entry, or None where there is no file, of every path that is not as in `base`.
    """

    base: str
    entries: dict[bytes, bytes]
    differing: dict[bytes, bytes | None]


def git_files(scope: Scope, repository: Repository, contents: Contents) -> Files:
    """Read the work tree; files are opened only where git's index does not vouch for them.

    The index vouches for a file whose stat it has seen, that no flag hides (assume-unchanged,
    skip-worktree) and whose stored bytes are those in the tree (no conversion of line endings or
    encoding, no filter).

    Raises:
        UsageError: git fails.
    """
    commit = repository.head
    told = _asked_side_by_side(scope.root, commit)
    index = _Index.parsed(told["index"].out)
    entries = index.entries
    dirty = _Dirty.parsed(told["dirty"].out)
    doubted = index.doubted | dirty.changed | (_converted(told) & entries.keys())

    before: dict[bytes, bytes | None] = {path: entries.get(path) for path in doubted | dirty.gone}
    before.update(dict.fromkeys(dirty.announced))
    if commit:
        before.update((path, old) for path, old, _, _ in raw_records(told["staged"].out))
    else:
        before.update(dict.fromkeys(entries))

    for path in doubted | dirty.gone | dirty.announced:
        entries.pop(path, None)
    links = _Links(scope.root)
    for path in (doubted | dirty.announced) - dirty.gone:
        if not links.lead_to(path) and (entry := contents.entry(os.fsdecode(path))):
            entries[path] = entry
    for name in _others(scope, told["others"].paths, index.gitlinks):
        if entry := contents.entry(name):
            entries[os.fsencode(name)] = entry
            before.setdefault(os.fsencode(name), None)
    return _files(scope, _base(scope.root, commit), entries, before)


def raw_records(out: bytes) -> Iterator[tuple[bytes, bytes | None, bytes | None, bytes]]:
    """Path, old entry, new entry, letter of each record; None where there is no file."""
    fields = iter(out.split(b"\0"))
    for meta, path in zip(fields, fields, strict=False):
        old_mode, new_mode, old, new, letter = meta[1:].split(b" ")
        yield path, _entry(old_mode, old), _entry(new_mode, new), letter


@frozen
class _Index:
    """What the index says: entries; paths whose entry proves nothing; submodules."""

    entries: dict[bytes, bytes] = field(factory=dict)
    doubted: set[bytes] = field(factory=set)
    gitlinks: list[str] = field(factory=list)

    @classmethod
    def parsed(cls, out: bytes) -> "_Index":
        """Read `TAG MODE HASH STAGE` tab PATH records."""
        index = cls()
        entries = index.entries
        for record in out.split(b"\0"):
            meta, _, path = record.partition(b"\t")
            if meta[2:8] == _GITLINK:
                index.gitlinks.append(os.fsdecode(path))
                continue
            entries[path] = meta[2:-2]
            if meta[:1] != b"H" or meta[-1:] != b"0":  # a hiding flag, or in the midst of a merge
                index.doubted.add(path)
        del entries[b""]  # after the last NUL
        index.doubted.discard(b"")
        return index


@frozen
class _Dirty:
    """Tracked paths whose stat is not what the index has seen.

    `announced` are those of which the index has the name only (`git add --intent-to-add`).
    """

    changed: set[bytes] = field(factory=set)
    gone: set[bytes] = field(factory=set)
    announced: set[bytes] = field(factory=set)

    @classmethod
    def parsed(cls, out: bytes) -> "_Dirty":
        dirty = cls()
        where = {b"D": dirty.gone, b"A": dirty.announced}
        for path, _, _, letter in raw_records(out):
            where.get(letter, dirty.changed).add(path)
        return dirty


class _Links:
    """Finds paths that a symbolic link in place of a folder would lead elsewhere."""

    def __init__(self, root: Path) -> None:
        self._root = os.fsencode(root)
        self._known: dict[bytes, bool] = {b"": False}

    def lead_to(self, path: bytes) -> bool:
        """Whether a folder on the way to `path` is a link."""
        folder = path.rpartition(b"/")[0]
        if folder not in self._known:
            here = os.path.islink(os.path.join(self._root, folder))  # noqa: PTH114, PTH118 - bytes
            self._known[folder] = here or self.lead_to(folder)
        return self._known[folder]


def _entry(mode: bytes, name: bytes) -> bytes | None:
    return None if mode in {b"000000", _GITLINK} else mode + b" " + name


def _asked_side_by_side(root: Path, commit: str) -> dict[str, Answer]:
    """Ask git everything at once: each question reads the whole index."""
    questions = dict(_QUESTIONS)
    if commit:
        questions["staged"] = ["diff-index", "--cached", "--relative", *RAW, commit]
    running = {name: start(root, args) for name, args in questions.items()}
    told = {name: finish(process) for name, process in running.items()}
    if told["dirty"].code:
        told["dirty"] = ask(root, [*_without_filters(root), *_QUESTIONS["dirty"]])
    for answer in told.values():
        demanded(answer, root)
    return told


def _without_filters(root: Path) -> list[str]:
    """Options that switch every filter off, for one that cannot run: its files are read anyway."""
    names = ask(root, ["config", "-z", "--name-only", "--get-regexp", r"^filter\..*"]).paths
    off = [f"{name}={'false' if name.endswith('.required') else ''}" for name in names]
    return [word for option in off for word in ("-c", option)]


def _converted(told: dict[str, Answer]) -> set[bytes]:
    """Paths whose bytes git may store in another form than they stand in the tree."""
    if told["autocrlf"].line.lower() not in {"false", "no", "off", "0", ""}:
        return set(_Index.parsed(told["index"].out).entries)
    return {path for path in told["converted"].out.split(b"\0") if path}


def _others(scope: Scope, others: tuple[str, ...], gitlinks: list[str]) -> Iterator[str]:
    """Files that the index does not have: untracked ones, and those of repositories inside."""
    for path in others:
        if not scope.counts(path.rstrip("/")):
            continue
        if path.endswith("/"):
            yield from nested_names(scope, path.rstrip("/"))
        else:
            yield path
    for path in gitlinks:
        if (scope.root / path).is_dir():
            yield from nested_names(scope, path)
        else:  # a file in place of a submodule
            yield path


def _base(root: Path, commit: str) -> str:
    """Git's name of the tree at `root` in the commit, "" if it has none."""
    told = ask(root, ["rev-parse", "--quiet", "--verify", f"{commit}:./"]) if commit else None
    return told.line if told and told.code == 0 else ""


def _files(
    scope: Scope, base: str, entries: dict[bytes, bytes], before: dict[bytes, bytes | None]
) -> Files:
    """Put together, without tracked files that do not count."""
    for path in [path for path in entries if not scope.counts_tracked(path)]:
        del entries[path]
    differing = {
        path: entries.get(path)
        for path, old in before.items()
        if entries.get(path) != old and scope.counts_tracked(path)
    }
    return Files(base, entries, differing)
