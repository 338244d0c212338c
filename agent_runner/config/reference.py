"""What is generated from the settings classes: the table of options, and `example.config.yml`.

As it stands the example sets every option to its default. Sample entries of providers, hooks,
limits and prices are commented out; taking away `# ` in front of them gives a file that loads too.
"""

from collections.abc import Iterator, Mapping

from attrs import NOTHING

from agent_runner.config.environment import Variable, environment_variables
from agent_runner.config.schema import Option, OptionKind, choices, options_of
from agent_runner.config.writing import written_option
from agent_runner.model.options import Reading
from agent_runner.model.settings import Settings

BEGIN, END = "<!-- options: begin -->", "<!-- options: end -->"
"""What stands around the table in the documentation."""

_KINDS = {
    OptionKind.TEXT: "text",
    OptionKind.WHOLE: "whole number",
    OptionKind.NUMBER: "number",
    OptionKind.SWITCH: "true, false",
    OptionKind.PATH: "path",
    OptionKind.TEXTS: "list",
    OptionKind.COMMAND: "text or list of words",
    OptionKind.TEXT_MAP: "mapping of texts",
    OptionKind.ANY_MAP: "mapping",
    OptionKind.ENTRIES: "mapping",
}
_HEAD = """\
# All options of agent-runner. Every value below is the default; copy what you want to change.
#
# For one project:     agent-runner.yml or .agent-runner/config.yml beside the task list
# For all of yours:    ~/.agent-runner/config.yml
# For one run:         AGENT_RUNNER_... variables, or flags
#
# Each of these wins over those above it; mappings merge key by key, lists are replaced.
# `agent-runner config show --origin` tells where each value came from.
"""

_SAMPLES: Mapping[str, tuple[str, str]] = {
    "providers": ("claude", "claude, openai (codex) and local servers are known without an entry"),
    "rate_limits": ("claude", "a provider's name"),
    "prices": ("claude-sonnet-5-5", "a model's name"),
    "hooks": ("unit-tests", "an id of your own; tasks name it in pre_hooks and post_hooks"),
}
"""For options with entries: the name of the sample entry, and what that name is."""

_WITH_LINES_BELOW = frozenset({OptionKind.GROUP, OptionKind.ENTRIES})
_COLUMN = 34


def options_table() -> str:
    """A table in Markdown: each option with its values, default, line, and variable."""
    rows = ["| Option | Values | Default | What it does | Variable |", "|---|---|---|---|---|"]
    rows += [_row(variable) for variable in environment_variables()]
    return "\n".join(rows) + "\n"


def with_table(text: str) -> str:
    """The documentation's text with the table between its marks brought up to date."""
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n\n{options_table()}\n{END}{after}"


def render_example() -> str:
    """The text of `example.config.yml`."""
    blocks: list[list[str]] = [[]]
    for option in options_of(Settings).values():
        if option.kind in _WITH_LINES_BELOW:
            blocks += [list(_option(option, "")), []]
        else:
            blocks[-1] += _option(option, "")
    return "\n".join([_HEAD, *("\n".join(block) + "\n" for block in blocks if block)])


def _row(variable: Variable) -> str:
    option = variable.option
    default = "required" if option.default is NOTHING else _code(_default(option))
    cells = (_code(variable.path), _values(option), default, option.doc, _code(variable.name))
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _values(option: Option) -> str:
    if option.kind is OptionKind.CHOICE:
        return ", ".join(choices(option))
    if option.reading in {Reading.DURATION, Reading.TIMEOUT}:
        return "time"
    return _KINDS[option.kind]


def _default(option: Option) -> str:
    return written_option(option, option.default)


def _code(text: str) -> str:
    return f"`{text}`"


def _option(option: Option, indent: str) -> Iterator[str]:
    if option.kind is OptionKind.GROUP:
        yield _line(f"{indent}{option.name}:", option.doc)
        for inner in options_of(option.cls).values():
            yield from _option(inner, indent + "  ")
    elif option.kind is OptionKind.ENTRIES:
        yield _line(f"{indent}{option.name}:", option.doc)
        yield from _sample(option, indent)
    else:
        yield _line(f"{indent}{option.name}: {_value(option)}", _doc(option))


def _sample(option: Option, indent: str) -> Iterator[str]:
    """The commented sample entry of an option with entries."""
    name, meaning = _SAMPLES[option.name]
    inner = indent + "  # "
    yield _line(f"{inner}{name}:", meaning)
    for one in options_of(option.cls).values():
        if one.kind is OptionKind.ENTRIES and one.cls is option.cls:
            yield _line(f"{inner}  {one.name}: {{}}", one.doc)
        else:
            yield from _option(one, inner + "  ")


def _value(option: Option) -> str:
    return option.example if option.default is NOTHING else written_option(option, option.default)


def _doc(option: Option) -> str:
    if option.example and option.default is not NOTHING:
        return f"{option.doc}; e.g. {option.example}"
    return option.doc


def _line(text: str, doc: str) -> str:
    """Code and comment in one line, the comments below one another where they fit."""
    return f"{text:<{_COLUMN}}  # {doc}" if len(text) <= _COLUMN else f"{text}  # {doc}"
