"""The store: snapshot and journal agree, what does not fit is refused, locks hold."""

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from agent_runner.model import events as e
from agent_runner.model.errors import (
    JournalDamagedError,
    StateLockedError,
    StateLostError,
    StateMismatchError,
    StateVersionError,
)
from agent_runner.model.states import TaskState
from agent_runner.store.outline import list_of
from agent_runner.store.store import Store, archive, read_entries, read_state
from tests.support.clocks import FakeClock


def open_store(project: Path, list_id: str = "tasks.yml") -> Store:
    return Store.open(
        project / ".agent-runner", project=project, list_id=list_id, clock=FakeClock()
    )


def sealed(content: dict[str, Any]) -> bytes:
    """A snapshot with a good checksum, as another version of the program might leave it."""
    content.pop("crc", None)
    body = json.dumps(content, separators=(",", ":")).encode()[:-1]
    return b'%s,"crc":"%08x"}\n' % (body, zlib.crc32(body))


def started(store: Store, *tasks: str) -> None:
    store.take(store.append("", e.RunStarted("r1", 1, "0.1.0", "tasks.yml")))
    for task in tasks:
        store.take(store.append(task, e.Started("d"), TaskState.PRE_HOOKS))
    store.sync()


def test_reopening_gives_the_same_state(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    started(store, "T1", "T2")
    before = store.state
    store.close()
    again = open_store(tmp_path)
    assert again.state == before
    again.close()


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"format":1}', b"\0" * 100, b"[]"])
def test_a_lost_or_damaged_snapshot_is_rebuilt(tmp_path: Path, content: bytes | None) -> None:
    store = open_store(tmp_path)
    started(store, "T1")
    before = store.state
    store.close()
    snapshot = tmp_path / ".agent-runner/state.json"
    if content is None:
        snapshot.unlink()
    else:
        snapshot.write_bytes(content)
    assert read_state(tmp_path / ".agent-runner")[0] == before


