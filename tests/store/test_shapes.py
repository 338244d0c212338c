"""What is not ours in the state folder is refused by name, at once, and left as it is."""

import json
import math
import os
import socket
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent_runner.ground.clock import SystemClock
from agent_runner.ground.disk import Disk
from agent_runner.model import events as e
from agent_runner.model.agent import Message
from agent_runner.model.conversation import StoredRequest
from agent_runner.model.errors import StateError
from agent_runner.model.states import TaskState
from agent_runner.store.blobs import Blobs
from agent_runner.store.calls import CallFiles
from agent_runner.store.layout import Layout
from agent_runner.store.leftovers import leftovers
from agent_runner.store.outline import list_of, read_outline
from agent_runner.store.store import Store, archive, read_entries, read_state

FILES = ("journal.jsonl", "state.json", "list.json", "lock", "holder.json", ".gitignore")
FOLDERS = ("blobs", "snapshots", "archive", "logs")


def pipe(path: Path, _: Path) -> None:
    os.mkfifo(path)


def bound_socket(path: Path, _: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def link(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def wrong_way(path: Path, _: Path) -> None:
    if path.name in FOLDERS:
        path.write_bytes(b"")
    else:
        path.mkdir()


def open_store(project: Path) -> Store:
    folder = project / ".agent-runner"
    return Store.open(folder, project=project, list_id="tasks.yml", clock=SystemClock())


def journal_of(*lines: dict[str, object]) -> bytes:
    """Records with good checksums, whatever they hold."""
    text, prev = b"", "00000000"
    for seq, line in enumerate(lines, 1):
        base = {"v": 1, "seq": seq, "at": "2026-11-26T10:00:00.000000Z"}
        whole = {**base, **line, "synced": seq - 1, "prev": prev}
        body = json.dumps(whole, separators=(",", ":")).encode()[:-1]
        prev = f"{zlib.crc32(body):08x}"
        text += b'%s,"crc":"%s"}\n' % (body, prev.encode())
    return text


REQUEST = StoredRequest("T1/call-01", "T1", 1, 1, 1, "p", "m", 10, messages=(Message("user", "t"),))
STARTED: dict[str, Any] = {
    "kind": "RunStarted",
    "data": {"run": "r", "pid": 1, "version": "0", "list_id": "l"},
}


@pytest.mark.parametrize("put", [pipe, bound_socket, link, wrong_way])
@pytest.mark.parametrize("name", [*FILES, *FOLDERS])
def test_anything_else_in_place_of_a_file_or_folder_is_refused(
    tmp_path: Path, name: str, put: Callable[[Path, Path], None]
) -> None:
    victim, folder = tmp_path / "victim", tmp_path / ".agent-runner"
    victim.mkdir(mode=0o755)
    (victim / "file").write_text("precious")
    folder.mkdir()
    put(folder / name, victim if name in FOLDERS else victim / "file")
    for look in (
        lambda: open_store(tmp_path),
        lambda: read_state(folder),
        lambda: read_outline(folder),
        lambda: archive(folder, project=tmp_path, clock=SystemClock()),
    ):
        with pytest.raises(StateError, match=r"is a .*, not a") as caught:
            look()
        assert caught.value.fix
    assert list_of(folder) == ""
    assert [path.name for path in folder.iterdir()] == [name]
    assert [path.name for path in victim.iterdir()] == ["file"]
    assert (victim / "file").read_text() == "precious"


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir(mode=0o755)
    (tmp_path / ".agent-runner").symlink_to("victim")
    with pytest.raises(StateError, match="is a symbolic link"):
        open_store(tmp_path)
    assert not list((tmp_path / "victim").iterdir())
    assert (tmp_path / "victim").stat().st_mode & 0o777 == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files another user's")
@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_a_folder_of_another_user_is_said_to_be_that(mode: int) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        project, folder = Path(name), Path(name, ".agent-runner")
        open_store(project).close()
        folder.chmod(mode)
        project.chmod(0o755)
        os.chown(project, 65534, 65534)
        os.seteuid(65534)
        try:
            with pytest.raises(StateError, match="belongs to root") as caught:
                Layout(folder).check()
        finally:
            os.seteuid(0)
        assert caught.value.fix


@pytest.mark.parametrize("level", ["logs/T1", "logs/T1/attempt-01", "logs/T1/attempt-01/call-01"])
def test_links_deep_in_the_logs_are_not_followed(tmp_path: Path, level: str) -> None:
    top, victim = tmp_path / ".agent-runner", tmp_path / "victim"
    victim.mkdir()
    (top / level).parent.mkdir(parents=True)
    (top / level).symlink_to(victim)
    blobs = Blobs(top / "blobs", Disk())
    call = CallFiles("T1/call-01", top, Layout(top).call("T1", 1, "call-01"), blobs, Disk())
    with pytest.raises(StateError, match="symbolic link"):
        call.begin(REQUEST)
    assert not list(victim.iterdir())


def test_pipes_in_place_of_answers_and_contents_never_hang(tmp_path: Path) -> None:
    top = tmp_path / ".agent-runner"
    folder = Layout(top).call("T1", 1, "call-01")
    folder.mkdir(parents=True)
    for name in ("request.json", "response.json", "response.partial"):
        os.mkfifo(folder / name)
    (top / "blobs/ab").mkdir(parents=True)
    os.mkfifo(top / "blobs/pack")
    os.mkfifo(top / "blobs/ab" / ("0" * 62))
    blobs = Blobs(top / "blobs", Disk())
    call = CallFiles("T1/call-01", top, folder, blobs, Disk())
    call.keep_piece(b"piece")
    assert call.request() is None
    assert call.response() is None
    with pytest.raises(StateError, match="is gone") as caught:
        blobs.get("ab" + "0" * 62)
    assert caught.value.command == ("doctor",)
    with pytest.raises(StateError, match="named pipe"):
        blobs.put(b"x")


DEEP = b'{"v":1,"x":' + b"[" * 8000 + b"]" * 8000


@pytest.mark.parametrize(
    "record",
    [
        {"kind": "RunStarted", "data": {"run": 7}},
        {"kind": "RunStarted", "data": []},
        {"kind": "RunStarted"},
        {"kind": "Brewed", "data": {}},
        {"kind": ["RunStarted"], "data": {}},
        {"v": "1", "kind": "RunStarted", "data": {}},
        {"v": 99, "kind": "RunStarted", "data": {}},
        {**STARTED, "at": 5},
        {**STARTED, "at": "now"},
        {**STARTED, "task": {}},
        {**STARTED, "to": "flying"},
        {**STARTED, "data": {**STARTED["data"], "pid": 10**4000}},
        {
            "kind": "RunStopped",
            "data": {"run": "r", "reason": "limit", "exit_code": 75, "not_before": math.nan},
        },
        {"kind": "RunStarted", "blob": "0" * 64},
        {"kind": "RunStarted", "blob": "../../../etc/passwd"},
        {"kind": "RunStarted", "blob": 5},
        {"kind": "PostHooksPassed", "task": "T1", "to": "passed", "data": {"proof": [{}]}},
    ],
)
def test_a_record_of_a_wrong_shape_is_refused(tmp_path: Path, record: dict[str, object]) -> None:
    folder = tmp_path / ".agent-runner"
    folder.mkdir()
    content = journal_of(STARTED, record)
    (folder / "journal.jsonl").write_bytes(content)
    for look in (
        lambda: open_store(tmp_path),
        lambda: read_state(folder),
        lambda: list(read_entries(folder)),
    ):
        with pytest.raises(StateError) as caught:
            look()
        assert caught.value.fix
    assert (folder / "journal.jsonl").read_bytes() == content


@pytest.mark.parametrize("body", [DEEP, b'{"v":1,"n":' + b"9" * 5000, b'{"v":1', b"[1", b'"a"'])
def test_json_that_cannot_be_read_is_refused_in_a_record_and_thrown_away_in_a_cache(
    tmp_path: Path, body: bytes
) -> None:
    folder = tmp_path / ".agent-runner"
    folder.mkdir()
    line = b'%s,"crc":"%08x"}\n' % (body, zlib.crc32(body))
    (folder / "state.json").write_bytes(line)
    assert read_outline(folder) is None
    assert read_state(folder)[0].seq == 0
    (folder / "journal.jsonl").write_bytes(line)
    with pytest.raises(StateError):
        read_state(folder)
    with pytest.raises(StateError):
        open_store(tmp_path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("seq",), "1"),
        (("journal", "offset"), "0"),
        (("journal", "offset"), 10**18),
        (("journal", "crc"), 5),
        (("list",), 5),
        (("current",), ["T1"]),
        (("current",), "T9"),
        (("tasks",), []),
        (("tasks", "T1"), 5),
        (("tasks", "T1", "state"), "flying"),
        (("tasks", "T1", "last_error"), {"a": 1}),
        (("tasks", "T1", "counts"), {"attempts": "many"}),
        (("run", "started_at"), 1e300),
        (("spending",), 5),
    ],
)
def test_a_well_sealed_snapshot_of_a_wrong_shape_is_thrown_away(
    tmp_path: Path, path: tuple[str, ...], value: object
) -> None:
    store = open_store(tmp_path)
    store.take(store.append("", e.RunStarted("r1", 1, "0.1.0", "tasks.yml")))
    store.take(store.append("T1", e.Started("d"), TaskState.PRE_HOOKS))
    store.close()
    folder = tmp_path / ".agent-runner"
    good = read_state(folder)[0]
    content = json.loads((folder / "state.json").read_bytes())
    del content["crc"]
    at = content
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    body = json.dumps(content).encode()[:-1]
    (folder / "state.json").write_bytes(b'%s,"crc":"%08x"}\n' % (body, zlib.crc32(body)))
    assert read_outline(folder) is None or path == ("current",)
    read = read_state(folder)[0]
    assert {name: one.state for name, one in read.tasks.items()} == {"T1": TaskState.PRE_HOOKS}
    assert read.seq == good.seq


