"""What a call passes before it is sent and after it came back.

The decision, and the shared ledger beside it.
"""

import contextlib
from collections.abc import Iterator

from attrs import frozen

from agent_runner.ground.clock import Clock
from agent_runner.limits.check import check
from agent_runner.limits.decision import Decision, Fits, Need
from agent_runner.limits.ledger import Book, Ledger
from agent_runner.limits.windows import local_time, zone_of
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
    ) -> Decision:
        """Decide about a call.

        If it fits it stands in the ledger, and must now be journaled, then sent.

        Raises:
            StorageError: the ledger cannot be used.
            UsageError: the time zone or the start of the week is none.
        """
        with self._held() as book:
            decision = self._decide(book, spending, provider, model, need, task)
            if book and isinstance(decision, Fits):
                book.reserve(call, provider, model, need.amount)
        return decision

    def look(
        self, spending: Spending, provider: str, model: str, need: Need, *, task: str
    ) -> Decision:
        """Decide about a call that is not to be made yet: nothing is reserved.

        Raises:
            StorageError: the ledger cannot be used.
            UsageError: the time zone or the start of the week is none.
        """
        with self._held() as book:
            return self._decide(book, spending, provider, model, need, task)

    def settle(self, event: CallSettled) -> None:
        """Tell the ledger what came of a call that is settled in the journal.

        Raises:
            StorageError: the ledger cannot be used.
        """
        if self.ledger is not None:
            self.ledger.settle(event)

    def others(self) -> Meters:
        """What other projects used, for reports.

        Raises:
            StorageError: the ledger cannot be read.
        """
        return self.ledger.others() if self.ledger else Meters()

    def today(self) -> str:
        """The calendar day in the limits' time zone, for `CallStarted.day`."""
        return local_time(self.clock.now(), zone_of(self.settings.limits)).date().isoformat()

    def _decide(
        self,
        book: Book | None,
        spending: Spending,
        provider: str,
        model: str,
        need: Need,
        task: str,
    ) -> Decision:
        return check(
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
