"""How long short commands take, against Python's own start and `nox --help`.

In processor time, the least of several tries taken in turn: so a busy machine changes little. Fails
past the bounds below. Where `nox` is not beside this Python, what is compared with it is left out.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from agent_runner.app.place import Surroundings, find
from agent_runner.app.project import load
from agent_runner.app.session import opened_store
from agent_runner.ground.clock import SystemClock
from agent_runner.model import events as e
from agent_runner.model.states import TaskState as S
from agent_runner.model.usage import Usage
from tests.bench.projects import environment
from tests.bench.rows import row

TRIES = 9

SCRIPT = "import sys; from agent_runner.__main__ import main; sys.argv[0] = 'agent-runner'; main()"
"""What the installed command does. `python -m` is slower by the modules that it needs itself."""

BOUNDS = (
    ("--version", "python -c pass", 1.3),
    ("--help", "nox --help", 0.6),
    ("run --help", "nox --help", 0.65),
    ("status, 70 tasks", "nox --help", 0.8),
    ("status, 10,000 tasks", "nox --help", 4.0),
)


def project(root: Path, tasks: int) -> Path:
    """A list as a run leaves it: all but the last two tasks have passed."""
    (root / "home").mkdir(parents=True)
    rows = (
        f"  - {{id: T{n}, title: Do thing number {n}, description: Write it, post_hooks: [unit]}}"
        for n in range(tasks)
    )
    (root / "tasks.yml").write_text("tasks:\n" + "\n".join(rows) + "\n")
    (root / "agent-runner.yml").write_text("hooks: {unit: {command: pytest -q}}\n")
    here = Surroundings({}, root / "home", root)
    known = load(find(None, None, here), here)
    with opened_store(known, SystemClock()) as store:

        def put(task: str, event: e.Event, to: S | None = None) -> None:
            store.take(store.append(task, event, to))

        put("", e.RunStarted("r1", 1, "0", known.tasks.id))
        for task in known.tasks.tasks[:-2]:
            call = f"{task.id}/call-01"
            put(task.id, e.Started(task.definition), S.PRE_HOOKS)
            put(task.id, e.PreHooksPassed(), S.AGENT)
            put(task.id, e.CallStarted(call, 1, 1, 1, "claude", "sonnet", 1200, 8000))
            put(task.id, e.CallSettled(call, "answered", "claude", Usage(1200, 300)))
            put(task.id, e.Replied(call), S.APPLY)
            put(task.id, e.Applied(("a.py",)), S.POST_HOOKS)
            put(task.id, e.PostHooksPassed((e.Judged("unit", 0, 1.5),), "t"), S.PASSED)
        put("", e.RunStopped("r1", "finished", 0))
    return root


def spent(command: list[str], cwd: Path) -> float:
    """Seconds of processor time that a command takes."""
    env = environment(cwd / "home")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a line per command; exit with 1 if one is past its bound."""
    ours = [sys.executable, "-c", SCRIPT]
    with tempfile.TemporaryDirectory() as name:
        short, long = project(Path(name) / "70", 70), project(Path(name) / "10k", 10_000)
        commands = {
            "python -c pass": ([sys.executable, "-c", "pass"], short),
            "nox --help": ([str(Path(sys.executable).with_name("nox")), "--help"], short),
            "--version": ([*ours, "--version"], short),
            "--help": ([*ours, "--help"], short),
            "run --help": ([*ours, "run", "--help"], short),
            "status, 70 tasks": ([*ours, "status"], short),
            "status, 10,000 tasks": ([*ours, "status"], long),
        }
        if not Path(commands["nox --help"][0][0]).exists():
            print("nox is not installed here: what is compared with it is left out")
            commands.pop("nox --help")
        least = dict.fromkeys(commands, float("inf"))
        for _ in range(TRIES):
            for what, (command, cwd) in commands.items():
                least[what] = min(least[what], spent(command, cwd))
    for what, seconds in least.items():
        print(f"{what:<21} {1e3 * seconds:6.0f} ms of processor time")
    past = []
    for what, peer, bound in BOUNDS:
        if peer in least:
            ratio = least[what] / least[peer]
            note = f"{1e3 * least[what]:.0f} ms of processor time"
            past += [] if row(f"`{what}`", ratio, f"x `{peer}`", bound, note) else [what]
    sys.exit(f"too slow: {', '.join(past)}" if past else 0)


if __name__ == "__main__":
    main()
