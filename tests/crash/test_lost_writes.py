"""The power goes, or the disk refuses, at every write and sync of a run.

What was not synced is gone, or only some of it.

In one process, with a disk that remembers what was synced, so that every point can be tried. What
hooks did to the files is there all the same: the worst case is that their work is kept and the
journal is not.
"""

import contextlib
import errno
import os
import random
from pathlib import Path
from typing import Any

import pytest

from agent_runner.model import events as e
from agent_runner.model.errors import StorageError
from agent_runner.providers.client import CallContext
from agent_runner.store.store import read_entries
from tests.engine.scene import PowerOut, Scene
from tests.engine.scripted import replacing, showing, whole
from tests.support.exploring import Share
from tests.support.lossy import LossyDisk

pytestmark = pytest.mark.crash

HOOKS = {
    "prepare": {"command": "echo prepared > prepared.txt"},
    "format": {"command": "sed -i s/zwei/two/ a.txt"},
    "judge": {"command": "echo x >> cache; grep -q two a.txt"},
}
TASKS: list[dict[str, Any]] = [
    {"id": "T1", "pre_hooks": ["prepare"], "post_hooks": ["format", "judge"]},
    {"id": "T2", "post_hooks": []},
]
SURVIVORS = [(), ("journal.jsonl",), ("pack",), ("journal.jsonl", "pack", "state.json")]
"""Files whose unsynced pages were written before the power went."""

REFUSALS = (errno.EIO, errno.ENOSPC)

SAMPLE = 6
"""Points tried where not all are asked for."""


class MortalLossyDisk(LossyDisk):
    """Loses what was not synced, and ends the process before its n-th change."""

    def __init__(self, root: Path, lives: int) -> None:
        super().__init__(root)
        self.lives, self.used = lives, 0

    def touched(self, _step: str = "", _path: str = "") -> None:
        self.used += 1
        if self.used > self.lives:
            raise PowerOut

    def write(self, descriptor: int, content: bytes) -> None:
        self.touched()
        super().write(descriptor, content)

    def truncate(self, descriptor: int, size: int) -> None:
        self.touched()
        super().truncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        self.touched()
        super().sync(descriptor)

    def sync_folder(self, folder: Path) -> None:
        self.touched()
        super().sync_folder(folder)

    def replace(self, temporary: Path, path: Path) -> None:
        self.touched()
        super().replace(temporary, path)

    def reserve(self, descriptor: int, offset: int, size: int) -> None:
        self.touched()
        super().reserve(descriptor, offset, size)


class RefusingDisk(MortalLossyDisk):
    """Refuses its n-th change; `for_good`: and all that follow."""

    def __init__(self, root: Path, lives: int, number: int, *, for_good: bool) -> None:
        super().__init__(root, lives)
        self.number, self.for_good = number, for_good

    def touched(self, _step: str = "", _path: str = "") -> None:
        self.used += 1
        if self.used == self.lives + 1 or (self.for_good and self.used > self.lives):
            raise OSError(self.number, os.strerror(self.number))


def answer(context: CallContext) -> str:
    """By what is asked and not by how often: a call that was lost is answered as it was before.

    A look, a reply that does not fit, one that does and is red, one that is green once formatted.
    """
    request = context.request
    if request.task == "T2":
        return whole("b.txt", "b\n")
    if request.attempt == 2:
        return replacing("a.txt", "one\n", "zwei\n")
    replies = {1: showing("prepared.txt"), 2: replacing("a.txt", "none\n", "x\n")}
    return replies.get(request.turn, whole("a.txt", "one\n"))


def scene_in(folder: Path, lives: int) -> tuple[Scene, MortalLossyDisk]:
    scene = Scene(folder / "p", TASKS, {"hooks": HOOKS}, [answer] * 20)
    disk = MortalLossyDisk(scene.state_dir, lives)
    scene.disk, scene.on_write = disk, disk.touched
    return scene, disk


def moves(scene: Scene) -> list[tuple[str, str, str]]:
    entries = read_entries(scene.state_dir)
    return [(x.task, type(x.event).__name__, x.to.value) for x in entries if x.to]


