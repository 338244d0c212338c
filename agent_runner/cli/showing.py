"""The demo's run: a copy of the small example, taken from red to green."""

import shlex
import sys
from pathlib import Path

from agent_runner import demo
from agent_runner.app import project as projects
from agent_runner.app.project import Surroundings
from agent_runner.app.running import RunRequest, run
from agent_runner.app.screens import ScreenOptions
from agent_runner.ground.clock import SystemClock


def demonstrate(folder: Path | None, screen: ScreenOptions, around: Surroundings) -> int:
    """Copy and run; the exit code. The user's own configuration does not reach into the demo."""
    target = demo.copy_example("small-project", folder or demo.free_folder(around.cwd))
    print(f"The demo's project is in {target}", file=sys.stderr)
    plain = {k: v for k, v in around.env.items() if not k.startswith("AGENT_RUNNER_")}
    inside = Surroundings(plain, target / "no-home", target)
    place = projects.find(target / "tasks.yml", None, inside)
    project = projects.load(place, inside, {"ledger": False})
    code = run(project, RunRequest(screen), SystemClock())
    print(f"Look around: cd {shlex.quote(str(target))} && agent-runner status", file=sys.stderr)
    return code
