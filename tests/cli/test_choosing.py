"""What a command line chooses: the folder it begins in, the project it finds, the tasks it runs."""

import os
from pathlib import Path

import pytest

from agent_runner.app.place import Surroundings, project_folder
from tests.cli.scene import Scene

pytestmark = pytest.mark.slow


@pytest.fixture
def four(scene: Scene) -> Scene:
    """Four tasks, the third of which needs the first."""
    scene.config({"nothing_changed": "pass"})
    scene.tasks({"id": "T1"}, {"id": "T2"}, {"id": "T3", "depends_on": ["T1"]}, {"id": "T4"})
    for number in range(1, 5):
        scene.change(f"T{number}", 1)
    return scene


def passed(scene: Scene) -> list[str]:
    return [task for task, state in scene.states().items() if state == "passed"]


def test_only_the_tasks_that_are_named_are_run(four: Scene) -> None:
    ended = four.run("run", "T4", "T2")
    assert ended.code == 0, ended.err
    assert passed(four) == ["T2", "T4"]
    assert "2 tasks left" in ended.out


def test_a_list_can_be_named_before_its_tasks(four: Scene) -> None:
    (four.project / "tasks.yml").rename(four.project / "mine.yml")
    assert four.run("run", "mine.yml", "T2").code == 0
    assert four.run("run", "T4", "--tasks", "mine.yml").code == 0
    assert passed(four) == ["T2", "T4"]


def test_until_a_task_means_those_up_to_it_in_the_list(four: Scene) -> None:
    assert four.run("run", "--until", "T2").code == 0
    assert passed(four) == ["T1", "T2"]
    assert four.run("resume", "T3").code == 0
    assert passed(four) == ["T1", "T2", "T3"]


def test_a_run_ends_after_as_many_tasks_as_it_may_take_up(four: Scene) -> None:
    assert four.run("run", "--max-tasks", "1").code == 0
    assert passed(four) == ["T1"]
    assert four.run("resume", "--max-tasks", "2").code == 0
    assert passed(four) == ["T1", "T2", "T3"]


def test_a_failed_task_counts_and_is_what_the_exit_code_says(four: Scene) -> None:
    four.config({"hooks": {"no": {"command": "false", "timeout": 9}}, "max_attempts_per_task": 1})
    four.tasks({"id": "T1", "post_hooks": ["no"]}, {"id": "T2"})
    ended = four.run("run", "--max-tasks", "1", "--on-escalation", "continue")
    assert ended.code == 1
    assert four.states() == {"T1": "escalated", "T2": "pending"}


def test_a_task_whose_dependency_was_not_chosen_is_refused_before_anything_is_done(
    four: Scene,
) -> None:
    for words in (("run", "T3"), ("run", "T3", "--dry-run")):
        ended = four.run(*words)
        assert ended.code == 2
        assert "T3 depends on T1, which has not passed" in ended.err
        assert "agent-runner run T1 T3" in ended.err
    assert passed(four) == []
    assert four.run("run", "T1", "T3").code == 0


def test_a_dry_run_shows_what_was_chosen(four: Scene) -> None:
    told = four.run("run", "--dry-run", "T2", "T4").out
    assert "Would run 2 of 4 tasks" in told
    assert "T1" not in told
    assert "Would run 1 of 4 tasks" in four.run("run", "--dry-run", "--max-tasks", "1").out


def test_what_cannot_be_chosen_is_said_with_the_nearest_name(four: Scene) -> None:
    assert 'did you mean "T1"?' in four.run("run", "t1").err
    assert "there is no task T9" in four.run("run", "--until", "T9").err
    assert "not both" in four.run("run", "T1", "--until", "T2").err
    assert "named twice: a.yml and b.yml" in four.run("run", "a.yml", "b.yml").err


def test_resume_says_that_what_was_chosen_is_done(four: Scene) -> None:
    four.run("run", "T1")
    ended = four.run("resume", "T1")
    assert (ended.code, "every task that was chosen has passed" in ended.out) == (0, True)


def test_a_project_is_found_from_a_folder_below_it(four: Scene) -> None:
    (four.project / ".git").mkdir()
    below = four.project / "src" / "deep er"
    below.mkdir(parents=True)
    ended = four.run("run", "T1", cwd=below)
    assert ended.code == 0, ended.err
    assert (four.project / "T1.txt").read_text() == "1\n"
    assert "T1" in four.run("status", cwd=below).out
    assert four.run("config", "validate", cwd=below).code == 0
    assert not (below / ".agent-runner").exists()


def test_a_folder_to_begin_in_is_named_in_every_command_to_type_next(four: Scene) -> None:
    ended = four.run("-C", "project", "run", "T1", cwd=four.root)
    assert ended.code == 0, ended.err
    assert ["-C", "project", "resume"] in ended.commands()
    assert (
        "agent-runner -C project status" in four.run("-C", "project", "why", "X", cwd=four.root).err
    )
    missing = four.run("-C", "nowhere", "status")
    assert (missing.code, "-C nowhere: No such file" in missing.err) == (2, True)


def around(home: Path, cwd: Path) -> Surroundings:
    return Surroundings({}, home, cwd)


def test_a_project_is_looked_for_up_to_the_top_of_the_repository(tmp_path: Path) -> None:
    home, top = tmp_path / "home", tmp_path / "top"
    below = top / "repository" / "src"
    below.mkdir(parents=True)
    home.mkdir()
    (top / "tasks.yml").touch()
    assert project_folder(around(home, below)) == below  # neither repository nor below home
    (top / "repository" / ".git").mkdir()
    assert project_folder(around(home, below)) == below  # the list lies above the repository
    (top / "repository" / "tasks.yml").touch()
    assert project_folder(around(home, below)) == top / "repository"
    (below / "tasks.json").touch()
    assert project_folder(around(home, below)) == below  # the nearest


def test_without_a_repository_it_is_looked_for_below_the_home_folder(tmp_path: Path) -> None:
    below = tmp_path / "project" / "src"
    below.mkdir(parents=True)
    (tmp_path / "tasks.yml").touch()
    assert project_folder(around(tmp_path, below)) == below  # never the home folder itself
    (tmp_path / "project" / "tasks.yml").touch()
    assert project_folder(around(tmp_path, below)) == tmp_path / "project"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_owner_ends_the_search(tmp_path: Path) -> None:
    below = tmp_path / "theirs" / "mine"
    below.mkdir(parents=True)
    (tmp_path / "theirs" / "tasks.yml").touch()
    assert project_folder(around(tmp_path, below)) == tmp_path / "theirs"
    os.chown(tmp_path / "theirs", 12345, -1)
    assert project_folder(around(tmp_path, below)) == below
