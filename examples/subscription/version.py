"""Compares versions."""


def newer(one: str, other: str) -> bool:
    """Whether version `one` is newer than `other`."""
    return one > other
