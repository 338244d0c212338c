"""A project in a folder with the real engine around it; only the agent's words are a script."""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import anyio
from attrs import define, field

from agent_runner.app.place import Surroundings, find
from agent_runner.app.project import Project, load
from agent_runner.app.wiring import Choices, Wiring
from agent_runner.engine.changes import Changes
from agent_runner.engine.control import Control
from agent_runner.engine.runner import Runner, RunOptions
from agent_runner.engine.waiting import Waiter
from agent_runner.files.apply import OnWrite
from agent_runner.ground.disk import Disk
from agent_runner.model import events as e
from agent_runner.model.decisions import Decision, Escalation, Person
from agent_runner.model.fold import Entry, RunState
from agent_runner.model.record import TaskRecord
from agent_runner.model.signals import Said, Signal
from agent_runner.store.store import Store, read_entries, read_state
from tests.engine.scripted import Line, ScriptedClient
from tests.support.clocks import FakeClock

Settings = Mapping[str, Any]


class PowerOut(BaseException):
    """The end of the process, in the middle of whatever it does."""


class DyingDisk(Disk):
    """The process ends at the first write whose content has `word` in it, or right after it."""

    def __init__(self, word: bytes, *, after: bool) -> None:
        self.word, self.after, self.left = word, after, 1

    def write(self, descriptor: int, content: bytes) -> None:
        hit = self.word in content and self.left
        if hit and not self.after:
            self.left = 0
            raise PowerOut
        super().write(descriptor, content)
        if hit:
            self.left = 0
            raise PowerOut


@define
class Watcher:
    """An observer that keeps what it sees and calls `react` with it."""

    entries: list[Entry] = field(factory=list)
    signals: list[Signal] = field(factory=list)
    react: Callable[[Entry | Signal], None] = field(default=lambda _seen: None)

    def entry(self, entry: Entry, _before: TaskRecord | None, _after: TaskRecord | None) -> None:
        self.entries.append(entry)
        self.react(entry)

    def signal(self, signal: Signal) -> None:
        self.signals.append(signal)
        self.react(signal)

    @property
    def said(self) -> str:
        return "\n".join(signal.text for signal in self.signals if isinstance(signal, Said))


@define
class ScriptedPerson:
    """Answers questions from a list; the questions are kept."""

    answers: list[Decision]
    asked: list[Escalation] = field(factory=list)

    async def decide(self, escalation: Escalation) -> Decision:
        self.asked.append(escalation)
        return self.answers.pop(0)


class ScriptedWiring(Wiring):
    """The parts of an engine as the program wires them, with the scene's agent."""

    scene: "Scene"

    @cached_property
    def changes(self) -> Changes:
        return Changes(self.store.layout, self.store.blobs, self.store.disk, self.scene.on_write)


