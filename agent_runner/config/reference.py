"""The table of options in `docs/configuration.md`, made from the settings classes."""

from attrs import NOTHING

from agent_runner.config.environment import Variable, environment_variables
from agent_runner.config.schema import Kind, Option, choices
from agent_runner.config.writing import written_option
from agent_runner.model.options import Reading

BEGIN, END = "<!-- options: begin -->", "<!-- options: end -->"
"""What stands around the table in the documentation."""

_KINDS = {
    Kind.TEXT: "text",
    Kind.WHOLE: "whole number",
    Kind.NUMBER: "number",
    Kind.SWITCH: "true, false",
    Kind.PATH: "path",
    Kind.TEXTS: "list",
    Kind.COMMAND: "text or list of words",
    Kind.TEXT_MAP: "mapping of texts",
    Kind.ANY_MAP: "mapping",
    Kind.ENTRIES: "mapping",
}


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


def _row(variable: Variable) -> str:
    option = variable.option
    default = "required" if option.default is NOTHING else _code(_default(option))
    cells = (_code(variable.path), _values(option), default, option.doc, _code(variable.name))
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _values(option: Option) -> str:
    if option.kind is Kind.CHOICE:
        return ", ".join(choices(option))
    if option.reading in {Reading.DURATION, Reading.TIMEOUT}:
        return "time"
    return _KINDS[option.kind]


def _default(option: Option) -> str:
    return written_option(option, option.default)


def _code(text: str) -> str:
    return f"`{text}`"
