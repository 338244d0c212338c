"""Nodes from the events of a YAML parser; aliases and nesting are kept within bounds."""

from collections.abc import Callable
from typing import Any, NoReturn

from attrs import define, field

from agent_runner.documents.tree import (
    MAX_DEPTH,
    Fields,
    Items,
    Node,
    Scalar,
    Source,
    quoted,
    resolved,
)
from agent_runner.model.errors import InputError, Problem

MAX_EXPANDED = 1_000_000
"""Most values that the aliases of one document may stand for, taken together."""

_TAGS = "tag:yaml.org,2002:"
_MERGE = "<<"
OTHER_BREAKS = {0x85: 0xE085, 0x2028: 0xE028, 0x2029: 0xE029}
"""Characters that the parser takes for line ends, as YAML 1.1 did; put aside while it reads."""


@define
class _Anchor:
    """What an alias stands for. `size`: values in it, aliases expanded; `height`: levels below."""

    node: Node
    size: int = 0
    height: int = 0
    open: bool = True


@define
class _Frame:
    """A collection being built. `key`: the one whose value comes next, `None`: a key comes next."""

    node: Items | Fields
    anchor: _Anchor | None
    count_before: int
    height: int = 0
    key: Scalar | None = None
    merging: bool = False
    merged: list[Fields] = field(factory=list)


