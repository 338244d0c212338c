"""An observer that reads the state back from the disk after every entry and compares.

Turned on by `AGENT_RUNNER_PARANOID=1`, for tests and for hunting bugs: each entry then costs the
reading of the whole journal.
"""

from collections.abc import Mapping

from attrs import frozen

from agent_runner.model.errors import InvariantError
from agent_runner.model.fold import Entry, RunState
from agent_runner.model.record import TaskRecord
from agent_runner.model.signals import Observer, Signal
from agent_runner.store.store import Store, read_entries, read_state

VARIABLE = "AGENT_RUNNER_PARANOID"


@frozen
class SelfCheck:
    """Holds the state in memory against what a resume would see at this moment."""

    store: Store

    def entry(self, entry: Entry, _before: TaskRecord | None, _after: TaskRecord | None) -> None:
        """Fold the journal from the start, and once more from the snapshot on, and compare.

        Raises:
            InvariantError: memory and disk disagree.
            StateLostError: there is nothing to compare with: a hook removed it.
        """
        self.store.journal.check_in_place()
        whole = RunState()
        for one in read_entries(self.store.layout.folder):
            whole.take(one)
        resumed, _ = read_state(self.store.layout.folder)
        for origin, read in (("the journal", whole), ("snapshot and journal", resumed)):
            if read != self.store.state:
                raise InvariantError(
                    f"after entry {entry.seq} ({type(entry.event).__name__}) the state in memory"
                    f" is not the one that {origin} on disk give{'s' if read is whole else ''}"
                )

    def signal(self, _signal: Signal) -> None:
        """Nothing passing is on disk."""


def self_check(env: Mapping[str, str], store: Store) -> tuple[Observer, ...]:
    """The observer, if the environment asks for it."""
    return (SelfCheck(store),) if env.get(VARIABLE) not in {None, "", "0"} else ()
