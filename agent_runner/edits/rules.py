"""What the user lets a reply change."""

from collections.abc import Callable, Collection
from pathlib import Path

from attrs import field, frozen

from agent_runner.edits.jail import Refusal, folded, spelled
from agent_runner.ground.globs import Globs

_MEGABYTE = 1 << 20

Ignored = Callable[[tuple[str, ...]], Collection[str]]
"""Says which of the paths (relative to the root) git ignores."""


@frozen
class Rules:
    """What may not be changed, beside what never may.

    `protect`: globs relative to the root. `judges`: absolute paths of the files that judge the
    agent (task list, configurations, templates), or of whole folders. `ignored`: None where files
    that git ignores may be changed, or there is no git. Sizes in bytes.
    """

    protect: tuple[str, ...] = ()
    judges: tuple[Path, ...] = ()
    ignored: Ignored | None = None
    max_file_size: int = 64 * _MEGABYTE
    max_files: int = 5_000
    max_total_size: int = 512 * _MEGABYTE


@frozen
class Gate:
    """The rules made ready for one root."""

    rules: Rules
    _judges: frozenset[str] = field()
    _protect: Globs = field()

    @classmethod
    def at(cls, root: Path, rules: Rules) -> "Gate":
        """The gate for the task of this root."""
        judges = frozenset(
            folded(form.relative_to(base).as_posix())
            for judge in rules.judges
            for base in (root.absolute(), root.resolve())
            for form in (judge.absolute(), judge.resolve())
            if form.is_relative_to(base)
        )
        return cls(rules, judges, Globs(tuple(folded(glob) for glob in rules.protect)))

    def passes(self, path: str) -> str | Refusal:
        """The path in its plain form, or why it may not be touched; git is asked elsewhere."""
        plain = spelled(path)
        if isinstance(plain, Refusal):
            return plain
        alike = folded(plain)
        parts = alike.split("/")
        if any("/".join(parts[: depth + 1]) in self._judges for depth in range(len(parts))):
            what = "task list, configuration, template, or what git's configuration includes"
            return Refusal(f"it judges the work ({what}), so it stays")
        if self._protect.covers(alike):
            return Refusal("it is protected in this task (`protect`)")
        return plain
