r"""The templates that prompts are made from: `{{ name }}`, `{{#if name}}`, `{{else}}`, `{{/if}}`.

`\{{` stands for two plain braces, `{{! ... }}` for nothing. A line that holds only `{{#if}}`,
`{{else}}`, `{{/if}}` or a comment leaves no line behind. What is filled in is never read as
template again.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from attrs import define, field, frozen

from agent_runner.ground.suggestions import Suggestions
from agent_runner.model.errors import InputError, Problem

MAX_BYTES = 1 << 20
"""A larger file is no template."""

_TAG = re.compile(
    r"""
      (?P<literal>\\\{\{)
    | ^[ \t]*\{\{
        (?P<alone>[ \t]*(?:\#if\b[^{}\n]*|else|/if)[ \t]*|!(?:(?!\}\}).)*)
      \}\}[ \t]*(?:\n|\Z)
    | \{\{(?P<tag>!(?:(?!\}\}).)*|[^{}\n]*)\}\}
    | (?P<open>\{\{)
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)

_Node: TypeAlias = "str | _Value | _If"


@frozen
class _Value:
    """Where a value is filled in."""

    name: str


@define
class _If:
    """What is there if a value is not empty, and what else."""

    name: str
    at: int
    then: list[_Node] = field(factory=list)
    otherwise: list[_Node] | None = None


@frozen
class Template:
    """A template that has been read and found right."""

    nodes: Sequence[_Node] = field(repr=False)

    def render(self, values: Mapping[str, str]) -> str:
        """The text with `values` filled in; one that is not among them is empty."""
        return "".join(_rendered(self.nodes, values))


def parse_template(
    text: str, file: str, names: Collection[str], groups: Collection[str] = ()
) -> Template:
    """Read a template. `names` may be filled in, and any `GROUP.NAME` of `groups`.

    Raises:
        InputError: it has mistakes; all of them are in it, `file` naming where.
    """
    parser = _Parser(text.replace("\r\n", "\n"), file, names, groups)
    parser.run()
    if parser.problems:
        raise InputError(tuple(parser.problems))
    return Template(parser.root)


def read_template(path: Path, names: Collection[str], groups: Collection[str] = ()) -> Template:
    """Read a template from a file.

    Raises:
        InputError: the file cannot be read, is no UTF-8 text, or has mistakes.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise _whole_file(path, f"the template cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _whole_file(path, f"the template is not UTF-8 text (byte {error.start})") from error
    if len(content) > MAX_BYTES:
        raise _whole_file(path, f"the template is larger than {MAX_BYTES:,} bytes")
    if not text.strip():
        raise _whole_file(path, "the template is empty")
    return parse_template(text, str(path), names, groups)


def _whole_file(path: Path, message: str) -> InputError:
    return InputError((Problem(str(path), 0, 0, message),))


def _rendered(nodes: Sequence[_Node], values: Mapping[str, str]) -> list[str]:
    parts: list[str] = []
    for node in nodes:
        match node:
            case _Value(name):
                parts.append(values.get(name, ""))
            case _If():
                branch = node.then if values.get(node.name) else node.otherwise
                parts.extend(_rendered(branch or (), values))
            case _:
                parts.append(node)
    return parts


class _Parser:
    """One pass over the text; `root` is what was read, `problems` what was wrong."""

    def __init__(
        self, text: str, file: str, names: Collection[str], groups: Collection[str]
    ) -> None:
        self.root: list[_Node] = []
        self.problems: list[Problem] = []
        self._text = text
        self._file = file
        self._names = frozenset(names)
        self._groups = frozenset(groups)
        self._suggestions = Suggestions(sorted(names))
        self._open: list[_If] = []
        self._into = self.root

    def run(self) -> None:
        """Read the whole text, noting every mistake on the way."""
        at = 0
        for found in _TAG.finditer(self._text):
            self._plain(self._text[at : found.start()])
            at = found.end()
            if found["literal"]:
                self._plain("{{")
            elif found["open"]:
                self._problem(found.start(), "`{{` is not closed on its line", _PLAIN_BRACES)
            else:
                start = self._text.index("{{", found.start())
                self._tag((found["alone"] or found["tag"] or "").strip(), start)
        self._plain(self._text[at:])
        for block in self._open:  # every one of them, so that all mistakes are told at once
            self._problem(block.at, f"`{{{{#if {block.name}}}}}` is not closed", "add {{/if}}")

    def _plain(self, text: str) -> None:
        if text:
            self._into.append(text)

    def _tag(self, tag: str, at: int) -> None:
        match tag.split():
            case [first, *_] if first.startswith("!"):
                return
            case ["#if", name]:
                self._check(name, at)
                block = _If(name, at)
                self._into.append(block)
                self._open.append(block)
                self._into = block.then
            case ["else"]:
                self._else(at)
            case ["/if"]:
                self._end(at)
            case [name] if name[0] not in "#/":
                self._check(name, at)
                self._into.append(_Value(name))
            case _:
                self._problem(at, f"`{{{{{tag}}}}}` means nothing here", _PLAIN_BRACES)

    def _else(self, at: int) -> None:
        if not self._open or self._open[-1].otherwise is not None:
            self._problem(at, "`{{else}}` without an `{{#if}}` before it")
            return
        self._into = self._open[-1].otherwise = []

    def _end(self, at: int) -> None:
        if not self._open:
            self._problem(at, "`{{/if}}` without an `{{#if}}` before it")
            return
        self._open.pop()
        block = self._open[-1] if self._open else None
        if block is None:
            self._into = self.root
        else:
            self._into = block.then if block.otherwise is None else block.otherwise

    def _check(self, name: str, at: int) -> None:
        group, dot, rest = name.partition(".")
        if name not in self._names and not (dot and rest and group in self._groups):
            hint = self._suggestions.hint(name)
            self._problem(at, f"there is no value called `{name}`", hint)

    def _problem(self, at: int, message: str, hint: str = "") -> None:
        line = self._text.count("\n", 0, at) + 1
        column = at - (self._text.rfind("\n", 0, at) + 1) + 1
        self.problems.append(Problem(self._file, line, column, message, hint))


_PLAIN_BRACES = r"to print braces, write \{{"
