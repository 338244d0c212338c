"""`agent-runner init` and `demo`: files to start from, and a small project that shows it all."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent_runner.cli.options import JsonLines, Quiet

if TYPE_CHECKING:
    from agent_runner.app.project import Project

_TEMPLATES = ("tasks.yml", "agent-runner.yml")


def init(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="Where to write them. Default: the current folder.",
            show_default=False,
        ),
    ] = Path(),
) -> int:
    """Write a commented tasks.yml and agent-runner.yml. Existing files are never overwritten."""
    from agent_runner.model.errors import UsageError

    existing = [str(folder / name) for name in _TEMPLATES if (folder / name).exists()]
    if existing:
        verb = "exist" if len(existing) > 1 else "exists"
        raise UsageError(
            f"{', '.join(existing)} {verb} already; nothing was written",
            fix="edit what is there, or name another folder: agent-runner init FOLDER",
        )
    try:
        _write_templates(folder)
    except OSError as error:
        raise UsageError(f"cannot write into {folder}: {error.strerror}") from error
    for name in _TEMPLATES:
        print(f"wrote {folder / name}")
    print("next: edit both, then: agent-runner config validate && agent-runner run --dry-run")
    return 0


def demo(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER",
            help="New folder to put it in. Default: agent-runner-demo.",
            show_default=False,
        ),
    ] = None,
    quiet: Quiet = False,
    json: JsonLines = False,
) -> int:
    """Copy a small Python project and take it from red to green with recorded answers.

    Needs no key and no network, except for the package index where pytest is not installed.
    """
    import shlex

    from agent_runner.app.run import RunRequest, run
    from agent_runner.app.screens import ScreenOptions
    from agent_runner.ground.clock import SystemClock

    project = _demo_project(folder)
    root = project.tasks.folder
    print(f"The demo project is in {root}", file=sys.stderr)
    code = run(project, RunRequest(ScreenOptions(quiet, json)), SystemClock())
    print(f"Look around: cd {shlex.quote(str(root))} && agent-runner status", file=sys.stderr)
    return code


def _write_templates(folder: Path) -> None:
    from importlib.resources import files

    folder.mkdir(parents=True, exist_ok=True)
    for name in _TEMPLATES:
        text = files("agent_runner.cli").joinpath("templates", name).read_text("utf-8")
        with (folder / name).open("x", encoding="utf-8") as file:
            file.write(text)


def _demo_project(folder: Path | None) -> "Project":
    """A copy of the example, out of reach of the user's own configuration."""
    from agent_runner import demo as examples
    from agent_runner.app.place import Surroundings, find
    from agent_runner.app.project import load
    from agent_runner.cli.project import surroundings

    here = surroundings()
    target = examples.copy_example("small-project", folder or examples.free_folder(here.cwd))
    env = {name: text for name, text in here.env.items() if not name.startswith("AGENT_RUNNER_")}
    inside = Surroundings(env, target / "no-home", target)
    return load(find(target / "tasks.yml", None, inside), inside, {"ledger": False})
