"""Which rule holds at which path: sorted, so that the longer of two paths is set up later."""

import enum
import os
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from agent_runner.sandbox.confinement import BORROWED, Confinement, Copied, Mount


class Rule(enum.IntEnum):
    """What holds at a path and below; where two are given for one path, the last of these."""

    WRITABLE = enum.auto()
    MOUNTED = enum.auto()
    READ_ONLY = enum.auto()
    MASKED = enum.auto()


@frozen
class Place:
    """One path with its rule. `path`: as the command sees it, without links, except where it ends
    in nothing that exists. `source`: what lies there on this machine.
    """

    path: Path
    source: Path
    rule: Rule


def places(confinement: Confinement) -> tuple[Place, ...]:
    """All paths of a confinement that exist, the shorter first."""
    found = sorted(_places(confinement), key=lambda one: (len(one.path.parts), one.rule))
    return tuple(dict.fromkeys(found))


def unmounted(confinement: Confinement) -> tuple[Place, ...]:
    """The same where nothing can be mounted: the original of a copy stays, and is masked too."""
    found = places(confinement)
    masked = (real(path) for path in confinement.masked if confinement.mount)
    beside = (Place(path, path, Rule.MASKED) for path in masked if path.exists())
    return tuple(dict.fromkeys((*found, *beside)))


def real(path: Path) -> Path:
    """The path without links: what is mounted on a link would be mounted somewhere else."""
    return Path(os.path.realpath(path))


def relocated(path: Path, mount: Mount | None) -> Path:
    """Where `path` lies on this machine: below a folder that a copy stands in for, in that copy."""
    if isinstance(mount, Copied):
        original = real(mount.original)
        if real(path).is_relative_to(original):
            return real(mount.copy) / real(path).relative_to(original)
    return path


def _places(confinement: Confinement) -> Iterator[Place]:
    mount = confinement.mount
    if mount:
        original = real(mount.original)
        source = relocated(original, mount)
        yield Place(original, source, Rule.MOUNTED)
        if isinstance(mount, Copied):
            yield Place(source, source, Rule.WRITABLE)
            for one in mount.linked:
                yield Place(original / one, original / one, Rule.READ_ONLY)
            objects, borrowed = original / ".git" / "objects", Path(".git", BORROWED)
            if real(objects).is_dir() and real(source / borrowed).is_dir():
                yield Place(original / borrowed, real(objects), Rule.READ_ONLY)
    for seen in confinement.instead:
        yield Place(
            real(seen.path),
            real(seen.source),
            Rule.WRITABLE if seen.is_writable else Rule.READ_ONLY,
        )
    for rule, paths in (
        (Rule.WRITABLE, confinement.writable),
        (Rule.READ_ONLY, confinement.read_only),
        (Rule.MASKED, confinement.masked),
    ):
        for path in map(real, paths):
            source = relocated(path, mount)
            # the whole disk is read-only as it is; mounted once more, it would hide all others
            if source.exists() and (rule is not Rule.READ_ONLY or path != path.parent):
                yield Place(path, source, rule)
