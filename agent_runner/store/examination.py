"""Looks a state folder over for all that may be wrong with it, and mends what can be mended.

Mending moves aside and deletes nothing: what is taken out of its place is in `doctor-NNN` then.
"""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import define, frozen

from agent_runner.ground.disk import Disk, storage_errors
from agent_runner.ground.plain_files import kind_of, read_plain
from agent_runner.model import events as e
from agent_runner.model.changes import ChangeSet, Kind
from agent_runner.model.errors import JournalDamagedError, StateError, StateVersionError
from agent_runner.model.fold import RunState
from agent_runner.store.blobs import Blobs
from agent_runner.store.holder import is_locked
from agent_runner.store.journal import JournalReader, Position
from agent_runner.store.layout import Layout
from agent_runner.store.leftovers import leftovers
from agent_runner.store.sealed import read_sealed
from agent_runner.store.snapshot import load_snapshot

_SHOWN = 3
"""Names that a finding has; of more the number."""


@define
class AsideFolder:
    """The folder in which one mending puts what it takes out of its place."""

    layout: Layout
    _folder: Path | None = None

    @property
    def folder(self) -> Path:
        """It is made when the first thing is put there."""
        if self._folder is None:
            number = 1
            while os.path.lexists(found := self.layout.folder / f"doctor-{number:03}"):
                number += 1
            Disk().create_folder(found)
            self._folder = found
        return self._folder

    def move(self, path: Path) -> None:
        """Move a file, folder or link of the state folder there, unless that was done already."""
        if not os.path.lexists(path):
            return
        target = self.folder / path.relative_to(self.layout.folder)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.rename(target)


Mend = Callable[[AsideFolder], None]


@frozen
class Finding:
    """What one look says.

    Attributes:
        part: What was looked at.
        text: How it is.
        is_good: Whether nothing has to be done.
        fix: What to do; "" where `mend` does it or nothing can be done.
        mend: Does it, while the state is locked; may raise StorageError.
    """

    part: str
    text: str
    is_good: bool = True
    fix: str = ""
    mend: Mend | None = None


def examine(layout: Layout, *, held: bool = False) -> Iterator[Finding]:
    """Everything about a state folder, most important first. Nothing is changed.

    `held`: whether the caller holds the state's lock, so that nobody writes meanwhile.
    """
    in_place = True
    for finding in _places(layout):
        in_place = in_place and finding.is_good
        yield finding
    if not in_place or not layout.folder.exists():
        return  # the rest would read what is none of ours
    in_use = not held and is_locked(layout)
    used = "a command is using the state now; some of this may be its work"
    yield Finding("lock", used if in_use else "nobody holds it")
    blobs = Blobs(layout.blobs, Disk())
    whole, journal = _journal(layout, blobs)
    yield journal
    yield from _caches(layout, whole)
    yield from _contents(layout, blobs)
    yield _leftovers(() if in_use else tuple(leftovers(layout)))
    yield _permissions(layout)


def mend(findings: list[Finding], layout: Layout) -> Path | None:
    """Mend what can be; the state must be locked. Returns where things were put, if any were.

    Raises StorageError: the disk refuses; what was done so far stays.
    """
    aside = AsideFolder(layout)
    with storage_errors(layout.folder):
        for finding in findings:
            if finding.mend is not None:
                finding.mend(aside)
        Disk().sync_folder(layout.folder)
    return aside._folder  # noqa: SLF001  # to ask for `folder` would make one


def _places(layout: Layout) -> Iterator[Finding]:
    """Whether folder and files are what their names say, and this user's."""
    try:
        misplaced = list(layout.misplaced())
        for path, wanted in misplaced:
            text = f"{path.name} is {kind_of(path.lstat().st_mode)}, not {wanted}"
            yield Finding("places", text, is_good=False, mend=_moving(path))
        if misplaced:
            return
        layout.check()
    except FileNotFoundError:
        yield Finding("state", f"there is none yet in {layout.folder}")
    except (StateError, OSError) as error:
        yield Finding("places", str(error), is_good=False, fix=getattr(error, "fix", ""))
    else:
        yield Finding("places", f"all is what it should be in {layout.folder}")


def _journal(layout: Layout, blobs: Blobs) -> tuple[Position, Finding]:
    """Where the last good record ends, and whether that is the end of all."""
    reader, state, before = JournalReader(layout.journal, blobs), RunState(), Position()
    try:
        for entry in reader:
            state.take(entry)
            before = reader.position
    except StateVersionError as error:
        return before, Finding("journal", str(error), is_good=False, fix=error.fix)
    except Exception as error:  # noqa: BLE001  # a fold may fail at a forged record in any way
        said = str(error) if isinstance(error, StateError) else f"record {before.seq + 1}: {error}"
        if not isinstance(error, JournalDamagedError):
            said = f"{said} (record {before.seq + 1} of the journal)"
        text = f"{said}; --fix goes on from the {before.seq} good records before it"
        return before, Finding("journal", text, is_good=False, mend=_cutting(layout, before))
    if reader.torn is not None:
        text = f"{before.seq} records, then {reader.torn.size} bytes that are none"
        return before, Finding("journal", f"{text}; the next run sets them aside")
    return before, Finding("journal", f"{before.seq} records, every checksum is good")


