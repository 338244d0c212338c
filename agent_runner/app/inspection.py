"""The state in detail, as `debug state` shows it, also where the journal is damaged."""

from collections.abc import Iterator
from typing import Any

from attrs import frozen

from agent_runner.app.overview import KnownList, Overview, Part, known_object
from agent_runner.model.errors import JournalDamagedError
from agent_runner.model.fold import Entry, RunState
from agent_runner.store.store import read_good_entries, read_state
from agent_runner.ui import inspection
from agent_runner.ui.tables import status_table


@frozen
class Inspection:
    """A list with its whole state and journal.

    Attributes:
        known: The list.
        state: The fold of the journal, up to a damaged record if there is one.
        entries: The journal's entries up to there.
        warnings: What was odd about the journal but did not hinder reading it.
        damage: Why the rest of the journal cannot be read.
    """

    known: KnownList
    state: RunState
    entries: tuple[Entry, ...]
    warnings: tuple[str, ...] = ()
    damage: JournalDamagedError | None = None


def inspect(known: KnownList) -> Inspection:
    """Read all of the state. Raises StateError if not even a part of it can be read."""
    entries = tuple(read_good_entries(known.place.state_dir))
    try:
        state, warnings = read_state(known.place.state_dir, known.tasks.id)
    except JournalDamagedError as error:
        state = RunState()
        for entry in entries:
            state.take(entry)
        return Inspection(known, state, entries, damage=error)
    return Inspection(known, state, entries, warnings)


def inspection_object(seen: Inspection, task: str | None = None) -> dict[str, Any]:
    """What `debug state --json` prints (docs/json.md); of one task only if it is named."""
    shown = known_object(Overview(seen.known, seen.state))
    shown["transitions"] = [*inspection.transition_objects(_of(task, seen))]
    if task is not None:
        shown["tasks"] = [one for one in shown["tasks"] if one["id"] == task]
    return shown


def inspection_parts(seen: Inspection, task: str | None = None) -> Iterator[Part]:
    """The run, each task's state and counts, and the transitions; or one task in detail."""
    tally, entries = Overview(seen.known, seen.state).tally, _of(task, seen)
    yield from inspection.run_lines(seen.state)
    if task is None:
        yield status_table(tally)
    else:
        yield from inspection.task_lines(seen.state.record(task), tally.title(task))
        yield from inspection.task_details(entries, task)
    yield "transitions:"
    yield from inspection.transition_lines(entries)


def _of(task: str | None, seen: Inspection) -> list[Entry]:
    return [entry for entry in seen.entries if task in {None, entry.task}]
