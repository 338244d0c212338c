"""The journal reads back what is appended; torn tails, flips and splices are told apart."""

from pathlib import Path

import pytest

from agent_runner.ground.disk import Disk
from agent_runner.model import events as e
from agent_runner.model.errors import JournalDamagedError, StateVersionError, StorageError
from agent_runner.model.fold import Entry
from agent_runner.model.hooks import HookOutcome, HookResult, Phase
from agent_runner.model.states import TaskState
from agent_runner.store.blobs import Blobs
from agent_runner.store.codec import MAX_RECORD
from agent_runner.store.journal import Journal, JournalReader, Position

EVENTS: list[tuple[str, e.Event, TaskState | None]] = [
    ("", e.RunStarted("r1", 7, "0.1.0", "tasks.yml"), None),
    ("T1", e.Started("abc"), TaskState.PRE_HOOKS),
    (
        "T1",
        e.HookFinished(Phase.PRE, 0, HookResult("h", HookOutcome.PASSED, 0, 0.5, "é\0\n")),
        None,
    ),
    ("T1", e.PreHooksPassed(), TaskState.AGENT),
    ("T1", e.Deferred("claude", "hour", 1_800_000_123.5), TaskState.AGENT),
]


def blobs(folder: Path) -> Blobs:
    return Blobs(folder / "blobs", Disk())


def write(folder: Path, *, sync_each: bool) -> list[Entry]:
    path = folder / "journal.jsonl"
    journal = Journal.open(path, blobs(folder), Disk(), Position())
    entries = []
    for number, (task, event, to) in enumerate(EVENTS):
        entries.append(journal.append(1_800_000_000.25 + number, task, event, to))
        if sync_each:
            journal.sync()
    journal.close()
    return entries


def read(folder: Path) -> tuple[list[Entry], JournalReader]:
    reader = JournalReader(folder / "journal.jsonl", blobs(folder))
    return list(reader), reader


def test_what_is_appended_is_read_back(tmp_path: Path) -> None:
    written = write(tmp_path, sync_each=True)
    entries, reader = read(tmp_path)
    assert entries == written
    assert reader.torn is None
    assert (tmp_path / "journal.jsonl").read_bytes().isascii()


def test_a_long_payload_goes_to_a_blob_and_the_line_stays_short(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal.jsonl", blobs(tmp_path), Disk(), Position())
    event = e.Rejected("x" * 3 * MAX_RECORD)
    journal.append(0.0, "T1", event, TaskState.AGENT)
    journal.close()
    assert (tmp_path / "journal.jsonl").stat().st_size < MAX_RECORD
    (entry,) = read(tmp_path)[0]
    assert entry.event == event


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_torn_last_record_is_a_tail(tmp_path: Path, cut: int) -> None:
    written = write(tmp_path, sync_each=True)
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    entries, reader = read(tmp_path)
    assert entries == written[:-1]
    assert reader.torn is not None


def test_a_run_of_nuls_at_the_end_is_a_tail(tmp_path: Path) -> None:
    written = write(tmp_path, sync_each=True)
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(bytes(4096))
    entries, reader = read(tmp_path)
    assert entries == written
    assert reader.torn is not None
    assert reader.torn.size == 4096


def test_a_flipped_byte_before_synced_records_is_damage(tmp_path: Path) -> None:
    write(tmp_path, sync_each=True)
    path = tmp_path / "journal.jsonl"
    content = bytearray(path.read_bytes())
    content[content.index(b"Started", 200)] ^= 1
    path.write_bytes(content)
    with pytest.raises(JournalDamagedError, match="record 2"):
        read(tmp_path)
    assert path.read_bytes() == content


def test_a_hole_in_an_unsynced_group_is_a_tail(tmp_path: Path) -> None:
    written = write(tmp_path, sync_each=False)
    path = tmp_path / "journal.jsonl"
    lines = path.read_bytes().split(b"\n")
    lines[2] = bytes(len(lines[2]))
    path.write_bytes(b"\n".join(lines))
    entries, reader = read(tmp_path)
    assert entries == written[:2]
    assert reader.torn is not None


def test_a_record_taken_out_of_the_middle_is_damage(tmp_path: Path) -> None:
    write(tmp_path, sync_each=True)
    path = tmp_path / "journal.jsonl"
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join(lines[:2] + lines[3:]))
    with pytest.raises(JournalDamagedError):
        read(tmp_path)


