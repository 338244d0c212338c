"""`agent-runner doctor`: what is wrong here, and what to do about it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from agent_runner.cli.options import Json, StateDir, TasksOption

if TYPE_CHECKING:
    from agent_runner.app.doctor import Examined


def doctor(
    tasks: TasksOption = None,
    state_dir: StateDir = None,
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Mend the state: move aside what is damaged, delete nothing."),
    ] = False,
    json: Json = False,
) -> int:
    """Check the state, its permissions, the disk, git, the list and whom your keys go to.

    Also what could confine commands here. Nothing of the project is run, nobody is called, and
    nothing is changed. Exit codes: 0 nothing is wrong; 1 something is; 3 --fix
    cannot be done now.
    """
    from agent_runner.app.doctor import examined
    from agent_runner.cli.output import print_object, print_parts
    from agent_runner.cli.project import surroundings

    seen = examined(tasks, state_dir, surroundings(), fix=fix)
    if json:
        findings = [
            {
                "part": one.part,
                "good": one.is_good,
                "text": one.text,
                "fix": one.fix,
                "can_be_mended": one.mend is not None,
            }
            for one in seen.findings
        ]
        aside = None if seen.aside is None else str(seen.aside)
        print_object({"good": seen.is_good, "moved_to": aside, "findings": findings})
        return 0 if seen.is_good else 1
    return print_parts(_lines(seen)) or (0 if seen.is_good else 1)


def _lines(seen: "Examined") -> Iterator[str]:
    for one in seen.findings:
        yield f"{'ok ' if one.is_good else 'BAD'}  {one.part}: {one.text}"
        if not one.is_good and (one.fix or one.mend):
            yield f"     next: {one.fix or 'agent-runner doctor --fix moves it aside'}"
    if seen.aside is not None:
        yield f"what was in the way is kept in {seen.aside}"
