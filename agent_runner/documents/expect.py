"""Reads nodes as what they ought to be, and says so where they are not."""

import math
from collections.abc import Iterable

from agent_runner.documents.tree import Fields, Items, Node, Scalar, described, quoted
from agent_runner.ground.suggestions import Suggestions
from agent_runner.model.errors import Problem


class Expect:
    """Collects mistakes in `problems`, in the order they are met.

    Every method takes the node and the name by which a message calls it. It returns None where the
    node is something else; the mistake is then already noted.
    """

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        self.problems = list(problems)

    def note(self, node: Node, message: str, hint: str = "") -> None:
        """Note a mistake at `node`, with advice where there is some."""
        self.problems.append(node.problem(message, hint))

    def text(self, node: Node, name: str) -> str | None:
        """Text that is not blank."""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            if node.value.strip():
                return node.value
            self.note(node, f"{name} must not be empty")
            return None
        hint = ""
        if isinstance(node, Scalar) and node.value is not None:
            hint = f'put it in quotes: "{node.text}"'
        self._wrong(node, name, "text", hint)
        return None

    def texts(self, node: Node, name: str) -> tuple[str, ...] | None:
        """A list of texts; where some items are something else, the others."""
        if not isinstance(node, Items):
            hint = "write [] for none"
            if isinstance(node, Scalar) and isinstance(node.value, str):
                hint = f"write [{node.text}]" if node.text.isprintable() else "put it in [ ]"
            self._wrong(node, name, "a list", hint)
            return None
        found = (self.text(item, f"an item of {name}") for item in node.items)
        return tuple(text for text in found if text is not None)

    def whole(self, node: Node, name: str, least: int) -> int | None:
        """A whole number, at least `least`."""
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, float) and math.isfinite(value) and value == int(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong(node, name, "a whole number", _digits_hint(node))
            return None
        if value < least:
            self.note(node, f"{name} must be at least {least}, not {value}")
            return None
        return value

    def number(self, node: Node, name: str) -> float | None:
        """A number, whole or not, neither infinite nor NaN."""
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._wrong(node, name, "a number", _digits_hint(node))
            return None
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self._wrong(node, name, "a number")
            return None
        return number

    def switch(self, node: Node, name: str) -> bool | None:
        """True or false; YAML 1.1's yes, no, on and off are text in YAML 1.2, and are explained."""
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        text = node.text.lower() if isinstance(node, Scalar) else ""
        meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(text)
        self._wrong(node, name, "true or false", f"write {meant}" if meant else "")
        return None

    def fields(self, node: Node, name: str) -> Fields | None:
        """A mapping of keys to values."""
        if isinstance(node, Fields):
            return node
        self._wrong(node, name, "a mapping (key: value)")
        return None

    def known_keys(self, node: Fields, name: str, known: Suggestions) -> None:
        """Notes every key that is not among `known`; keys beginning with `x-` are the writer's."""
        for key, at, _ in node:
            if key not in known.words and not key.startswith("x-"):
                self.note(at, f"{name} has no key {quoted(key)}", known.hint(key))

    def _wrong(self, node: Node, name: str, expected: str, hint: str = "") -> None:
        self.note(node, f"{name} must be {expected}, not {described(node)}", hint)


def _digits_hint(node: Node) -> str:
    """Advice for `16_000` and `16,000`, and for numbers in quotes."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return ""
    digits = node.text.replace("_", "").replace(",", "").strip()
    return f"write {digits}" if digits.isascii() and digits.isdigit() else ""
