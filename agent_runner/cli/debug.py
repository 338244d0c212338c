"""`agent-runner debug`: the state, the machine and the prompts, as the program sees them."""

import typer

from agent_runner.cli.options import Json, OptionalTaskId, StateDir, TaskId, TasksOption

app = typer.Typer(help="Look inside: state, machine, prompts.", no_args_is_help=True)


@app.command("state", short_help="Print the run, the tasks and the transitions taken.")
def state(
    task: OptionalTaskId = None,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Print the run, each task's state and counts, and the transitions taken with their times.

    With a TASK: that one's, with hook results and files changed.
    """
    from agent_runner.cli.around import open_project
    from agent_runner.cli.reports import print_state

    raise typer.Exit(print_state(open_project(tasks, state_dir), task, as_json=json))


@app.command("machine")
def machine() -> None:
    """Print the flow table as a Mermaid diagram."""
    from agent_runner.engine.diagram import mermaid

    typer.echo(mermaid(), nl=False)


@app.command("prompt", short_help="Print what would be sent to the agent now.")
def prompt(task: TaskId, tasks: TasksOption = None, state_dir: StateDir = None) -> None:
    """Print what would be sent to the agent for a task now; nothing is called or written."""
    from agent_runner.cli.around import open_project
    from agent_runner.cli.prompts import print_prompt

    raise typer.Exit(print_prompt(open_project(tasks, state_dir), task))
