"""What watches a run: notices, screens, the paranoid observer; and what history takes back."""

import contextlib
import io
import json
import os
import pty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import evolve

from agent_runner.app.notifications import Notifications
from agent_runner.app.place import Surroundings
from agent_runner.app.project import Project
from agent_runner.app.run import RunRequest, run
from agent_runner.app.screens import ScreenOptions, make_screen
from agent_runner.app.self_check import VARIABLE, SelfCheck, self_check
from agent_runner.ground.clock import SystemClock
from agent_runner.model import events as e
from agent_runner.model.applied import applied
from agent_runner.model.errors import InvariantError
from agent_runner.model.fold import Entry, RunInfo, RunState
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import TaskState
from agent_runner.store.store import read_entries
from agent_runner.ui.plain import GitHub, Plain, Quiet
from tests.engine.scene import Scene, hooks
from tests.engine.scripted import whole
from tests.support.clocks import FakeClock

T1 = {"id": "T1", "post_hooks": []}
STARTED = e.RunStarted("r", 1, "0", "tasks.json")


def delivered(scene: Scene, state: RunState, *entries: Entry) -> list[dict[str, Any]]:
    """What the notify command is given on its standard input."""
    notifications = Notifications(scene.project, state, FakeClock())

    async def deliver() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(notifications.deliver)
            for entry in entries:
                after = TaskRecord("T1", last_error="it is red")
                notifications.entry(entry, None, after if entry.task else None)
                notifications.signal(entry)
            await notifications.finish()

    anyio.run(deliver)
    assert notifications.problems == []
    told = scene.folder / "told"
    return [json.loads(line) for line in told.read_text().splitlines()] if told.exists() else []


@pytest.fixture
def noticing(tmp_path: Path) -> Scene:
    command = "cat >> told"
    names = ("escalated", "finished", "limit", "crashed_and_resumed")
    return Scene(tmp_path / "p", [T1], {"notify": dict.fromkeys(names, command)})


def stopped(reason: str, not_before: float | None = None) -> Entry:
    return Entry(3, 2.0, "", e.RunStopped("r", reason, 0, not_before=not_before))


def test_notices_are_given_in_order_as_json(noticing: Scene) -> None:
    escalated = Entry(2, 1.0, "T1", e.Refused("no"), TaskState.ESCALATED)
    told = delivered(noticing, RunState(), escalated, stopped("limit", 60.0), stopped("finished"))
    assert [one["event"] for one in told] == ["escalated", "limit", "finished"]
    assert (told[0]["task"], told[0]["reason"]) == ("T1", "it is red")
    assert told[1]["not_before"] == "1970-01-01T00:01:00.000000Z"


def test_a_run_after_a_crash_is_a_notice_and_other_ends_are_not(noticing: Scene) -> None:
    crashed = RunState(run=RunInfo(STARTED, 1.0))
    told = delivered(noticing, crashed, Entry(1, 1.0, "", STARTED), stopped("held"))
    assert [one["event"] for one in told] == ["crashed-and-resumed"]


def test_without_commands_nothing_is_told(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [T1])
    assert delivered(scene, RunState(), stopped("finished"), stopped("limit")) == []


def test_a_notice_that_fails_is_a_problem_and_no_reason_to_stop(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [T1], {"notify": {"finished": "exit 3"}})
    notifications = Notifications(scene.project, RunState(), FakeClock())

    async def deliver() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(notifications.deliver)
            notifications.entry(stopped("finished"), None, None)
            await notifications.finish()

    anyio.run(deliver)
    assert len(notifications.problems) == 1
    assert notifications.problems[0].startswith("finished: ")


