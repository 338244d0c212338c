"""A clock that a test sets."""

import anyio.lowlevel
from attrs import define


@define
class FakeClock:
    """Starts at a fixed time; `sleep` moves it."""

    at: float = 1_800_000_000.0

    def now(self) -> float:
        self.at += 0.001
        return self.at

    def monotonic(self) -> float:
        return self.now()

    async def sleep(self, seconds: float) -> None:
        await anyio.lowlevel.checkpoint()
        self.at += seconds
