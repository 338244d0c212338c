"""The apply step over real files and git: all or nothing, once, taken back if a command fails."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent_runner.app.wiring import Choices
from agent_runner.edits.plan import Planned
from agent_runner.engine import decisions
from agent_runner.engine.work import Work
from agent_runner.ground.disk import Disk
from agent_runner.model import events as e
from agent_runner.model.decisions import Choice, Decision
from agent_runner.model.fold import Entry
from agent_runner.model.signals import HookOutput, Signal
from tests.engine.scene import PowerOut, Scene, ScriptedPerson, dying_at
from tests.engine.scripted import Line, running, whole

T1: dict[str, Any] = {"id": "T1", "post_hooks": []}
GOOD = whole("a.txt", "one\n")
ALLOW = {"commands": "allow", "allow": ["sh *", "touch *", "sleep *", "false", "true"]}


def scene_of(folder: Path, *script: Line, **settings: object) -> Scene:
    return Scene(folder / "p", [T1], settings, script)


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-c", "user.name=N", "-c", "user.email=e@example.com", *words],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def repository(scene: Scene) -> None:
    git(scene.folder, "init", "-q")
    git(scene.folder, "config", "user.name", "N")
    git(scene.folder, "config", "user.email", "e@example.com")
    git(scene.folder, "add", ".")
    git(scene.folder, "commit", "-q", "-m", "first")


class DyingAt(Disk):
    """The process ends when a record with `word` is about to be written."""

    def __init__(self, word: bytes) -> None:
        self.word = word

    def write(self, descriptor: int, content: bytes) -> None:
        if self.word in content:
            raise PowerOut
        super().write(descriptor, content)


def test_the_intent_and_its_images_are_kept_before_a_file_is_touched(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, whole("a.txt", "one\n") + whole("sub/b.txt", "two\n"))
    (scene.folder / "a.txt").write_text("zero\n")

    def react(seen: Entry | Signal) -> None:
        if isinstance(seen, Entry) and isinstance(seen.event, e.ApplyPlanned):
            assert (scene.folder / "a.txt").read_text() == "zero\n"
            assert not (scene.folder / "sub").exists()
            for change in seen.event.change_set.changes:
                scene.wiring.store.blobs.get(change.after.sha256)
            assert (scene.state_dir / "logs/T1/attempt-01/changes.diff").is_file()

    scene.watcher.react = react
    assert scene.run().exit_code == 0
    assert (scene.folder / "sub/b.txt").read_text() == "two\n"
    assert scene.record().change.paths == ("a.txt", "sub/b.txt")


@pytest.mark.parametrize("word", ["ApplyPlanned", "Applied", "PostHooksPassed"])
def test_a_kill_around_an_apply_ends_as_if_undisturbed(tmp_path: Path, word: str) -> None:
    scene = scene_of(tmp_path, GOOD)
    scene.disk = DyingAt(f'"kind":"{word}"'.encode())
    assert scene.killed()
    scene.disk = Disk()
    assert scene.again().exit_code == 0
    assert (scene.folder / "a.txt").read_text() == "one\n"
    assert len(scene.client.asked) == 1
    assert len(scene.events(e.ApplyPlanned)) == 1


def test_the_users_edit_between_is_a_conflict_that_a_person_resolves(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD)
    (scene.folder / "a.txt").write_text("zero\n")
    scene.disk = DyingAt(b'"kind":"Applied"')
    assert scene.killed()
    scene.disk = Disk()
    (scene.folder / "a.txt").write_text("mine\n")
    stopped = scene.again()
    assert stopped.reason == "held"
    assert scene.record().last_error.startswith("a.txt: ")
    assert (scene.folder / "a.txt").read_text() == "mine\n"
    (scene.folder / "a.txt").write_text("zero\n")
    scene.person = ScriptedPerson([Decision(Choice.RETRY)])
    assert scene.again().exit_code == 0
    assert (scene.folder / "a.txt").read_text() == "one\n"
    assert len(scene.client.asked) == 1, "the paid answer was to be used"


def test_a_change_half_applied_is_taken_back_when_the_task_is_skipped(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD)
    (scene.folder / "a.txt").write_text("zero\n")
    scene.disk = DyingAt(b'"kind":"Applied"')
    assert scene.killed()
    assert (scene.folder / "a.txt").read_text() == "one\n"
    scene.disk = Disk()
    store = scene.open()
    wiring = scene.wired(store)
    decisions.skip(wiring.core, wiring.recovery, "T1", reason="by hand")
    store.close()
    assert (scene.folder / "a.txt").read_text() == "zero\n"
    assert [type(x).__name__ for x in scene.events(e.Fact)][-2:] == [
        "RollbackPlanned",
        "RollbackDone",
    ]


def test_a_rollback_that_meets_the_users_edit_leaves_it_and_says_so(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD)
    (scene.folder / "a.txt").write_text("zero\n")
    scene.disk = DyingAt(b'"kind":"Applied"')
    assert scene.killed()
    (scene.folder / "a.txt").write_text("mine\n")
    scene.disk = Disk()
    store = scene.open()
    wiring = scene.wired(store)
    decisions.reset(wiring.core, wiring.recovery, "T1", reason="anew")
    store.close()
    assert (scene.folder / "a.txt").read_text() == "mine\n"
    assert "a.txt was left as it is" in scene.watcher.said


def test_a_rollback_that_was_cut_is_finished_first(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD)
    (scene.folder / "a.txt").write_text("zero\n")
    scene.disk = DyingAt(b'"kind":"Applied"')
    assert scene.killed()
    scene.disk = DyingAt(b'"kind":"RollbackDone"')
    store = scene.open()
    wiring = scene.wired(store)
    with pytest.raises(PowerOut):
        decisions.skip(wiring.core, wiring.recovery, "T1", reason="by hand")
    store.abandon()
    assert scene.record().change.rolling_back
    scene.disk = Disk()
    store = scene.open()
    wiring = scene.wired(store)
    decisions.skip(wiring.core, wiring.recovery, "T1", reason="by hand")
    store.close()
    assert len(scene.events(e.RollbackPlanned)) == 1
    assert (scene.folder / "a.txt").read_text() == "zero\n"


def test_a_preview_shows_the_plan_and_keeps_the_answer(tmp_path: Path) -> None:
    shown: list[str] = []

    def preview(work: Work, planned: Planned) -> None:
        shown.append(f"{work.task.id} {planned.change_set.paths}")

    scene = scene_of(tmp_path, GOOD)
    scene.choices = Choices(preview=preview)
    stopped = scene.run()
    assert (stopped.reason, stopped.exit_code) == ("preview", 0)
    assert shown == ["T1 ('a.txt',)"]
    assert not (scene.folder / "a.txt").exists()
    scene.choices = Choices()
    assert scene.again().exit_code == 0
    assert len(scene.client.asked) == 1


def test_what_judges_the_agent_it_may_not_change(tmp_path: Path) -> None:
    for path in ("tasks.json", "agent-runner.yml", ".agent-runner/state.json", "../out.txt"):
        scene = Scene(tmp_path / path.replace("/", "_"), [T1], {}, [whole(path, "x\n"), GOOD])
        before = (scene.folder / "tasks.json").read_text()
        assert scene.run().exit_code == 0
        assert len(scene.events(e.Rejected)) == 1, path
        assert (scene.folder / "tasks.json").read_text() == before
    assert not (tmp_path / "out.txt").exists()


def test_an_allowed_command_runs_after_the_files_are_there(tmp_path: Path) -> None:
    reply = whole("a.sh", "cat a.sh > b.txt\n") + running("sh a.sh")
    scene = scene_of(tmp_path, reply, apply=ALLOW)
    assert scene.run().exit_code == 0
    assert (scene.folder / "b.txt").read_text() == "cat a.sh > b.txt\n"
    assert (scene.state_dir / "logs/T1/commands.log").is_file()


def test_commands_that_nobody_allows_are_named_and_not_run(tmp_path: Path) -> None:
    asked: list[str] = []

    async def ask(command: str) -> bool:
        asked.append(command)
        return command == "touch yes"

    reply = GOOD + running("touch yes") + running("touch no")
    scene = scene_of(tmp_path, reply, apply={"commands": "ask"})
    scene.choices = Choices(ask=ask)
    assert scene.run().exit_code == 0
    assert asked == ["touch yes", "touch no"]
    assert (scene.folder / "yes").exists()
    assert not (scene.folder / "no").exists()
    (applied,) = scene.events(e.Applied)
    assert applied.notes == ("command not run: touch no",)


def test_without_anybody_to_ask_no_command_runs(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD + running("touch yes"))
    assert scene.run().exit_code == 0
    assert not (scene.folder / "yes").exists()


def test_a_failing_command_takes_the_change_back_and_is_told(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, whole("a.txt", "two\n") + running("false"), GOOD, apply=ALLOW)
    (scene.folder / "a.txt").write_text("zero\n")
    assert scene.run().exit_code == 0
    (rejected,) = scene.events(e.Rejected)
    assert "hook command-1 failed with exit code 1" in rejected.problems
    assert "The files were put back" in scene.client.asked[1].prompt.messages[-1].text
    assert (scene.folder / "a.txt").read_text() == "one\n"


@pytest.mark.parametrize("word", ["RollbackPlanned", "RollbackDone", "Rejected"])
def test_a_kill_after_a_failing_command_forgets_nothing(tmp_path: Path, word: str) -> None:
    scene = scene_of(tmp_path, whole("a.txt", "two\n") + running("false"), GOOD, apply=ALLOW)
    (scene.folder / "a.txt").write_text("zero\n")
    scene.disk = DyingAt(f'"kind":"{word}"'.encode())
    assert scene.killed()
    scene.disk = Disk()
    assert scene.again().exit_code == 0
    assert len(scene.events(e.Rejected)) == 1
    assert (scene.folder / "a.txt").read_text() == "one\n"
    assert len(scene.client.asked) == 2


def test_a_rollback_that_meets_another_hand_is_a_conflict(tmp_path: Path) -> None:
    reply = whole("a.txt", "two\n") + whole("c.sh", "echo other > a.txt; exit 1\n")
    scene = scene_of(tmp_path, reply + running("sh c.sh"), apply=ALLOW)
    assert scene.run().reason == "held"
    assert scene.record().last_error.startswith("a.txt: ")
    scene.person = ScriptedPerson([Decision(Choice.RETRY), Decision(Choice.ABORT)])
    assert scene.again().reason == "aborted"
    assert (scene.folder / "a.txt").read_text() == "other\n"


def test_a_command_that_was_cut_is_a_persons_to_decide(tmp_path: Path) -> None:
    reply = GOOD + whole("c.sh", "echo now; test -f ../go || sleep 60\n")
    scene = scene_of(tmp_path, reply + running("touch done") + running("sh c.sh"), apply=ALLOW)

    def react(seen: Entry | Signal) -> None:
        if isinstance(seen, HookOutput):
            scene.control.stop("quit", 130)

    scene.watcher.react = react
    assert scene.run().exit_code == 130
    assert scene.again().reason == "held"
    assert scene.record().last_error.startswith("command 2: ")
    (tmp_path / "go").touch()
    (scene.folder / "done").unlink()
    scene.person = ScriptedPerson([Decision(Choice.RETRY)])
    assert scene.again().exit_code == 0
    assert not (scene.folder / "done").exists(), "a command that is done is not run again"


def test_a_reply_of_words_alone_changes_nothing(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, "I think all is well.", GOOD)
    scene.run()
    assert scene.events(e.ApplyPlanned) == [] or scene.record().change.paths == ("a.txt",)


def test_an_answer_that_is_gone_when_it_is_applied_is_asked_for_again(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD, GOOD)
    scene.watcher.react = dying_at(e.Replied)
    assert scene.killed()
    scene.lose_answers()
    assert scene.again().exit_code == 0
    assert [r.attempt for r in scene.client.asked] == [1, 1]
    assert scene.record().change.paths == ("a.txt",)
