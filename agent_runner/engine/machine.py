"""The flow table as a `transitions.Machine`, one for all tasks; the only importer of that library.

Invariant: the entry is journaled in `before_state_change`, so a failing append leaves the task
where it was.
"""

from collections.abc import Callable
from typing import Any

from attrs import define
from transitions import Machine, MachineError
from transitions.core import EventData

from agent_runner.model.errors import IllegalEventError
from agent_runner.model.events import TaskEvent
from agent_runner.model.evolve import evolve
from agent_runner.model.flow import FLOW, Guard
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import Settings
from agent_runner.model.states import TaskState

Journal = Callable[[str, TaskEvent, TaskState], None]
"""Makes one move durable: task, event, state it moves to. Raises to forbid the move."""


@define
class Cursor:
    """What the machine moves: the task in hand.

    `state` is set by the machine; `record` already holds the event, since guards see it so.
    """

    state: TaskState
    record: TaskRecord
    settings: Settings


class FlowMachine:
    """Decides where an event takes a task, and lets the journal have it first."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._machine = Machine(
            model=None,
            states=TaskState,
            initial=TaskState.PENDING,
            auto_transitions=False,
            send_event=True,
            before_state_change=self._write_ahead,
        )
        for row in FLOW:
            self._machine.add_transition(
                trigger=row.event.__name__,
                source=list(row.sources),
                dest=row.dest,
                conditions=[_condition(row.guard)] if row.guard else [],
            )

    def fire(self, record: TaskRecord, event: TaskEvent, settings: Settings) -> TaskState:
        """The state that `event` takes the task to, journaled.

        Raises:
            IllegalEventError: no row fits; nothing was journaled.
            StorageError: the journal refused; the task stays where it was.
        """
        cursor = Cursor(record.state, evolve(record, event), settings)
        name = type(event).__name__
        try:
            moved = self._machine.events[name].trigger(cursor, event)
        except MachineError:
            moved = False
        # all guards refusing raises nothing: the library's answer is the only sign of it
        if not moved:
            raise IllegalEventError(f"{record.id} is {record.state}: {name} does not apply to it")
        return cursor.state

    def _write_ahead(self, data: EventData) -> None:
        (event,) = data.args
        transition = data.transition
        assert transition is not None  # noqa: S101  # there is one whenever the state changes
        self._journal(_cursor(data).record.id, event, TaskState[str(transition.dest)])


def allows(state: TaskState, event: type[TaskEvent]) -> bool:
    """Whether the table has a row for the event in this state."""
    return any(row.event is event and state in row.sources for row in FLOW)


def _cursor(data: EventData) -> Cursor:
    cursor = data.model
    assert isinstance(cursor, Cursor)  # noqa: S101  # `fire` hands in nothing else
    return cursor


def _condition(guard: Guard) -> Callable[[EventData], Any]:
    """The guard as the library calls it; named after it, for its diagrams and error texts."""

    def holds(data: EventData) -> bool:
        cursor = _cursor(data)
        return guard(cursor.record, cursor.settings)

    holds.__name__ = guard.__name__
    return holds
