"""What a YAML parser stumbled over, said so that the writer of the file can mend it."""

import re
from typing import Any

from agent_runner.documents.tree import Source, quoted
from agent_runner.model.errors import Problem

_HINTS = (
    (
        "mapping values are not allowed",
        'check the indentation; a text with ": " in it needs quotes',
    ),
    ("cannot start any token", "a text that begins so needs quotes"),
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
        return source.problem(0, f"this is no valid YAML: {quoted(_first_line(error), 120)}")
    at = min(mark.index, len(source.text))
    line = source.text[source.text.rfind("\n", 0, at) + 1 :].partition("\n")[0]
    words = " ".join(str(what).split())
    if _TAB_INDENT.match(line) or "'\\t'" in words:
        return source.problem(at, "a tab stands where YAML allows only spaces", "use spaces")
    context = " ".join(str(getattr(error, "context", None) or "").split())
    during = f" ({context})" if context and context != words else ""
    return source.problem(at, f"this is no valid YAML: {words}{during}", _hint(words))


def _hint(words: str) -> str:
    return next((hint for part, hint in _HINTS if part in words), "")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
