"""Whole runs with random answers, verdicts and decisions, killed at random writes, run to the end.

The process ends at the n-th thing it does to the disk, then another takes over, until all is done.
What must hold is said in `Witness` for every entry, and in `account` for the end.
"""

import itertools
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given, strategies as st

from agent_runner.engine.control import Control
from agent_runner.ground.disk import Disk
from agent_runner.model import events as e
from agent_runner.model.agent import AgentResponse, Finish
from agent_runner.model.decisions import Choice, Decision
from agent_runner.model.errors import (
    RateLimitedError,
    TransientError,
    UnknownOutcomeError,
    UsageError,
)
from agent_runner.model.fold import Entry, RunState
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import FINAL
from agent_runner.store.blobs import Blobs
from agent_runner.store.store import read_entries
from tests.engine.deciding import retry, undo
from tests.engine.scene import PowerOut, Scene, ScriptedPerson, Watcher, hooks
from tests.engine.scripted import Line, replacing, running, showing, whole
from tests.support.exploring import examples

MAX_ATTEMPTS = 2
BY_PERSON = (e.Retried, e.Checked, e.Skipped, e.Reset, e.TakenBack)

JUDGE = """\
# the next verdict; green when there are no more
read -r verdict < ../verdicts
tail -n +2 ../verdicts > ../verdicts.rest && mv ../verdicts.rest ../verdicts
test "$verdict" != red || { echo "red $(cat a.txt)"; exit 1; }
"""

TASKS: list[dict[str, Any]] = [
    {"id": "T1", "post_hooks": ["judge"]},
    {"id": "T2", "pre_hooks": ["ready"], "post_hooks": ["judge"]},
]

SETTINGS = {
    "hooks": hooks(ready="true", judge="sh ../judge"),
    "max_attempts_per_task": MAX_ATTEMPTS,
    "max_edit_retries": 1,
    "apply": {"commands": "allow", "allow": ["false", "true"], "protect": ["safe.txt"]},
}


def edit(number: int) -> str:
    """Both files say the same, or the change was not applied as a whole."""
    return whole("a.txt", f"{number}\n") + whole("sub/b.txt", f"{number}\n")


def lines(kind: str, number: int) -> Line:
    """What the agent says; `number` makes every edit another."""
    said: dict[str, Line] = {
        "edit": edit(number),
        "no match": edit(number) + replacing("a.txt", "no such line\n", "x\n"),
        "forbidden": edit(number) + whole("safe.txt", "mine now\n"),
        "command": edit(number) + "\n" + running("true"),
        "bad command": edit(number) + "\n" + running("false"),
        "words": "I did nothing.",
        "not needed": "NO CHANGE NEEDED: it is fine",
        "look": showing("a.txt"),
        "cut": AgentResponse("half", Finish.TRUNCATED),
        "refused": AgentResponse("no", Finish.REFUSED),
        "throttled": RateLimitedError("slow down", retry_after=5),
        "tomorrow": RateLimitedError("no more today", retry_after=5000),
        "down": TransientError("down"),
        "lost": UnknownOutcomeError("cut"),
    }
    return said[kind]


KINDS = [
    *["edit"] * 4,
    *("no match", "forbidden", "command", "bad command", "words", "look", "cut", "refused"),
    "not needed",
    *("throttled", "tomorrow", "down", "lost"),
]


