"""Loads the configuration: finds its layers, merges, binds and checks them."""

import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import attrs
from attrs import field, frozen

from agent_runner.config.binding import Binder
from agent_runner.config.checks import TEST_HOOK, Subject, check_settings
from agent_runner.config.environment import environment_layer
from agent_runner.config.layers import (
    Layer,
    Places,
    file_layers,
    flag_layer,
    in_long_form,
    merge_trees,
)
from agent_runner.documents import Expect, Fields, Items, Node, Scalar, Source
from agent_runner.model.errors import InputError, Problem
from agent_runner.model.hooks import Hook
from agent_runner.model.names import KnownNames
from agent_runner.model.settings import Settings

ReadList: TypeAlias = Callable[[Settings], object]
"""Loads the task list under given settings; raises InputError with all its mistakes."""

_PATIENCE = 5.0  # seconds that git is given to say whether it tracks a file


@frozen
class Loaded:
    """The merged configuration, and where each of its values came from.

    Attributes:
        origins: Where values came from, by dotted path: `agent-runner.yml:3:1`, `flag model`.
        files: All that were read, absolute; an agent may not change them.
        warnings: What is allowed and probably not meant.
        problems: Mistakes; empty but for `survey_settings`.
        users: The configuration as it would be without the project's own files: what the user
            said, in the global file, the environment and flags.
        project_files: The project's own files and what they say, absolute.
        project_names: The same files as `origins` names them.
    """

    settings: Settings
    origins: Mapping[str, str]
    files: tuple[Path, ...]
    warnings: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()
    users: Settings = field(factory=Settings)
    project_files: Mapping[Path, str] = field(factory=dict)
    project_names: frozenset[str] = frozenset()

    def origin(self, path: str) -> str:
        """Where the value of the option at `path` came from; "default" if nobody set it."""
        return self.origins.get(path, "default")

    def is_projects(self, path: str) -> bool:
        """Whether a file of the project's own set the option at `path`."""
        return self.origin(path).rsplit(":", 2)[0] in self.project_names

    def nearest(self, path: str) -> str:
        """Where the option at `path`, or one in the same group, was set; "" if none was.

        A setting that is missing is missing in its group.
        """
        group = path.rpartition(".")[0]
        if path in self.origins or not group:
            return self.origins.get(path, "")
        return next((at for own, at in self.origins.items() if own.startswith(f"{group}.")), "")

    def problem(self, path: str, message: str, hint: str = "") -> Problem:
        """What is wrong with the value of the option at `path`, where that was set."""
        return Problem(self.origin(path), 0, 0, message, hint)


def load_settings(
    *,
    folder: Path,
    env: Mapping[str, str],
    home: Path,
    flags: Mapping[str, Any],
    cwd: Path | None = None,
    names: KnownNames,
) -> Loaded:
    """The merged configuration of the task list in `folder`.

    Under one another, the later winning: the global file below `home`, the project's file, the
    environment, flags (dotted path to value, None for one that was not given). `cwd` is where
    relative paths in variables and flags start from; None: `folder`. `names`: providers and
    protocols that are known without configuration.

    Raises InputError with all mistakes, in the order of the layers.
    """
    loaded = survey_settings(folder=folder, env=env, home=home, flags=flags, cwd=cwd, names=names)
    if loaded.problems:
        raise InputError(loaded.problems)
    return loaded


def survey_settings(
    *,
    folder: Path,
    env: Mapping[str, str],
    home: Path,
    flags: Mapping[str, Any],
    cwd: Path | None = None,
    names: KnownNames,
) -> Loaded:
    """As `load_settings`, but mistakes are in `problems` and what has one stays at its default."""
    places = Places(folder.resolve(), home.resolve(), (cwd or folder).resolve())
    expect, warnings = Expect(), list[Problem]()
    layers = [_long(layer, expect) for layer in file_layers(places, env, expect, warnings)]
    files = _merged(layers)
    # the files are merged first: a variable names a hook of theirs in capitals and underscores
    layers.append(_long(environment_layer(env, files, places, expect, warnings), expect))
    layers.append(_long(flag_layer(flags, places), expect))
    bases = {source: layer.base for layer in layers for source in layer.sources}
    # each layer is bound by itself, so that a mistake is told where it was made even if a later
    # layer covers it; binding the merged tree tells nothing new, so its mistakes are dropped
    for layer in layers:
        Binder(expect, bases, places).bind(Settings, layer.root)
    tree = _merged(layers)
    binder = Binder(Expect(), bases, places)
    settings = binder.bind(Settings, tree)
    check_settings(Subject(tree, settings, places, names, expect, warnings))
    _refuse_own_trust(layers, expect)
    _warn_of_tracked_keys(layers, warnings)
    origins = {".".join(path): _origin(node) for path, node in binder.origins.items()}
    settings = _with_test_hook(settings, origins)
    return Loaded(
        settings=settings,
        origins=origins,
        files=tuple(layer.file for layer in layers if layer.file is not None),
        warnings=tuple(dict.fromkeys(warnings)),
        problems=_in_order(expect.problems, layers),
        users=_users(layers, settings, bases, places),
        project_files={
            layer.file: "".join(source.text for source in layer.sources)
            for layer in layers
            if layer.project and layer.file is not None
        },
        project_names=frozenset(
            source.name for layer in layers if layer.project for source in layer.sources
        ),
    )


