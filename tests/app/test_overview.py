"""`status` from two JSON files shows what the list and the journal say, or does without them."""

import shutil
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from agent_runner.app import overview
from agent_runner.app.applied_changes import changes
from agent_runner.app.list_cache import cached_list
from agent_runner.app.overview import KnownList, Overview
from agent_runner.app.place import Surroundings, find
from agent_runner.app.project import load
from agent_runner.ground.clock import SystemClock
from agent_runner.model import events as e, record as records, standing, usage
from agent_runner.model.events import Judged
from agent_runner.model.fold import RunInfo
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import LimitSettings
from agent_runner.model.states import TaskState
from agent_runner.model.task import Task
from agent_runner.store.codec import to_plain
from agent_runner.store.outline import read_outline
from agent_runner.store.store import Store, read_state
from tests.cli.scene import COMMAND, Scene, environment, reply
from tests.cli.terminal import until

GOLDEN = Path(__file__).parents[1] / "store/golden/v1"

TWINS: list[tuple[type[Any], type[Any]]] = [
    (standing.Counts, records.Counts),
    (standing.UsageSum, usage.Usage),
    (standing.Spent, records.Spent),
    (standing.Judgement, records.Judgement),
    (standing.ChangeState, records.ChangeState),
    (standing.Proof, Judged),
    (standing.Standing, TaskRecord),
    (standing.StartedRun, e.RunStarted),
    (standing.StoppedRun, e.RunStopped),
    (standing.LastRun, RunInfo),
]


def same(outline: Any, whole: Any) -> bool:
    """Whether all that the outline has is in the whole."""
    if not hasattr(outline, "_fields"):
        if isinstance(outline, tuple):
            return len(outline) == len(whole) and all(map(same, outline, whole))
        return bool(outline == whole)
    return all(same(getattr(outline, name), getattr(whole, name)) for name in outline._fields)


@pytest.mark.parametrize(("small", "whole"), TWINS, ids=lambda cls: cls.__name__)
def test_an_outline_has_the_names_and_defaults_of_the_whole(
    small: type[Any], whole: type[Any]
) -> None:
    fields = {field.name: field for field in attrs.fields(whole)}
    assert set(small._fields) <= set(fields)
    for name, default in small._field_defaults.items():
        made = fields[name].default
        assert same(default, made.factory() if isinstance(made, attrs.Factory) else made)  # type: ignore[arg-type]  # a class to isinstance


TEXT = st.text(max_size=5)
COUNT = st.integers(0, 9)
USAGE = st.builds(usage.Usage, COUNT, COUNT, estimated=st.booleans(), at_least=st.booleans())
RECORDS = st.builds(
    TaskRecord,
    id=st.just("T1"),
    state=st.sampled_from(TaskState),
    definition=TEXT,
    counts=st.builds(records.Counts, attempts=COUNT, failures=COUNT, calls_answered=COUNT),
    call=st.builds(records.CallState, deferred=st.none()),
    change=st.builds(records.ChangeState, planned=st.none(), commit=TEXT),
    judgement=st.builds(
        records.Judgement,
        finished=st.just(()),
        running=st.none(),
        baseline=st.none(),
        proof=st.lists(st.builds(Judged, seconds=st.floats(0, 9)), max_size=2).map(tuple),
        tree=TEXT,
    ),
    spent=st.builds(records.Spent, usage=USAGE, cost=st.floats(0, 9), seconds=st.floats(0, 9)),
    last_error=TEXT,
    feedback=TEXT,
)


@given(RECORDS)
def test_every_record_is_read_from_its_form_in_the_snapshot(record: TaskRecord) -> None:
    assert same(standing.standing_of("T1", to_plain(record)), record)


def test_a_snapshot_tells_what_the_journal_tells(tmp_path: Path) -> None:
    folder = tmp_path / ".agent-runner"
    shutil.copytree(GOLDEN, folder)
    state, _ = read_state(folder)
    assert read_outline(folder) is None, "a snapshot of an older format"
    list_id = state.list_id
    Store.open(folder, project=tmp_path, list_id=list_id, clock=SystemClock()).close()
    outline = read_outline(folder)
    assert outline is not None
    assert outline.tasks
    assert (outline.list_id, outline.seq, outline.current) == (list_id, state.seq, state.current)
    assert same(outline.run, state.run)
    assert all(same(one, state.tasks[name]) for name, one in outline.tasks.items())
    assert set(outline.tasks) == set(state.tasks)