class MortalDisk(Disk):
    """Does what it is told until the n-th time; then nobody is there any more."""

    def __init__(self, lives: int) -> None:
        self.left = lives

    def touched(self, _step: str, _path: str) -> None:
        """A step of writing the user's files, which does not go through the store."""
        self._live()

    def _live(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise PowerOut

    def write(self, descriptor: int, content: bytes) -> None:
        self._live()
        super().write(descriptor, content)

    def truncate(self, descriptor: int, size: int) -> None:
        self._live()
        super().truncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        self._live()  # what was written outlives a process without it, and the test is quicker

    def sync_folder(self, folder: Path) -> None:
        self._live()

    def replace(self, temporary: Path, path: Path) -> None:
        self._live()
        super().replace(temporary, path)

    def reserve(self, descriptor: int, offset: int, size: int) -> None:
        self._live()
        super().reserve(descriptor, offset, size)


@define
class Witness(Watcher):
    """Sees every entry and says what must never be."""

    folder: Path = field(kw_only=True)

    def entry(self, entry: Entry, before: TaskRecord | None, after: TaskRecord | None) -> None:
        super().entry(entry, before, after)
        if before is None or after is None:
            return
        if before.state in FINAL and after.state is not before.state:
            assert isinstance(entry.event, BY_PERSON), "a final task was entered again"
        assert after.counts.attempts <= MAX_ATTEMPTS + after.counts.extra_attempts, (
            "more attempts than allowed"
        )
        if after.change.planned is None:
            texts = {self.text("a.txt"), self.text("sub/b.txt")}
            assert len(texts) == 1, f"half a change stands in the files: {texts}"

    def text(self, name: str) -> str | None:
        path = self.folder / name
        return path.read_text() if path.exists() else None


def one_life(scene: Scene) -> e.RunStopped | None:
    """Run until an end or death; None: it died. The state in memory was the journal's fold."""
    scene.watcher = Witness(folder=scene.folder)
    died = scene.killed()
    state = scene.wiring.store.state if scene.watcher.entries else RunState()
    entries = list(read_entries(scene.state_dir)) if scene.state_dir.is_dir() else []
    folded = RunState()
    for entry in entries[: state.seq]:
        folded.take(entry)
    assert folded == state
    if died:
        return None
    (stopped,) = (x.event for x in entries[-1:])
    assert isinstance(stopped, e.RunStopped)
    return stopped


def account(scene: Scene) -> None:
    """Every call was asked once and settled once, and no answer that was kept is missing."""
    asked = Counter(request.call for request in scene.client.asked)
    assert set(asked.values()) <= {1}, "a call was sent twice"
    started = {event.call for event in scene.events(e.CallStarted)}
    assert set(asked) <= started, "a call was sent before its start was kept"
    settled = {event.call: event.outcome for event in scene.events(e.CallSettled)}
    assert len(settled) == len(scene.events(e.CallSettled)), "a call was settled twice"
    blobs = Blobs(scene.state_dir / "blobs", Disk())
    kept = {call for call in started if blobs.read(f"{call}/response") is not None}
    answered = {call for call, outcome in settled.items() if outcome == "answered"}
    open_calls = {r.call.started for r in scene.state.tasks.values() if r.call.started}
    assert answered == kept - open_calls, "an answer on disk was not used"
    lost = sum(outcome == "lost" for outcome in settled.values())
    assert sum(r.spent.possibly_billed for r in scene.state.tasks.values()) == lost
    assert started - set(settled) <= open_calls


def judged(outside: Path, kinds: list[str], verdicts: list[str], **settings: object) -> Scene:
    """A scene whose replies are of these kinds, then edits, judged as `verdicts` say."""
    (outside / "judge").write_text(JUDGE)
    (outside / "verdicts").write_text("".join(f"{verdict}\n" for verdict in verdicts))
    script = (
        lines(kind, number)
        for number, kind in enumerate(itertools.chain(kinds, itertools.repeat("edit")))
    )
    return Scene(outside / "p", TASKS, {**SETTINGS, **settings}, script)


@pytest.mark.slow
@examples(20)
@given(
    kinds=st.lists(st.sampled_from(KINDS), max_size=10),
    verdicts=st.lists(st.sampled_from(["red", "green"]), max_size=6),
    choices=st.lists(st.sampled_from([Choice.RETRY, Choice.CHECK, Choice.SKIP]), max_size=3),
    deaths=st.lists(st.integers(0, 150), max_size=5),
)
def test_killed_at_any_write_a_run_comes_to_a_right_end(
    kinds: list[str], verdicts: list[str], choices: list[Choice], deaths: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        scene = judged(Path(name), kinds, verdicts)
        scene.person = ScriptedPerson(
            [Decision(choice) for choice in choices] + [Decision(Choice.SKIP)] * 9
        )
        for life in deaths:
            scene.disk = disk = MortalDisk(life)
            scene.on_write = disk.touched
            stopped = one_life(scene)
            if stopped is not None and stopped.not_before is not None:
                scene.clock.at = stopped.not_before
        scene.disk, scene.on_write = MortalDisk(1_000_000), None
        reasons: list[str] = []
        while "finished" not in reasons:
            stopped = one_life(scene)
            assert stopped is not None
            reasons.append(stopped.reason)
            assert len(reasons) < 12, reasons
            if stopped.not_before is not None:
                scene.clock.at = stopped.not_before
        assert {scene.record(task["id"]).state for task in TASKS} <= FINAL
        account(scene)


DOINGS: dict[str, Callable[[Scene], object]] = {
    "run": one_life,
    "undo T1": lambda scene: undo(scene, "T1"),
    "undo T2": lambda scene: undo(scene, "T2", keep_edited=True),
    "retry": lambda scene: retry(scene, put_back=False),
    "put back": lambda scene: retry(scene, put_back=True),
}


def do(scene: Scene, what: str) -> None:
    """Do it, until it ends or the process dies; what does not fit the task's state is refused."""
    scene.watcher, scene.control = Witness(folder=scene.folder), Control()
    try:
        DOINGS[what](scene)
    except* (PowerOut, UsageError):
        pass


@pytest.mark.slow
@examples(20)
@given(
    kinds=st.lists(st.sampled_from(KINDS), max_size=8),
    verdicts=st.lists(st.sampled_from(["red", "green"]), max_size=8),
    doings=st.lists(st.tuples(st.sampled_from(sorted(DOINGS)), st.integers(0, 120)), max_size=8),
)
def test_killed_while_changes_are_taken_back_or_put_back_they_are_whole(
    kinds: list[str], verdicts: list[str], doings: list[tuple[str, int]]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        scene = judged(Path(name), kinds, verdicts, on_escalation="continue")
        do(scene, "run")
        for what, life in doings:
            scene.disk = disk = MortalDisk(life)
            scene.on_write = disk.touched
            do(scene, what)
        scene.disk, scene.on_write = MortalDisk(1_000_000), None
        for _ in range(4):  # limits, and what an undo has left to a person
            stopped = one_life(scene)
            assert stopped is not None
            scene.clock.at = stopped.not_before or scene.clock.at
        texts = {scene.watcher.text(name) for name in ("a.txt", "sub/b.txt")}  # type: ignore[attr-defined]  # a Witness
        assert len(texts) == 1
        assert not [*scene.folder.rglob("*.agent-runner.tmp")]
        assert all(scene.record(task["id"]).change.planned is None for task in TASKS)
        account(scene)
