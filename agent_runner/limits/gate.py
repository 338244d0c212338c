"""What a call passes before it is sent and after it came back: the limits and the ledger."""

import contextlib
from collections.abc import Iterator

from attrs import frozen

from agent_runner.ground.clock import Clock, local_time
from agent_runner.limits.ledger import Book, Ledger
from agent_runner.limits.room import Fits, Need, Room, room_for
from agent_runner.limits.windows import zone_of
from agent_runner.model.events import CallSettled
from agent_runner.model.meters import Meters
from agent_runner.model.settings import Settings
from agent_runner.model.spending import Spending


@frozen
class Gate:
    """The limits of one run. `ledger` None: this project counts alone."""

    settings: Settings
    clock: Clock
    ledger: Ledger | None = None
    ignore_config: bool = False

    def admit(
        self, spending: Spending, call: str, provider: str, model: str, need: Need, *, task: str
    ) -> Room:
        """Whether there is room for a call; if so it is reserved in the ledger.

        It must then be journaled, and sent after that. In the other order a crash between the two
        would leave a journaled call for which no other project left room.

        Raises StorageError where the ledger cannot be used, UsageError where the time zone or the
        start of the week is none.
        """
        # decided and entered under one lock, or two projects would fill the same room
        with self._held() as book:
            room = self._room(book, spending, provider, model, need, task)
            if book and isinstance(room, Fits):
                book.reserve(call, provider, model, need.amount)
        return room

    def look(self, spending: Spending, provider: str, model: str, need: Need, *, task: str) -> Room:
        """Whether there is room for a call that is not to be made yet: nothing is reserved.

        Raises as `admit` does.
        """
        with self._held() as book:
            return self._room(book, spending, provider, model, need, task)

    def settle(self, event: CallSettled) -> None:
        """Enter in the ledger what came of a call that is settled in the journal.

        Raises StorageError where the ledger cannot be used.
        """
        if self.ledger is not None:
            self.ledger.settle(event)

    def others(self) -> Meters:
        """What other projects used, for reports. Raises StorageError."""
        return self.ledger.others() if self.ledger else Meters()

    def today(self) -> str:
        """The calendar day in the limits' time zone, for `CallStarted.day`."""
        return local_time(self.clock.now(), zone_of(self.settings.limits)).date().isoformat()

    def _room(
        self,
        book: Book | None,
        spending: Spending,
        provider: str,
        model: str,
        need: Need,
        task: str,
    ) -> Room:
        return room_for(
            spending,
            self.settings,
            provider,
            model,
            need,
            book.now if book else self.clock.now(),
            task=task,
            ignore_config=self.ignore_config,
            others=book.others if book else None,
        )

    @contextlib.contextmanager
    def _held(self) -> Iterator[Book | None]:
        if self.ledger is None:
            yield None
            return
        with self.ledger.held() as book:
            yield book
