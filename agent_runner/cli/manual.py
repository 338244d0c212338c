"""The manual page `agent-runner(1)`, made of the commands and the exit codes themselves.

It stands in `docs/agent-runner.1`, and the wheel installs it in `share/man`.
"""

import re
from collections.abc import Iterator

from agent_runner import __version__
from agent_runner.cli.commands import SUMMARY
from agent_runner.cli.described import commands
from agent_runner.cli.help import meaning, names
from agent_runner.model.exit_codes import MEANINGS

FILES = {
    "tasks.yml": "The task list, in the current folder or the nearest one above it.",
    "agent-runner.yml": "The project's configuration, beside the task list.",
    "~/.agent-runner/config.yml": "Your configuration, for all projects.",
    ".agent-runner/": "The state: journal, logs, and what was kept of files. `resume` reads it.",
}


def manual() -> str:
    """The page in the macros of man(7)."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield f'.TH AGENT\\-RUNNER 1 "" "agent\\-runner {__version__}"'
    yield from (
        ".SH NAME",
        _plain("agent-runner - works through a list of coding tasks"),
    )
    yield from (".SH SYNOPSIS", ".B agent\\-runner")
    yield _plain("[-C DIR] COMMAND [OPTIONS]")
    yield from (".SH DESCRIPTION", _plain(SUMMARY))
    yield ".SH COMMANDS"
    for command in commands():
        yield f".SS {_plain(command.path)}"
        yield from (f".B {_plain(command.usage)}", ".PP")
        yield from (_plain(line) for line in _paragraph(command.help))
        for one in command.params:
            yield from (".TP", f".B {_plain(names(one))}", _plain(meaning(one)))
    yield ".SH EXIT STATUS"
    for code, words in MEANINGS.items():
        yield from (".TP", f".B {code}", _plain(f"{words[0].upper()}{words[1:]}."))
    yield ".SH FILES"
    for name, words in FILES.items():
        yield from (".TP", f".I {_plain(name)}", _plain(words))
    yield ".SH EXAMPLES"
    for example in ("agent-runner init", "agent-runner run --dry-run", "agent-runner run --wait"):
        yield from (".PP", f".B {_plain(example)}")


def _paragraph(text: str) -> Iterator[str]:
    """The lines of a help text, one for each paragraph."""
    for number, part in enumerate(re.split(r"\n\s*\n", text.strip())):
        if number:
            yield ""
        yield " ".join(part.split())


def _plain(text: str) -> str:
    """Text that roff shows as it stands: its own signs are escaped, `code` loses its quotes."""
    shown = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    return re.sub(r"^(?=[.'])", r"\\&", shown)
