"""One tree out of many: later layers win, mappings merge key by key, lists are replaced."""

from agent_runner.config.schema import Kind, Option, options_of
from agent_runner.documents import Expect, Fields, Items, Node, Scalar
from agent_runner.model.hooks import Hook
from agent_runner.model.settings import ApplySettings, CommandsRule


def merged(below: Fields, above: Fields) -> Fields:
    """Both trees in one, `above` winning. Neither is changed; nodes keep their sources."""
    values, keys = dict(below.values), dict(below.keys)
    for name, key, node in above:
        under = values.get(name)
        if isinstance(under, Fields) and isinstance(node, Fields):
            node = merged(under, node)  # noqa: PLW2901  # the merged one stands for it
        values[name], keys[name] = node, key
    return Fields(values, keys, above.at, above.source)


def normalised(fields: Fields, cls: type, expect: Expect) -> Fields:
    """The tree in its long form, so that short and long forms of two layers merge.

    A group without a value (all its lines commented out) is an empty one; a hook given as a command
    is a mapping with that command; `commands: {allow: [...]}` is `commands: allow` and `allow`.
    """
    options = options_of(cls)
    values = {
        name: _normalised(node, options[name], expect) if name in options else node
        for name, _, node in fields
    }
    out = Fields(values, dict(fields.keys), fields.at, fields.source)
    if cls is ApplySettings:
        _split_commands(out, expect)
    return out


def _normalised(node: Node, option: Option, expect: Expect) -> Node:
    if option.kind not in {Kind.GROUP, Kind.ENTRIES}:
        return node
    node = _mapping_if_nothing(node)
    if not isinstance(node, Fields):
        return node
    if option.kind is Kind.GROUP:
        return normalised(node, option.cls, expect)
    entries: dict[str, Node] = {}
    for name, _, entry in node:
        long = _long_hook(entry) if option.cls is Hook else _mapping_if_nothing(entry)
        entries[name] = normalised(long, option.cls, expect) if isinstance(long, Fields) else long
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
        expect.note(apply.keys["allow"], "the allowed commands are given twice", "keep one list")
    word = CommandsRule.ALLOW.value
    apply.values["commands"] = Scalar(word, word, commands.at, commands.source)
    apply.values["allow"] = patterns
    apply.keys["allow"] = apply.keys["commands"]
