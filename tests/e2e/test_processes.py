"""How many processes a task takes: its hooks, and a few of git's. Counted, not timed."""

from collections import Counter
from pathlib import Path

import pytest

from tests.cli.scene import COMMAND, Scene, environment, reply
from tests.support.processes import programs_started
from tests.workspace.repos import Repo

pytestmark = pytest.mark.slow

WHOLE_RUN = 5
"""Git's processes of a run with one task: configuration, status, and three looks."""

TASK_MORE = 2
"""Of each further task: a look after the pre-hooks, for the prompt too, and one at the end."""


def project(root: Path, tasks: int, *, git: bool = True, below: str = "") -> Scene:
    """Tasks with a pre-hook, a baseline, a reply that changes a file, and a post-hook."""
    scene = Scene(root)
    scene.tasks(
        *({"id": f"T{n}", "files": [f"f{n}.py"], "path": below or "."} for n in range(tasks))
    )
    scene.config(
        {
            "baseline": "auto",
            "hooks": {"noop": {"command": ["true"]}},
            "defaults": {"pre_hooks": ["noop"], "post_hooks": ["noop"]},
        }
    )
    for n in range(tasks):
        scene.write(f"{below}f{n}.py", "before\n")
        scene.reply(f"T{n}", 1, reply(**{f"f{n}__py": "after"}))
    if git:
        repo = Repo.created(scene.project)
        repo.git("config", "user.name", "A Tester")
        repo.git("config", "user.email", "tester@example.org")
        repo.commit_all()
    return scene


def started(scene: Scene) -> Counter[str]:
    """What one whole run starts."""
    notes = scene.root / "notes"
    notes.mkdir()
    env = environment(scene.home, {"GIT_CONFIG_GLOBAL": "/dev/null"})
    return Counter(programs_started([*COMMAND, "run", "--quiet"], scene.project, env, notes))


def test_a_run_of_one_task_in_git(tmp_path: Path) -> None:
    assert started(project(tmp_path, 1)) == {"git": WHOLE_RUN, "true": 3}


def test_each_further_task_in_git(tmp_path: Path) -> None:
    """Its baseline is known: the task before it ended with green hooks, and nothing ran since."""
    tasks = 4
    more = tasks - 1
    assert started(project(tmp_path, tasks)) == {
        "git": WHOLE_RUN + more * TASK_MORE,
        "true": 3 + 2 * more,
    }


def test_without_git_there_are_only_the_hooks(tmp_path: Path) -> None:
    assert started(project(tmp_path, 2, git=False)) == {"true": 5}


def test_a_new_file_costs_the_question_whether_git_ignores_it(tmp_path: Path) -> None:
    scene = project(tmp_path, 1)
    scene.reply("T0", 1, reply(new__py="new"))
    assert started(scene) == {"git": WHOLE_RUN + 1, "true": 3}


def test_branches_that_git_has_packed(tmp_path: Path) -> None:
    scene = project(tmp_path, 1)
    Repo(scene.project).git("pack-refs", "--all")
    assert started(scene) == {"git": WHOLE_RUN, "true": 3}


def test_a_root_below_its_repository(tmp_path: Path) -> None:
    scene = project(tmp_path, 1, below="sub/")
    assert started(scene) == {"git": WHOLE_RUN, "true": 3}
