"""Finding a list and its state, and what of both judges the agent."""

from pathlib import Path

import pytest

from agent_runner.app.place import Surroundings, find
from agent_runner.app.project import load
from agent_runner.ground.invocation import Invocation
from agent_runner.model.errors import InputError, UsageError
from tests.engine.scene import Scene
from tests.engine.scripted import whole

LIST = '{"tasks": [{"id": "T1", "title": "t", "description": "d", "max_attempts": 7}]}'


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    return Surroundings({}, tmp_path / "home", tmp_path / "here")


def test_without_a_name_the_usual_names_are_tried_in_order(around: Surroundings) -> None:
    for name in ("tasks.json", "tasks.yaml", "tasks.yml"):
        (around.cwd / name).write_text(LIST)
        place = find(None, None, around)
        assert place.tasks_file == around.cwd / name
        assert place.state_dir == around.cwd / ".agent-runner"
        assert place.invocation == Invocation()


def test_no_list_says_how_to_get_one(around: Surroundings) -> None:
    with pytest.raises(UsageError, match=r"looked for tasks\.yml, tasks\.yaml") as raised:
        find(None, None, around)
    assert "agent-runner init" in raised.value.fix
    with pytest.raises(UsageError, match=r"no task list mine\.yml$"):
        find(Path("mine.yml"), None, around)


def test_printed_commands_name_what_is_not_usual(around: Surroundings) -> None:
    (around.cwd / "sub").mkdir()
    (around.cwd / "sub" / "my list.yml").write_text(LIST)
    place = find(Path("sub/my list.yml"), Path("kept/state"), around)
    assert place.tasks_file == around.cwd / "sub" / "my list.yml"
    assert place.state_dir == around.cwd / "kept" / "state"
    typed = place.invocation.command("why", "T1")
    assert typed == "agent-runner why T1 --tasks 'sub/my list.yml' --state-dir kept/state"
    (around.cwd / "tasks.yml").write_text(LIST)
    assert find(Path("tasks.yml"), None, around).invocation == Invocation()


def test_a_linked_folder_is_the_folder_itself(around: Surroundings, tmp_path: Path) -> None:
    (around.cwd / "tasks.yml").write_text(LIST)
    (tmp_path / "link").symlink_to(around.cwd)
    through = Surroundings({}, around.home, tmp_path / "link")
    assert find(None, None, through).state_dir == around.cwd / ".agent-runner"


def test_without_a_name_the_list_whose_state_is_here_is_meant(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [{"id": "T1", "post_hooks": []}], {}, [whole("a.txt", "x\n")])
    scene.run()
    (scene.folder / "tasks.yml").write_text(LIST)
    around = Surroundings({}, tmp_path / "home", scene.folder)
    assert find(None, None, around).tasks_file.name == "tasks.json"
    (scene.folder / "tasks.json").unlink()
    assert find(None, None, around).tasks_file.name == "tasks.yml"


def test_what_tells_the_runner_what_to_do_is_known(around: Surroundings) -> None:
    text = LIST.replace('"max_attempts": 7', '"template": "mine.md"')
    (around.cwd / "tasks.yml").write_text(text)
    (around.cwd / "mine.md").write_text("{{ title }}")
    (around.cwd / "all.md").write_text("{{ title }}")
    (around.cwd / "agent-runner.yml").write_text("template: all.md\n")
    project = load(find(None, None, around), around)
    names = {path.name for path in project.own_files}
    named = {"tasks.yml", "agent-runner.yml", "mine.md", "all.md", ".agent-runner"}
    assert names == named | {"tasks.yaml", "tasks.json", "config.yml"}


def test_a_tasks_own_settings_come_before_the_configurations(around: Surroundings) -> None:
    (around.cwd / "tasks.yml").write_text(LIST)
    (around.cwd / "agent-runner.yml").write_text("max_attempts_per_task: 4\n")
    project = load(find(None, None, around), around)
    assert project.settings_of("T1").max_attempts_per_task == 7
    assert project.settings_of("gone").max_attempts_per_task == 4


def test_limits_under_an_alias_are_the_providers_own(around: Surroundings) -> None:
    (around.cwd / "tasks.yml").write_text(LIST)
    text = "rate_limits: {codex: {max_requests_hour: 3}}\n"
    (around.cwd / "agent-runner.yml").write_text(text)
    assert list(load(find(None, None, around), around).settings.rate_limits) == ["openai"]


def test_all_mistakes_of_the_configuration_are_told(around: Surroundings) -> None:
    (around.cwd / "tasks.yml").write_text(LIST)
    (around.cwd / "agent-runner.yml").write_text("max_attempts: 1\nproviders: 3\n")
    with pytest.raises(InputError) as raised:
        load(find(None, None, around), around)
    assert len(raised.value.problems) == 2
