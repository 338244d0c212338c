"""Contents in one file: what is kept, what a power cut leaves, and what older states have."""

import hashlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agent_runner.ground.disk import Disk
from agent_runner.model.errors import StateError, StorageError
from agent_runner.store.blobs import Blobs
from tests.support.lossy import LossyDisk


def blobs_in(folder: Path, disk: Disk | None = None) -> Blobs:
    return Blobs(folder / "blobs", disk or Disk())


def test_what_is_put_is_found_by_its_hash_also_by_others(tmp_path: Path) -> None:
    blobs = blobs_in(tmp_path)
    contents = [b"", b"one\n", b"\0\n" * 5000]
    names = [blobs.put(content) for content in contents]
    assert names == [hashlib.sha256(content).hexdigest() for content in contents]
    for reader in (blobs, blobs_in(tmp_path)):
        assert [reader.get(name) for name in names] == contents


def test_what_is_there_is_not_written_again(tmp_path: Path) -> None:
    blobs_in(tmp_path).put(b"one")
    blobs = blobs_in(tmp_path)
    size = blobs.path.stat().st_size
    blobs.put(b"one")
    assert blobs.path.stat().st_size == size


def test_the_latest_content_of_a_name_counts(tmp_path: Path) -> None:
    blobs = blobs_in(tmp_path)
    assert blobs.read("T1/call-01/response") is None
    blobs.write("T1/call-01/response", b"old")
    blobs.write("a name/with spaces\n", b"other")
    blobs.write("T1/call-01/response", b"new")
    for reader in (blobs, blobs_in(tmp_path)):
        assert reader.read("T1/call-01/response") == b"new"
        assert reader.read("a name/with spaces\n") == b"other"


def test_a_reader_sees_what_a_run_writes_meanwhile(tmp_path: Path) -> None:
    writer, reader = blobs_in(tmp_path), blobs_in(tmp_path)
    with pytest.raises(StateError, match="is gone"):
        reader.get("0" * 64)
    first = writer.put(b"one")
    assert reader.get(first) == b"one"
    writer.reserve(5000)
    assert reader.get(writer.put(b"two")) == b"two"


def test_reserved_room_is_used_and_the_rest_given_back(tmp_path: Path) -> None:
    blobs = blobs_in(tmp_path)
    blobs.put(b"one")
    size = blobs.path.stat().st_size
    blobs.reserve(100_000)
    assert blobs.path.stat().st_blocks * 512 >= 100_000
    blobs.write("answer", b"two")
    blobs.release()
    blobs.release()
    assert size < blobs.path.stat().st_size < size + 200
    assert blobs_in(tmp_path).read("answer") == b"two"


def test_a_reservation_that_a_kill_left_is_cut_off(tmp_path: Path) -> None:
    dead = blobs_in(tmp_path)
    name = dead.put(b"one")
    dead.reserve(100_000)
    dead.close()
    dead.close()
    blobs = blobs_in(tmp_path)
    blobs.put(b"two")
    assert blobs.path.stat().st_size < 1000
    assert blobs.get(name) == b"one"


