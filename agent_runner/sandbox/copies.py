"""Makes a copy of a folder fit to be mounted at the path of its original."""

from collections.abc import Iterable
from pathlib import Path

from agent_runner.sandbox.confinement import Copied, Tier


def copied(original: Path, copy: Path, links: Iterable[str], tier: Tier) -> Copied:
    """`copy` as what stands in for `original`, whose `links` lead to the original's folders.

    Where the tier mounts, an empty folder takes the place of each: see `Copied.linked`. Raises
    OSError.
    """
    linked = tuple(links)
    for path in linked if tier.mounts else ():
        (copy / path).unlink()
        (copy / path).mkdir()
    return Copied(original, copy, linked if tier.mounts else ())
