"""Where configuration comes from: files, environment, flags; each a tree, merged into one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from agent_runner.config.schema import Option, OptionKind, options_of
from agent_runner.documents import (
    Document,
    Expect,
    Fields,
    Items,
    Node,
    Scalar,
    Source,
    read_document,
)
from agent_runner.documents.tree import resolved
from agent_runner.ground.config_files import GLOBAL_VARIABLE, PROJECT_FILES, global_file
from agent_runner.ground.presence import may_be_there
from agent_runner.model.errors import InputError, Problem
from agent_runner.model.hooks import Hook
from agent_runner.model.settings import ApplySettings, CommandsRule


@frozen(eq=False)
class Layer:
    """One place of configuration. `base`: the folder that relative paths in it start from.

    `file` is None for the environment and flags.
    """

    root: Fields
    base: Path
    file: Path | None = None
    project: bool = False
    sources: tuple[Source, ...] = field(factory=tuple)


@frozen
class Places:
    """The folders that matter: of the task list, of the user, and the current one; all absolute."""

    folder: Path
    home: Path
    cwd: Path

    def shown(self, file: Path) -> str:
        """`file` as a person would write it: from the current folder, from home, or in full."""
        if file.is_relative_to(self.cwd):
            return str(file.relative_to(self.cwd))
        return f"~/{file.relative_to(self.home)}" if file.is_relative_to(self.home) else str(file)


def file_layers(
    places: Places, env: Mapping[str, str], expect: Expect, warnings: list[Problem]
) -> list[Layer]:
    """The files that there are, the global one first. What cannot be read is noted."""
    layers = []
    for file, base in _files(places, env, expect, warnings):
        name = places.shown(file)
        try:
            document = read_document(file, name=name)
        except InputError as error:
            expect.problems += error.problems
            document = Document(Source(name, ""), Scalar(None, "", 0, Source(name, "")))
        expect.problems += document.problems
        root = _root_fields(document, expect)
        project = base == places.folder
        layers.append(Layer(root, base, file, project, (document.source,)))
    return layers


def flag_layer(flags: Mapping[str, Any], places: Places) -> Layer:
    """The flags that were given: dotted path to value, None for one that was not."""
    tree = Fields({}, {}, 0, Source("flags", "", numbered=False))
    sources = []
    for path, value in flags.items():
        if value is not None:
            source = Source(f"flag {path}", "", numbered=False)
            sources.append(source)
            plant(tree, tuple(path.split(".")), as_node(value, source))
    return Layer(tree, places.cwd, sources=tuple(sources))


def plant(tree: Fields, path: tuple[str, ...], node: Node) -> None:
    """Put `node` into `tree` under `path`, making the mappings on the way."""
    for depth, name in enumerate(path):
        tree.keys.setdefault(name, Scalar(name, name, 0, node.source))
        if depth == len(path) - 1:
            tree.values[name] = node
            return
        below = tree.values.get(name)
        if not isinstance(below, Fields):
            below = tree.values[name] = Fields({}, {}, 0, node.source)
        tree = below


def as_node(value: Any, source: Source) -> Node:
    """Python's own values as a tree; text is read as a word of YAML where an option asks for it."""
    if isinstance(value, Mapping):
        values = {str(key): as_node(item, source) for key, item in value.items()}
        keys = {key: Scalar(key, key, 0, source) for key in values}
        return Fields(values, keys, 0, source)
    if isinstance(value, list | tuple):
        return Items([as_node(item, source) for item in value], 0, source)
    if value is None or isinstance(value, bool | int | float):
        return Scalar(value, str(value).lower(), 0, source)
    return Scalar(resolved(str(value)), str(value), 0, source)


def merge_trees(below: Fields, above: Fields) -> Fields:
    """Both trees in one, `above` winning. Neither is changed; nodes keep their sources."""
    values, keys = dict(below.values), dict(below.keys)
    for name, key, node in above:
        under = values.get(name)
        if isinstance(under, Fields) and isinstance(node, Fields):
            node = merge_trees(under, node)  # noqa: PLW2901  # the merged one stands for it
        values[name], keys[name] = node, key
    return Fields(values, keys, above.at, above.source)