@define
class Scene:
    """`script`: what the agent says, call by call, over all runs."""

    folder: Path
    tasks: list[dict[str, Any]]
    settings: Settings = field(factory=dict)
    script: Iterable[Line] = ()
    clock: FakeClock = field(factory=FakeClock)
    client: ScriptedClient = field(init=False)
    control: Control = field(factory=Control)
    watcher: Watcher = field(factory=Watcher)
    person: Person | None = None
    choices: Choices = field(factory=Choices)
    wait: float | None = None
    shown: list[str] = field(factory=list)
    disk: Disk = field(factory=Disk)
    on_write: OnWrite | None = None
    env: dict[str, str] = field(factory=dict)
    wiring: Wiring = field(init=False)
    _runs: int = 0

    def __attrs_post_init__(self) -> None:
        self.client = ScriptedClient(self.script)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write()

    def write(self) -> None:
        """Write task list and configuration as they are in memory."""
        tasks = [{"title": t["id"], "description": "Do it.", **t} for t in self.tasks]
        (self.folder / "tasks.json").write_text(json.dumps({"tasks": tasks}))
        settings = {
            "provider": "replay",
            "ledger": False,
            "providers": {"replay": {"replies": "."}},
            "baseline": "never",
            **self.settings,
        }
        (self.folder / "agent-runner.yml").write_text(json.dumps(settings))

    @property
    def project(self) -> Project:
        home = self.folder.parent / "home"
        home.mkdir(exist_ok=True)
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", **self.env}
        around = Surroundings(env, home, self.folder)
        return load(find(None, None, around), around)

    @property
    def state_dir(self) -> Path:
        return self.folder / ".agent-runner"

    def open(self) -> Store:
        project = self.project
        return Store.open(
            self.state_dir,
            project=project.tasks.folder,
            list_id=project.tasks.id,
            clock=self.clock,
            disk=self.disk,
        )

    def wired(self, store: Store) -> Wiring:
        """The engine's parts around an open store."""
        wiring = ScriptedWiring(self.project, store, (self.watcher,), self.clock, self.choices)
        wiring.scene = self
        wiring.calls.make_client = lambda profile, clock: self.client  # a factory
        self.wiring = wiring
        return wiring

    def runner(self, wiring: Wiring) -> Runner:
        settings = wiring.project.settings
        return Runner(
            wiring.core,
            wiring.project.tasks,
            wiring.steps,
            wiring.recovery,
            self.control,
            Waiter(self.clock, wiring.core.signal, self.wait, settings.retry.max_wait),
            wiring.trees,
            wiring.commits,
            wiring.reverting,
            RunOptions(settings.on_escalation, settings.max_escalations_in_row),
            self.person,
            lambda task: (f"about {task.id}",),
            lambda task: self.shown.append(f"about {task.id}"),
        )

    def run(self) -> e.RunStopped:
        """One run to its end; whatever it raises leaves the state as a crash would."""
        self._runs += 1
        store = self.open()
        try:
            wiring = self.wired(store)
            started = e.RunStarted(f"run-{self._runs}", 1, "0", wiring.project.tasks.id)
            stopped = anyio.run(self.runner(wiring).run, started)
        except BaseException:
            store.abandon()
            raise
        store.close()
        return stopped

    def killed(self) -> bool:
        """A run, as after a restart; whether it ended by `PowerOut`."""
        died = False
        self.control = Control()
        try:
            self.run()
        except* PowerOut:
            died = True
        return died

    def again(self) -> e.RunStopped:
        """A run with controls of its own, as after a restart."""
        self.control, self.watcher = Control(), Watcher()
        return self.run()

    def lose_answers(self) -> None:
        """Take away what the calls brought, and the copies for people."""
        for file in (*self.state_dir.glob("blobs/*"), *self.state_dir.glob("logs/*/*/*/*.json")):
            file.unlink()

    @property
    def state(self) -> RunState:
        """As it is on disk."""
        return read_state(self.state_dir)[0]

    def record(self, task: str = "T1") -> TaskRecord:
        return self.state.record(task)

    def states(self) -> dict[str, str]:
        return {task["id"]: str(self.record(task["id"]).state) for task in self.tasks}

    def kinds(self, task: str = "T1") -> list[str]:
        """The kinds of all entries of a task, ever."""
        entries = read_entries(self.state_dir)
        return [type(entry.event).__name__ for entry in entries if entry.task == task]

    def events(self, kind: type[e.Event]) -> list[Any]:
        """All events of a kind, ever."""
        found = (entry.event for entry in read_entries(self.state_dir))
        return [event for event in found if isinstance(event, kind)]


def hooks(**commands: str) -> dict[str, Any]:
    """Settings for hooks by their commands."""
    return {name: {"command": command} for name, command in commands.items()}


def dying_at(kind: type[e.Event]) -> Callable[[Entry | Signal], None]:
    """What an observer does: the process ends when the first event of this kind is journaled."""

    def react(seen: Entry | Signal) -> None:
        if isinstance(seen, Entry) and isinstance(seen.event, kind):
            raise PowerOut

    return react
