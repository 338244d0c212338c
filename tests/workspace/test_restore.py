"""Files come back as they were in a snapshot: all or none, and nothing else is touched."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from agent_runner.model.errors import StateError
from agent_runner.workspace.names import Scope
from agent_runner.workspace.objects import ObjectStore
from agent_runner.workspace.restore import Conflict, Restored, restore
from agent_runner.workspace.snapshots import Limits, SnapshotReader
from tests.workspace.edits import FILE_EDITS, PATHS, Edit, do, sampled
from tests.workspace.repos import FixedClock, Repo, snapshot


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    objects = ObjectStore(tmp_path_factory.mktemp("state"))
    yield objects
    objects.close()


def reader(repo: Repo, store: ObjectStore, limits: Limits | None = None) -> SnapshotReader:
    return SnapshotReader(Scope(repo.root), store, FixedClock(), limits or Limits())


def test_changed_deleted_and_new_files_are_as_before(repo: Repo, store: ObjectStore) -> None:
    for name in ("changed", "deleted", "deep/er/deleted", "same"):
        repo.write(name, f"{name}\n")
    repo.commit_all()
    files = reader(repo, store)
    before, stood = files.look(), snapshot(repo.root)
    repo.write("changed", "by a hook\n")
    (repo.root / "deleted").unlink()
    (repo.root / "deep/er/deleted").unlink()
    (repo.root / "deep/er").rmdir()
    repo.write("new/folder/file")
    (repo.root / "changed").chmod(0o755)
    after = files.look()
    done = restore(files, after.id, before.id)
    assert done == Restored(("changed", "deep/er/deleted", "deleted", "new/folder/file"))
    assert snapshot(repo.root) == stood
    assert files.look() == before
    assert not (repo.root / "new").exists()
    assert restore(files, after.id, before.id) == Restored(())


def test_ignored_and_later_files_stay(repo: Repo, store: ObjectStore) -> None:
    repo.write(".gitignore", "*.log\n")
    repo.write("a", "one\n")
    files = reader(repo, store)
    before = files.look()
    repo.write("a", "two\n")
    repo.write("new/file")
    after = files.look()
    repo.write("new/out.log", "ignored\n")
    repo.write("new/mine", "later\n")
    repo.write("b", "later\n")
    assert restore(files, after.id, before.id) == Restored(("a", "new/file"))
    assert set(snapshot(repo.root)) == {".gitignore", "a", "b", "new/mine", "new/out.log"}


def test_what_was_changed_since_is_a_conflict_and_nothing_is_touched(
    repo: Repo, store: ObjectStore
) -> None:
    repo.write("a", "one\n")
    repo.write("b", "one\n")
    files = reader(repo, store)
    before = files.look()
    repo.write("a", "two\n")
    repo.write("b", "two\n")
    after = files.look()
    repo.write("b", "by the user\n")
    stood = snapshot(repo.root)
    assert restore(files, after.id, before.id) == Conflict("b", "it was changed since")
    assert snapshot(repo.root) == stood


def test_a_folder_with_ignored_files_in_place_of_a_file_is_a_conflict(
    repo: Repo, store: ObjectStore
) -> None:
    repo.write(".gitignore", "*.log\n")
    repo.write("a", "one\n")
    files = reader(repo, store)
    before = files.look()
    (repo.root / "a").unlink()
    repo.write("a/file")
    repo.write("a/out.log")
    after = files.look()
    stood = snapshot(repo.root)
    assert restore(files, after.id, before.id) == Conflict(
        "a", "it is a folder by now, with `a/out.log` in it"
    )
    assert snapshot(repo.root) == stood


def test_no_link_is_followed(repo: Repo, store: ObjectStore, tmp_path: Path) -> None:
    repo.write("d/a", "one\n")
    files = reader(repo, store)
    before = files.look()
    repo.write("d/a", "two\n")
    after = files.look()
    (repo.root / "d").rename(tmp_path / "moved")
    (repo.root / "d").symlink_to(tmp_path / "moved")
    assert isinstance(restore(files, after.id, before.id), Conflict)
    assert (tmp_path / "moved" / "a").read_text() == "two\n"


def test_rights_that_are_no_part_of_a_snapshot_stay(repo: Repo, store: ObjectStore) -> None:
    file = repo.write("a", "one\n")
    file.chmod(0o640)
    files = reader(repo, store)
    before = files.look()
    file.write_text("two\n")
    file.chmod(0o750)
    after = files.look()
    restore(files, after.id, before.id)
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_content_that_was_not_kept_is_an_error_and_nothing_is_touched(
    repo: Repo, store: ObjectStore
) -> None:
    repo.write("large", "x" * 11)
    repo.write("a", "one\n")
    files = reader(repo, store, Limits(largest=10))
    before = files.look()
    repo.write("large", "small\n")
    repo.write("a", "two\n")
    after = files.look()
    stood = snapshot(repo.root)
    with pytest.raises(StateError, match="large had is not kept"):
        restore(files, after.id, before.id)
    assert snapshot(repo.root) == stood


def test_an_edit_while_it_is_being_prepared_is_a_conflict(repo: Repo, store: ObjectStore) -> None:
    for name in "ab":
        repo.write(name, "one\n")
    files = reader(repo, store)
    before = files.look()
    for name in "ab":
        repo.write(name, "two\n")
    after = files.look()

    def on_write(step: str, path: str) -> None:
        if (step, path) == ("temp", "b"):
            repo.write("a", "by the user\n")

    assert restore(files, after.id, before.id, on_write) == Conflict("a", "it was changed just now")
    assert {path: found[1] for path, found in snapshot(repo.root).items()} == {
        "a": b"by the user\n",
        "b": b"two\n",
    }


def test_a_folder_that_is_emptied_and_filled_keeps_its_rights(
    repo: Repo, store: ObjectStore
) -> None:
    repo.write("d/a", "one\n")
    (repo.root / "d").chmod(0o750)
    files = reader(repo, store)
    before = files.look()
    (repo.root / "d/a").rename(repo.root / "d/b")
    after = files.look()
    assert restore(files, after.id, before.id) == Restored(("d/a", "d/b"))
    assert (repo.root / "d").stat().st_mode & 0o777 == 0o750


def test_a_folder_that_holds_but_folders_gives_way_to_a_file(
    repo: Repo, store: ObjectStore
) -> None:
    repo.write("a", "one\n")
    files = reader(repo, store)
    before = files.look()
    (repo.root / "a").unlink()
    (repo.root / "a/b/c").mkdir(parents=True)
    after = files.look()
    assert restore(files, after.id, before.id) == Restored(("a",))
    assert (repo.root / "a").read_text() == "one\n"


class CutError(Exception):
    """The process ends here."""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    before=st.lists(sampled(FILE_EDITS), max_size=8),
    after=st.lists(sampled(FILE_EDITS), min_size=1, max_size=6),
    cut=st.integers(0, 12),
)
def test_interrupted_anywhere_the_next_call_finishes_it(
    before: list[Edit], after: list[Edit], cut: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as opened:
        repo = Repo.created(Path(folder, "git"))
        store = ObjectStore(Path(folder, "state"))
        opened.callback(store.close)
        files = reader(repo, store)
        do(before, (repo.root,))
        first, stood = files.look(), snapshot(repo.root)
        do(after, (repo.root,))
        second = files.look()
        left = cut

        def on_write(_step: str, _path: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise CutError

        with contextlib.suppress(CutError):
            assert isinstance(restore(files, second.id, first.id, on_write), Restored)
        assert isinstance(restore(files, second.id, first.id), Restored)
        assert snapshot(repo.root) == stood
        assert files.look() == first


@pytest.mark.parametrize("path", PATHS)
def test_odd_names_come_back(repo: Repo, store: ObjectStore, path: str) -> None:
    repo.write(path, "one\n")
    files = reader(repo, store)
    before = files.look()
    (repo.root / path).unlink()
    after = files.look()
    assert restore(files, after.id, before.id) == Restored((path,))
    assert (repo.root / path).read_text() == "one\n"
