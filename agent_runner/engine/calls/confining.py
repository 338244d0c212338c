"""Confines an agent's command: it writes its copy and its own files, and reads no others' keys."""

from pathlib import Path

from attrs import frozen

from agent_runner.ground.disk import storage_errors
from agent_runner.hooks.confining import Confining
from agent_runner.model.task import Task
from agent_runner.providers.client import Outfit, Start
from agent_runner.sandbox.confinement import Confinement, Overlay, home_secrets
from agent_runner.workspace.workshop import Workshop


@frozen
class Cell:
    """The sandbox of one call.

    Attributes:
        confining: What confines here; it is found when it is first asked.
        outfit: Where the command keeps its own things: it has to write there, logged in or not.
    """

    confining: Confining
    outfit: Outfit
    task: Task
    workshop: Workshop

    @property
    def holds(self) -> bool:
        """Whether it cannot write outside of its copy."""
        if self.outfit.sandbox == "off":
            return False
        tier = self.confining.sandbox.tier
        return tier.confines if self.outfit.sandbox == "auto" else tier.mounts

    def start(self, start: Start) -> Start:
        """The start of a program by which it is confined.

        Raises StorageError: its own folders cannot be made.
        """
        if not self.holds:
            return start
        sandbox, root, home = self.confining.sandbox, self.task.root, self.confining.home
        mount, seen = self.workshop.mounted(sandbox.tier)
        own = tuple(path for path in self.outfit.homes if _is_there(path))
        copy = () if isinstance(mount, Overlay) else (start.folder,)
        trees = {one.path.parent for one in seen if root.is_relative_to(one.path.parent)}
        wanted = Confinement(
            writable=(*copy, start.beside, *own, *self._writable(root)),
            # below /tmp, the rest of a repository would be gone, and to git it would be deleted
            read_only=tuple(trees - {root}),
            masked=tuple(
                path for path in home_secrets(home) if not any(_overlap(path, one) for one in own)
            ),
            network=True,
            mount=mount,
            instead=seen,
        )
        cwd = root if sandbox.tier.mounts else start.folder
        wrapped = sandbox.wrapped(start.words, wanted, cwd=cwd)
        # an overlay is a file system of its own, whose repository may lie above it
        across = {"GIT_DISCOVERY_ACROSS_FILESYSTEM": "1"}
        env = {**wrapped.environment(start.env), **across, "PWD": str(cwd)}
        return Start(wrapped.argv, wrapped.cwd, env, start.beside)

    def _writable(self, root: Path) -> tuple[Path, ...]:
        """What the user allows all that is confined."""
        home = self.confining.home
        return tuple(
            home / path.removeprefix("~").lstrip("/") if path.startswith("~") else root / path
            for path in self.confining.settings.writable
        )


def _is_there(path: Path) -> bool:
    """Make a folder of the command's that is not there yet: it could not do so itself."""
    if not path.suffix and not path.exists():
        with storage_errors(path):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path.exists()


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)
