"""`check_all`: configuration and task list in one go."""

from pathlib import Path
from typing import Any

from agent_runner.config import check_all
from agent_runner.providers.profiles import KNOWN_NAMES
from agent_runner.tasks import load_task_list


def told(world: Any, file: Path | None) -> list[str]:
    def read_list(settings: Any) -> object:
        assert file is not None
        return load_task_list(file, settings, home=world.home, names=KNOWN_NAMES)

    problems = check_all(world.survey(), read_list if file else None)
    return [str(problem).removeprefix(f"{world.folder}/") for problem in problems]


def test_mistakes_of_both_are_told_together(world: Any) -> None:
    world.write("project", "max_no_progress: 0\nhooks: {lint: {retires: 1}}\n")
    file = world.write("tasks.yml", "- {id: T1, title: a, post_hooks: [lint, lnt]}\n")
    assert [one.partition(" (")[0] for one in told(world, file)] == [
        "agent-runner.yml:1:18: max_no_progress must be at least 1, not 0",
        'agent-runner.yml:2:9: the hook "lint" has no command',
        'agent-runner.yml:2:16: hooks.lint has no key "retires"',
        'tasks.yml:1:3: the task "T1" has no description',
        'tasks.yml:1:41: there is no hook "lnt"',
    ]


def test_without_a_list_the_configuration_alone(world: Any) -> None:
    world.write("project", "max_no_progress: 0\n")
    assert len(told(world, None)) == 1


def test_nothing_to_tell(world: Any) -> None:
    assert told(world, world.write("tasks.yml", "- {id: T1, title: a, description: b}\n")) == []
