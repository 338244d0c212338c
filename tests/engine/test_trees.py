"""What the engine knows of a task's files: when it looks, and what is stored as a task begins."""

import os
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from attrs import evolve

from agent_runner.engine.trees import Start, Trees
from agent_runner.ground.disk import Disk
from agent_runner.model.errors import StateError
from agent_runner.model.record import ChangeState, TaskRecord
from agent_runner.model.task import Task
from agent_runner.store.blobs import Blobs
from agent_runner.workspace.history import changes, entry_at
from agent_runner.workspace.names import Scope
from agent_runner.workspace.objects import BLOB, ObjectStore, object_name
from agent_runner.workspace.snapshots import SnapshotReader
from tests.support.clocks import FakeClock

OF_FORMAT_1 = (
    '{"format":1,"id":"5feceb66ffc86f38","hashing":"sha1","base":"4b825dc642cb6eb9",'
    '"differing":{"n\\u00e9\\udcff":"100644 587be6b4c3f93f93c489c0111bba5596147a26cb","gone":null}}'
)


def test_a_start_is_stored_as_one_line_of_ascii() -> None:
    start = Start("4b825dc642cb6eb9a060e54bf8d69288fbee4904", frozenset({"né\udcff\n", "a"}))
    text = start.to_json()
    assert text.isascii()
    assert "\n" not in text
    assert Start.from_json(text) == start


def test_of_a_tree_of_format_1_the_changed_paths_are_still_known() -> None:
    assert Start.from_json(OF_FORMAT_1) == Start("", frozenset({"né\udcff", "gone"}))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"format": 3}', '{"format": 2}'])
def test_text_that_is_no_start_is_refused(text: str) -> None:
    with pytest.raises(StateError, match="stored start"):
        Start.from_json(text)


class Files:
    """A task in a folder without git, its trees, and a clock to turn."""

    def __init__(self, folder: Path) -> None:
        self.root, self.clock = folder / "root", FakeClock()
        self.root.mkdir()
        (self.root / "a").write_text("one\n")
        self.store = ObjectStore(folder / "snapshots")
        self.task = Task("T1", "One", "Do it.", self.root)
        self.trees = Trees(
            Blobs(folder / "blobs", Disk()),
            self.store,
            lambda root: SnapshotReader(Scope(root), self.store, self.clock),
            folder / "copies",
            self.clock,
        )


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    made = Files(tmp_path)
    yield made
    made.store.close()


def test_one_step_begins_with_what_the_one_before_it_saw(files: Files) -> None:
    before = anyio.run(files.trees.read, files.task)
    (files.root / "a").write_text("changed\n")
    assert anyio.run(files.trees.last, files.task) == before
    files.trees.expire()
    after = anyio.run(files.trees.last, files.task)
    assert after != before
    assert anyio.run(files.trees.last, files.task) == after


def test_after_a_wait_it_looks_again(files: Files) -> None:
    before = anyio.run(files.trees.read, files.task)
    (files.root / "a").write_text("by the user, meanwhile\n")
    files.clock.at += 6
    assert anyio.run(files.trees.last, files.task) != before


@pytest.mark.parametrize("ran", [False, True])
def test_after_a_change_of_our_own_it_looks_at_nothing_else_unless_something_ran(
    files: Files, ran: bool
) -> None:
    before = anyio.run(files.trees.read, files.task)
    (files.root / "a").write_text("ours\n")
    (files.root / "b").write_text("somebody else's\n")
    if ran:
        files.trees.expire()
    after = anyio.run(files.trees.written, files.task, ["a"])
    changed = [c.path for c in changes(files.store, before.id, after.id)]
    assert changed == (["a", "b"] if ran else ["a"])


def test_a_scratch_copy_has_the_tests_of_before(files: Files) -> None:
    _, kept = anyio.run(files.trees.start, files.task)
    start = files.trees.at_start(evolve(TaskRecord("T1"), change=ChangeState(start=kept)))
    assert start is not None
    (files.root / "a").write_text("two\n")
    (files.root / "b").write_text("new\n")
    with files.trees.scratch(files.task) as copy:
        copy.fill()
        copy.lay(start.id, ["a"])
        assert (copy.folder / "a").read_text() == "one\n"
        assert (copy.folder / "b").read_text() == "new\n"
        (files.trees.copies / "somebody-else's").mkdir()
    assert (files.root / "a").read_text() == "two\n"
    anyio.run(files.trees.close)
    anyio.run(files.trees.sweep)
    assert os.listdir(files.trees.copies) == ["somebody-else's"]


def test_what_no_task_needs_is_forgotten_before_a_run(files: Files) -> None:
    _, kept = anyio.run(files.trees.start, files.task)
    record = TaskRecord("T1", change=ChangeState(start=kept))
    (files.root / "a").write_bytes(lost := os.urandom(9_000))
    seen = anyio.run(files.trees.read, files.task)
    files.store.spared = 0
    files.trees.prune([record, TaskRecord("T2")])
    start = files.trees.at_start(record)
    assert start is not None
    assert entry_at(files.store, start.id, "a") is not None
    assert files.store.get(object_name(BLOB, b"one\n", "sha1")) == b"one\n"
    assert not files.store.holds(bytes.fromhex(seen.id))
    assert not files.store.holds(object_name(BLOB, lost, "sha1"))


def test_where_a_start_cannot_be_read_nothing_is_forgotten(files: Files) -> None:
    files.store.spared = 0
    tree = anyio.run(files.trees.read, files.task)
    files.trees.prune([TaskRecord("T1", change=ChangeState(start="0" * 64))])
    assert files.store.holds(bytes.fromhex(tree.id))
