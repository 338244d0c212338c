"""Options that several commands share, each written once."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

TasksArgument: TypeAlias = Annotated[
    Path | None,
    typer.Argument(
        metavar="[TASKS]",
        help="Task list, YAML or JSON; default: the list whose state is here, else tasks.yml.",
        show_default=False,
    ),
]
TasksOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--tasks",
        metavar="FILE",
        help="Task list; default: the list whose state is here, else tasks.yml.",
        show_default=False,
    ),
]
StateDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--state-dir",
        metavar="DIR",
        help="State folder; default: .agent-runner beside the task list.",
        show_default=False,
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
TaskId: TypeAlias = Annotated[str, typer.Argument(metavar="TASK", help="Id of the task.")]
OptionalTaskId: TypeAlias = Annotated[
    str | None, typer.Argument(metavar="[TASK]", help="Id of one task.", show_default=False)
]

# --- what `run` and `resume` have in common ---

Provider: TypeAlias = Annotated[
    str | None, typer.Option("--provider", help="Provider for this run.", show_default=False)
]
Model: TypeAlias = Annotated[
    str | None, typer.Option("--model", help="Model for this run.", show_default=False)
]
Quiet: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="Silence but for failures and one closing line.")
]
JsonLines: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON event a line on stdout.")
]
JUnit: TypeAlias = Annotated[
    Path | None,
    typer.Option("--junit", metavar="FILE", help="Write a JUnit report.", show_default=False),
]
Wait: TypeAlias = Annotated[
    bool, typer.Option("--wait", help="Wait for a limit to open again instead of stopping.")
]
WaitMax: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--wait-max",
        metavar="TIME",
        help="Longest wait of --wait, such as 90m; longer ones stop the run.",
        show_default=False,
    ),
]
IgnoreLimits: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--ignore-config-limits",
        help="Skip configured limits and budgets, not those that the provider reports.",
    ),
]
MaxAttempts: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--max-attempts", min=1, help="max_attempts_per_task for this run.", show_default=False
    ),
]
MaxFailures: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--max-consecutive-failures",
        min=1,
        help="Post-hook failures of one task in a row before it escalates.",
        show_default=False,
    ),
]
MaxNoProgress: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--max-no-progress",
        min=1,
        help="Attempts in a row without progress before a task escalates.",
        show_default=False,
    ),
]
MaxEscalations: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--max-escalations",
        min=1,
        help="Escalated tasks in a row before the run stops.",
        show_default=False,
    ),
]
StopOnFirstFailure: TypeAlias = Annotated[
    bool, typer.Option("--stop-on-first-failure", help="Any post-hook failure stops and asks.")
]
OnEscalation: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--on-escalation",
        metavar="ask|stop|continue",
        help="What to do with a task that needs a person.",
        show_default=False,
    ),
]
Record: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--record",
        metavar="DIR",
        help="Save every answer in the form that the replay provider reads.",
        show_default=False,
    ),
]
Preview: TypeAlias = Annotated[
    bool,
    typer.Option("--preview", help="Call the agent, show what its reply would change, and stop."),
]
RerunChanged: TypeAlias = Annotated[
    bool, typer.Option("--rerun-changed", help="Do passed tasks whose text has changed again.")
]