def test_a_record_of_another_journal_spliced_in_is_damage(tmp_path: Path) -> None:
    write(tmp_path, sync_each=True)
    other = tmp_path / "other"
    other.mkdir()
    journal = Journal.open(other / "journal.jsonl", blobs(other), Disk(), Position())
    for _, event, to in EVENTS:
        journal.append(5.0, "T9", event, to)
        journal.sync()
    journal.close()
    path = tmp_path / "journal.jsonl"
    mine, theirs = (p.read_bytes().split(b"\n") for p in (path, other / "journal.jsonl"))
    path.write_bytes(b"\n".join([*mine[:2], theirs[2], *mine[3:]]))
    with pytest.raises(JournalDamagedError):
        read(tmp_path)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    write(tmp_path, sync_each=True)
    path = tmp_path / "journal.jsonl"
    first = path.read_bytes().split(b"\n")[0].replace(b'"v":1', b'"v":2')
    path.write_bytes(reseal(first) + b"\n")
    with pytest.raises(StateVersionError, match="newer"):
        read(tmp_path)


def test_opening_at_the_last_good_record_cuts_the_tail(tmp_path: Path) -> None:
    written = write(tmp_path, sync_each=True)
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes() + b'{"v":1,"seq"')
    _, reader = read(tmp_path)
    journal = Journal.open(path, blobs(tmp_path), Disk(), reader.position)
    added = journal.append(9.0, "T1", e.Refused("no"), TaskState.ESCALATED)
    journal.close()
    assert read(tmp_path)[0] == [*written, added]


class FullDisk(Disk):
    """Takes `room` bytes, then is full; half of the last write may have gone through."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, descriptor: int, content: bytes) -> None:
        super().write(descriptor, content[: self.room])
        if len(content) > self.room:
            raise OSError(28, "No space left on device")
        self.room -= len(content)


def test_a_full_disk_leaves_whole_records_only(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal.open(path, blobs(tmp_path), FullDisk(400), Position())
    written: list[Entry] = []

    def fill() -> None:
        for _ in range(100):
            written.append(journal.append(1.0, "T1", e.Started(), TaskState.PRE_HOOKS))  # noqa: PERF401  # what was written before it fails counts

    with pytest.raises(StorageError, match="disk is full"):
        fill()
    journal.close()
    entries, reader = read(tmp_path)
    assert entries == written
    assert written
    assert reader.torn is None


class BrokenSync(Disk):
    """Reports an input/output error once, then pretends that all is well, as a kernel does."""

    failures = 1

    def sync(self, descriptor: int) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError(5, "Input/output error")
        super().sync(descriptor)


def test_a_failed_sync_is_never_tried_again(tmp_path: Path) -> None:
    disk = BrokenSync()
    disk.failures = 0
    journal = Journal.open(tmp_path / "journal.jsonl", blobs(tmp_path), disk, Position())
    journal.append(0.0, "T1", e.Started(), TaskState.PRE_HOOKS)
    disk.failures = 1
    with pytest.raises(StorageError, match="input/output"):
        journal.sync()
    with pytest.raises(StorageError, match="earlier sync failed"):
        journal.sync()
    with pytest.raises(StorageError, match="earlier sync failed"):
        journal.append(0.0, "T1", e.PreHooksPassed(), TaskState.AGENT)
    journal.close()


def reseal(line: bytes) -> bytes:
    """The line with a checksum that fits again."""
    import zlib

    body = line[: line.rindex(b',"crc":')]
    return body + b',"crc":"%08x"}' % zlib.crc32(body)
