"""`agent-runner import`: a task list from a checklist, JSON lines or issues, to be edited."""

from pathlib import Path
from typing import Annotated

import typer

from agent_runner.cli.options import StateDir, TasksOption
from agent_runner.cli.output import note, say


def import_(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="A Markdown checklist, or JSON lines (.jsonl).",
            show_default=False,
        ),
    ] = None,
    *,
    github: Annotated[
        str | None,
        typer.Option(
            "--github",
            metavar="OWNER/NAME",
            help="Open issues of this repository, read by gh; . for the one here.",
            show_default=False,
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="LABEL", help="Only issues that have it."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="At most so many issues.")
    ] = 50,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="New list. Default: print it.",
            show_default=False,
        ),
    ] = None,
    tick: Annotated[
        bool, typer.Option("--tick", help="Mark the items of passed tasks in FILE instead.")
    ] = False,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
) -> int:
    """Make a task list of a checklist, of JSON lines, or of GitHub issues. Nothing is run.

    Read and edit it before you run it: a run follows what it says, whoever wrote that.
    """
    from agent_runner.app.importing import tasks_of_file, tasks_of_issues, tick_off, write_list
    from agent_runner.model.errors import UsageError
    from agent_runner.tasks.importing import task_list_text

    if (file is None) == (github is None):
        what = "nothing to import" if file is None else "there are two things to import"
        raise UsageError(what, fix="name a FILE, or a repository with --github")
    if tick:
        if file is None:
            raise UsageError("--tick marks items in a file", fix="name the checklist")
        from agent_runner.app.overview import read_list
        from agent_runner.cli.project import surroundings

        count = tick_off(file, read_list(tasks, state_dir, surroundings()))
        say(f"marked {count} in {file}")
        return 0
    if file is not None:
        found, source = tasks_of_file(file), str(file)
    else:
        repository = "" if github == "." else github or ""
        found, source = tasks_of_issues(repository, label or (), limit), "issues of GitHub"
    text = task_list_text(found, source)
    if output is None:
        say(text.rstrip("\n"))
        return 0
    write_list(text, output)
    count = len(found)
    say(f"wrote {output}: {count} task{'s' if count != 1 else ''}")
    note("next: read and edit it, then: agent-runner config validate")
    return 0