def test_a_stale_snapshot_is_brought_up_to_date(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    started(store, "T1")
    store.refresh_snapshot()
    stale = (tmp_path / ".agent-runner/state.json").read_bytes()
    store.take(store.append("T1", e.PreHooksPassed(), TaskState.AGENT))
    store.close()
    (tmp_path / ".agent-runner/state.json").write_bytes(stale)
    state, _ = read_state(tmp_path / ".agent-runner")
    assert state.record("T1").state is TaskState.AGENT


def test_a_snapshot_ahead_of_the_journal_is_refused(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    started(store, "T1")
    store.close()
    journal = tmp_path / ".agent-runner/journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(lines[0])
    with pytest.raises(StateMismatchError, match="ahead"):
        open_store(tmp_path)
    assert journal.read_bytes() == lines[0]


def test_a_snapshot_that_claims_a_later_record_is_refused(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    started(store, "T1")
    store.close()
    snapshot = tmp_path / ".agent-runner/state.json"
    content = json.loads(snapshot.read_bytes())
    snapshot.write_bytes(sealed({**content, "seq": content["seq"] + 1}))
    with pytest.raises(StateMismatchError, match="ahead"):
        open_store(tmp_path)


def test_damage_before_the_snapshots_place_is_refused(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    started(store, "T1")
    store.take(store.append("T1", e.PreHooksPassed(), TaskState.AGENT))
    store.close()
    journal = tmp_path / ".agent-runner/journal.jsonl"
    damaged = journal.read_bytes().replace(b'"T1"', b'"T9"', 1)
    journal.write_bytes(damaged)
    with pytest.raises(JournalDamagedError, match="record 2"):
        open_store(tmp_path)
    assert journal.read_bytes() == damaged


def test_no_flipped_bit_of_a_snapshot_is_read(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    started(store, "T1", "T2")
    before = store.state
    store.close()
    snapshot = tmp_path / ".agent-runner/state.json"
    good = snapshot.read_bytes()
    for bit in range(0, len(good) * 8, 7):
        damaged = bytearray(good)
        damaged[bit // 8] ^= 1 << bit % 8
        snapshot.write_bytes(damaged)
        assert read_state(tmp_path / ".agent-runner")[0] == before, f"bit {bit} was misread"


def test_another_list_in_the_same_folder_is_refused_with_advice(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    started(store)
    store.close()
    with pytest.raises(StateMismatchError) as caught:
        open_store(tmp_path, "other.yml")
    assert "--state-dir" in caught.value.fix


def test_a_newer_snapshot_is_refused(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.close()
    path = tmp_path / ".agent-runner/state.json"
    path.write_bytes(sealed({"format": 99}))
    with pytest.raises(StateVersionError, match="newer"):
        open_store(tmp_path)


def test_a_torn_tail_is_set_aside_with_a_warning(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    started(store, "T1")
    store.close()
    journal = tmp_path / ".agent-runner/journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"torn')
    store = open_store(tmp_path)
    assert "set aside" in store.warnings[0]
    store.close()
    assert journal.read_bytes() == whole
    assert (tmp_path / ".agent-runner/journal.torn-3").read_bytes() == b'{"torn'


def test_reading_leaves_a_torn_tail_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    started(store, "T1")
    store.close()
    journal = tmp_path / ".agent-runner/journal.jsonl"
    journal.write_bytes(journal.read_bytes() + b"half a rec")
    before = journal.read_bytes()
    _, warnings = read_state(tmp_path / ".agent-runner")
    assert warnings
    assert journal.read_bytes() == before


HOLD = """
import sys
from pathlib import Path
from agent_runner.ground.clock import SystemClock
from agent_runner.store.outline import list_of
from agent_runner.store.store import Store
project = Path(sys.argv[1])
store = Store.open(Path(sys.argv[2]), project=project, list_id="tasks.yml", clock=SystemClock())
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("own_state", [True, False])
def test_a_second_run_leaves_with_the_holders_name(tmp_path: Path, own_state: bool) -> None:
    mine = tmp_path / (".agent-runner" if own_state else "other-state")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path, mine],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StateLockedError) as caught:
            open_store(tmp_path)
        if own_state:
            assert str(holder.pid) in str(caught.value)
        holder.kill()
    open_store(tmp_path).close()  # a killed holder leaves no stale lock


def test_a_removed_state_folder_is_noticed(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    started(store, "T1")
    store.journal.check_in_place()
    (tmp_path / ".agent-runner/journal.jsonl").unlink()
    with pytest.raises(StateLostError):
        store.journal.check_in_place()
    store.abandon()


@pytest.mark.parametrize("junk", [b"x\n", b"\0" * 300])
def test_what_others_write_in_the_journal_costs_no_record(tmp_path: Path, junk: bytes) -> None:
    store = open_store(tmp_path)
    started(store, "T1")
    with (tmp_path / ".agent-runner/journal.jsonl").open("ab") as journal:
        journal.write(junk)
    with pytest.raises(StateLostError, match="was written to during the run"):
        started(store, "T2")
    store.abandon()
    again = open_store(tmp_path)
    assert list(again.state.tasks) == ["T1"]
    started(again, "T2")
    again.close()
    assert list(read_state(tmp_path / ".agent-runner", "tasks.yml")[0].tasks) == ["T1", "T2"]


def test_the_state_folder_is_private_and_ignored_by_git(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    folder = tmp_path / ".agent-runner"
    assert folder.stat().st_mode & 0o777 == 0o700
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    status = subprocess.run(
        ["git", "-C", tmp_path, "status", "--porcelain"], check=True, capture_output=True, text=True
    )
    assert status.stdout == ""
    subprocess.run(["git", "-C", tmp_path, "clean", "-fdq"], check=True)
    assert (folder / "journal.jsonl").exists()


def test_a_fresh_start_keeps_the_old_state_in_the_archive(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    started(store, "T1")
    store.close()
    folder = tmp_path / ".agent-runner"
    target = archive(folder, project=tmp_path, clock=FakeClock())
    assert target is not None
    assert (target / "journal.jsonl").exists()
    store = open_store(tmp_path)
    assert store.state.tasks == {}
    store.close()
    assert list(read_entries(folder)) == []


def test_snapshots_stay_rare_when_the_state_is_large(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    started(store, *(f"T{n}" for n in range(1500)))
    store.refresh_snapshot()
    first = os.stat(store.layout.snapshot).st_ino
    for _ in range(20):
        store.take(store.append("T1", e.PreHooksPassed(), TaskState.AGENT))
        store.refresh_snapshot()
    assert os.stat(store.layout.snapshot).st_ino == first
    store.close()


def test_the_lists_name_is_found_with_and_without_a_snapshot(tmp_path: Path) -> None:
    folder = tmp_path / ".agent-runner"
    assert list_of(folder) == ""
    store = open_store(tmp_path)
    started(store)
    store.abandon()
    assert not (folder / "state.json").exists()
    assert list_of(folder) == "tasks.yml"
    open_store(tmp_path).close()
    assert list_of(folder) == "tasks.yml"
