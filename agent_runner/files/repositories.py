"""Folders that git would take for a repository, and whose configuration it would then obey.

Git takes any folder for one that holds `HEAD`, `objects` and `refs` (or `HEAD` and `commondir`, as
a linked work tree has it), wherever it lies and whatever it is called. So a reply could write one,
one file after the other or over several replies, and the next git below it would run the filters,
hooks and monitors of its `config`. What counts is therefore what would stand in a folder after the
change, and not the name of the folder or of the file in hand.
"""

from attrs import define, field

from agent_runner.files.jail import as_seen
from agent_runner.ground.beneath import Refusal, names_in

_SHAPES = (frozenset({"head", "objects", "refs"}), frozenset({"head", "commondir"}))
_NAMES = frozenset.union(*_SHAPES)


@define
class Repositories:
    """What of a repository's shape each folder below `root` (a descriptor) has or would have.

    Names count as in `as_seen`, for the tree may be copied to another file system.
    """

    root: int
    _found: dict[str, set[str]] = field(init=False, factory=dict)

    def refusal(self, path: str) -> Refusal | None:
        """Why a path may not be touched, that stands or would stand in a repository's own folder.

        The path counts from then on as one that is there.
        """
        parts = path.split("/")
        for depth, part in enumerate(parts):
            folder = "/".join(parts[:depth])
            try:
                found = self._in(folder)
            except OSError as error:
                return Refusal(f"`{folder}` cannot be read ({error.strerror})")
            found.update({as_seen(part)} & _NAMES)
            if any(shape <= found for shape in _SHAPES):
                where = f"`{folder}`" if folder else "the task's folder"
                return Refusal(f"git takes {where} for a repository then, and runs what it says")
        return None

    def _in(self, folder: str) -> set[str]:
        """The names in a folder that make a repository."""
        if folder not in self._found:
            names = (name for name in names_in(self.root, folder) if not _is_harmless(name))
            self._found[folder] = set(map(as_seen, names)) & _NAMES
        return self._found[folder]


def _is_harmless(name: str) -> bool:
    """Whether no file system takes the name for one of these, as its first letter says already.

    A look of nanoseconds, since all files of a folder are gone through for each change.
    """
    return name[0].isascii() and name[0].isalnum() and name[0] not in "hHcCoOrR"
