"""What status shows of a list and its tasks: a small part of it all, quick to import and to read.

A task's whole record is five attrs classes full of events, whose import takes longer than all that
`status` does. The classes here hold what it shows, under the same names as in `TaskRecord`, `Task`
and `RunInfo`, so that the same code shows either. They are named tuples because making an attrs
class takes five times as long (0.6 against 3.5 ms, measured in November 2026).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from agent_runner.model.states import TaskState

_STATES = {state.value: state for state in TaskState}
_NUMBERS = frozenset({int, float, bool})
_YEAR_10000 = 253_402_300_800


class Counts(NamedTuple):
    """How often things have happened (`record.Counts`)."""

    attempts: int = 0
    failures: int = 0
    calls_answered: int = 0


class UsageSum(NamedTuple):
    """Tokens of all answered calls (`usage.Usage`)."""

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    estimated: bool = False
    at_least: bool = False

    @property
    def total(self) -> int:
        """Input and output together."""
        return self.input + self.output


class Spent(NamedTuple):
    """What the task has cost (`record.Spent`); seconds and dollars."""

    usage: UsageSum = UsageSum()
    cost: float = 0.0
    possibly_billed: int = 0
    seconds: float = 0.0
    earlier_calls: int = 0


class Proof(NamedTuple):
    """A hook that judged the task (`events.Judged`)."""

    hook: str
    exit_code: int | None
    seconds: float


class AsBefore(NamedTuple):
    """What the hooks said with the tests of before (`events.JudgedAsBefore`)."""

    paths: tuple[str, ...]
    outcome: str
    summary: str = ""
    hook: str = ""
    failing: tuple[str, ...] = ()


class Judgement(NamedTuple):
    """What the hooks said (`record.Judgement`)."""

    checked_by_hook: bool = False
    proof: tuple[Proof, ...] = ()
    tree: str = ""
    as_before: AsBefore | None = None
    nothing_changed: bool = False


class ChangeState(NamedTuple):
    """What became of the task's files (`record.ChangeState`)."""

    commit: str = ""
    commit_problem: str = ""
    no_change: str = ""
    applied: tuple[str, ...] = ()
    taken_back: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def is_gone(self) -> bool:
        """Whether all that the task did to the files was taken back."""
        return bool(self.taken_back) and set(self.applied) <= set(self.taken_back)


_NO_CHANGE, _SHOWN = ChangeState(), frozenset(ChangeState._fields)


class Standing(NamedTuple):
    """Where a task stands (`record.TaskRecord`)."""

    id: str
    state: TaskState = TaskState.PENDING
    definition: str = ""
    counts: Counts = Counts()
    spent: Spent = Spent()
    judgement: Judgement = Judgement()
    change: ChangeState = ChangeState()
    last_error: str = ""
    feedback: str = ""

    @property
    def calls(self) -> int:
        """Answered calls in all."""
        return self.spent.earlier_calls + self.counts.calls_answered


class StartedRun(NamedTuple):
    """The beginning of a run (`facts.RunStarted`)."""

    run: str
    pid: int


class StoppedRun(NamedTuple):
    """The end of a run (`facts.RunStopped`)."""

    reason: str
    exit_code: int
    detail: str = ""
    not_before: float | None = None
    fix: str = ""


class LastRun(NamedTuple):
    """The last run (`fold.RunInfo`); times in epoch seconds."""

    started: StartedRun
    started_at: float
    stopped: StoppedRun | None = None
    stopped_at: float | None = None


class StateOutline(NamedTuple):
    """A list's state (`fold.RunState`). `spending` is as it stands in the snapshot, not read."""

    list_id: str
    seq: int
    run: LastRun | None
    current: str | None
    tasks: dict[str, Standing]
    spending: dict[str, Any]


class TaskOutline(NamedTuple):
    """A task of the list (`task.Task`)."""

    id: str
    title: str
    depends_on: tuple[str, ...]
    definition: str


