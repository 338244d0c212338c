"""`agent-runner init` and `demo`: files to start from, and a small project that shows it all."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent_runner.cli.options import JsonLines, Quiet
from agent_runner.cli.output import note, say

if TYPE_CHECKING:
    from agent_runner.app.project import Project
    from agent_runner.app.starter import Start


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
    """Write a commented tasks.yml and agent-runner.yml, whichever is missing.

    The command that tests the project, the key that is set and the git branch are filled in.
    Existing files are never overwritten.
    """
    from agent_runner.app import starter
    from agent_runner.cli.project import surroundings

    here = surroundings()
    target = here.cwd / folder
    _refuse_home(target, here.home)
    start = starter.look_around(target, here)
    for there in filter(None, (start.tasks, start.config)):
        say(f"kept {folder / there.relative_to(target)}, which is there already")
    missing = starter.missing(start)
    _write(target, missing, str(folder))
    starter.write_schemas(target)
    for name in missing:
        say(f"wrote {folder / name}")
    _say_found(start, missing, target, here.env)
    option = "" if folder == Path() else f" -C {shlex.quote(str(folder))}"
    edit = "edit both, then: " if len(missing) == 2 else "edit it, then: " if missing else ""
    command = f"agent-runner{option}"
    say(f"next: {edit}{command} config validate && {command} run --dry-run")
    return 0


def _refuse_home(target: Path, home: Path) -> None:
    """Raise UsageError before anything is written into the home folder."""
    from agent_runner.model.errors import UsageError

    if target.resolve() == home.resolve():
        raise UsageError(
            "this is your home folder; nothing was written",
            fix="change to the folder of a project, or name one: agent-runner init FOLDER",
        )


def _say_found(
    start: "Start", missing: Mapping[str, str], target: Path, env: Mapping[str, str]
) -> None:
    """Say what was filled in, and what a person has to write."""
    from agent_runner.app.starter import CONFIG, lacking

    if CONFIG not in missing:
        return
    for check in start.checks:
        say(f"  judged by: {check.command} ({check.why})")
        if trouble := lacking(check, target, env):
            note(f"  but {trouble}: install it, or write under hooks what you test with")
    if not start.checks:
        say("  no test command was found: write the one that judges under hooks")
    if start.provider:
        say(f"  asked: {start.provider} ({start.provider_why})")
    else:
        say("  no key was found in the environment: claude would need ANTHROPIC_API_KEY")


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
    from agent_runner.app.run import RunRequest, run
    from agent_runner.app.screens import ScreenOptions
    from agent_runner.cli.project import program
    from agent_runner.ground.clock import SystemClock

    project = _demo_project(folder)
    root = project.tasks.folder
    note(f"The demo project is in {root}")
    code = run(project, RunRequest(ScreenOptions(quiet, json)), SystemClock())
    note(f"Look around: cd {shlex.quote(str(root))} && {shlex.quote(program())} status")
    return code


def _write(folder: Path, texts: Mapping[str, str], shown: str) -> None:
    """Write new files. Raises UsageError, in which the folder is called `shown`."""
    from agent_runner.model.errors import UsageError

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(f"cannot write into {shown}: {error.strerror}") from error


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
