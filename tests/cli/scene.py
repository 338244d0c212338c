"""A project in a folder of its own, driven as a user drives it: real processes, real files."""

import json
import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from tests.support.forks import run_forked

SOURCE = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "agent_runner")


@frozen
class Ended:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Stdout by line."""
        return self.out.splitlines()

    def commands(self) -> list[list[str]]:
        """The words of every command that was printed to be typed next, in order."""
        found = re.findall(r"`agent-runner ([^`]*)`|: agent-runner (.*)", self.out + self.err)
        return [shlex.split(one or other) for one, other in found]


def environment(home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """A user's environment without anything of the one who tests: own home, no keys."""
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "LANG", "LC_ALL", "TMPDIR"}}
    return {
        **kept,
        "HOME": str(home),
        "PYTHONPATH": str(SOURCE),
        "PYTHONWARNINGS": "ignore",
        "TERM": "xterm-256color",
        **(more or {}),
    }


def reply(**files: str) -> str:
    """A model's reply that writes these files whole; `a__py` is `a.py`."""
    blocks = (f"{n.replace('__', '.')}\n```\n{text}\n```\n" for n, text in files.items())
    return "Here it is.\n\n" + "\n".join(blocks)


@define
class Scene:
    """A project under `root/project`, with a home of its own beside it."""

    root: Path
    env: dict[str, str] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.project.mkdir(parents=True, exist_ok=True)
        self.home.mkdir(exist_ok=True)

    @property
    def project(self) -> Path:
        """The task list's folder."""
        return self.root / "project"

    @property
    def home(self) -> Path:
        """The user's home."""
        return self.root / "home"

    def tasks(self, *tasks: Mapping[str, Any], file: str = "tasks.yml") -> None:
        """Write the list; each task has a title and a description unless given."""
        full = [{"title": f"Do {t['id']}", "description": "Write it.", **t} for t in tasks]
        self.write(file, json.dumps({"tasks": full}))

    def config(self, content: Mapping[str, Any], *, bare: bool = False) -> None:
        """Write the configuration; the replay provider is there unless `bare`."""
        common = {"provider": "replay", "providers": {"replay": {"replies": "./replies"}}}
        base = {} if bare else {**common, "baseline": "never", "ledger": False}
        (self.project / "replies").mkdir(exist_ok=True)
        self.write("agent-runner.yml", json.dumps({**base, **content}))

    def reply(self, task: str, number: int, text: str) -> None:
        """The n-th answer to a task's calls; JSON if it looks like an object."""
        suffix = "json" if text.startswith("{") else "md"
        self.write(f"replies/{task}/{number}.{suffix}", text)

    def change(self, task: str, number: int) -> None:
        """The n-th answer to a task's calls: it changes a file that no other task does."""
        self.reply(task, number, reply(**{f"{task}__txt": str(number)}))

    def write(self, name: str, text: str) -> Path:
        """A file of the project."""
        file = self.project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def read(self, name: str) -> str:
        """A file of the project as it is now."""
        return (self.project / name).read_text()

    def run(self, *words: str, cwd: Path | None = None, stdin: str | None = None) -> Ended:
        """Run a command to its end."""
        env = environment(self.home, self.env)
        done = run_forked(words, cwd=cwd or self.project, env=env, stdin=stdin, timeout=60)
        return Ended(done.returncode, done.stdout, done.stderr)

    def states(self, *options: str) -> dict[str, str]:
        """State of every task, as `status --json` says."""
        told = json.loads(self.run("status", "--json", *options).out)
        return {task["id"]: task["state"] for task in told["tasks"]}

    def tree(self) -> dict[str, tuple[bytes, int, int]]:
        """Everything under the root: content, mode and time of change of each path."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            about = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            found[str(path.relative_to(self.root))] = (content, about.st_mode, about.st_mtime_ns)
        return found
