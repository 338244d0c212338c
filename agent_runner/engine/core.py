"""The one way in which a task moves and a fact is kept: journal, then state, then observers."""

from collections.abc import Callable

from attrs import define, field

from agent_runner.engine.durability import must_be_synced
from agent_runner.engine.machine import FlowMachine
from agent_runner.model.events import Event, Fact, TaskEvent
from agent_runner.model.fold import Entry
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import Settings
from agent_runner.model.signals import Observer, Signal
from agent_runner.model.states import TaskState
from agent_runner.store.store import Store


@define
class Core:
    """Fires events and journals facts for the tasks of one store.

    Attributes:
        settings_of: The configuration as it holds for a task, which its guards see.
        observers: Who sees each entry after it is in the journal and its task has moved.
    """

    store: Store
    settings_of: Callable[[str], Settings]
    observers: tuple[Observer, ...] = ()
    _machine: FlowMachine = field(init=False)
    _entry: Entry | None = field(init=False, default=None)
    _unsynced: set[type[Event]] = field(init=False, factory=set)

    def __attrs_post_init__(self) -> None:
        self._machine = FlowMachine(self._write_ahead)

    def record(self, task: str) -> TaskRecord:
        """The task's record as it is now."""
        return self.store.state.record(task)

    def fire(self, task: str, event: TaskEvent) -> TaskRecord:
        """Move a task by an event that is journaled first, and return its new record.

        Raises:
            IllegalEventError: the flow table has no such row; nothing happened.
            StorageError: the disk refused; the task is where it was.
        """
        self._machine.fire(self.record(task), event, self.settings_of(task))
        entry, self._entry = self._entry, None
        assert entry is not None, "the machine moved without journaling"  # noqa: S101  # invariant
        self._take(entry)
        return self.record(task)

    def journal(self, task: str, fact: Fact) -> None:
        """Keep a fact; `task` is "" for the run's own.

        Raises StorageError: the disk refused, the fact is not kept.
        """
        self._take(self._append(task, fact))

    def signal(self, signal: Signal) -> None:
        """Tell the observers something that is not kept."""
        for observer in self.observers:
            observer.signal(signal)

    def _write_ahead(self, task: str, event: TaskEvent, to: TaskState) -> None:
        self._entry = self._append(task, event, to)

    def _append(self, task: str, event: Event, to: TaskState | None = None) -> Entry:
        """Write an entry. It survives this process at once, a power cut if it has to."""
        entry = self.store.append(task, event, to)
        if must_be_synced(event, to, self._unsynced):
            self.store.sync()
            self._unsynced.clear()
        else:
            self._unsynced.add(type(event))
        return entry

    def _take(self, entry: Entry) -> None:
        before = self.record(entry.task) if entry.task else None
        self.store.take(entry)
        after = self.record(entry.task) if entry.task else None
        for observer in self.observers:
            observer.entry(entry, before, after)
