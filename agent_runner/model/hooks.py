"""A hook as configured, and what came of running it."""

import enum

from attrs import frozen

from agent_runner.model.options import Reading, group, option, required


class Phase(enum.StrEnum):
    """When a hook runs: before the agent, as its judge, or so with the tests of before."""

    PRE = "pre"
    POST = "post"
    AS_BEFORE = "as_before"


class SandboxRule(enum.StrEnum):
    """Whether a command is confined. `AUTO`: by the best there is, else it is not run at all."""

    OFF = "off"
    AUTO = "auto"


@frozen
class When:
    """When a hook runs; nothing given means always.

    `changed`: globs, one of which must match a file that changed since the task began.
    """

    changed: tuple[str, ...] = option(
        (), "run only if a file matching one of these globs changed", example='["src/**"]'
    )


@frozen
class Failures:
    """How a hook's failing checks get their names: from a JUnit file, or by a regex.

    With neither, the output is read for what pytest, unittest, go test and cargo test print.
    """

    junit: str | None = option(None, "JUnit XML file that the hook writes", example="report.xml")
    regex: str | None = option(
        None, "regex over the output; its first group names a check", example='"^FAILED (\\\\S+)"'
    )


@frozen
class Hook:
    """A command that prepares a task or judges it.

    A string is run by `sh -c`, a tuple of words directly. Times are in seconds.
    """

    id: str
    command: str | tuple[str, ...] = required(
        "what is run: text by sh, a list of words directly", example="pytest -q"
    )
    cwd: str | None = option(None, "folder to run in, relative to the task's", example="backend")
    env: dict[str, str] = option({}, "further environment variables", example="{CI: 1}")
    timeout: float | None = option(
        None, "time-out; null: none", reading=Reading.TIMEOUT, example="10m"
    )
    when: When = group(When, "when the hook runs; nothing given: always")
    allow_failure: bool = option(False, "go on even if it fails")
    retries: int = option(
        0, "how often a failing hook is run again before it counts", reading=Reading.NOT_NEGATIVE
    )
    rerun_on_resume: bool = option(
        False, "run a finished pre-hook again on resume (it starts a service)"
    )
    pass_keys: bool = option(False, "let the hook see the environment variables that hold keys")
    sandbox: SandboxRule = option(
        SandboxRule.OFF,
        "auto: it may write the task's files, and read no keys of yours; off: your rights",
    )
    network: bool = option(False, "let a sandboxed hook reach the network")
    agent: bool = option(
        False, "let the agent run it before it is done, sandboxed, on a copy of the task's files"
    )
    failures: Failures = group(Failures, "how failing checks are named; nothing: as pytest does")

    @property
    def shown(self) -> str:
        """The command as one line for people."""
        return self.command if isinstance(self.command, str) else " ".join(self.command)


class HookOutcome(enum.StrEnum):
    """How a hook ended.

    `ALLOWED`: it failed, but may. `BROKEN`: it could not start (126, 127, missing folder).
    `SKIPPED`: its `when` did not hold, so that it was not run.
    """

    PASSED = "passed"
    FAILED = "failed"
    ALLOWED = "allowed"
    TIMED_OUT = "timed_out"
    BROKEN = "broken"
    SKIPPED = "skipped"


GREEN = frozenset({HookOutcome.PASSED, HookOutcome.ALLOWED, HookOutcome.SKIPPED})
"""Outcomes that let a task go on."""


@frozen
class HookResult:
    """What one hook did. `excerpt`: head and tail of its output as text, at most 4,000 characters.

    `failing`: names of the failing checks where they could be told. `fingerprint`: hash of the
    normalised failure (numbers, times, addresses, temporary paths ignored), equal when it failed
    the same way. `log` with `offset` and `length` in bytes: where the whole output stands, relative
    to the state folder. `reason`: why it is not green, in a few words. `left_running`: pids of what
    a pre-hook left in its group (a service). `missing`: the program or module that the command
    could not start, where its whole output says so.
    """

    hook: str
    outcome: HookOutcome
    exit_code: int | None = None
    seconds: float = 0.0
    excerpt: str = ""
    failing: tuple[str, ...] = ()
    fingerprint: str = ""
    flaky: int = 0
    log: str = ""
    offset: int = 0
    length: int = 0
    reason: str = ""
    left_running: tuple[int, ...] = ()
    missing: str = ""

    @property
    def green(self) -> bool:
        """Whether the task may go on after this hook."""
        return self.outcome in GREEN

    @property
    def could_not_start(self) -> bool:
        """Whether it judged nothing, since what it runs is not there or cannot be run."""
        return self.outcome is HookOutcome.BROKEN or bool(self.missing)
