"""`agent-runner import`: a task list from a checklist, JSON lines or issues, to be edited."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from agent_runner.cli.options import StateDir, TasksOption
from agent_runner.cli.output import note, say

if TYPE_CHECKING:
    from agent_runner.tasks.importing import Imported

_File: TypeAlias = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE", help="A Markdown checklist, or JSON lines (.jsonl).", show_default=False
    ),
]
_GitHub: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--github",
        metavar="OWNER/NAME",
        help="Open issues of this repository, read by gh; . for the one here.",
        show_default=False,
    ),
]
_Labels: TypeAlias = Annotated[
    list[str] | None, typer.Option("--label", metavar="LABEL", help="Only issues that have it.")
]
_Limit: TypeAlias = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, help="At most so many issues.")
]
_Output: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="New list. Default: print it.", show_default=False
    ),
]
_Tick: TypeAlias = Annotated[
    bool, typer.Option("--tick", help="Mark the items of passed tasks in FILE instead.")
]


def import_(
    file: _File = None,
    *,
    github: _GitHub = None,
    label: _Labels = None,
    limit: _Limit = 50,
    output: _Output = None,
    tick: _Tick = False,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
) -> int:
    """Make a task list of a checklist, of JSON lines, or of GitHub issues. Nothing is run.

    Read and edit it before you run it: a run follows what it says, whoever wrote that.
    """
    from agent_runner.model.errors import UsageError

    if (file is None) == (github is None):
        what = "nothing to import" if file is None else "there are two things to import"
        raise UsageError(what, fix="name a FILE, or a repository with --github")
    if tick:
        return _mark(file, tasks, state_dir)
    found, source = _read(file, github or "", label or (), limit)
    return _write(found, source, output)


def _mark(file: Path | None, tasks: Path | None, state_dir: Path | None) -> int:
    from agent_runner.app.importing import tick_off
    from agent_runner.app.overview import read_list
    from agent_runner.cli.project import surroundings
    from agent_runner.model.errors import UsageError

    if file is None:
        raise UsageError("--tick marks items in a file", fix="name the checklist")
    count = tick_off(file, read_list(tasks, state_dir, surroundings()))
    say(f"marked {count} in {file}")
    return 0


def _read(
    file: Path | None, repository: str, labels: Sequence[str], most: int
) -> "tuple[list[Imported], str]":
    """The tasks, and in words where they come from."""
    from agent_runner.app.importing import tasks_of_file, tasks_of_issues

    if file is not None:
        return tasks_of_file(file), str(file)
    here = "" if repository == "." else repository
    return tasks_of_issues(here, labels, most), "issues of GitHub"


def _write(found: "list[Imported]", source: str, output: Path | None) -> int:
    from agent_runner.app.importing import write_list
    from agent_runner.tasks.importing import task_list_text

    text, count = task_list_text(found, source), len(found)
    if output is None:
        say(text.rstrip("\n"))
        return 0
    write_list(text, output)
    say(f"wrote {output}: {count} task{'s' if count != 1 else ''}")
    note("next: read and edit it, then: agent-runner config validate")
    return 0
