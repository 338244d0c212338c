"""The options that `run` and `resume` share: one class, whose fields are the options of both."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import attrs
import typer
from attrs import frozen


def _option(*names: str, help: str, metavar: str | None = None, least: int | None = None) -> Any:  # noqa: A002  # typer's word
    return typer.Option(*names, help=help, metavar=metavar, min=least, show_default=False)


@frozen(kw_only=True)
class RunFlags:
    """How a run differs from what is configured.

    Fields that name a setting are None if not given.
    """

    state_dir: Annotated[
        Path | None,
        _option(
            "--state-dir",
            metavar="DIR",
            help="State folder; default: .agent-runner beside the task list.",
        ),
    ] = None
    provider: Annotated[
        str | None, _option("--provider", metavar="NAME", help="Provider for this run.")
    ] = None
    model: Annotated[str | None, _option("--model", metavar="NAME", help="Model for this run.")] = (
        None
    )
    preview: Annotated[
        bool,
        _option("--preview", help="Call the agent, show what its reply would change, and stop."),
    ] = False
    rerun_changed: Annotated[
        bool, _option("--rerun-changed", help="Do passed tasks whose text has changed again.")
    ] = False
    max_attempts_per_task: Annotated[
        int | None,
        _option("--max-attempts", metavar="N", least=1, help="Attempts before a person is asked."),
    ] = None
    max_consecutive_failures: Annotated[
        int | None,
        _option(
            "--max-consecutive-failures",
            metavar="N",
            least=1,
            help="Post-hook failures of one task in a row before it escalates.",
        ),
    ] = None
    max_no_progress: Annotated[
        int | None,
        _option(
            "--max-no-progress",
            metavar="N",
            least=1,
            help="Attempts in a row without progress before a task escalates.",
        ),
    ] = None
    max_escalations_in_row: Annotated[
        int | None,
        _option(
            "--max-escalations",
            metavar="N",
            least=1,
            help="Escalated tasks in a row before the run stops.",
        ),
    ] = None
    stop_on_first_failure: Annotated[
        bool,
        _option("--stop-on-first-failure", help="Any post-hook failure stops at once and asks."),
    ] = False
    on_escalation: Annotated[
        str | None,
        _option(
            "--on-escalation",
            metavar="ask|stop|continue",
            help="What to do with a task that needs a person.",
        ),
    ] = None
    wait: Annotated[
        bool, _option("--wait", help="Wait for a limit to open again instead of stopping.")
    ] = False
    wait_max: Annotated[
        str | None,
        _option(
            "--wait-max", metavar="TIME", help="Longest wait of --wait, such as 90m; else stop."
        ),
    ] = None
    ignore_config_limits: Annotated[
        bool,
        _option(
            "--ignore-config-limits",
            help="Skip configured limits and budgets, not those that the provider reports.",
        ),
    ] = False
    quiet: Annotated[
        bool, _option("--quiet", "-q", help="Silence but for failures and one closing line.")
    ] = False
    json: Annotated[bool, _option("--json", help="Print one JSON event a line.")] = False
    junit: Annotated[
        Path | None, _option("--junit", metavar="FILE", help="Write a JUnit report at the end.")
    ] = None
    record: Annotated[
        Path | None,
        _option(
            "--record",
            metavar="DIR",
            help="Save every answer in the form that the replay provider reads.",
        ),
    ] = None

    def settings(self) -> dict[str, Any]:
        """What is given in place of the configuration, by the option's name there."""
        named = (
            "provider",
            "model",
            "max_attempts_per_task",
            "max_consecutive_failures",
            "max_no_progress",
            "max_escalations_in_row",
            "on_escalation",
        )
        given = {name: getattr(self, name) for name in named}
        return {**given, "stop_on_first_failure": self.stop_on_first_failure or None}


def with_run_flags(body: Callable[..., int]) -> Callable[..., None]:
    """A command with the options of `RunFlags` beside those of `body`, that exits with its code."""

    @functools.wraps(body)
    def command(**given: Any) -> None:
        names = {field.name for field in attrs.fields(RunFlags)}
        flags = RunFlags(**{name: given.pop(name) for name in names})
        raise typer.Exit(body(**given, flags=flags))

    own = [p for p in inspect.signature(body).parameters.values() if p.name != "flags"]
    keyword = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter(field.name, keyword, default=field.default, annotation=field.type)
        for field in attrs.fields(RunFlags)
    ]
    own = [parameter.replace(kind=keyword) for parameter in own]
    command.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]  # read by typer
    command.__annotations__ = {}
    return command
