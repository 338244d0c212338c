"""The store of contents and trees survives crashes, damage and pruning."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agent_runner.model.errors import StateError, StorageError
from agent_runner.workspace.filetree import PLAIN, Entry, Folder
from agent_runner.workspace.objects import BLOB, TREE, ObjectStore, object_name, tree_entries
from tests.support.lossy import LossyDisk


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    objects = ObjectStore(tmp_path / "snapshots")
    yield objects
    objects.close()


def put(store: ObjectStore, content: bytes, hashing: str = "sha1") -> bytes:
    name = object_name(BLOB, content, hashing)
    store.add(BLOB, content, name)
    return name


def reopened(store: ObjectStore) -> ObjectStore:
    store.close()
    return ObjectStore(store.folder)


@pytest.mark.parametrize("hashing", ["sha1", "sha256"])
def test_what_was_added_is_there_at_once_and_later(store: ObjectStore, hashing: str) -> None:
    contents = [b"", b"a\n", b"\n blob 3\n", bytes(range(256)) * 100]
    names = [put(store, content, hashing) for content in contents]
    assert [store.get(name) for name in names] == contents
    again = reopened(store)
    assert [again.get(name) for name in names] == contents
    size = again.size
    put(again, b"a\n", hashing)
    assert again.size == size
    again.close()


def test_names_are_gits_own() -> None:
    for kind, content in (("blob", b"a\n"), ("tree", b"")):
        args = ["git", "hash-object", "-t", kind, "--stdin"]
        told = subprocess.run(args, input=content, capture_output=True, check=True).stdout
        assert object_name(kind.encode(), content, "sha1").hex() == told.decode().strip()


@given(st.binary(max_size=60), st.integers(1, 40))
def test_a_torn_end_is_cut_and_the_rest_is_good(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, cut: int
) -> None:
    store = ObjectStore(tmp_path_factory.mktemp("torn"))
    kept, torn = put(store, b"kept\n" * 9), object_name(BLOB, b"torn\n" * 9, "sha1")
    store.flush()
    good = store.size
    put(store, b"torn\n" * 9)
    store.close()
    content = store.path.read_bytes()
    store.path.write_bytes(content[: max(good, len(content) - cut)] + junk)
    again = ObjectStore(store.folder)
    assert again.get(kept) == b"kept\n" * 9
    if again.holds(torn):  # the junk happened to complete it
        with pytest.raises(StateError, match="damaged"):
            again.get(torn)
    new = put(again, b"new\n")
    again = reopened(again)
    assert again.get(new) == b"new\n"
    again.close()


def test_damage_is_found(store: ObjectStore) -> None:
    name = put(store, b"content\n" * 99)
    store.flush()
    content = bytearray(store.path.read_bytes())
    content[-3] ^= 1
    store.path.write_bytes(content)
    with pytest.raises(StateError, match="damaged"):
        reopened(store).get(name)


def test_what_is_not_there_is_an_error(store: ObjectStore) -> None:
    with pytest.raises(StateError, match="not kept"):
        store.get(bytes(20))


def test_what_was_synced_survives_a_power_cut(tmp_path: Path) -> None:
    disk = LossyDisk(tmp_path)
    store = ObjectStore(tmp_path / "snapshots", disk)
    first = put(store, b"first\n")
    store.sync()
    second = put(store, b"second\n")
    store.flush()
    store.close()
    disk.power_cut(keep=7)
    again = ObjectStore(tmp_path / "snapshots")
    assert again.get(first) == b"first\n"
    assert not again.holds(second)
    again.close()


def filled(store: ObjectStore, size: int = 9) -> tuple[bytes, bytes, bytes]:
    """A tree, a content that it leads to, and one that nothing leads to, of so many kilobytes."""
    folder = Folder()
    kept, gone = put(store, b"kept\n"), put(store, os.urandom(size << 10))
    folder.inner("d").files["a"] = (None, Entry(PLAIN, kept))
    folder.files["elsewhere"] = (None, Entry(PLAIN, bytes(20)))  # only git has it
    tree = folder.tree("sha1", store.add)
    store.sync()
    return tree, kept, gone


def test_pruning_keeps_what_trees_lead_to(store: ObjectStore) -> None:
    store.spared = 0
    tree, kept, gone = filled(store)
    before = store.size
    assert store.prune([tree, bytes.fromhex("00" * 20), b""])
    assert store.size < before
    assert store.get(kept) == b"kept\n"
    assert not store.holds(gone)
    assert {name for _, name, _ in tree_entries(store.get(tree), 20)} == {b"d", b"elsewhere"}
    assert reopened(store).holds(tree)
    assert not store.prune([tree])  # all of it is needed


def test_a_small_file_is_not_pruned_and_nobody_is_asked_what_is_needed(store: ObjectStore) -> None:
    _, _, gone = filled(store)
    asked = iter([b"a name"])
    assert not store.prune(asked)
    assert next(asked) == b"a name"
    assert store.holds(gone)


def test_a_file_of_which_half_is_needed_is_not_written_anew(store: ObjectStore) -> None:
    store.spared = 0
    tree, _, gone = filled(store, size=0)
    assert not store.prune([tree])
    assert store.holds(gone)


def test_where_a_tree_is_damaged_nothing_is_forgotten(store: ObjectStore) -> None:
    store.spared = 0
    tree, _, gone = filled(store)
    store.path.write_bytes(store.path.read_bytes().replace(b"elsewhere", b"nowhere!!"))
    with pytest.raises(StateError, match="damaged"):
        store.prune([tree])
    assert store.holds(gone)


class Failing(LossyDisk):
    """Refuses its n-th change and all that follow, as a full disk or a process that was killed."""

    left = 99

    def write(self, descriptor: int, content: bytes) -> None:
        self._count()
        super().write(descriptor, content)

    def sync(self, descriptor: int) -> None:
        self._count()
        super().sync(descriptor)

    def replace(self, temporary: Path, path: Path) -> None:
        self._count()
        super().replace(temporary, path)

    def sync_folder(self, folder: Path) -> None:
        self._count()
        super().sync_folder(folder)

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, "no space")


@pytest.mark.parametrize("power_cut", [False, True])
def test_wherever_pruning_is_stopped_what_is_needed_is_there(
    tmp_path: Path, *, power_cut: bool
) -> None:
    refusals, lives = 0, 0
    while refusals == lives:
        folder = tmp_path / f"{power_cut}{lives}"
        folder.mkdir()
        disk = Failing(folder)
        store = ObjectStore(folder / "snapshots", disk, spared=0)
        tree, kept, _ = filled(store)
        disk.sync_folder(folder)
        disk.left = lives
        try:
            store.prune([tree])
        except StorageError:
            refusals += 1
        store.close()
        if power_cut:
            disk.power_cut(keep=7)
        again = ObjectStore(folder / "snapshots", spared=0)
        assert again.get(kept) == b"kept\n"
        assert again.holds(tree)
        again.prune([tree])
        assert os.listdir(again.folder) == ["objects"]
        again.close()
        lives += 1
    assert refusals > 3


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_something_else_in_its_place_is_refused(tmp_path: Path, kind: str) -> None:
    store = ObjectStore(tmp_path / "snapshots")
    store.folder.mkdir()
    if kind == "link":
        store.path.symlink_to(tmp_path / "elsewhere")
    elif kind == "folder":
        store.path.mkdir()
    else:
        os.mkfifo(store.path)
    with pytest.raises(StateError, match="no regular file"):
        put(store, b"a\n")
    assert not (tmp_path / "elsewhere").exists()


def test_trees_are_gits_own(tmp_path: Path, store: ObjectStore) -> None:
    for path in ("a", "a.b/c", "a/../a0", "é/ü", "z/y/x"):
        file = tmp_path / "work" / path.replace("a/../", "")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x\n")
    folder = Folder()
    name = object_name(BLOB, b"x\n", "sha1")
    for place, last in (("", "a"), ("a.b", "c"), ("", "a0"), ("é", "ü"), ("z/y", "x")):
        folder.inner(place).files[last] = (None, Entry(PLAIN, name))
    folder.inner("empty/er")
    for args in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *args], cwd=tmp_path / "work", check=True)
    told = subprocess.run(
        ["git", "write-tree"], cwd=tmp_path / "work", capture_output=True, check=True, text=True
    )
    tree = folder.tree("sha1", store.add)
    assert tree.hex() == told.stdout.strip()
    assert object_name(TREE, store.get(tree), "sha1") == tree
