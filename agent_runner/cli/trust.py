"""`agent-runner trust`: agree that a project's files decide where your keys go."""

from typing import Annotated

import typer

from agent_runner.cli.options import TasksOption
from agent_runner.cli.output import say


def trust(
    tasks: TasksOption = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Show all files that you have trusted.")
    ] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Trust this project's files no longer.")
    ] = False,
) -> int:
    """Trust this project's files as they are now: your keys go where they say.

    Needed only where a project's own file names an address or a variable that you did not. A file
    that changes has to be trusted again. `trust: [folders]` in ~/.agent-runner/config.yml trusts
    all projects below these folders.
    """
    from agent_runner.app.configuration import load
    from agent_runner.app.trust import lines_of, plug_in_lines, trusted_files, wishes_of_all
    from agent_runner.cli.project import surroundings
    from agent_runner.model.errors import UsageError

    if listed and remove:
        raise UsageError("--list and --remove do not go together", fix="give one of them")
    here = surroundings()
    known = trusted_files(here)
    if listed:
        say("\n".join(f"{one.file} ({one.sha256[:12]})" for one in known.all()) or "none")
        return 0
    loaded = load(tasks, here)
    names = ", ".join(str(file) for file in loaded.project_files)
    if not names:
        say("This project has no configuration of its own; there is nothing to trust.")
        return 0
    if remove:
        was = known.remove(loaded.project_files)
        say(f"{'No longer trusted' if was else 'Was not trusted'}: {names}")
        return 0
    found, plug_ins = wishes_of_all(loaded, here), plug_in_lines(loaded)
    if not found and not plug_ins:
        say(f"Nothing has to be trusted: {names} sends no secret of yours to a new place.")
        return 0
    say("\n".join((*(lines_of(found, loaded, here) if found else ()), *plug_ins)))
    known.add(loaded.project_files)
    say(f"Trusted, as long as it stays as it is: {names}")
    return 0
