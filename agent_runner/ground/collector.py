"""Keeps Python's garbage collector out of where many objects come into being at once."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector() -> Iterator[None]:
    """No garbage collection meanwhile: many objects come into being and none becomes garbage.

    Ten thousand tasks load in about half the time.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Collect seldom meanwhile, and never look through what is there already: it stays anyway.

    For a whole run, begun when everything is loaded. Looking through modules and the task list
    again and again was an eighth of what a task costs.
    """
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_YOUNG, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


_YOUNG = 20_000
"""New objects after which a collection begins, a megabyte or two; Python's own figure is 700."""
