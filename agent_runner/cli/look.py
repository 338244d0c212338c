"""`agent-runner diff` and `undo`: see what a task changed, and revert it."""

import os
import shutil
import sys
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from agent_runner.cli.options import StateDir, TaskId, TasksOption
from agent_runner.cli.output import is_drawing, note, print_parts, say
from agent_runner.cli.paging import NoPager, page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent_runner.app.applied_changes import AppliedChanges
    from agent_runner.engine.reverting import Outcome

_KeepEdited: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--keep-edited", help="Leave files alone that you edited since; revert the others."
    ),
]
_WholeTree: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--whole-tree",
        help="Revert also what the task's hooks and commands changed beside its own files.",
    ),
]
_DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Only say which files it would touch.")
]

_MOST_NAMED = 20


def diff(
    task: TaskId,
    attempt: Annotated[
        int | None,
        typer.Option(
            "--attempt", metavar="N", min=1, help="Only this attempt.", show_default=False
        ),
    ] = None,
    stat: Annotated[
        bool, typer.Option("--stat", help="Only say how much of which file changed.")
    ] = False,
    no_pager: NoPager = False,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
) -> int:
    """Show what a task, or one attempt at it, changed: a patch that git can apply.

    At a terminal it is coloured, and shown by PAGER where it is long; anywhere else it goes out
    byte for byte.
    """
    from agent_runner.app.applied_changes import changes
    from agent_runner.app.overview import read_list
    from agent_runner.cli.project import surroundings

    found = changes(read_list(tasks, state_dir, surroundings()), task, attempt)
    if found is None:
        whose = f"attempt {attempt} at {task}" if attempt else task
        note(f"{whose} has not changed any file")
    elif stat:
        print_parts(_stat(found))
    elif is_drawing():
        page(_painted(found.patch), no_pager=no_pager)
    elif sys.stdout.isatty():  # a patch for programs goes out as it is
        say(found.patch.decode(errors="backslashreplace").removesuffix("\n"))
    else:
        sys.stdout.buffer.write(found.patch)
    return 0


def _stat(found: "AppliedChanges") -> "Iterator[str]":
    from agent_runner.ui.patches import file_stat, stat_lines

    files = (file_stat(path, part.decode(errors="replace")) for path, part in found.by_file())
    return stat_lines(files, shutil.get_terminal_size().columns - 1)


def _painted(patch: bytes) -> "Iterator[str]":
    from agent_runner.ui.output import Output
    from agent_runner.ui.painting import Painter  # lazy: rich is slow to import

    painter = Painter(Output(sys.stdout), os.environ)
    return painter.patch(patch.decode(errors="backslashreplace").removesuffix("\n").split("\n"))


def undo(
    task: TaskId,
    keep_edited: _KeepEdited = False,
    whole_tree: _WholeTree = False,
    dry_run: _DryRun = False,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
) -> int:
    """Revert what a task changed. Files that were edited since are named, and nothing is touched.

    What a hook such as a formatter did to the task's files is reverted with it; other files that
    its hooks and commands changed, with --whole-tree. A passed task then needs a person, and tasks
    that depend on it wait.
    """
    from agent_runner.app import undo as undoing
    from agent_runner.cli.project import open_project

    project = open_project(tasks, state_dir)
    scope = undoing.Scope(keep_edited, whole_tree)
    suggested = project.place.invocation.command
    if dry_run:
        outcome, was_done = undoing.forecast(project, task, scope), False
    else:
        outcome, was_done = undoing.undo(project, task, scope)
    if outcome.refused:
        _say_refused(
            outcome, suggested("undo", task, "--keep-edited", *["--whole-tree"] * whole_tree)
        )
        return 1
    if not outcome.paths and not outcome.edited:
        note(f"{task} has not changed any file")
    elif dry_run:
        _say_what_would_come(outcome)
    else:
        _say_what_came(outcome, task, suggested, was_done=was_done)
    _say_what_stays(outcome)
    return 0


def _say_refused(outcome: "Outcome", others: str) -> None:
    note(f"{outcome.refused}; no file was touched")
    if outcome.edited:
        note(f"  to revert the others: {others}")


def _say_what_would_come(outcome: "Outcome") -> None:
    deleted = set(outcome.deleted)
    for path in sorted(outcome.paths):
        say(f"{'delete' if path in deleted else 'restore'} {path}")


def _say_what_came(
    outcome: "Outcome", task: str, suggested: "Callable[..., str]", *, was_done: bool
) -> None:
    now = "it needs a person now" if was_done else "its state stays as it is"
    say(f"reverted what {task} had changed; {now}")
    if outcome.edited:
        say(f"  left as you edited them: {', '.join(outcome.edited)}")
        later = suggested("undo", task)
        say(f"  to revert those too, once they are as {task} left them: {later}")
    if outcome.patch:
        say(f"  what the files held until now is in {outcome.patch}, as a patch")
    done = outcome.built_on
    if done:
        say(f"  built on it, and passed: {', '.join(done)}")
    if was_done:
        say(f"  to have it tried again, with a hint: {suggested('retry', task)}")
        say(f"  to have the files judged as they are: {suggested('check', task)}")
    say(f"  to begin the task anew: {suggested('reset', task)}")


def _say_what_stays(outcome: "Outcome") -> None:
    if outcome.stays:
        shown, more = outcome.stays[:_MOST_NAMED], len(outcome.stays) - _MOST_NAMED
        names = ", ".join([*shown, *[f"{more} more"] * (more > 0)])
        note(f"  left as they are, since no hook of the task changed them last: {names}")
    if outcome.later:
        note(f"  hooks of {', '.join(outcome.later)} changed some of these after it")
