"""A hook as configured, and what came of running it."""

import enum
from pathlib import Path

from attrs import field, frozen


class Phase(enum.StrEnum):
    """When a hook runs: before the agent, or as its judge."""

    PRE = "pre"
    POST = "post"


@frozen
class When:
    """Conditions; empty means always.

    `changed`: globs, one of which must match a file changed since the task began.
    """

    changed: tuple[str, ...] = ()


@frozen
class Failures:
    """How a hook's failing checks are named.

    By a JUnit file it writes, or a regex over its output. Neither: as pytest prints them.
    """

    junit: str | None = None
    regex: str | None = None


@frozen
class Hook:
    """A command that prepares or judges.

    A string is run by `sh -c`, a tuple directly. Times in seconds.
    """

    id: str
    command: str | tuple[str, ...]
    cwd: str | None = None
    env: dict[str, str] = field(factory=dict, hash=False)
    timeout: float | None = None
    when: When = field(factory=When)
    allow_failure: bool = False
    retries: int = 0
    rerun_on_resume: bool = False
    pass_keys: bool = False
    failures: Failures = field(factory=Failures)

    @property
    def shown(self) -> str:
        """The command as one line for people."""
        return self.command if isinstance(self.command, str) else " ".join(self.command)


class HookOutcome(enum.StrEnum):
    """What came of a hook.

    `BROKEN`: it could not start (126, 127, missing folder). `SKIPPED`: its `when` did not hold.
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
    to the state folder.
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

    @property
    def green(self) -> bool:
        """Whether the task may go on after this hook."""
        return self.outcome in GREEN

    @property
    def log_path(self) -> Path:
        """Where the whole output stands, relative to the state folder."""
        return Path(self.log)
