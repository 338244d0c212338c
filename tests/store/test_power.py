"""What a power cut leaves of the state: what was synced, and of the rest any page or none."""

from pathlib import Path

import pytest

from agent_runner.ground.clock import SystemClock
from agent_runner.model import events as e
from agent_runner.model.agent import AgentResponse, Finish, Message, Prompt
from agent_runner.model.conversation import StoredRequest, digest_of
from agent_runner.model.errors import StorageError
from agent_runner.model.states import TaskState
from agent_runner.model.usage import Usage
from agent_runner.store.blobs import Blobs
from agent_runner.store.calls import CallFiles
from agent_runner.store.store import Store, read_entries, read_state
from tests.support.lossy import LossyDisk

FIRST = e.RunStarted("r1", 1, "0.1.0", "tasks.yml")
ALL = 1_000_000
"""Bytes of what was not synced that may survive: everything."""


def folder_of(project: Path) -> Path:
    return project / ".agent-runner"


def opened(project: Path, disk: LossyDisk) -> Store:
    folder = folder_of(project)
    return Store.open(folder, project=project, list_id="tasks.yml", clock=SystemClock(), disk=disk)


@pytest.mark.parametrize("size", [10, 20_000])  # the larger one needs a blob
def test_what_was_synced_is_there_from_the_first_entry_on(tmp_path: Path, size: int) -> None:
    disk = LossyDisk(tmp_path)
    store = opened(tmp_path, disk)
    store.take(store.append("", FIRST))
    store.take(store.append("T1", e.Started("d" * size), TaskState.PRE_HOOKS))
    store.sync()
    before = store.state
    store.abandon()
    disk.power_cut()
    assert read_state(folder_of(tmp_path))[0] == before


def test_a_record_that_survives_refers_to_nothing_that_is_lost(tmp_path: Path) -> None:
    disk = LossyDisk(tmp_path)
    store = opened(tmp_path, disk)
    store.append("", FIRST)
    store.sync()
    store.append("T1", e.Started("d" * 20_000), TaskState.PRE_HOOKS)
    store.abandon()
    disk.power_cut(keep=ALL, of=["journal.jsonl"])
    assert len(list(read_entries(folder_of(tmp_path)))) == 2


@pytest.mark.parametrize("of", [["state.json"], ["state.json", "journal.jsonl"], []])
def test_no_snapshot_is_ahead_of_its_journal(tmp_path: Path, of: list[str]) -> None:
    disk = LossyDisk(tmp_path)
    store = opened(tmp_path, disk)
    store.take(store.append("", FIRST))
    store.sync()
    store.take(store.append("T1", e.Started("d"), TaskState.PRE_HOOKS))
    store.refresh_snapshot()
    disk.sync_folder(folder_of(tmp_path))  # as the system may do at any time
    store.abandon()
    disk.power_cut(keep=ALL, of=of)
    assert opened(tmp_path, LossyDisk(tmp_path)).state.list_id == "tasks.yml"


def test_after_the_end_state_and_snapshot_are_there(tmp_path: Path) -> None:
    disk = LossyDisk(tmp_path)
    store = opened(tmp_path, disk)
    store.take(store.append("", FIRST))
    store.take(store.append("T1", e.Started("d"), TaskState.PRE_HOOKS))
    before = store.state
    store.close()
    disk.power_cut()
    assert (folder_of(tmp_path) / "state.json").stat().st_size
    assert read_state(folder_of(tmp_path))[0] == before


def test_what_a_killed_run_left_unsynced_is_durable_before_it_is_gone_on_from(
    tmp_path: Path,
) -> None:
    disk = LossyDisk(tmp_path)
    killed = opened(tmp_path, disk)
    killed.append("", FIRST)
    killed.append("T1", e.Started("d"), TaskState.PRE_HOOKS)
    killed.abandon()
    opened(tmp_path, disk).abandon()
    disk.power_cut()
    assert len(list(read_entries(folder_of(tmp_path)))) == 2