class ListOutline:
    """The task list (`task.TaskList`)."""

    def __init__(self, list_id: str, tasks: tuple[TaskOutline, ...]) -> None:
        self.id = list_id
        self.tasks = tasks
        self._by_id = {task.id: task for task in tasks}

    def __getitem__(self, task_id: str) -> TaskOutline:
        return self._by_id[task_id]

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._by_id

    def __iter__(self) -> Iterator[TaskOutline]:
        return iter(self.tasks)

    def __len__(self) -> int:
        return len(self.tasks)


def standing_of(task_id: str, plain: dict[str, Any]) -> Standing:
    """A task's standing from its record in the snapshot; what is left out has its default.

    Raises TypeError, KeyError, AttributeError or ValueError for what is no such record.
    """
    given = plain.get
    return Standing(
        task_id,
        _STATES[given("state", "pending")],
        _text(given("definition", "")),
        _counts(plain["counts"]) if "counts" in plain else Counts(),
        _spent(plain["spent"]) if "spent" in plain else Spent(),
        _judgement(plain["judgement"]) if "judgement" in plain else Judgement(),
        _change(plain["change"]) if "change" in plain else ChangeState(),
        _text(given("last_error", "")),
        _text(given("feedback", "")),
    )


def _counts(plain: dict[str, Any]) -> Counts:
    given = plain.get
    return Counts(*_numbers(given("attempts", 0), given("failures", 0), given("calls_answered", 0)))


def _spent(plain: dict[str, Any]) -> Spent:
    given = plain.get
    numbers = _numbers(
        given("cost", 0.0),
        given("possibly_billed", 0),
        given("seconds", 0.0),
        given("earlier_calls", 0),
    )
    usage = UsageSum(**plain["usage"]) if "usage" in plain else UsageSum()
    _numbers(*usage)
    return Spent(usage, *numbers)


def _judgement(plain: dict[str, Any]) -> Judgement:
    given = plain.get
    return Judgement(
        given("checked_by_hook", False),
        tuple([_proof(**one) for one in given("proof", ())]),
        _text(given("tree", "")),
        _as_before(given("as_before")),
        given("nothing_changed", False),
    )


def _change(plain: dict[str, Any]) -> ChangeState:
    if _SHOWN.isdisjoint(plain):  # as of most tasks
        return _NO_CHANGE
    given = plain.get
    return ChangeState(
        _text(given("commit", "")),
        _text(given("commit_problem", "")),
        _text(given("no_change", "")),
        tuple(map(_text, given("applied", ()))),
        tuple(map(_text, given("taken_back", ()))),
        tuple(map(_text, given("kept", ()))),
    )


def _as_before(plain: dict[str, Any] | None) -> AsBefore | None:
    if plain is None:
        return None
    return AsBefore(
        tuple(plain["paths"]),
        plain["outcome"],
        plain.get("summary", ""),
        plain.get("hook", ""),
        tuple(plain.get("failing", ())),
    )


def last_run_of(plain: dict[str, Any]) -> LastRun:
    """The last run from its form in the snapshot. Raises as `standing_of` does."""
    started, stopped = plain["started"], plain.get("stopped")
    return LastRun(
        StartedRun(_text(started["run"]), _number(started["pid"])),
        _time(plain["started_at"]),
        None
        if stopped is None
        else StoppedRun(
            _text(stopped["reason"]),
            _number(stopped["exit_code"]),
            _text(stopped.get("detail", "")),
            _time(stopped.get("not_before")),
            _text(stopped.get("fix", "")),
        ),
        _time(plain.get("stopped_at")),
    )


def _proof(hook: Any, exit_code: Any, seconds: Any) -> Proof:
    code = None if exit_code is None else _number(exit_code)
    return Proof(_text(hook), code, _number(seconds))


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("not a text")
    return value


def _number(value: Any) -> Any:
    return _numbers(value)[0]


def _numbers(*values: Any) -> tuple[Any, ...]:
    if not _NUMBERS.issuperset(map(type, values)):
        raise TypeError("not a number")
    return values


def _time(value: Any) -> Any:
    """Epoch seconds up to the year 9999, or None."""
    if value is not None and not 0 <= _number(value) < _YEAR_10000:
        raise ValueError("not a time")
    return value
