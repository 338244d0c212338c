"""The examples are red as they stand and green after their recorded replies, judged by their hooks.

The replies are applied by a plain reading of the two formats written down here, not by the program:
what is shown is that the examples themselves are right.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from agent_runner.demo import copy_example, example_names

pytestmark = pytest.mark.slow

BLOCK = re.compile(r"^(\S+)\n```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SEARCH_REPLACE = re.compile(
    r"<<<<<<< SEARCH\n(.*?)^=======\n(.*?)^>>>>>>> REPLACE\n", re.DOTALL | re.MULTILINE
)


class Example:
    """A copy of an example, with its task list and hooks as plain YAML."""

    def __init__(self, name: str, folder: Path) -> None:
        self.folder = copy_example(name, folder)
        self.tasks: list[dict[str, Any]] = self._read("tasks.yml")["tasks"]
        self.settings: dict[str, Any] = self._read("agent-runner.yml")
        self.defaults: dict[str, list[str]] = self.settings.get("defaults", {})

    def root(self, task: dict[str, Any]) -> Path:
        return self.folder / str(task.get("path", "."))

    def replies(self, task: dict[str, Any]) -> list[Path]:
        folder = self.folder / "replies" / task["id"]
        return [folder / f"{n}.md" for n in range(1, len(list(folder.iterdir())) + 1)]

    def apply(self, task: dict[str, Any], reply: Path) -> None:
        blocks = BLOCK.findall(reply.read_text())
        assert blocks, f"{reply} proposes nothing"
        for path, body in blocks:
            file = self.root(task) / path
            edits = SEARCH_REPLACE.findall(body)
            text = file.read_text() if edits else body
            for search, replacement in edits:
                assert text.count(search) == 1, f"{reply}: {search!r} is not there exactly once"
                text = text.replace(search, replacement)
            file.write_text(text)

    def judge(self, task: dict[str, Any]) -> bool:
        """Whether all post-hooks of the task pass."""
        hooks = task.get("post_hooks", self.defaults.get("post_hooks", ()))
        return all(self.run(task, hook).returncode == 0 for hook in hooks)

    def run(self, task: dict[str, Any], hook: str) -> subprocess.CompletedProcess[str]:
        command = self.settings["hooks"][hook]["command"]
        return subprocess.run(
            ["sh", "-c", command] if isinstance(command, str) else list(command),
            cwd=self.root(task),
            env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    def _read(self, name: str) -> dict[str, Any]:
        document: dict[str, Any] = YAML(typ="safe", pure=True).load((self.folder / name).read_text())
        return document


@pytest.mark.parametrize("name", example_names())
def test_every_task_is_red_until_its_last_reply(name: str, tmp_path: Path) -> None:
    example = Example(name, tmp_path / name)
    before = sorted(example.folder.rglob("*"))
    assert not any(example.judge(task) for task in example.tasks)
    assert sorted(example.folder.rglob("*")) == before, "judging left something behind"
    for task in example.tasks:
        for hook in example.defaults.get("pre_hooks", ()):
            prepared = example.run(task, hook)
            assert prepared.returncode == 0, prepared.stderr
        *failing, last = example.replies(task)
        for reply in failing:
            example.apply(task, reply)
            assert not example.judge(task), f"{reply} was to fail"
        example.apply(task, last)
        assert example.judge(task), f"{last} was to pass"
    assert all(example.judge(task) for task in example.tasks)


def test_one_task_of_the_demo_learns_from_its_failure(tmp_path: Path) -> None:
    example = Example("small-project", tmp_path / "demo")
    assert [len(example.replies(task)) for task in example.tasks] == [1, 2, 1]
    first, second, _ = example.tasks
    example.apply(first, example.replies(first)[0])
    example.apply(second, example.replies(second)[0])
    output = example.run(second, "scaling").stdout
    shown = "0.6666666666666666 cup flour"
    assert shown in output
    assert shown in example.replies(second)[1].read_text(), "the second reply speaks of the failure"
