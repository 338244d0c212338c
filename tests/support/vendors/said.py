"""What a stand-in says, what it charges, and what each of its three protocols must know."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol as Interface

from attrs import field, frozen

from tests.providers.dialects import Pieces

MODEL = "some-model-1"
PIECE = 7
"""Characters of text or arguments in one event of a stream."""


@frozen
class Call:
    """A tool that the model asks for; a text in place of arguments is sent as it is."""

    name: str
    arguments: Mapping[str, Any] | str = field(factory=dict, hash=False)
    freeform: bool = False

    @property
    def text(self) -> str:
        """The arguments as they go over the wire."""
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(self.arguments, ensure_ascii=False)


@frozen
class Say:
    """One answer of the model's.

    Attributes:
        thinking: Its thoughts, which must come back unchanged; "" for a model that does not think.
        cut: Whether it ended at the cap on its output.
    """

    text: str = ""
    calls: Sequence[Call] = ()
    thinking: str = "Let me think: größer."
    cut: bool = False


@frozen
class Used:
    """Tokens that a request is charged; `cached` and `written` are parts of `input`."""

    input: int
    cached: int
    written: int
    output: int


class RefusedError(Exception):
    """What a server turns away, with its status and the field that it names."""

    def __init__(self, what: str, *, status: int = 400, param: str = "") -> None:
        super().__init__(what)
        self.status = status
        self.param = param


class Protocol(Interface):
    """One of the three protocols, as its server speaks it."""

    @property
    def name(self) -> str:
        """As the configuration calls it."""

    @property
    def path(self) -> str:
        """The end of its address."""

    def check(self, body: Mapping[str, Any], issued: list[Any]) -> None:
        """Raise RefusedError for what the vendor's server would not take; `issued`: its answers."""

    def answer(self, say: Say, number: int, body: Mapping[str, Any], used: Used) -> Any:
        """The n-th answer, whole."""

    def events(self, whole: Any) -> Pieces:
        """The same as a stream."""

    def pieces(self, body: Mapping[str, Any]) -> list[tuple[str, bool]]:
        """The prompt in the order in which it is cached, and whether it is kept up to a piece."""

    def error(self, refused: RefusedError) -> Mapping[str, Any]:
        """The body of an error."""


def tokens_of(text: str) -> int:
    """About how many tokens a text is."""
    return len(text) // 4 + 1


def split(text: str) -> list[str]:
    """A text in the pieces in which a stream brings it."""
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]


def only(holder: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Refuse fields that nobody knows."""
    for name in holder:
        if name not in known:
            raise RefusedError(f"{where}{name}: Extra inputs are not permitted", param=name)


def demand(condition: object, what: str, *, status: int = 400, param: str = "") -> None:
    """Refuse unless the condition holds."""
    if not condition:
        raise RefusedError(what, status=status, param=param)


def readable(arguments: str) -> str:
    """A call's arguments as they must come back: what is no JSON object stands in one."""
    try:
        content = json.loads(arguments or "{}", parse_constant=_refuse)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        return json.dumps({"invalid": arguments})
    return arguments or "{}"


def _refuse(word: str) -> None:
    raise ValueError(word)


def plain(value: Any) -> str:
    """A value as text that is the same for equal values."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