def with_env(project: Project, **env: str) -> Project:
    around = project.surroundings
    return evolve(
        project, surroundings=Surroundings({**around.env, **env}, around.home, around.cwd)
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Scene(tmp_path / "p", [T1]).project


def test_the_screen_fits_what_stdout_is(project: Project, tmp_path: Path) -> None:
    for env, options, kind in (
        ({}, ScreenOptions(), Plain),
        ({"GITHUB_ACTIONS": "true"}, ScreenOptions(), GitHub),
        ({}, ScreenOptions(quiet=True), Quiet),
    ):
        with contextlib.redirect_stdout(io.StringIO()):
            screen = make_screen(with_env(project, **env), {}, options, FakeClock())
        assert (screen.console, screen.person) == (None, None)
        assert screen.show.__self__.__class__ is kind  # type: ignore[attr-defined]  # a bound method
        screen.close()


def test_json_goes_to_stdout_and_words_for_people_to_stderr(project: Project) -> None:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        screen = make_screen(project, {}, ScreenOptions(json=True), FakeClock())
        screen.observers.entry(Entry(1, 1.0, "", STARTED), None, None)
        screen.show(["for people"])
    assert all(isinstance(json.loads(line), dict) for line in out.getvalue().splitlines())
    assert out.getvalue()
    assert "for people" in err.getvalue()
    assert "for people" not in out.getvalue()


@contextlib.contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Standard input and output are a terminal."""
    ours, theirs = pty.openpty()
    with open(theirs, "w+b", buffering=0) as raw:  # noqa: PTH123  # a descriptor
        stream = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
        with monkeypatch.context() as patched, contextlib.redirect_stdout(stream):
            patched.setattr("sys.stdin", stream)
            yield
    os.close(ours)


def test_a_terminal_gets_a_console_and_a_person(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing, plain, clock = ScreenOptions(), ScreenOptions(json=True), FakeClock()
    with terminal(monkeypatch):
        screen = make_screen(with_env(project, TERM="xterm"), {}, drawing, clock)
        screen.close()
        dumb = make_screen(with_env(project, TERM="dumb"), {}, drawing, clock)
        told = make_screen(with_env(project, TERM="xterm"), {}, plain, clock)
    assert screen.console is not None
    assert screen.person is not None
    assert dumb.console is None
    assert dumb.person is not None
    assert (told.console, told.person) == (None, None)


def whole_run(scene: Scene, request: RunRequest, **env: str) -> tuple[int, str]:
    """A run as the command line does it, with recorded answers; its code and what it prints."""
    folder = scene.folder / "T1"
    folder.mkdir(exist_ok=True)
    (folder / "1.md").write_text(whole("a.txt", "one\n"))
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = run(with_env(scene.project, **env), request, SystemClock())
    return code, out.getvalue()


def test_a_whole_run_that_checks_itself(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [{"id": "T1", "post_hooks": ["judge"]}])
    scene.settings = {"hooks": hooks(judge="grep one a.txt"), "baseline": "always"}
    scene.write()
    junit = tmp_path / "report.xml"
    request = RunRequest(screen=ScreenOptions(junit=junit))
    code, text = whole_run(scene, request, **{VARIABLE: "1"})
    assert code == 0
    assert "T1" in text
    assert junit.is_file()
    assert whole_run(scene, RunRequest())[0] == 0
    assert len(scene.events(e.CallStarted)) == 1
    (scene.folder / "a.txt").unlink()
    assert whole_run(scene, RunRequest(fresh=True))[0] == 0
    assert len(scene.events(e.CallStarted)) == 1, "the state before it was put aside"
    assert (scene.state_dir / "archive/001/journal.jsonl").is_file()


def test_a_preview_applies_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [T1])
    code, text = whole_run(scene, RunRequest(preview=True))
    assert code == 0
    assert "+one" in text
    assert not (scene.folder / "a.txt").exists()


def test_recorded_answers_can_be_replayed(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [T1])
    assert whole_run(scene, RunRequest(record=tmp_path / "tape"))[0] == 0
    assert (tmp_path / "tape/T1/1.json").is_file()


def test_the_self_check_finds_a_state_that_is_not_the_journals(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [T1], {}, [whole("a.txt", "one\n")])
    assert self_check({}, None) == ()  # type: ignore[arg-type]  # not asked for: the store is not looked at
    store = scene.open()
    check = SelfCheck(store)
    wiring = scene.wired(store)
    wiring.core.journal("", STARTED)
    (entry,) = scene.watcher.entries
    check.entry(entry, None, None)
    check.signal(e.RunStarted)  # type: ignore[arg-type]  # it looks at none
    store.state.tasks["T9"] = TaskRecord("T9")
    with pytest.raises(InvariantError, match="not the one that the journal on disk gives"):
        check.entry(entry, None, None)
    store.abandon()


def test_what_a_task_applied_is_taken_back_as_one(tmp_path: Path) -> None:
    settings = {"hooks": hooks(judge="grep -q two a.txt")}
    replies = [whole("a.txt", "one\n"), whole("a.txt", "two\n") + whole("b.txt", "b\n")]
    scene = Scene(tmp_path / "p", [{"id": "T1", "post_hooks": ["judge"]}], settings, replies)
    (scene.folder / "a.txt").write_text("zero\n")
    assert scene.run().exit_code == 0
    store = scene.open()
    wiring = scene.wired(store)
    done = applied(store.state.record("T1"), read_entries(scene.state_dir))
    assert [(one.attempt, one.change_set.paths) for one in done] == [
        (1, ("a.txt",)),
        (2, ("a.txt", "b.txt")),
    ]
    task = wiring.project.tasks["T1"]
    (scene.folder / "b.txt").write_text("mine\n")
    assert wiring.reverting.take_back(task, reason="").edited == ("b.txt",)
    (scene.folder / "b.txt").write_text("b\n")
    assert set(wiring.reverting.take_back(task, reason="").paths) == {"a.txt", "b.txt"}
    store.close()
    assert (scene.folder / "a.txt").read_text() == "zero\n"
    assert not (scene.folder / "b.txt").exists()
    assert scene.record().change.applied == ()
