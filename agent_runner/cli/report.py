"""`agent-runner report`: the run as a page to look at, or as Markdown for a pull request."""

from pathlib import Path
from typing import Annotated

import typer

from agent_runner.cli.options import StateDir, TasksOption
from agent_runner.cli.output import note, say


def report(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write the page. Default: report.html in the state folder.",
            show_default=False,
        ),
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
    as_markdown: Annotated[
        bool,
        typer.Option("--markdown", help="Print Markdown instead: a pull request's body."),
    ] = False,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
) -> int:
    """Write one HTML page with all that happened: times, use, cost, diffs, failures, conversations.

    The page needs no network and no script. It quotes prompts, answers and the output of hooks:
    look at it before you publish it.
    """
    from agent_runner.app.overview import read_list
    from agent_runner.app.report import markdown_text, report_of, write_page
    from agent_runner.cli.project import surroundings

    here = surroundings()
    known = read_list(tasks, state_dir, here)
    shown = report_of(known)
    if as_markdown:
        say(markdown_text(shown))
        return 0
    file = write_page(shown, known, here.cwd / output if output else None)
    say(str(output or file))
    if open_it and not _shown_in_browser(file):
        note(f"no browser could be started; open {file}")
    return 0


def _shown_in_browser(file: Path) -> bool:
    import webbrowser

    return webbrowser.open(file.resolve().as_uri())
