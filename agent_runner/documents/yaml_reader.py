"""YAML to a tree: the parser's events, built into nodes by our own builder.

The parser is ruamel.yaml's: the one in C where its extension is installed (twenty times quicker),
else the one in Python. What they leave open is settled here, the same for both: YAML 1.2 words,
duplicate keys, merge keys (`<<`), and bounds on nesting and on what aliases expand to.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from agent_runner.documents.tree import Document, Scalar, Source, quoted
from agent_runner.documents.yaml_builder import OTHER_BREAKS, Builder
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
    # YAML 1.2 dropped these as line ends, the parsers did not: positions would be off after one
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


def has_c_parser() -> bool:
    """Whether YAML is read by the C extension of the extra `fast`: some ten times quicker."""
    return _c_parser() is not None


def _python_parser(text: str) -> Iterator[Any]:
    from ruamel.yaml import YAML

    events: Iterator[Any] = YAML(typ="safe", pure=True).parse(text)
    return events


_HINTS = (
    (
        "mapping values are not allowed",
        'check the indentation; text with ": " in it needs quotes',
    ),
    ("cannot start any token", "text that begins like this needs quotes"),
    ("could not find expected ':'", 'a key needs ": " after it; check the indentation'),
    ("expected <block end>", "check the indentation of this line and those before it"),
    ("did not find expected key", "check the indentation of this line and those before it"),
    ("did not find expected '-'", "check the indentation of this line and those before it"),
    ("unexpected end of stream", "a quote is not closed"),
    ("<stream end>", "a bracket is not closed"),
    ("expected ',' or", "a bracket is not closed, or a comma is missing"),
    ("unknown escape character", "within double quotes a backslash is written twice"),
)
_TAB_INDENT = re.compile(r" *\t")


def syntax_problem(source: Source, error: Exception) -> Problem:
    """The mistake behind a parser's error: one of ruamel.yaml's, or whatever else it threw."""
    mark: Any = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "context", None)
    if mark is None or not what:
        return source.problem(0, f"this is not valid YAML: {quoted(_first_line(error), 120)}")
    at = min(mark.index, len(source.text))
    line = source.text[source.text.rfind("\n", 0, at) + 1 :].partition("\n")[0]
    words = " ".join(str(what).split())
    if _TAB_INDENT.match(line) or "'\\t'" in words:
        return source.problem(at, "a tab is used where YAML allows only spaces", "use spaces")
    context = " ".join(str(getattr(error, "context", None) or "").split())
    during = f" ({context})" if context and context != words else ""
    return source.problem(at, f"this is not valid YAML: {words}{during}", _hint(words))


def _hint(words: str) -> str:
    return next((hint for part, hint in _HINTS if part in words), "")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