def _caches(layout: Layout, whole: Position) -> Iterator[Finding]:
    """state.json and list.json: thrown away when in doubt, so only oddities are worth a word."""
    for path in (layout.snapshot, layout.list_outline):
        if path.exists() and read_sealed(path) is None:
            text = f"{path.name} is damaged; it is made again from the rest"
            yield Finding("cache", text, is_good=False, mend=_moving(path))
    try:
        snapshot = load_snapshot(layout.snapshot)
    except StateVersionError as error:
        yield Finding("cache", str(error), is_good=False, fix=error.fix)
        return
    if snapshot is not None and snapshot.position.seq > whole.seq:
        text = f"{layout.snapshot.name} knows more than the {whole.seq} good records of the journal"
        yield Finding("cache", text, is_good=False, mend=_moving(layout.snapshot))


def _contents(layout: Layout, blobs: Blobs) -> Iterator[Finding]:
    """What was kept of files and answers."""
    damaged = blobs.damaged()
    if damaged:
        text = f"{len(damaged)} contents are damaged: {_listed(damaged)}"
        yield Finding("contents", text, is_good=False, fix=_RESTORE.format(blobs.path))
    lost = sorted(_tasks_without_images(layout, blobs))
    if lost:
        text = (
            f"files as they were are lost, so `diff` and `undo` are not whole for {_listed(lost)}"
        )
        yield Finding("contents", text, is_good=False, fix=_RESTORE.format(layout.blobs))
    if not damaged and not lost:
        yield Finding("contents", "everything that the journal names is there and whole")


_RESTORE = "restore {} from a backup; a task that needs it can be begun anew with reset"


def _tasks_without_images(layout: Layout, blobs: Blobs) -> set[str]:
    lost: set[str] = set()
    good: set[str] = set()
    for task, change_set in _change_sets(layout, blobs):
        for change in change_set.changes:
            for image in (change.before, change.after):
                if image.kind is not Kind.FILE or image.sha256 in good:
                    continue
                try:
                    blobs.get(image.sha256)
                    good.add(image.sha256)
                except StateError:
                    lost.add(task)
    return lost


def _change_sets(layout: Layout, blobs: Blobs) -> Iterator[tuple[str, ChangeSet]]:
    try:
        for entry in JournalReader(layout.journal, blobs):
            if isinstance(entry.event, (e.ApplyPlanned, e.RollbackPlanned)):
                yield entry.task, entry.event.change_set
    except StateError:
        return  # the journal's own finding says so


def _leftovers(found: tuple[Path, ...]) -> Finding:
    if not found:
        return Finding("leftovers", "none")
    text = f"temporary files of a run that was killed: {_listed([one.name for one in found])}"
    return Finding("leftovers", text, is_good=False, mend=_moving(*found))


def _permissions(layout: Layout) -> Finding:
    """Everything that holds contents is for its owner's eyes alone."""
    kept = [layout.folder, *layout.folder.iterdir(), *layout.blobs.glob("*")]
    ours = [one for one in kept if one.name != "config.yml" and not one.is_symlink()]
    private = layout.folder.stat().st_mode & 0o077 == 0
    bad = [] if private else [one for one in ours if one.lstat().st_mode & 0o077]
    if bad == [layout.folder] or not bad:  # what is in it is closed all the same
        return Finding("permissions", "only you can read the state")
    text = f"others can read {_listed([one.name for one in bad])}"
    return Finding("permissions", text, is_good=False, mend=_closing(bad))


def _moving(*paths: Path) -> Mend:
    def do(aside: AsideFolder) -> None:
        for path in paths:
            aside.move(path)

    return do


def _cutting(layout: Layout, end: Position) -> Mend:
    def do(aside: AsideFolder) -> None:
        content = read_plain(layout.journal)
        Disk().write_file(aside.folder / layout.journal.name, content)
        # first: a snapshot that is ahead of its journal would be refused
        if layout.snapshot.exists():
            aside.move(layout.snapshot)
        Disk().write_file(layout.journal, content[: end.offset])

    return do


def _closing(paths: list[Path]) -> Mend:
    def do(_: AsideFolder) -> None:
        for path in paths:
            path.chmod(stat.S_IMODE(path.lstat().st_mode) & 0o700)

    return do


def _listed(names: "tuple[str, ...] | list[str]") -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
