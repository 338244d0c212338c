"""What the user lets a reply change."""

import os
from collections.abc import Callable, Collection
from pathlib import Path

from attrs import field, frozen

from agent_runner.files.jail import folded, spelled
from agent_runner.files.redaction_marks import RedactionMarks
from agent_runner.ground.beneath import Refusal
from agent_runner.ground.globs import Globs
from agent_runner.ground.judges import REFUSED, judging

_MEGABYTE = 1 << 20

Ignored = Callable[[tuple[str, ...]], Collection[str]]
"""Says which of the paths (relative to the root) git ignores."""


@frozen
class Rules:
    """What may not be changed, beside what never may.

    `protect`: globs relative to the root. `obeyed`: absolute paths of what the runner and git obey
    (task list, configurations, templates), or of whole folders. `scripts`: the same, of what hooks
    run.
    `may_change`: globs of files that may be changed although they judge (`judging`, `scripts`).
    `ignored`: None where files that git ignores may be changed, or there is no git.
    `marks`: what is shown with marks in place of keys. `hides`: whether the file at a path, with
    this text, is one that the agent is never shown: none of its lines is quoted. `shown`: whether
    the agent was shown what a file holds. Sizes in bytes.
    """

    protect: tuple[str, ...] = ()
    obeyed: tuple[Path, ...] = ()
    scripts: tuple[Path, ...] = ()
    may_change: tuple[str, ...] = ()
    ignored: Ignored | None = None
    marks: RedactionMarks = field(factory=RedactionMarks)
    hides: Callable[[str, str], bool] = lambda _path, _text: False
    shown: Callable[[str], bool] = lambda _path: False
    max_file_size: int = 64 * _MEGABYTE
    max_files: int = 5_000
    max_total_size: int = 512 * _MEGABYTE


@frozen
class Gate:
    """The rules made ready for one root."""

    rules: Rules
    _obeyed: frozenset[str] = field()
    _scripts: frozenset[str] = field()
    _protect: Globs = field()
    _may_change: Globs = field()

    @classmethod
    def at(cls, root: Path, rules: Rules) -> "Gate":
        """The gate for the task of this root."""
        bases = {str(root.absolute()), os.path.realpath(root)}
        return cls(
            rules,
            _below(bases, rules.obeyed),
            _below(bases, rules.scripts),
            Globs(tuple(folded(glob) for glob in rules.protect)),
            Globs(tuple(folded(glob) for glob in rules.may_change)),
        )

    def passes(self, path: str) -> str | Refusal:
        """The path in its plain form, or why it may not be touched; git is asked elsewhere."""
        plain = spelled(path)
        if isinstance(plain, Refusal):
            return plain
        alike = folded(plain)
        parts = alike.split("/")
        above = {"/".join(parts[: depth + 1]) for depth in range(len(parts))}
        reason = self._forbidden(alike, above)
        return Refusal(reason) if reason else plain

    def _forbidden(self, path: str, above: set[str]) -> str:
        """Why the path, which lies in all of `above`, stays as it is; "" if it may be changed."""
        if above & self._obeyed:
            what = "task list, configuration, template, or what git's configuration includes"
            return f"it judges the work ({what}), so it stays"
        if self._protect.covers(path):
            return "it is protected in this task (`protect`)"
        if self._may_change.covers(path):
            return ""
        if above & self._scripts:
            return f"it judges the work: a hook runs it{_STAYS}"
        kind = judging(path)
        return f"it judges the work: it is {kind}{_STAYS}" if kind in REFUSED else ""


_STAYS = (
    ", so it stays as it is. Change what it judges instead; tests may be changed. Only the person"
    " in charge can allow more, with `may_change`"
)


def _below(bases: Collection[str], paths: Collection[Path]) -> frozenset[str]:
    """The paths that lie below the root, relative to it, as file systems compare them.

    `bases`: the root as it is named, and without links.
    """
    folders: dict[str, str] = {}  # most lie in the same few, each of which is resolved once
    named = {os.fspath(path.absolute()) for path in paths}
    forms = named | {_resolved(path, folders) for path in named}
    return frozenset(
        folded(form[len(base) :].strip("/") or ".")
        for form in forms
        for base in bases
        if form == base or form.startswith(base.rstrip("/") + "/")
    )


def _resolved(path: str, folders: dict[str, str]) -> str:
    folder, _, name = path.rpartition("/")
    if name in {"", ".."} or os.path.islink(path):  # noqa: PTH114 - of a text, which is quicker
        return os.path.realpath(path)
    if folder not in folders:
        folders[folder] = os.path.realpath(folder or "/")
    return f"{folders[folder].rstrip('/')}/{name}"