def test_a_snapshot_that_is_not_the_journals_end_is_left_alone(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "s", project=tmp_path, list_id="l", clock=SystemClock())
    store.take(store.append("", e.RunStarted("r", 1, "0", "l")))
    store.close()
    journal = store.layout.journal
    assert read_outline(store.layout.folder) is not None
    good = journal.read_bytes()
    changed = good[:-4] + bytes([good[-4] ^ 1]) + good[-3:]
    for other in (good + good, good[:-1], changed, b""):
        journal.write_bytes(other)
        assert read_outline(store.layout.folder) is None
    journal.unlink()
    assert read_outline(store.layout.folder) is None


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Three tasks: one has passed, one has failed, one waits for it."""
    scene = Scene(tmp_path)
    scene.config({"hooks": {"post": {"command": "false"}}, "max_attempts_per_task": 1})
    tasks: Iterable[dict[str, Any]] = (
        {"id": "T1"},
        {"id": "T2", "post_hooks": ["post"]},
        {"id": "T3", "depends_on": ["T2"]},
    )
    scene.tasks(*tasks)
    for task in ("T1", "T2"):
        scene.reply(task, 1, reply(a__txt=task))
    assert scene.run("run").code == 1
    return scene


def here(scene: Scene, **env: str) -> Surroundings:
    return Surroundings(env, scene.home, scene.project)


def is_cached(scene: Scene, **env: str) -> bool:
    around = here(scene, **env)
    return cached_list(find(None, None, around), around) is not None


def shown(scene: Scene) -> str:
    """What `status` prints to a pipe."""
    parts = overview.status_parts(overview.read(None, None, here(scene)))
    return "\n".join(part if isinstance(part, str) else "\n".join(part.lines()) for part in parts)


def everything(scene: Scene) -> list[Any]:
    view = overview.read(None, None, here(scene))
    changed = changes(view.known, "T1")
    patched = None if changed is None else changed.patch
    parts = [*overview.usage_parts(view, "task")]
    return [shown(scene), overview.status_object(view), parts, patched]


def test_both_ways_show_the_same(scene: Scene) -> None:
    quick = everything(scene)
    view = overview.read(None, None, here(scene))
    assert isinstance(view.known.tasks, standing.ListOutline)
    assert isinstance(view.state, standing.StateOutline)
    (scene.project / ".agent-runner/state.json").unlink()
    (scene.project / ".agent-runner/list.json").unlink()
    assert everything(scene) == quick
    view = overview.read(None, None, here(scene))
    assert not isinstance(view.known.tasks, standing.ListOutline)
    assert not isinstance(view.state, standing.StateOutline)


def test_limits_are_known_without_the_configuration(scene: Scene) -> None:
    limits = {"replay": {"max_requests_hour": 5, "max_cost_day": 3}}
    zone = {"timezone": "Asia/Tokyo"}
    scene.config({"hooks": {"post": {"command": "false"}}, "rate_limits": limits, "limits": zone})
    assert scene.run("skip", "T2").code == 0
    assert is_cached(scene)
    quick = shown(scene)
    assert "2 of 5" in quick
    (scene.project / ".agent-runner/list.json").unlink()
    assert shown(scene) == quick


def test_what_the_cache_was_made_from_is_looked_at(scene: Scene) -> None:
    assert is_cached(scene)
    assert not is_cached(scene, AGENT_RUNNER_MODEL="x")
    assert not is_cached(scene, AGENT_RUNNER_CONFIG="other.yml")
    assert is_cached(scene, OTHER="x")
    (scene.home / ".agent-runner").mkdir(exist_ok=True)
    (scene.home / ".agent-runner/config.yml").write_text("model: x\n")
    assert not is_cached(scene)
    (scene.home / ".agent-runner/config.yml").unlink()
    assert is_cached(scene)
    scene.config({"max_attempts_per_task": 2})
    assert not is_cached(scene)


def test_an_edited_list_is_shown_at_once(scene: Scene) -> None:
    scene.tasks({"id": "T1", "title": "Another one"}, {"id": "T9"})
    text = shown(scene)
    assert "Another one [text changed since]" in text
    assert "T9" in text
    assert "T2" not in text


def test_a_damaged_cache_is_thrown_away(scene: Scene) -> None:
    cache = scene.project / ".agent-runner/list.json"
    good, before = cache.read_bytes(), shown(scene)
    for damaged in (b"", good[:-9], good.replace(b"Do T1", b"Do T7"), b"[]", b"\xff" * 40):
        cache.write_bytes(damaged)
        assert not is_cached(scene)
        assert shown(scene) == before


def test_an_unchanged_list_is_not_written_again(scene: Scene) -> None:
    cache = scene.project / ".agent-runner/list.json"
    before = cache.stat()
    assert scene.run("retry", "T2").code == 0
    assert cache.stat().st_ino == before.st_ino


def test_an_overview_of_the_list_that_cannot_be_read(scene: Scene) -> None:
    scene.write("tasks.yml", "tasks: [")
    view = overview.without_list(None, None, here(scene))
    assert isinstance(view, Overview)
    assert isinstance(view.known, KnownList)
    assert [task.title for task in view.known.tasks.tasks] == ["(the list cannot be read)"] * 2
    assert not isinstance(view.known.tasks.tasks[0], Task)


def test_all_that_limits_can_say_is_kept(scene: Scene) -> None:
    windows = ("minute", "hour", "day", "week")
    every = {f"max_{what}_{one}": 7 for what in ("requests", "tokens", "cost") for one in windows}
    known = {f.name for f in attrs.fields(LimitSettings)} - {"models"}
    limit = {name: value for name, value in every.items() if name in known}
    assert set(limit) <= known
    scene.config(
        {
            "hooks": {"post": {"command": "false"}},
            "rate_limits": {"replay": {**limit, "models": {"small": limit}}},
            "limits": {
                "timezone": "Europe/Rome",
                "window": "calendar",
                "week_starts": "tuesday 06:00",
            },
        }
    )
    assert scene.run("skip", "T2").code == 0
    project = load(find(None, None, here(scene)), here(scene))
    cached = cached_list(project.place, here(scene))
    assert cached is not None
    assert cached[1] is not None
    for name in ("limits", "rate_limits", "ledger"):
        assert getattr(cached[1], name) == getattr(project.settings, name)


STOPS = {"hooks": {"post": "touch here; sleep 30"}, "limits": {"timezone": "Asia/Tokyo"}}


def test_whose_run_is_on_and_what_is_left_when_it_was_killed_or_stopped(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.config(STOPS)
    scene.tasks({"id": "T1", "post_hooks": ["post"]}, {"id": "T2", "depends_on": ["T1"]})
    scene.reply("T1", 1, reply(a__txt="x"))
    for number, words in ((signal.SIGKILL, "was killed"), (signal.SIGINT, "Interrupted")):
        (scene.project / "here").unlink(missing_ok=True)
        command = [*COMMAND, "run" if number == signal.SIGKILL else "resume"]
        env = environment(scene.home)
        with subprocess.Popen(
            command,
            cwd=scene.project,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as running:
            assert until((scene.project / "here").exists)
            text = shown(scene)
            assert f"A run is on: process {running.pid}, since 2" in text
            assert "T1 (running)" in text
            assert "2 tasks: 1 running, 1 pending" in text
            assert told(scene)["running"] is True
            running.send_signal(number)
        text = shown(scene)
        assert "running" not in text
        assert "T1 (stopped)" in text
        assert "2 tasks: 1 stopped, 1 pending" in text
        assert words in text
        assert "`agent-runner resume`" in text
        assert told(scene)["running"] is False
        assert "UTC" not in text
        assert "JST" in text or number == signal.SIGINT


def told(scene: Scene) -> dict[str, Any]:
    run: dict[str, Any] = overview.status_object(overview.read(None, None, here(scene)))["run"]
    return run
