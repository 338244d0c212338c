"""`python -m agent_runner.cli.reference` brings what the docs say of the commands up to date.

For developers, at the top of the repository, after a change of a command or an option.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agent_runner.cli.described import Described, commands
from agent_runner.cli.help import meaning, names
from agent_runner.cli.manual import manual
from agent_runner.cli.schema import What, schema_of
from agent_runner.model.exit_codes import MEANINGS
from agent_runner.store.codec import KINDS
from agent_runner.ui.event_schema import with_words


def renewed(docs: Path) -> dict[Path, str]:
    """Every page that is made here, as a whole or between its marks, and what it has to hold."""
    return {
        docs / "commands.md": _with(docs / "commands.md", "commands", commands_reference()),
        docs / "events.md": _with(docs / "events.md", "events", events_table()),
        docs / "exit-codes.md": _with(docs / "exit-codes.md", "exit-codes", exit_codes_table()),
        docs / "agent-runner.1": manual(),
        **{docs / f"{what.value}.schema.json": _schema_text(what) for what in What},
    }


def commands_reference() -> str:
    """Every command in Markdown: how it is called, what it does, its arguments and options."""
    return "\n\n".join("\n".join(_section(one)) for one in commands()) + "\n"


def exit_codes_table() -> str:
    """Every exit code and what it means, as rows in Markdown."""
    rows = (f"| {code} | {words} |" for code, words in MEANINGS.items())
    return "\n".join(("| code | meaning |", "|---|---|", *rows)) + "\n"


def events_table() -> str:
    """Every kind of event, what it says and which fields it has, as rows in Markdown."""
    definitions = schema_of(What.EVENTS)["$defs"]
    rows = (
        f"| `{kind}` | {_cell(_first_sentence(cls))} | {', '.join(_fields(definitions[kind]))} |"
        for kind, cls in sorted(KINDS.items())
    )
    return "\n".join(("| kind | what happened | fields of `data` |", "|---|---|---|", *rows)) + "\n"


def _first_sentence(cls: type) -> str:
    return with_words(" ".join((cls.__doc__ or "").split("\n\n")[0].split()))


def _fields(definition: Mapping[str, Any]) -> Iterator[str]:
    return (f"`{name}`" for name in definition["properties"])


def _with(page: Path, name: str, content: str) -> str:
    """The page's text with the part between its marks brought up to date."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = page.read_text(encoding="utf-8").split(begin, 1)
    _, after = rest.split(end, 1)
    return f"{before}{begin}\n\n{content}\n{end}{after}"


def _schema_text(what: What) -> str:
    return json.dumps(schema_of(what), indent=1, ensure_ascii=True) + "\n"


def _section(command: Described) -> Iterator[str]:
    yield from (f"## {command.path}", "", "```text", command.usage, "```", "")
    yield re.sub(r"[ \n]*\n *", "\n", command.help.strip())
    if command.params:
        yield from ("", "| argument, option | meaning |", "|---|---|")
    for one in command.params:
        yield f"| {_cell(f'`{names(one)}`')} | {_cell(meaning(one))} |"
    if command.example:
        yield from ("", f"For example `agent-runner {command.example}`.")


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def main() -> None:
    """Write all that is made here."""
    for page, text in renewed(Path("docs")).items():
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
