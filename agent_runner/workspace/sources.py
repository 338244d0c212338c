"""Fetches contents that only the user's repositories have, by git's name for them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from agent_runner.workspace.objects import BLOB, object_name
from agent_runner.workspace.tracked import Source

_AT_ONCE = 2_000  # contents of one git process; they are in memory together


def fetched(sources: Sequence[Source], wanted: Mapping[str, bytes]) -> Iterator[bytes]:
    """The contents of `wanted` (names by path) that the repositories of these paths still have.

    Runs git once for each repository that is concerned (and for each 2,000 contents).
    """
    by_source: dict[Source, set[bytes]] = {}
    for path, name in wanted.items():
        source = max((s for s in sources if path.startswith(s.prefix)), key=_depth, default=None)
        if source is not None:
            by_source.setdefault(source, set()).add(name)
    for source, names in by_source.items():
        rest = sorted(names)
        while rest:
            yield from _batch(source, rest[:_AT_ONCE])
            del rest[:_AT_ONCE]


def _depth(source: Source) -> int:
    return len(source.prefix)


def _batch(source: Source, names: Iterable[bytes]) -> Iterator[bytes]:
    """Read records `NAME blob SIZE` newline CONTENT newline, or `NAME missing`."""
    asked = b"".join(name.hex().encode() + b"\n" for name in names)
    repository = source.repository
    try:
        said = repository.git.ask(repository.git.git_dir, ["cat-file", "--batch"], asked).out
    except OSError:  # the repository is gone
        return
    at = 0
    while at < len(said):
        end = said.index(b"\n", at)
        head = said[at:end].split(b" ")
        at = end + 1
        if head[-1] == b"missing" or len(head) != 3:
            continue
        size = int(head[2])
        content = said[at : at + size]
        at += size + 1
        if object_name(BLOB, content, repository.hashing).hex().encode() == head[0]:
            yield content
