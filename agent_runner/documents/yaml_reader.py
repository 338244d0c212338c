"""YAML to a tree: the parser's events, built into nodes by our own builder.

The parser is ruamel.yaml's: the one in C where its extension is installed (twenty times quicker),
else the one in Python. What they leave open is settled here, the same for both: YAML 1.2 words,
duplicate keys, merge keys (`<<`), and bounds on nesting and on what aliases expand to.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from agent_runner.documents.tree import Document, Scalar, Source
from agent_runner.documents.yaml_builder import OTHER_BREAKS, Builder
from agent_runner.documents.yaml_errors import syntax_problem
from agent_runner.model.errors import InputError, Problem


def parse_yaml(source: Source) -> Document:
    """The one document in `source`; an empty one has None as its root. Raises InputError.

    What the parser in C refuses is read again by the one in Python: it takes surrogate pairs, as
    JSON writes them, and its words are then the same wherever the program runs.
    """
    quick = _c_parser()
    found = _parsed(source, quick) if quick else None
    return found if isinstance(found, Document) else parse_yaml_in_python(source)


def parse_yaml_in_python(source: Source) -> Document:
    """The same by the parser in Python, whatever is installed."""
    found = _parsed(source, _python_parser)
    if isinstance(found, Document):
        return found
    raise InputError(found)


def _parsed(source: Source, parser: "_Parser") -> Document | tuple[Problem, ...]:
    """The document, or the mistakes known when the parser gives up.

    Raises InputError where our own bounds are passed.
    """
    aside = any(chr(code) in source.text for code in OTHER_BREAKS)
    text = source.text.translate(OTHER_BREAKS) if aside else source.text
    builder = Builder(source, restore=aside)
    events = parser(text)
    while True:
        try:
            event = next(events, None)
        except Exception as error:  # noqa: BLE001  # parsers trip over odd input in many ways
            return (*builder.problems, syntax_problem(source, error))
        if event is None:
            break
        builder.take(event)
    return Document(source, builder.root or Scalar(None, "", 0, source), tuple(builder.problems))


_Parser: TypeAlias = Callable[[str], Iterator[Any]]


def _c_parser() -> _Parser | None:
    """The parser of the optional C extension, or None."""
    try:
        from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]  # the extension's own
    except ImportError:
        return None

    def events(text: str) -> Iterator[Any]:
        parser = CParser(text)
        while (event := parser.get_event()) is not None:
            yield event

    return events


def _python_parser(text: str) -> Iterator[Any]:
    from ruamel.yaml import YAML

    events: Iterator[Any] = YAML(typ="safe", pure=True).parse(text)
    return events
