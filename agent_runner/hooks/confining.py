"""Confines hooks that want it: they write the task's files, read no keys, and reach no network."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from attrs import define, evolve, field, frozen

from agent_runner.ground.globs import Globs
from agent_runner.hooks.log import HookLog
from agent_runner.hooks.starting import SHELL, require_program, words_of
from agent_runner.model.errors import UsageError
from agent_runner.model.hooks import Hook, SandboxRule
from agent_runner.model.settings import SandboxSettings
from agent_runner.sandbox.confinement import Confinement, Mount, home_secrets
from agent_runner.sandbox.environment import looks_secret
from agent_runner.sandbox.probe import INSTALL
from agent_runner.sandbox.sandbox import SETUP_FAILED, Sandbox, setup_failure


@frozen
class Start:
    """What is started for a hook: its command, or what confines it."""

    command: str | tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]


@frozen
class StandIn:
    """Files that stand in for the task's while a hook runs, so that the task's are not touched.

    Attributes:
        mount: A copy of the task's folder.
        drafts: A folder with files that are laid over the copy, at their paths.
        deleted: Files that are taken out of it, relative to the task's folder.
    """

    mount: Mount
    drafts: Path
    deleted: tuple[str, ...] = ()

    def words(self, words: Iterable[str], cwd: Path, root: Path) -> tuple[str, ...]:
        """The command with what lays the drafts before it, all of it within the sandbox."""
        deleted = (str(len(self.deleted)), *self.deleted)
        inside = str(cwd.relative_to(root))
        return (SHELL, "-c", _LAY, SHELL, str(self.drafts), *deleted, inside, *words)


_LAY = f"""
from=$1 count=$2; shift 2
while [ "$count" -gt 0 ]; do
    rm -rf -- "./$1" || exit {SETUP_FAILED}
    shift; count=$((count - 1))
done
cp -R "$from"/. . || exit {SETUP_FAILED}
cd "./$1" || exit {SETUP_FAILED}
shift
exec "$@"
"""


@define(eq=False)
class Confining:
    """Makes the sandboxes of a run's hooks.

    Attributes:
        find: Finds this machine's sandbox; called once, when the first hook wants it.
        settings: What the user allows and forbids beside the rules.
        home: The user's home folder.
        guarded: Files and folders that tell the runner what to do, its state among them: read-only.
        secrets: Tells the files below a root that look like secrets, relative to it.
    """

    find: Callable[[], Sandbox]
    settings: SandboxSettings
    home: Path
    guarded: tuple[Path, ...]
    secrets: Callable[[Path], Iterable[str]]
    _sandbox: Sandbox | None = field(default=None, init=False)

    @property
    def sandbox(self) -> Sandbox:
        """What confines here."""
        if self._sandbox is None:
            self._sandbox = self.find()
        return self._sandbox

    def start_beside(
        self, hook: Hook, stand_in: StandIn, *, root: Path, cwd: Path, env: Mapping[str, str]
    ) -> Start:
        """The same where other files stand in for the task's; `hook.sandbox` does not matter.

        Raises UsageError.
        """
        self.require()
        words = stand_in.words(words_of(hook.command), cwd, root)
        wanted = self.confinement(hook, root, stand_in.mount)
        wanted = evolve(wanted, read_only=(*wanted.read_only, stand_in.drafts))
        wrapped = self.sandbox.wrapped(words, wanted, cwd=root)
        return Start(wrapped.argv, wrapped.cwd, wrapped.environment(without_secrets(hook, env)))

    def start(self, hook: Hook, *, root: Path, cwd: Path, env: Mapping[str, str]) -> Start:
        """What is started for `hook` in the task's folder `root`.

        Raises:
            UsageError: nothing confines here: then it is not run.
            OSError: there is no such program, or it cannot be executed. What confines it would only
                say so in words.
        """
        words = words_of(hook.command)
        require_program(words[0], cwd, env)
        self.require()
        wrapped = self.sandbox.wrapped(words, self.confinement(hook, root), cwd=cwd)
        return Start(wrapped.argv, wrapped.cwd, wrapped.environment(without_secrets(hook, env)))

    def require(self) -> None:
        """Raise UsageError where nothing confines."""
        if not self.sandbox.tier.confines:
            raise UsageError(f"there is no sandbox here: {self.sandbox.why}", fix=INSTALL)

    def confinement(self, hook: Hook, root: Path, mount: Mount | None = None) -> Confinement:
        """What `hook` may do: in `root` itself, or where `mount` stands in for it.

        The repository around it can be seen, wherever it lies, and not be written: what git runs
        (hooks, filters) stands in there.
        """
        around = next((one for one in (root, *root.parents) if (one / ".git").exists()), root)
        read_only = {around, around / ".git", *self.guarded} - {root}
        return Confinement(
            writable=(*self._placed(root, self.settings.writable), *(() if mount else (root,))),
            read_only=tuple(sorted(read_only)),
            masked=(
                *home_secrets(self.home),
                *self._placed(root, self.settings.masked),
                *(root / path for path in self.secret_files(root)),
            ),
            network=hook.network,
            mount=mount,
        )

    def secret_files(self, root: Path) -> Iterator[str]:
        """Files below `root` that look like secrets and may not be read, relative to it."""
        allowed = Globs(self.settings.readable)
        return (path for path in self.secrets(root) if not allowed.covers(path))

    def _placed(self, root: Path, paths: Iterable[str]) -> tuple[Path, ...]:
        """Paths as the user writes them."""
        return tuple(
            self.home / path.removeprefix("~").lstrip("/")
            if path == "~" or path.startswith("~/")
            else root / path
            for path in paths
        )


def start_of(
    hook: Hook,
    confining: Confining | None,
    stand_in: StandIn | None,
    *,
    root: Path,
    cwd: Path,
    env: Mapping[str, str],
) -> Start:
    """What is started for `hook`, whether it is confined or not; raises as `Confining.start`."""
    if hook.sandbox is SandboxRule.OFF and stand_in is None:
        return Start(hook.command, cwd, env)
    if confining is None:
        raise UsageError("there is no sandbox here", fix=INSTALL)
    if stand_in is None:
        return confining.start(hook, root=root, cwd=cwd, env=env)
    return confining.start_beside(hook, stand_in, root=root, cwd=cwd, env=env)


def without_secrets(hook: Hook, env: Mapping[str, str]) -> dict[str, str]:
    """`env` without the variables that usually hold a key, but for those of the hook's own."""
    return {
        name: value
        for name, value in env.items()
        if hook.pass_keys or name in hook.env or not looks_secret(name)
    }


def why_not_confined(hook: Hook, exit_code: int | None, log: HookLog) -> str:
    """What kept the sandbox from starting the hook, in its own words; "" if it was started."""
    if hook.sandbox is SandboxRule.OFF or exit_code is None:
        return ""
    said = setup_failure(exit_code, log.read(0, min(log.length, 1_000)).decode(errors="replace"))
    return f"its sandbox did not start: {said}" if said else ""