class Builder:
    """Takes events and builds nodes; `problems` are those beside which the rest can be read."""

    def __init__(self, source: Source, *, restore: bool) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._source = source
        self._restore = {new: old for old, new in OTHER_BREAKS.items()} if restore else None
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Anchor] = {}
        self._count = 0
        self._expanded = 0
        self._take_by_name: dict[str, Callable[[Any], None]] = {
            "ScalarEvent": self._scalar,
            "MappingStartEvent": self._mapping,
            "SequenceStartEvent": self._sequence,
            "MappingEndEvent": self._mapping_end,
            "SequenceEndEvent": self._collection_end,
            "AliasEvent": self._alias,
            "DocumentStartEvent": self._document,
        }

    def take(self, event: Any) -> None:
        """Build on with the next event."""
        take = self._take_by_name.get(type(event).__name__)
        if take:
            take(event)

    def _document(self, event: Any) -> None:
        if self.root is not None:
            self._fail(event, "a second document begins here", "a file may hold only one")

    def _scalar(self, event: Any) -> None:
        text = event.value
        if self._restore:
            text = text.translate(self._restore)
        node = Scalar(text, text, event.start_mark.index, self._source)
        if event.style == '"' and not text.isascii():
            text = self._joined(node, text)
        if "\0" in text:
            self.problems.append(node.problem("a NUL character is not allowed"))
        tag = event.tag
        if tag is None or tag == "!":
            node.value = resolved(text) if not event.style and tag is None else text
        else:
            self._tagged(node, tag)
        self._count += 1
        if event.anchor:
            self._anchors[event.anchor] = _Anchor(node, size=1, open=False)
        self._place(node)

    def _joined(self, node: Scalar, text: str) -> str:
        r"""Text with pairs like "\ud83d\ude00" made one character, as JSON writes them."""
        try:
            joined = text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.problems.append(node.problem("half a surrogate pair is not a character"))
            joined = text.encode(errors="replace").decode()
        node.value = node.text = joined
        return joined

    def _tagged(self, node: Scalar, tag: str) -> None:
        kinds: dict[str, tuple[type, ...]] = {
            "int": (int,),
            "float": (float, int),
            "bool": (bool,),
            "null": (type(None),),
        }
        name = tag.removeprefix(_TAGS)
        value = resolved(node.text)
        if name == "str":
            return
        if name in kinds and isinstance(value, kinds[name]):
            node.value = value
            return
        message = f"{quoted(node.text)} is no {name}" if name in kinds else _unknown_tag(tag)
        self.problems.append(node.problem(message))

    def _mapping(self, event: Any) -> None:
        self._begin(event, Fields({}, {}, event.start_mark.index, self._source), "map")

    def _sequence(self, event: Any) -> None:
        self._begin(event, Items([], event.start_mark.index, self._source), "seq")

    def _begin(self, event: Any, node: Items | Fields, kind: str) -> None:
        if len(self._frames) >= MAX_DEPTH:
            self._fail(event, f"more than {MAX_DEPTH} levels of nesting")
        if event.tag not in (None, "!", _TAGS + kind):
            self.problems.append(node.problem(_unknown_tag(event.tag)))
        anchor = _Anchor(node) if event.anchor else None
        if anchor:
            self._anchors[event.anchor] = anchor
        self._frames.append(_Frame(node, anchor, self._count))
        self._count += 1

    def _mapping_end(self, event: Any) -> None:
        frame = self._frames[-1]
        own = frame.node
        # at the end, not where << stands: the mapping's own keys win wherever they are written
        for other in frame.merged:
            for name, key, value in other:
                if isinstance(own, Fields) and name not in own.values:
                    own.values[name] = value
                    own.keys[name] = key
        self._collection_end(event)

    def _collection_end(self, _event: Any) -> None:
        frame = self._frames.pop()
        height = frame.height + 1
        if frame.anchor:
            frame.anchor.open = False
            frame.anchor.size = self._count - frame.count_before
            frame.anchor.height = height
        self._place(frame.node, height)

    def _alias(self, event: Any) -> None:
        anchor = self._anchors.get(event.anchor)
        name = quoted("*" + event.anchor)
        if anchor is None:
            self._fail(event, f"{name} refers to nothing: there is no &{event.anchor} before it")
        if anchor.open:
            self._fail(event, f"{name} refers to a value that contains it")
        self._expanded += anchor.size
        self._count += anchor.size
        # aliases of aliases grow like powers ("a billion laughs"): counted here, never copied out
        if self._expanded > MAX_EXPANDED:
            self._fail(event, f"the aliases expand to more than {MAX_EXPANDED:,} values")
        if len(self._frames) + anchor.height > MAX_DEPTH:
            self._fail(event, f"more than {MAX_DEPTH} levels of nesting")
        self._place(anchor.node, anchor.height)

    def _place(self, node: Node, height: int = 0) -> None:
        """Put a finished node into the collection that is open, or make it the root."""
        if not self._frames:
            self.root = node
            return
        frame = self._frames[-1]
        frame.height = max(frame.height, height)
        into = frame.node
        if isinstance(node, Scalar) and not node.text and node.value is None:
            self._locate_empty(frame, node)
        if isinstance(into, Items):
            into.items.append(node)
        elif frame.merging:
            self._merge(frame, node)
        elif frame.key is None:
            self._key(frame, node)
        else:
            if frame.key.text not in into.values:
                into.values[frame.key.text] = node
                into.keys[frame.key.text] = frame.key
            frame.key = None

    def _locate_empty(self, frame: _Frame, node: Scalar) -> None:
        """Nothing stands where the next token is, says the parser; better: at its key or dash."""
        if frame.key is not None:
            node.at = frame.key.at
        elif isinstance(frame.node, Items):
            node.at = max(self._source.text.rfind("-", 0, node.at), frame.node.at)

    def _key(self, frame: _Frame, node: Node) -> None:
        """Take `node` as the next key: its text as written, so that `on:` or `1:` are words."""
        if not isinstance(node, Scalar):
            self.problems.append(node.problem("a key must be a word, not a list or mapping"))
            frame.key = Scalar("", "", node.at, self._source)
            return
        into = frame.node
        if node.text == _MERGE and self._source.text.startswith(_MERGE, node.at):
            frame.merging = True
        elif isinstance(into, Fields) and node.text in into.values:
            first, _ = self._source.position(into.keys[node.text].at)
            hint = f"the first one is on line {first}" if first else ""
            message = f"the key {quoted(node.text)} is given twice"
            self.problems.append(node.problem(message, hint))
        frame.key = node

    def _merge(self, frame: _Frame, node: Node) -> None:
        frame.merging = False
        frame.key = None
        parts = node.items if isinstance(node, Items) else [node]
        for part in parts:
            if isinstance(part, Fields):
                frame.merged.append(part)
            else:
                self.problems.append(part.problem("<< takes a mapping, or a list of mappings"))

    def _fail(self, event: Any, message: str, hint: str = "") -> NoReturn:
        problem = self._source.problem(event.start_mark.index, message, hint)
        raise InputError((*self.problems, problem))


def _unknown_tag(tag: str) -> str:
    return f"the tag {quoted(tag)} is not supported"