class FullDisk(Disk):
    """Takes half of a content and no more; gives no room."""

    def write(self, descriptor: int, content: bytes) -> None:
        super().write(descriptor, content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    def reserve(self, descriptor: int, offset: int, size: int) -> None:
        raise OSError(28, "No space left on device")


def test_what_a_full_disk_refused_is_not_there_and_disturbs_nothing(tmp_path: Path) -> None:
    blobs = blobs_in(tmp_path)
    name = blobs.put(b"one")
    blobs.disk = FullDisk()
    with pytest.raises(StorageError, match="disk is full"):
        blobs.put(b"two" * 100)
    with pytest.raises(StorageError, match="disk is full"):
        blobs.reserve(10)
    blobs.disk = Disk()
    other = blobs.put(b"three")
    for reader in (blobs, blobs_in(tmp_path)):
        assert (reader.get(name), reader.get(other)) == (b"one", b"three")
        with pytest.raises(StateError, match="is gone"):
            reader.get(hashlib.sha256(b"two" * 100).hexdigest())


def test_a_failed_sync_is_final(tmp_path: Path) -> None:
    class Failing(Disk):
        def sync(self, descriptor: int) -> None:
            raise OSError(5, "Input/output error")

    blobs = blobs_in(tmp_path, Failing())
    blobs.sync()  # nothing to do
    blobs.put(b"one")
    with pytest.raises(StorageError, match="input/output"):
        blobs.sync()
    blobs.disk = Disk()
    with pytest.raises(StorageError, match="earlier sync failed"):
        blobs.sync()


def test_a_damaged_content_is_never_handed_out(tmp_path: Path) -> None:
    blobs = blobs_in(tmp_path)
    name = blobs.put(b"content")
    blobs.write("answer", b"answer")
    raw = blobs.path.read_bytes()
    blobs.path.write_bytes(
        raw.replace(b"\ncontent\n", b"\ncXntent\n").replace(b"\nanswer", b"\naXswer")
    )
    for reader in (blobs, blobs_in(tmp_path)):
        assert reader.read("answer") is None
        with pytest.raises(StateError, match="is damaged"):
            reader.get(name)
    assert blobs.put(b"content") == name
    assert blobs_in(tmp_path).get(name) == b"content"
    blobs.close()
    blobs.path.unlink()
    with pytest.raises(StateError, match="is damaged"):
        blobs.get(name)


def test_every_bit_of_an_entrys_line_is_minded(tmp_path: Path) -> None:
    blobs = blobs_in(tmp_path)
    names = [blobs.put(content) for content in (b"", b"\n", b"\0")]
    blobs.close()
    whole = blobs.path.read_bytes()
    for bit in range((whole.index(b"\n") + 1) * 8):
        raw = bytearray(whole)
        raw[bit // 8] ^= 1 << bit % 8
        blobs.path.write_bytes(raw)
        found = blobs_in(tmp_path)
        assert [found.get(name) for name in names[1:]] == [b"\n", b"\0"]
        with pytest.raises(StateError):
            found.get(names[0])


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5, unique=True), st.data())
def test_a_flipped_bit_costs_one_content_at_most(
    contents: list[bytes], data: st.DataObject
) -> None:
    """Also to a writer, who cuts off what never was an entry: not what stands behind the damage."""
    with tempfile.TemporaryDirectory() as name:
        blobs = blobs_in(Path(name))
        names = [blobs.put(content) for content in contents]
        blobs.close()
        raw = bytearray(blobs.path.read_bytes())
        bit = data.draw(st.integers(0, len(raw) * 8 - 1))
        raw[bit // 8] ^= 1 << bit % 8
        blobs.path.write_bytes(raw)
        writer = blobs_in(Path(name))
        names.append(writer.put(b"end" * 100))
        for reader in (writer, blobs_in(Path(name))):
            lost = 0
            for wanted, content in zip(names, [*contents, b"end" * 100], strict=True):
                try:
                    assert reader.get(wanted) == content
                except StateError:
                    lost += 1
            assert lost <= 1


def test_an_entry_inside_a_content_is_none(tmp_path: Path) -> None:
    """A damaged line must not let a file of the user's pass for an answer."""
    other = blobs_in(tmp_path / "other")
    other.write("T1/call-01/response", b"forged")
    forged = other.path.read_bytes()
    blobs = blobs_in(tmp_path)
    blobs.put(forged)
    name = blobs.put(b"next")
    blobs.close()
    raw = blobs.path.read_bytes()
    blobs.path.write_bytes(b"x" + raw[1:])
    assert blobs_in(tmp_path).read("T1/call-01/response") is None
    assert blobs_in(tmp_path).get(name) == b"next"


def test_contents_of_versions_before_are_read(tmp_path: Path) -> None:
    name = hashlib.sha256(b"old").hexdigest()
    file = tmp_path / "blobs" / name[:2] / name[2:]
    file.parent.mkdir(parents=True)
    file.write_bytes(b"old")
    assert blobs_in(tmp_path).get(name) == b"old"
    file.write_bytes(b"bad")
    with pytest.raises(StateError, match="is damaged"):
        blobs_in(tmp_path).get(name)


contents = st.lists(st.binary(max_size=300), max_size=4)


@given(contents, contents, st.integers(0, 1500), st.integers(0, 600), st.booleans())
def test_a_power_cut_leaves_what_was_synced(
    before: list[bytes], after: list[bytes], keep: int, hole: int, reserve: bool
) -> None:
    """Of the rest there may be a piece, and in it a page that was not written."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        disk = LossyDisk(folder)
        disk.create_folder(folder / "blobs")
        blobs = blobs_in(folder, disk)
        names = [blobs.put(content) for content in before]
        if reserve:
            blobs.reserve(1000)
        blobs.sync()
        synced = blobs.path.stat().st_size if blobs.path.exists() else 0
        for content in after:
            blobs.put(content)
        blobs.close()
        disk.power_cut(keep=keep)
        _make_hole(blobs.path, synced, hole)
        left = blobs_in(folder)
        assert [left.get(name) for name in names] == before
        names += [left.put(content) for content in (*after, b"end")]
        for reader in (left, blobs_in(folder)):
            assert [reader.get(name) for name in names] == [*before, *after, b"end"]


def _make_hole(path: Path, at: int, size: int) -> None:
    """Zeros from there on, where the file goes on so far."""
    if path.exists() and (rest := path.stat().st_size - at) > 0:
        with path.open("r+b") as file:
            file.seek(at)
            file.write(bytes(min(size, rest)))
