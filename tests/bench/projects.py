"""Projects to measure whole runs in: N tasks, each changing one file of a repository."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, sleep

SOURCE = Path(__file__).parents[2]
LONG_AGO = 10**18  # nanoseconds: older than the index, so that git need not look twice
SETTLING = 2.5  # seconds after which a file is no longer too new for its stat to be trusted


def fill(root: Path, count: int) -> None:
    """Files of about 3 KB in folders of a hundred."""
    for number in range(count):
        file = root / f"package{number // 1000}" / f"part{number // 100}" / f"file{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"value = {number}\n" * 200)
        os.utime(file, ns=(LONG_AGO, LONG_AGO))


def git(root: Path, *args: str) -> None:
    """Call git in `root`; nothing is packed in the background, beside what is timed."""
    named = ("-c", "user.name=b", "-c", "user.email=b@example.org", "-c", "gc.auto=0")
    subprocess.run(["git", *named, *args], cwd=root, check=True, capture_output=True)


def outside_of_repositories() -> Path:
    """A folder for temporary ones that lies in no repository.

    A project in one would be looked at by way of it: nox's own temporary folder lies in ours.

    Raises:
        SystemExit: there is none.
    """
    for place in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"), Path.home()):
        around = (place.resolve(), *place.resolve().parents)
        if place.is_dir() and not any((folder / ".git").exists() for folder in around):
            return place
    raise SystemExit("every temporary folder here lies in a repository: set TMPDIR to another")


def environment(home: Path) -> dict[str, str]:
    """That of a run: its own home, and this source, compiled once as installed programs are."""
    more = {"HOME": str(home), "PYTHONPATH": str(SOURCE), "GIT_CONFIG_GLOBAL": "/dev/null"}
    return {**os.environ, **more, "PYTHONDONTWRITEBYTECODE": ""}


class Project:
    """A folder with `files` files and a task list; in git unless told otherwise."""

    def __init__(self, root: Path, *, files: int = 0, tasks: int = 60, in_git: bool = True) -> None:
        self.root, self._runs, self._in_git = root, 0, in_git
        root.mkdir(parents=True)
        fill(root, files)
        for n in range(tasks):
            self._write(f"f{n}.py", "before\n")
            self._write(f"replies/T{n}/1.md", f"f{n}.py\n```\nafter\n```\n")
        config = {
            "provider": "replay",
            "ledger": False,
            "baseline": "always",
            "providers": {"replay": {"replies": "./replies"}},
            "hooks": {"noop": {"command": ["true"]}},
            "defaults": {"pre_hooks": ["noop"], "post_hooks": ["noop"]},
        }
        self._write("agent-runner.yml", json.dumps(config))
        if in_git:
            self._write(".gitignore", "list*.json\n")
            git(root, "init", "-q")
            git(root, "add", "-A")
            git(root, "commit", "-q", "-m", "all")

    def _write(self, name: str, text: str) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def command(self, tasks: int) -> list[str]:
        """`run` over the first tasks, with a state that nobody has used before.

        As a person would start it: nothing was written a moment ago, and git's index is up to date.
        """
        for n in range(tasks):
            self._write(f"f{n}.py", "before\n")
        sleep(SETTLING)
        if self._in_git:
            git(self.root, "status")  # writes the index anew, younger than all files
        self._runs += 1
        name = f"list{self._runs}.json"
        fields = {"title": "One", "description": "Change it."}
        rows = [{"id": f"T{n}", **fields, "files": [f"f{n}.py"]} for n in range(tasks)]
        self._write(name, json.dumps({"tasks": rows}))
        command = [sys.executable, "-m", "agent_runner", "run", "--quiet", name]
        return [*command, "--state-dir", str(self.state)]

    @property
    def state(self) -> Path:
        """The state folder of the last run."""
        return self.root.with_name(f"{self.root.name}-state{self._runs}")

    def seconds(self, tasks: int) -> float:
        """Wall time of a run over the first tasks.

        Raises:
            SystemExit: the run failed.
        """
        command = self.command(tasks)
        began = perf_counter()
        done = subprocess.run(
            command,
            cwd=self.root,
            env=environment(self.root.parent),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"a run ended with {done.returncode}:\n{done.stderr.decode()}")
        return perf_counter() - began


def processor_seconds() -> float:
    """Processor time of all commands so far, with what they have started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def each(seconds: dict[int, float]) -> float:
    """Seconds of one more task, from those of two runs by their number of tasks."""
    (few, short), (many, long) = sorted(seconds.items())
    return (long - short) / (many - few)