def check_all(loaded: Loaded, read_list: ReadList | None) -> tuple[Problem, ...]:
    """The mistakes of a surveyed configuration, then those of the task list.

    `read_list` is None where there is no task list. Hooks and providers with mistakes of their own
    count as known, so that one mistake is told once.
    """
    if read_list is None:
        return loaded.problems
    try:
        read_list(loaded.settings)
    except InputError as error:
        return (*loaded.problems, *error.problems)
    return loaded.problems


def _long(layer: Layer, expect: Expect) -> Layer:
    # before merging: a hook given as a bare command in one file and as a mapping in another would
    # otherwise replace it instead of adding to it
    return attrs.evolve(layer, root=in_long_form(layer.root, Settings, expect))


def _merged(layers: Iterable[Layer]) -> Fields:
    tree = Fields({}, {}, 0, Source("configuration", "", numbered=False))
    for layer in layers:
        tree = merge_trees(tree, layer.root)
    return tree


def _users(
    layers: list[Layer], settings: Settings, bases: Mapping[Source, Path], places: Places
) -> Settings:
    """The settings without the project's files, where these have a say in who is asked."""
    if not any(layer.project and "providers" in layer.root.values for layer in layers):
        return settings
    tree = _merged(layer for layer in layers if not layer.project)
    users: Settings = Binder(Expect(), bases, places).bind(Settings, tree)
    return users


def _refuse_own_trust(layers: Iterable[Layer], expect: Expect) -> None:
    """Notes where a project's file would trust itself."""
    for layer in layers:
        named = layer.root.values.get("trust")
        if layer.project and isinstance(named, Items) and named.items:
            hint = "move it to ~/.agent-runner/config.yml"
            expect.note(layer.root.keys["trust"], "a project cannot trust itself", hint)


def _with_test_hook(settings: Settings, origins: dict[str, str]) -> Settings:
    """The settings with `test_command` made what it is short for."""
    command = settings.test_command
    if command is None or TEST_HOOK in settings.hooks:
        return settings
    others = tuple(name for name in settings.defaults.post_hooks if name != TEST_HOOK)
    origins[f"hooks.{TEST_HOOK}.command"] = origins["test_command"]
    origins.setdefault("defaults.post_hooks", origins["test_command"])
    return attrs.evolve(
        settings,
        hooks={**settings.hooks, TEST_HOOK: Hook(TEST_HOOK, command)},
        defaults=attrs.evolve(settings.defaults, post_hooks=(TEST_HOOK, *others)),
    )


def _origin(node: Node) -> str:
    line, column = node.source.position(node.at)
    return f"{node.source.name}:{line}:{column}" if line else node.source.name


def _in_order(problems: list[Problem], layers: list[Layer]) -> tuple[Problem, ...]:
    """Each once, in the order of the layers, within a file by position."""
    rank = {source.name: n for n, layer in enumerate(layers) for source in layer.sources}
    return tuple(
        sorted(dict.fromkeys(problems), key=lambda p: (rank.get(p.file, -1), p.line, p.column))
    )


def _warn_of_tracked_keys(layers: Iterable[Layer], warnings: list[Problem]) -> None:
    """Notes every `api_key` in a project's file that git tracks. Asks git only if there is one."""
    for layer in layers:
        keys = _keys(layer.root)
        if layer.project and keys and layer.file is not None and _is_tracked(layer.file):
            hint = "name a variable with api_key_env instead, and replace the key"
            warnings += [k.problem("git tracks this file, and the key in it", hint) for k in keys]


def _keys(root: Fields) -> list[Scalar]:
    providers = root.values.get("providers")
    entries = providers.values.values() if isinstance(providers, Fields) else ()
    return [
        entry.keys["api_key"]
        for entry in entries
        if isinstance(entry, Fields)
        and isinstance(value := entry.values.get("api_key"), Scalar)
        and value.value is not None
    ]


def _is_tracked(file: Path) -> bool:
    """Whether git knows the file; without git, or where it does not answer, it does not."""
    command = ["git", "-C", str(file.parent), "ls-files", "--error-unmatch", "--", file.name]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