def in_long_form(fields: Fields, cls: type, expect: Expect) -> Fields:
    """The tree in its long form, so that short and long forms of two layers merge.

    A group without a value (all its lines commented out) is an empty one; a hook given as a command
    is a mapping with that command; `commands: {allow: [...]}` is `commands: allow` and `allow`.
    """
    options = options_of(cls)
    values = {
        name: _option_in_long_form(node, options[name], expect) if name in options else node
        for name, _, node in fields
    }
    out = Fields(values, dict(fields.keys), fields.at, fields.source)
    if cls is ApplySettings:
        _split_commands(out, expect)
    return out


def _files(
    places: Places, env: Mapping[str, str], expect: Expect, warnings: list[Problem]
) -> list[tuple[Path, Path]]:
    """Each file with the folder that its relative paths start from."""
    found = []
    own = global_file(places.home, places.cwd, env)
    if own is not None and (env.get(GLOBAL_VARIABLE) or may_be_there(own)):
        found.append((own, own.parent))
    there = [places.folder / file for file in PROJECT_FILES if may_be_there(places.folder / file)]
    there = [file for file in there if file != own]
    if len(there) > 1:
        first, second = map(places.shown, there)
        message = f"there are two configurations of this project: {first} and {second}"
        expect.problems.append(Problem(second, 0, 0, message, "keep one of them"))
    found += [(file, places.folder) for file in there]
    for name in ("agent-runner.yaml", "agent-runner.json"):
        if may_be_there(places.folder / name):
            shown = places.shown(places.folder / name)
            warnings.append(
                Problem(shown, 0, 0, "this file is not read", "name it agent-runner.yml")
            )
    return found


def _root_fields(document: Document, expect: Expect) -> Fields:
    root = document.root
    if not isinstance(root, Fields) and not document.empty:
        expect.fields(root, "a configuration")
    return root if isinstance(root, Fields) else Fields({}, {}, 0, document.source)


def _option_in_long_form(node: Node, option: Option, expect: Expect) -> Node:
    if option.kind not in {OptionKind.GROUP, OptionKind.ENTRIES}:
        return node
    node = _mapping_if_nothing(node)
    if not isinstance(node, Fields):
        return node
    if option.kind is OptionKind.GROUP:
        return in_long_form(node, option.cls, expect)
    entries: dict[str, Node] = {}
    for name, _, entry in node:
        long = _long_hook(entry) if option.cls is Hook else _mapping_if_nothing(entry)
        entries[name] = in_long_form(long, option.cls, expect) if isinstance(long, Fields) else long
    return Fields(entries, dict(node.keys), node.at, node.source)


def _mapping_if_nothing(node: Node) -> Node:
    if isinstance(node, Scalar) and node.value is None:
        return Fields({}, {}, node.at, node.source)
    return node


def _long_hook(node: Node) -> Node:
    if isinstance(node, Fields) or (isinstance(node, Scalar) and node.value is None):
        return _mapping_if_nothing(node)
    key = Scalar("command", "command", node.at, node.source)
    return Fields({"command": node}, {"command": key}, node.at, node.source)


def _split_commands(apply: Fields, expect: Expect) -> None:
    """Turn `commands: {allow: [...]}` into its two options, in place."""
    commands = apply.values.get("commands")
    if not isinstance(commands, Fields):
        return
    patterns = commands.values.get("allow")
    if not isinstance(patterns, Items) or len(commands.values) > 1:
        expect.note(commands, "apply.commands must be never, ask or allow: [patterns]")
        apply.values["commands"] = Scalar(None, "null", commands.at, commands.source)
        return
    if "allow" in apply.values:
        expect.note(apply.keys["allow"], "the allowed commands are listed twice", "keep one list")
    word = CommandsRule.ALLOW.value
    apply.values["commands"] = Scalar(word, word, commands.at, commands.source)
    apply.values["allow"] = patterns
    apply.keys["allow"] = apply.keys["commands"]
