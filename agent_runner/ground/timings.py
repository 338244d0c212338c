"""Where a command's time goes, for `--timings`: how often each part ran, and for how long in all.

There is one recorder a process, as there is with logging: parts are timed in many rooms and in
threads, and handing a recorder down to all of them would pass through every constructor. While
nobody records, `part` hands out one and the same empty context, which costs a tenth of a
microsecond.
"""

import builtins
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

_NOTHING = nullcontext()
_recorder: "Timings | None" = None


def part(name: str) -> AbstractContextManager[None]:
    """Time what is done within, under this name; parts may nest, and then both count it."""
    return _NOTHING if _recorder is None else _recorder.part(name)


class Timings:
    """What was recorded. `now` gives seconds that never go back."""

    def __init__(self, now: Callable[[], float]) -> None:
        import threading  # lazy: this file is imported by commands that record nothing

        self._now = now
        self._began = now()
        self._lock = threading.Lock()
        self._parts: dict[str, tuple[int, float]] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Add the time of what is done within."""
        began = self._now()
        try:
            yield
        finally:
            self.add(name, self._now() - began)

    def add(self, name: str, seconds: float) -> None:
        """Add a part that was timed elsewhere."""
        with self._lock:
            count, total = self._parts.get(name, (0, 0.0))
            self._parts[name] = count + 1, total + seconds

    def lines(self) -> Iterator[str]:
        """One line a part in the order of first use, and the whole: seconds, and how often."""
        parts = {**self._parts, "in all": (1, self._now() - self._began)}
        width = max(map(len, parts))
        for name, (count, seconds) in parts.items():
            often = f"  {count} times" if count > 1 else ""
            yield f"{name.ljust(width)} {seconds:9.3f} s{often}"


@contextmanager
def recording(timings: Timings) -> Iterator[None]:
    """Let every `part` until the end be recorded here, and imports as the part `import`."""
    global _recorder  # one a process: see above
    plain = builtins.__import__
    _recorder, builtins.__import__ = timings, _timed(plain, timings)
    try:
        yield
    finally:
        _recorder, builtins.__import__ = None, plain


def _timed(plain: Callable[..., Any], timings: Timings) -> Callable[..., Any]:
    """An `__import__` that times what is not loaded yet; what that imports in turn counts once."""
    import threading

    importing = threading.local()

    def timed(name: str, *rest: Any, **more: Any) -> Any:
        if name in sys.modules or getattr(importing, "now", False):
            return plain(name, *rest, **more)
        importing.now = True
        try:
            with timings.part("import"):
                return plain(name, *rest, **more)
        finally:
            importing.now = False

    return timed
