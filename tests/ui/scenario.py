"""A small run as the engine would have it: one task red at first, one that needs a person."""

from collections.abc import Iterator
from pathlib import Path

from attrs import define, field

from agent_runner.model import events as e, signals as s
from agent_runner.model.fold import Entry, RunState
from agent_runner.model.hooks import HookOutcome, HookResult, Phase
from agent_runner.model.record import TaskRecord
from agent_runner.model.signals import Observer
from agent_runner.model.states import TaskState as S
from agent_runner.model.task import Task, TaskList
from agent_runner.model.usage import Usage

START = 1_800_000_000.0

PYTEST = """\
============================= test session starts =============================
collected 2 items

tests/test_slug.py F.                                                    [100%]

E       AssertionError: assert 'hello world' == 'hello-world'
E         - hello-world
FAILED tests/test_slug.py::test_spaces - AssertionError: assert 'hello world'
========================= 1 failed, 1 passed in 0.03s =========================
"""


@define
class Script:
    """A run written by hand: folds its entries as the engine does, and passes them to observers."""

    observers: tuple[Observer, ...] = ()
    at: float = START
    state: RunState = field(factory=RunState)
    entries: list[Entry] = field(factory=list)

    def add(self, task: str, event: e.Event, to: S | None = None, *, after: float = 1.0) -> None:
        self.at += after
        entry = Entry(len(self.entries) + 1, self.at, task, event, to)
        before = self.state.record(task) if task else None
        self.state.take(entry)
        self.entries.append(entry)
        record = self.state.record(task) if task else None
        for observer in self.observers:
            observer.entry(entry, before, record)

    def signal(self, signal: s.Signal) -> None:
        for observer in self.observers:
            observer.signal(signal)

    def record(self, task: str) -> TaskRecord:
        return self.state.record(task)


def task_list(*depends: tuple[str, ...], root: Path = Path("/project")) -> TaskList:
    titles = ("Make slugs of titles", "Count words", "Render the summary page")
    tasks = tuple(
        Task(f"T{n}", title, "...", root, depends_on=depends[n - 1] if depends else ())
        for n, title in enumerate(titles, start=1)
    )
    return TaskList("tasks", root / "tasks.yml", root, tasks)


def result(
    hook: str, code: int = 0, seconds: float = 2.1, excerpt: str = "", failing: tuple[str, ...] = ()
) -> HookResult:
    outcome = HookOutcome.FAILED if code else HookOutcome.PASSED
    log = f"logs/T1/{hook}.log"
    return HookResult(hook, outcome, code, seconds, excerpt, failing, log=log, length=len(excerpt))


@define
class Turn:
    """Steps of a task, small as the engine's; generators, so that a script can pause between."""

    script: Script
    task: str
    number: int = 0

    def prepare(self) -> Iterator[None]:
        self.script.add(self.task, e.Started(task_list()[self.task].definition), S.PRE_HOOKS)
        yield
        yield from self.hook(Phase.PRE, result("test-env", 0, 1.2), b"Resolving dependencies...\n")
        self.script.add(self.task, e.PreHooksPassed(), S.AGENT)
        yield

    def hook(self, phase: Phase, ended: HookResult, output: bytes = b"") -> Iterator[None]:
        self.script.add(self.task, e.HookStarted(phase, ended.hook, 4242))
        yield
        for line in output.splitlines(keepends=True):
            self.script.signal(s.HookOutput(self.task, ended.hook, line))
            yield
        attempt = self.script.record(self.task).counts.attempts
        self.script.add(self.task, e.HookFinished(phase, attempt, ended))
        yield

    def ask(self, attempt: int, paths: tuple[str, ...], tree: str) -> Iterator[None]:
        self.number += 1
        call = f"{self.task}-{self.number:02}"
        self.script.add(
            self.task,
            e.CallStarted(
                call, attempt, 1, self.number, "claude", "claude-sonnet-5-5", 1200, 16000
            ),
        )
        yield
        for tokens in (0, 120, 340):
            self.script.signal(s.Receiving(self.task, call, tokens))
            yield
        usage = Usage(1240, 340)
        self.script.add(
            self.task, e.CallSettled(call, "answered", "claude", usage, 0.0088, seconds=3.2)
        )
        yield
        self.script.add(self.task, e.Replied(call), S.APPLY)
        self.script.add(self.task, e.Applied(paths, tree), S.POST_HOOKS)
        yield

    def red(self, to: S, tree: str) -> Iterator[None]:
        failing = ("tests/test_slug.py::test_spaces",)
        failed = result("unit-tests", 1, 2.1, PYTEST, failing)
        yield from self.hook(Phase.POST, failed, PYTEST.encode())
        reason = "unit-tests failed, exit 1\n" + PYTEST
        event = e.PostHooksFailed("unit-tests", reason, tree, fingerprint="f1", failing=failing)
        self.script.add(self.task, event, to)
        yield

    def green(self, tree: str) -> Iterator[None]:
        yield from self.hook(Phase.POST, result("unit-tests", 0, 2.0), b"2 passed in 0.03s\n")
        proof = (e.Judged("unit-tests", 0, 2.0),)
        self.script.add(self.task, e.PostHooksPassed(proof, tree, "9f8e7d6c5b4a"), S.PASSED)
        yield


def small_run(script: Script) -> Iterator[None]:
    """T1 red, then green; T2 green at once; T3 red until a person is needed; the run stops."""
    script.add("", e.RunStarted("8f2c", 4711, "0.1.0", "tasks"))
    yield
    first = Turn(script, "T1")
    yield from first.prepare()
    yield from first.ask(1, ("slug/text.py",), "aaaa111122223333")
    yield from first.red(S.AGENT, "aaaa111122223333")
    yield from first.ask(2, ("slug/text.py", "slug/__init__.py"), "bbbb111122223333")
    yield from first.green("bbbb111122223333")
    second = Turn(script, "T2")
    yield from second.prepare()
    yield from second.ask(1, ("slug/count.py",), "cccc111122223333")
    yield from second.green("cccc111122223333")
    third = Turn(script, "T3")
    yield from third.prepare()
    yield from third.ask(1, ("slug/page.py",), "dddd111122223333")
    yield from third.red(S.AGENT, "dddd111122223333")
    yield from third.ask(2, ("slug/page.py",), "dddd111122223333")
    yield from third.red(S.ESCALATED, "dddd111122223333")
    script.add("", e.RunStopped("8f2c", "held", 1))
    yield


def whole_run(*observers: Observer) -> Script:
    """The small run from its beginning to its end."""
    script = Script(observers)
    for _ in small_run(script):
        pass
    return script