def test_a_torn_tail_is_durable_aside_before_it_is_cut(tmp_path: Path) -> None:
    disk = LossyDisk(tmp_path)
    store = opened(tmp_path, disk)
    store.append("", FIRST)
    store.sync()
    store.abandon()
    with (folder_of(tmp_path) / "journal.jsonl").open("ab") as file:
        file.write(b'{"v":1,"torn')
    again = opened(tmp_path, disk)
    assert "set aside" in again.warnings[0]
    again.abandon()
    disk.power_cut()
    assert (folder_of(tmp_path) / "journal.torn-2").read_bytes() == b'{"v":1,"torn'
    assert len(list(read_entries(folder_of(tmp_path)))) == 1


def test_an_answer_is_durable_when_it_is_settled(tmp_path: Path) -> None:
    top = folder_of(tmp_path)
    top.mkdir()
    disk = LossyDisk(tmp_path)
    prompt = Prompt("s", (Message("user", "t"),))
    request = StoredRequest(
        *("T1/call-01", "T1", 1, 1, 1, "p", "m", 10),
        system=prompt.system,
        messages=prompt.messages,
        digest=digest_of(prompt),
    )
    response = AgentResponse("text", Finish.COMPLETE, Usage(1, 1))
    folder = top / "logs/T1/attempt-01/call-01"
    call = CallFiles("T1/call-01", top, folder, Blobs(top / "blobs", disk), disk)
    call.begin(request)
    call.settle(request, response)
    disk.power_cut()
    kept = CallFiles("T1/call-01", top, folder, Blobs(top / "blobs", disk), disk)
    assert kept.response() == response
    assert kept.request() == request


def test_pieces_of_broken_answers_go_when_the_question_is_answered(tmp_path: Path) -> None:
    top = folder_of(tmp_path)
    top.mkdir()
    disk, blobs = LossyDisk(tmp_path), Blobs(top / "blobs", LossyDisk(tmp_path))
    attempt = top / "logs/T1/attempt-01"
    for number, finish in ((1, Finish.CUT), (2, Finish.COMPLETE)):
        name = f"T1/call-{number:02}"
        request = StoredRequest(name, "T1", number, 1, number, "p", "m", 10, system="s")
        call = CallFiles(name, top, attempt / f"call-{number:02}", blobs, disk)
        call.begin(request)
        call.keep_piece(b"a piece")
        assert call.pieces() == b"a piece"
        call.settle(request, AgentResponse("text", finish))
        left = [one.parent.name for one in attempt.glob("*/response.partial")]
        assert left == (["call-01"] if finish is Finish.CUT else [])


def test_an_answer_whose_sync_fails_is_found_by_the_next_run(tmp_path: Path) -> None:
    class Failing(LossyDisk):
        def sync(self, descriptor: int) -> None:
            raise OSError(5, "Input/output error")

    top = folder_of(tmp_path)
    top.mkdir()
    prompt = Prompt("s", (Message("user", "t"),))
    request = StoredRequest(
        *("T1/call-01", "T1", 1, 1, 1, "p", "m", 10),
        system=prompt.system,
        messages=prompt.messages,
        digest=digest_of(prompt),
    )
    response = AgentResponse("text", Finish.COMPLETE, Usage(1, 1))
    disk, folder = Failing(tmp_path), top / "logs/T1/attempt-01/call-01"
    call = CallFiles("T1/call-01", top, folder, Blobs(top / "blobs", disk), disk)
    call.begin(request)
    with pytest.raises(Exception, match="input/output error"):
        call.settle(request, response)
    kept = CallFiles("T1/call-01", top, folder, Blobs(top / "blobs", LossyDisk(tmp_path)), disk)
    assert kept.response() == response


def test_a_journal_that_refuses_leaves_the_state_as_it_was(tmp_path: Path) -> None:
    class Full(LossyDisk):
        room = True

        def write(self, descriptor: int, content: bytes) -> None:
            if not self.room:
                raise OSError(28, "No space left on device")
            super().write(descriptor, content)

    disk = Full(tmp_path)
    store = opened(tmp_path, disk)
    store.take(store.append("", FIRST))
    disk.room = False
    with pytest.raises(StorageError, match="disk is full"):
        store.append("T1", e.Started("d"), TaskState.PRE_HOOKS)
    assert "T1" not in store.state.tasks
    store.abandon()
