"""Whether a run is on, seen from outside: who holds a state's lock, without taking it."""

import fcntl
import json
import os

from agent_runner.ground.plain_files import open_plain, read_plain
from agent_runner.store.layout import Layout


def is_locked(layout: Layout) -> bool:
    """Whether some process has the state open. Where there is no lock to look at, none has."""
    try:
        descriptor = open_plain(layout.lock)
    except OSError:
        return False
    try:
        # shared and given back at once: `StateLock` tries for longer than that
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def is_held_by(layout: Layout, pid: int) -> bool:
    """Whether process `pid` has the state open.

    The lock says that somebody has, since the system drops it with the process; its number alone
    would not do, for after a crash another process may have it.
    """
    return is_locked(layout) and _holder(layout) in {pid, None}


def _holder(layout: Layout) -> int | None:
    """The process that wrote down its number; None if it is not there (yet)."""
    try:
        return int(json.loads(read_plain(layout.holder))["pid"])
    except (OSError, ArithmeticError, ValueError, LookupError, TypeError, RecursionError):
        return None
