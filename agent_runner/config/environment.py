"""Options from `AGENT_RUNNER_*` variables: `__` goes one level down, values are read as YAML."""

from collections.abc import Mapping

from attrs import define, frozen

from agent_runner.config.layers import Layer, Places, plant
from agent_runner.config.schema import LEAVES, Option, OptionKind, leaves_of, options_of
from agent_runner.documents import Expect, Fields, Node, Scalar, Source, Suggestions, read_value
from agent_runner.ground.config_files import GLOBAL_VARIABLE
from agent_runner.model.errors import InputError, Problem
from agent_runner.model.settings import Settings

PREFIX = "AGENT_RUNNER_"

_TOLD = ("TASK", "ATTEMPT", "RUN_ID", "EVENT", "AT", "LIST", "REASON", "NOT_BEFORE")

_PARANOID = PREFIX + "PARANOID"

NO_OPTIONS = frozenset({GLOBAL_VARIABLE, _PARANOID, *(PREFIX + name for name in _TOLD)})
"""Variables with the prefix that are no options.

Hooks and notify commands are given most of them; one asks for a check of the state.
"""

_TYPO = 0.8
_NULLS = frozenset({"null", "~"})
_LITERAL = frozenset({OptionKind.TEXT, OptionKind.PATH, OptionKind.CHOICE})


@frozen
class Variable:
    """An environment variable that sets an option. `path` is the option's, dotted."""

    name: str
    path: str
    option: Option


def environment_variables() -> list[Variable]:
    """Every variable that configures, by option; `<NAME>` stands for an entry's own name."""
    return [
        Variable(PREFIX + "__".join(path).upper(), ".".join(path), option)
        for path, option in leaves_of(Settings)
    ]


def environment_layer(
    env: Mapping[str, str],
    below: Fields,
    places: Places,
    expect: Expect,
    warnings: list[Problem],
) -> Layer:
    """What the environment sets. `below`: the merged files, whose names variables may refer to."""
    tree = Fields({}, {}, 0, Source("environment", "", numbered=False))
    sources = []
    # the shallow ones first: AGENT_RUNNER_HOOKS sets all hooks, AGENT_RUNNER_HOOKS__X adds to them
    for name in sorted(env, key=lambda name: (name.count("__"), name)):
        if not name.startswith(PREFIX) or name in NO_OPTIONS or not env[name]:
            continue
        shown = f"variable {name}"
        found = _find(name.removeprefix(PREFIX).split("__"), Settings, below)
        if isinstance(found, _Unknown):
            listed = expect.problems if found.certain else warnings
            listed.append(Problem(shown, 0, 0, f"there is no option {found.what}", found.hint))
            continue
        try:
            node = _node(found.option, env[name], shown)
        except InputError as error:
            expect.problems += error.problems
            continue
        sources.append(node.source)
        plant(tree, found.path, node)
    return Layer(tree, places.cwd, sources=tuple(sources))


@define
class _SetOption:
    path: tuple[str, ...]
    option: Option


@define
class _Unknown:
    """`certain`: a mistake beyond doubt; otherwise the variable may be somebody else's."""

    what: str
    hint: str
    certain: bool


def _find(
    parts: list[str], cls: type, below: Node | None, above: tuple[str, ...] = ()
) -> _SetOption | _Unknown:
    """The option that `PROVIDERS`, `CLAUDE`, `MODEL` names within `cls`."""
    option = options_of(cls).get(parts[0].lower())
    if option is None:
        return _unknown(above, parts[0].lower(), cls)
    path, rest = (*above, option.name), parts[1:]
    below = _child(below, option.name)
    if rest and option.kind is OptionKind.ENTRIES:
        path, rest = (*path, _entry_name(rest[0], below)), rest[1:]
        below = _child(below, path[-1])
    if not rest:
        return _SetOption(path, option)
    if option.kind in LEAVES:
        what = ".".join((*path, *(part.lower() for part in rest)))
        return _Unknown(what, f"{'.'.join(path)} is set as a whole", certain=True)
    return _find(rest, option.cls, below, path)


def _child(node: Node | None, name: str) -> Node | None:
    return node.values.get(name) if isinstance(node, Fields) else None


def _entry_name(part: str, entries: Node | None) -> str:
    """The entry of the files that `UNIT_TESTS` means (`unit-tests`), or a new one in lower case."""
    if isinstance(entries, Fields):
        for name in entries.values:
            if _folded(name) == _folded(part):
                return name
    return part.lower()


def _folded(name: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in name.casefold())


def _unknown(path: tuple[str, ...], part: str, cls: type) -> _Unknown:
    what = ".".join((*path, part))
    suggestions = Suggestions(options_of(cls))
    if path:
        return _Unknown(what, suggestions.hint(part), certain=True)
    nearest = suggestions.nearest(part, close=_TYPO)
    if nearest is None:
        return _Unknown(what, "the variable is ignored", certain=False)
    return _Unknown(what, f"did you mean {PREFIX}{nearest.upper()}?", certain=True)


def _node(option: Option, text: str, name: str) -> Node:
    """Text is taken as it is, all else is read as a value of YAML. Raises InputError."""
    literal = option.kind in _LITERAL or (option.kind is OptionKind.COMMAND and text[0] != "[")
    if literal and not (option.optional and text in _NULLS):
        return Scalar(text, text, 0, Source(name, text, numbered=False))
    return read_value(text, name=name).root
