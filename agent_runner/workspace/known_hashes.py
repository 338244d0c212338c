"""Keeps, from look to look, for which files git vouches, and what it says that they hold."""

from collections.abc import Collection, Mapping

from attrs import define, field

from agent_runner.workspace.filetree import Entry
from agent_runner.workspace.staged import Staged, entry_of


@define
class KnownHashes:
    """The files that stand as in git's index, by path, with what stands there."""

    entries: dict[str, Entry] = field(factory=dict)
    _files: Mapping[str, Staged] = field(factory=dict)
    _doubted: frozenset[str] | None = None

    def update(
        self,
        files: Mapping[str, Staged],
        doubted: frozenset[str] | None,
        present: Collection[str],
    ) -> tuple[set[str], dict[str, Entry]]:
        """Take git's word of now; the paths that it does not vouch for any more, and what is new.

        `files`: what the index says of those that can be trusted, in its order, folder by folder;
        the same object while the index is the same. `doubted`: the files that are not as in the
        index, None if nobody knows. `present`: the paths that count.
        """
        before = self.entries
        if doubted is not None and self._doubted is not None and files is self._files:
            changed = doubted ^ self._doubted  # the usual case: the index is the same
            lost = {path for path in changed & doubted if before.pop(path, None)}
            known = (path for path in changed - doubted if path in files and path in present)
            won = {path: entry_of(files[path]) for path in known}
            before |= won
        else:
            own = {} if doubted is None else files
            now = {path: entry_of(row) for path, row in own.items() if path in present}
            for path in doubted or ():
                now.pop(path, None)
            lost = before.keys() - now.keys()
            won = {path: entry for path, entry in now.items() if before.get(path) != entry}
            self.entries = now
        self._doubted, self._files = doubted, files
        return lost, won