def files(scene: Scene) -> dict[str, str]:
    return {path.name: path.read_text() for path in scene.folder.glob("[ab]*.txt")}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scene, int]:
    """The run that every other must equal, and how often it changes the disk."""
    scene, disk = scene_in(tmp_path_factory.mktemp("undisturbed"), 1_000_000)
    assert scene.run().exit_code == 0
    assert files(scene) == {"a.txt": "two\n", "b.txt": "b\n"}
    assert len(scene.client.asked) == 5
    return scene, disk.used


def cut_and_resumed(folder: Path, lives: int, survivors: tuple[str, ...], reference: Scene) -> None:
    scene, disk = scene_in(folder, lives)
    assert scene.killed()
    disk.power_cut(keep=1_000_000, of=survivors)
    goes_on(scene, reference)


def refused_and_resumed(
    folder: Path, lives: int, number: int, for_good: bool, reference: Scene
) -> None:
    scene, _ = scene_in(folder, lives)
    disk = RefusingDisk(scene.state_dir, lives, number, for_good=for_good)
    scene.disk, scene.on_write = disk, disk.touched
    with contextlib.suppress(StorageError):  # even the run's last record could not be written
        assert scene.run().exit_code in {0, 3}
    goes_on(scene, reference)


def goes_on(scene: Scene, reference: Scene) -> None:
    """With a good disk it comes to the same end, and all that is not known was reported."""
    scene.disk, scene.on_write = MortalLossyDisk(scene.state_dir, 1_000_000), None
    assert scene.again().exit_code == 0
    assert files(scene) == files(reference)
    assert moves(scene) == moves(reference)
    for task in ("T1", "T2"):  # else a change would stand in the files that `undo` knows nothing of
        assert scene.record(task).change.paths == reference.record(task).change.paths
    settled = scene.events(e.CallSettled)
    lost = [event for event in settled if event.outcome == "lost"]
    assert len(lost) <= 1
    assert len(scene.client.asked) <= len(reference.client.asked) + len(lost), "paid for twice"
    assert sum(r.spent.possibly_billed for r in scene.state.tasks.values()) == len(lost)
    assert len({event.call for event in settled}) == len(settled), "a call was settled twice"


def test_the_power_goes_somewhere(
    tmp_path: Path, undisturbed: tuple[Scene, int], dice: random.Random
) -> None:
    reference, points = undisturbed
    for number in range(SAMPLE):
        lives, survivors = dice.randrange(points), dice.choice(SURVIVORS)
        print(f"before change {lives + 1} of {points}, kept: {survivors}")  # noqa: T201  # on failure
        cut_and_resumed(tmp_path / str(number), lives, survivors, reference)


def test_the_disk_refuses_somewhere(
    tmp_path: Path, undisturbed: tuple[Scene, int], dice: random.Random
) -> None:
    reference, points = undisturbed
    for number in range(SAMPLE):
        lives, code, for_good = dice.randrange(points), dice.choice(REFUSALS), dice.random() < 0.5
        print(f"change {lives + 1} of {points}, {code}, {for_good}")  # noqa: T201  # on failure
        refused_and_resumed(tmp_path / str(number), lives, code, for_good, reference)


@pytest.mark.long
@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
@pytest.mark.parametrize("code", REFUSALS, ids=errno.errorcode.get)
def test_the_disk_refuses_each_change(
    tmp_path: Path, undisturbed: tuple[Scene, int], code: int, for_good: bool, share: Share
) -> None:
    reference, points = undisturbed
    for lives in share.of(range(points)):
        print(f"change {lives + 1} of {points}")  # noqa: T201  # shown on failure
        refused_and_resumed(tmp_path / str(lives), lives, code, for_good, reference)


@pytest.mark.long
@pytest.mark.parametrize("survivors", SURVIVORS, ids=lambda names: "+".join(names) or "nothing")
def test_the_power_goes_before_each_change(
    tmp_path: Path, undisturbed: tuple[Scene, int], survivors: tuple[str, ...], share: Share
) -> None:
    reference, points = undisturbed
    for lives in share.of(range(points)):
        print(f"before change {lives + 1} of {points}")  # noqa: T201  # shown on failure
        cut_and_resumed(tmp_path / str(lives), lives, survivors, reference)
