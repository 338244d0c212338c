"""Options that several commands share, each written once."""

import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeAlias

import typer

TaskWords: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TASKS] [TASK]...",
        help="Task list, YAML or JSON (default: the list whose state is here, else tasks.yml), and"
        " the tasks of it to work on (default: all).",
        show_default=False,
    ),
]
TasksOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--tasks",
        metavar="FILE",
        help="Task list. Default: the list whose state is here, else tasks.yml.",
        show_default=False,
    ),
]
StateDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--state-dir",
        metavar="DIR",
        help="State folder. Default: .agent-runner beside the task list.",
        show_default=False,
    ),
]
TaskId: TypeAlias = Annotated[str, typer.Argument(metavar="TASK", help="Id of the task.")]
OptionalTaskId: TypeAlias = Annotated[
    str | None, typer.Argument(metavar="TASK", help="Id of one task.", show_default=False)
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def _json_lines(heading: str | None = None) -> Any:
    text = "Print one JSON event per line."
    return typer.Option("--json", help=text, rich_help_panel=heading)


def _quiet(heading: str | None = None) -> Any:
    text = "Print nothing but failures and one closing line."
    return typer.Option("--quiet", "-q", help=text, rich_help_panel=heading)


JsonLines: TypeAlias = Annotated[bool, _json_lines()]
Quiet: TypeAlias = Annotated[bool, _quiet()]


_WHICH, _WHO = "Which tasks", "Who is asked"
_PERSON, _LIMITS, _SHOWN = "When a person is asked", "Limits", "What is shown and kept"
"""The headings under which the many options of `run` stand in its help."""


def _option(
    heading: str,
    name: str,
    help: str,  # noqa: A002  # typer's word
    metavar: str | None = None,
    *,
    default: str = "",
) -> Any:
    """An option of `run`; `default` is that of the setting it stands for (a test compares them)."""
    shown = default or False
    return typer.Option(
        name, help=help, metavar=metavar, show_default=shown, rich_help_panel=heading
    )


def _count(heading: str, name: str, help: str, default: str = "") -> Any:  # noqa: A002  # typer's word
    """The same with a whole number above 0."""
    shown = default or False
    return typer.Option(
        name, help=help, metavar="N", min=1, show_default=shown, rich_help_panel=heading
    )


class Words(NamedTuple):
    """What may stand after `run` and `resume`: a task list, and ids of tasks in it."""

    file: Path | None
    ids: tuple[str, ...]


def words_of(given: Sequence[str] | None, named: Path | None) -> Words:
    """Tell the task list from ids: it is a path, or ends like one, or is a file here.

    `named`: the value of `--tasks`. Raises UsageError for two lists.
    """
    files = [*lists_in(given), *([named] if named else [])]
    ids = tuple(dict.fromkeys(word for word in given or () if not _is_list(word)))
    if len(files) > 1:
        from agent_runner.model.errors import UsageError

        raise UsageError(
            f"the task list is named twice: {' and '.join(map(str, files))}",
            fix="name one, before the ids of its tasks or with --tasks, not both",
        )
    return Words(files[0] if files else None, ids)


def lists_in(given: Sequence[str] | None) -> list[Path]:
    """The task lists among the words; more than one is a mistake."""
    return [Path(word) for word in given or () if _is_list(word)]


def _is_list(word: str) -> bool:
    path = Path(word)
    return path.suffix in {".yml", ".yaml", ".json"} or len(path.parts) > 1 or path.is_file()


class RunFlags(NamedTuple):
    """The options of both `run` and `resume`: how this run differs from the configuration.

    Fields that name a setting are None if they were not given. A named tuple and not an attrs
    class, since `--help` would spend a fifth of its time on importing attrs.
    """

    state_dir: StateDir = None
    until: Annotated[
        str | None, _option(_WHICH, "--until", "Stop after this task of the list.", "TASK")
    ] = None
    max_tasks: Annotated[
        int | None, _count(_WHICH, "--max-tasks", "Tasks that this run takes up before it stops.")
    ] = None
    provider: Annotated[
        str | None, _option(_WHO, "--provider", "Provider for this run.", "NAME")
    ] = None
    model: Annotated[str | None, _option(_WHO, "--model", "Model for this run.", "NAME")] = None
    preview: Annotated[
        bool,
        _option(_SHOWN, "--preview", "Ask the agent, show what its reply would change, and stop."),
    ] = False
    rerun_changed: Annotated[
        bool, _option(_WHICH, "--rerun-changed", "Redo passed tasks whose text has changed since.")
    ] = False
    max_attempts_per_task: Annotated[
        int | None,
        _count(_PERSON, "--max-attempts", "Attempts at a task before a person is asked.", "3"),
    ] = None
    max_consecutive_failures: Annotated[
        int | None,
        _count(
            _PERSON,
            "--max-consecutive-failures",
            "Consecutive post-hook failures of a task before a person is asked.",
            "5",
        ),
    ] = None
    max_no_progress: Annotated[
        int | None,
        _count(
            _PERSON,
            "--max-no-progress",
            "Consecutive attempts without progress before a person is asked.",
            "2",
        ),
    ] = None
    max_escalations_in_row: Annotated[
        int | None,
        _count(
            _PERSON,
            "--max-escalations",
            "Consecutive tasks that need a person before the run stops.",
            "3",
        ),
    ] = None
    max_minutes_task: Annotated[
        float | None,
        _option(
            _PERSON,
            "--max-minutes-task",
            "Minutes of work on a task before a person is asked.",
            "MINUTES",
        ),
    ] = None
    max_minutes_run: Annotated[
        float | None,
        _option(
            _LIMITS,
            "--max-minutes-run",
            "Minutes that this run takes before it stops and saves.",
            "MINUTES",
        ),
    ] = None
    stop_on_first_failure: Annotated[
        bool,
        _option(_PERSON, "--stop-on-first-failure", "Stop and ask at the first post-hook failure."),
    ] = False
    on_escalation: Annotated[
        str | None,
        _option(
            _PERSON,
            "--on-escalation",
            "What to do when a task needs a person.",
            "ask|stop|continue",
            default="ask",
        ),
    ] = None
    nothing_changed: Annotated[
        str | None,
        _option(
            _PERSON,
            "--nothing-changed",
            "What becomes of a task that changed nothing and whose post-hooks are green.",
            "escalate|pass",
            default="escalate",
        ),
    ] = None
    wait: Annotated[
        bool,
        _option(_LIMITS, "--wait", "Wait until a limit allows the next call instead of stopping."),
    ] = False
    wait_max: Annotated[
        str | None,
        _option(
            _LIMITS, "--wait-max", "Wait at most this long, for example 90m; else stop.", "TIME"
        ),
    ] = None
    ignore_config_limits: Annotated[
        bool,
        _option(
            _LIMITS,
            "--ignore-config-limits",
            "Ignore configured limits and budgets, but not those that the provider reports.",
        ),
    ] = False
    quiet: Annotated[bool, _quiet(_SHOWN)] = False
    json: Annotated[bool, _json_lines(_SHOWN)] = False
    junit: Annotated[
        Path | None, _option(_SHOWN, "--junit", "Write a JUnit report when the run ends.", "FILE")
    ] = None
    record: Annotated[
        Path | None,
        _option(_SHOWN, "--record", "Save every answer for the replay provider to read.", "DIR"),
    ] = None

    def settings(self) -> dict[str, Any]:
        """What is given in place of the configuration, by the name that it has there."""
        names = (
            "provider",
            "model",
            "max_attempts_per_task",
            "max_consecutive_failures",
            "max_no_progress",
            "max_escalations_in_row",
            "max_minutes_task",
            "max_minutes_run",
            "on_escalation",
            "nothing_changed",
        )
        given = {name: getattr(self, name) for name in names}
        return {**given, "stop_on_first_failure": self.stop_on_first_failure or None}


def with_run_flags(body: Callable[..., int]) -> Callable[..., int]:
    """A command with the options of `RunFlags` beside those of `body`.

    typer makes options of a function's parameters, so the fields become parameters here.
    """
    shared = RunFlags.__annotations__

    @functools.wraps(body)
    def command(**given: Any) -> int:
        flags = RunFlags(**{name: given.pop(name) for name in shared})
        return body(**given, flags=flags)

    own = [one for one in inspect.signature(body).parameters.values() if one.name != "flags"]
    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
    for name, annotation in shared.items():
        default = RunFlags._field_defaults[name]
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters.append(inspect.Parameter(name, kind, default=default, annotation=annotation))
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by typer
    command.__annotations__ = {}
    return command