def test_temporary_files_of_a_killed_run_are_swept_and_those_of_others_stay(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path)
    folder = tmp_path / ".agent-runner"
    ours = (".state.json.ab_12cd9", "logs/T1/call-01/.prompt.md.abcdefgh")
    others = (".mine.abcdefgh", "logs/T1/keep.txt", "holder.json.abcdefgh")
    (folder / "logs/T1/call-01").mkdir(parents=True)
    for name in (*ours, *others):
        (folder / name).write_bytes(b"")
    store.abandon()
    holder = folder / "holder.json"
    assert not holder.exists()
    open_store(tmp_path).close()  # the last one ended cleanly: nothing is looked for
    assert len(list(leftovers(Layout(folder)))) == 2
    holder.write_text("{}")  # as a kill leaves it
    open_store(tmp_path).close()
    assert not any((folder / name).exists() for name in ours)
    assert all((folder / name).exists() for name in others)


def test_a_folder_that_was_there_keeps_its_mode_and_what_is_put_in_is_private(
    tmp_path: Path,
) -> None:
    folder = tmp_path / ".agent-runner"
    folder.mkdir()
    folder.chmod(0o755)
    store = open_store(tmp_path)
    modes = {path.name: path.stat().st_mode & 0o077 for path in folder.rglob("*")}
    store.close()
    assert folder.stat().st_mode & 0o777 == 0o755
    assert set(modes) >= {"holder.json", "journal.jsonl", "lock"}
    assert not any(modes.values()), modes
