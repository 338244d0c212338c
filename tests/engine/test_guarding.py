"""What judges is not changed by what is judged, unless the person in charge allows it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent_runner.model import events as e
from tests.engine.scene import Scene, hooks
from tests.engine.scripted import whole

CHECK = "#!/bin/sh\ngrep -q two a.txt\n"
WEAK = whole("check.sh", "#!/bin/sh\nexit 0\n")
GOOD = whole("a.txt", "two\n")


def guarded(
    folder: Path, script: list[str], command: str = "sh ./check.sh", **settings: Any
) -> Scene:
    """A task that `check.sh` judges, which greps for `two` in `a.txt`."""
    task: dict[str, Any] = {"id": "T1", "post_hooks": ["judge"]}
    scene = Scene(folder / "p", [task], {"hooks": hooks(judge=command), **settings}, script)
    (folder / "p" / "check.sh").write_text(CHECK)
    (folder / "p" / "check.sh").chmod(0o755)
    (folder / "p" / "a.txt").write_text("one\n")
    return scene


def names(root: Path) -> set[str]:
    """Everything below the root but git's and the runner's own folders."""
    paths = (path.relative_to(root) for path in root.rglob("*"))
    return {str(path) for path in paths if path.parts[0] not in {".git", ".agent-runner"}}


@pytest.mark.parametrize("command", ["sh ./check.sh", "./check.sh", "bash -c ./check.sh"])
def test_the_script_that_judges_stays_and_the_model_is_told(tmp_path: Path, command: str) -> None:
    scene = guarded(tmp_path, [WEAK, GOOD], command)
    assert scene.run().exit_code == 0
    assert (tmp_path / "p" / "check.sh").read_text() == CHECK
    (rejected,) = scene.events(e.Rejected)
    assert "\n/check.sh\n" in scene.client.asked[0].prompt.messages[-1].text, "it was said before"
    assert "a hook runs it" in rejected.problems
    assert "may_change" in rejected.problems
    assert "check.sh" in rejected.summary


@pytest.mark.parametrize("place", ["task", "project"])
def test_a_person_may_allow_it(tmp_path: Path, place: str) -> None:
    scene = guarded(tmp_path, [WEAK])
    if place == "task":
        scene.tasks[0]["may_change"] = ["check.sh"]
    else:
        scene.settings = {**scene.settings, "apply": {"may_change": ["*.sh"]}}
    scene.write()
    assert scene.run().exit_code == 0
    assert "\n/check.sh\n" not in scene.client.asked[0].prompt.messages[-1].text
    assert (tmp_path / "p" / "check.sh").read_text() != CHECK


def test_protect_wins(tmp_path: Path) -> None:
    scene = guarded(tmp_path, [WEAK, GOOD], apply={"may_change": ["*.sh"], "protect": ["check.sh"]})
    assert scene.run().exit_code == 0
    assert (tmp_path / "p" / "check.sh").read_text() == CHECK


def test_a_script_of_another_tasks_hook_stays_too(tmp_path: Path) -> None:
    scene = guarded(tmp_path, [WEAK, whole("b.txt", "b\n"), GOOD])
    scene.tasks = [{"id": "T0", "post_hooks": []}, *scene.tasks]
    scene.write()
    assert scene.run().exit_code == 0
    assert (tmp_path / "p" / "check.sh").read_text() == CHECK


def test_a_script_that_the_task_makes_is_its_own(tmp_path: Path) -> None:
    first = whole("check.sh", "grep -q two a.txt\n")
    second = whole("check.sh", "grep -q one a.txt\n")
    scene = guarded(tmp_path, [first, second])
    (tmp_path / "p" / "check.sh").unlink()
    assert scene.run().exit_code == 0
    assert scene.events(e.Rejected) == []


@pytest.mark.parametrize("allowed", [True, False])
def test_a_script_that_may_be_made_is_no_missing_tool(tmp_path: Path, allowed: bool) -> None:
    script = [whole("new.sh", "grep -q one a.txt\n")]
    scene = guarded(tmp_path, script, "bash ./new.sh", baseline="always")
    scene.tasks[0]["may_change"] = ["new.sh"] if allowed else []
    scene.write()
    assert scene.run().exit_code == (0 if allowed else 1)
    assert len(scene.client.asked) == allowed


@pytest.mark.parametrize(
    ("module", "description", "folder", "is_work"),
    [
        ("ladle", "Write the module `ladle`, started by `python -m ladle`.", "", True),
        ("ladle.cli", "Give it a command line.", "ladle", True),
        ("ladle.cli", "Give it a command line.", "src/ladle", True),
        ("ladle", "Use the ladles.", "", False),
        ("behave", "Make `behave` pass.", "", False),
    ],
)
def test_a_module_that_the_task_is_to_write_is_no_missing_tool(
    tmp_path: Path, module: str, description: str, folder: str, is_work: bool
) -> None:
    said = f"echo python3: No module named {module}; exit 1"
    scene = guarded(tmp_path, [GOOD], f"grep -q two a.txt || {{ {said}; }}", baseline="always")
    scene.tasks[0]["description"] = description
    scene.write()
    if folder:
        (tmp_path / "p" / folder).mkdir(parents=True)
    assert scene.run().exit_code == (0 if is_work else 1)
    assert len(scene.client.asked) == is_work


@pytest.mark.parametrize(
    "path",
    [
        *("tasks.yml", "tasks.yaml", "Tasks.json", "./agent-runner.yml", "AGENT-RUNNER.yml"),
        *(".agent-runner/config.yml", ".github/workflows/ci.yml", ".husky/pre-commit"),
        *("lefthook.yml", ".gitlab-ci.yml", "own/hooks/pre-push"),
    ],
)
@pytest.mark.parametrize("way", ["create", "move"])
def test_what_the_runner_git_and_ci_obey_stays(tmp_path: Path, path: str, way: str) -> None:
    """Whether it is there yet or not, in any spelling, by any edit."""
    move = f"diff --git a/a.txt b/{path}\nrename from a.txt\nrename to {path}\n"
    new = f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n"
    bad = f"```diff\n{new if way == 'create' else move}```\n"
    scene = guarded(tmp_path, [bad, GOOD])
    root = tmp_path / "p"
    subprocess.run(["git", "init", "-q", root], check=True)
    subprocess.run(["git", "-C", root, "config", "core.hooksPath", "own/hooks"], check=True)
    before = names(root)
    assert scene.run().exit_code == 0
    (rejected,) = scene.events(e.Rejected)
    assert path.removeprefix("./") in rejected.problems
    assert names(root) == before
