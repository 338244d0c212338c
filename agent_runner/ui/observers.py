"""Several observers as one, of which none can hurt the run."""

from agent_runner.model.fold import Entry
from agent_runner.model.record import TaskRecord
from agent_runner.model.signals import Observer, Signal


class Observers:
    """Passes everything to each observer in turn.

    One that raises is left out from then on, and its error kept in `broken`; the rest go on.
    """

    def __init__(self, *observers: Observer) -> None:
        self._observers = list(observers)
        self.broken: list[Exception] = []

    def add(self, observer: Observer) -> None:
        """Pass everything to this one too from now on."""
        self._observers.append(observer)

    def entry(self, entry: Entry, before: TaskRecord | None, after: TaskRecord | None) -> None:
        """Pass the entry to all."""
        for observer in tuple(self._observers):
            try:
                observer.entry(entry, before, after)
            except Exception as error:  # noqa: BLE001  # a screen's bug must not stop the run
                self._drop(observer, error)

    def signal(self, signal: Signal) -> None:
        """Pass the signal to all."""
        for observer in tuple(self._observers):
            try:
                observer.signal(signal)
            except Exception as error:  # noqa: BLE001  # as above
                self._drop(observer, error)

    def _drop(self, observer: Observer, error: Exception) -> None:
        self._observers.remove(observer)
        self.broken.append(error)
