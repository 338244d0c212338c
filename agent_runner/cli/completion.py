"""`agent-runner completion`: scripts for shells, and the words that these scripts ask for.

A key press in a folder must not do what that folder says. So the scripts start the program that
wrote them, or the one on the PATH, never `./agent-runner`; nothing of the project is run to answer
them; and of its task ids only those are offered that no shell would read as anything but a word.
"""

import enum
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from agent_runner.cli.commands import ALIASES, COMMANDS, Entry
from agent_runner.cli.output import say

if TYPE_CHECKING:
    from agent_runner.model.standing import TaskOutline
    from agent_runner.model.task import Task


class Shell(enum.StrEnum):
    """The shells that there is a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    shell: Annotated[
        Shell,
        typer.Argument(metavar="bash|zsh|fish", help="The shell.", show_default=False),
    ],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- WORD...]",
            help="What the script asks for: the words so far, the last of them to be completed.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Print the script that makes a shell complete commands, options and task ids.

    For bash put eval "$(agent-runner completion bash)" into ~/.bashrc, for zsh the same with zsh
    into ~/.zshrc, after compinit; for fish write the script to
    ~/.config/fish/completions/agent-runner.fish.
    """
    if words is None:
        from agent_runner.cli.project import program

        say(_SCRIPTS[shell].replace("@PROGRAM@", shlex.quote(program())).strip("\n"))
        return 0
    # fish hands words on as it takes them, the others as they were typed
    found = _answer(words if shell is Shell.FISH else [_unquoted(word) for word in words])
    say("\n".join([found.beside, *(f"{one.word}\t{one.meaning}" for one in found.candidates)]))
    return 0


class Candidate(NamedTuple):
    """A word that would fit, and what it means in one line."""

    word: str
    meaning: str = ""


class Found(NamedTuple):
    """What may be completed: words, and beside them `files`, `folders` or nothing (`words`)."""

    candidates: tuple[Candidate, ...]
    beside: str = "words"


def _answer(words: Sequence[str]) -> Found:
    """The candidates for the last of the words."""
    *before, last = _joined(words) or [""]
    option, equals, value = last.partition("=") if last.startswith("--") else ("", "", last)
    if equals:
        before.append(option)
    found = _candidates(before, value if equals else last)
    front = f"{option}=" if equals else ""
    fitting = (c for c in found.candidates if c.word.startswith(value if equals else last))
    return Found(tuple(c._replace(word=front + c.word) for c in fitting), found.beside)


def _joined(words: Sequence[str]) -> list[str]:
    """The words without the `=` that bash makes a word of its own."""
    kept = [word for word in words[:-1] if word != "="]
    return [*kept, *("" if word == "=" else word for word in words[-1:])]


def _candidates(before: Sequence[str], last: str) -> Found:
    """What fits after the words `before`, whatever `last` begins with (but for `-`)."""
    from typer.main import get_command

    from agent_runner.cli.parser import app

    at = _Position(get_command(app))
    for word in before:
        at.take(word)
    if at.expects is not None:
        return at.values(at.expects)
    if last.startswith("-"):
        return Found(tuple(at.options()))
    return at.words()


class _Position:
    """Where a command line has come to, word by word."""

    def __init__(self, root: Any) -> None:
        self._command = root
        self._entries: dict[str, Entry] = COMMANDS
        self._arguments = 0
        self._folder = ""
        self._list = ""
        self.expects: Any = None
        """The option whose value comes next."""

    def take(self, word: str) -> None:
        """Go on past a word."""
        if self.expects is not None:
            self._folder = word if "-C" in self.expects.opts else self._folder
            self._list = word if "--tasks" in self.expects.opts else self._list
            self.expects = None
        elif word.startswith("-") and word != "-":
            name, equals, value = word.partition("=")
            option = next((one for one in self._params("option") if name in one.opts), None)
            self.expects = None if option is None or option.is_flag else option
            if equals and self.expects is not None:
                self.take(value)
        elif word in self._below():
            self._command = self._command.commands[word]
            self._entries = self._entries[ALIASES.get(word, word)].below
        else:
            self._arguments += 1
            if not self._list and Path(word).suffix in {".yml", ".yaml", ".json"}:
                self._list = word

    def options(self) -> Iterator[Candidate]:
        """The options that the command has."""
        for one in self._params("option"):
            for name in (*one.opts, *one.secondary_opts):
                yield Candidate(name, str(one.help))
        yield Candidate("--help", "Show this message and exit.")

    def words(self) -> Found:
        """The commands that may come, or the values of the next argument."""
        if self._below() and not self._arguments:
            return Found(tuple(Candidate(n, e.summary) for n, e in self._entries.items()))
        arguments = self._params("argument")
        if not arguments:
            return Found(())
        return self.values(arguments[min(self._arguments, len(arguments) - 1)])

    def values(self, param: Any) -> Found:
        """The values of an option or argument, by what stands for them in the help."""
        name = str(param.metavar)
        if "COMMAND" in name:
            return Found(tuple(Candidate(n, e.summary) for n, e in COMMANDS.items()))
        if "TASK" in name:
            ids = tuple(_tasks(self._folder, self._list))
            return Found(ids, "files" if "TASKS" in name else "words")
        if "|" in name:
            return Found(tuple(map(Candidate, name.split("|"))))
        return Found(
            (), {"FILE": "files", "DIR": "folders", "FOLDER": "folders"}.get(name, "words")
        )

    def _below(self) -> Any:
        return getattr(self._command, "commands", {})

    def _params(self, kind: str) -> list[Any]:
        return [one for one in self._command.params if one.param_type_name == kind]


def _tasks(folder: str, named: str) -> Iterator[Candidate]:
    """The task ids of the list that is meant; none where it cannot be read at once."""
    from agent_runner.model.errors import AgentRunnerError
    from agent_runner.ui.words import clean

    try:
        tasks = _list(folder, named)
    except (AgentRunnerError, OSError):
        return
    for task in tasks:
        if _PLAIN.fullmatch(task.id):
            yield Candidate(task.id, clean(task.title))


def _list(folder: str, named: str) -> "Iterable[Task | TaskOutline]":
    from agent_runner.app.overview import read_list
    from agent_runner.app.place import locate
    from agent_runner.cli.project import enter, surroundings

    if folder:
        enter(_path(folder))
    here, file = surroundings(), _path(named) if named else None
    place = locate(file, None, here)
    if place.tasks_file.stat().st_size > _LARGEST:
        return ()
    return read_list(file, None, here).tasks.tasks


def _path(word: str) -> Path:
    return Path(os.path.expanduser(word))  # noqa: PTH111  # pathlib's raises for a user unknown


_PLAIN = re.compile(r"\w[\w.+-]*")
"""An id that is one word to every shell, whatever it is made to complete."""

_LARGEST = 2_000_000
"""Bytes of a list that is read for a key press."""


def _unquoted(word: str) -> str:
    """A word as the shell would hand it on; as it is, while a quote is open."""
    try:
        return "".join(shlex.split(word)) if word else ""
    except ValueError:
        return word.lstrip("'\"")


_SCRIPTS = {
    Shell.BASH: r"""
# bash completion of agent-runner
_agent_runner() {
    local line kind="" program=@PROGRAM@
    COMPREPLY=()
    while IFS= read -r line; do
        if [ -z "$kind" ]; then kind=$line; else COMPREPLY+=("${line%%$'\t'*}"); fi
    done < <(command "$program" completion bash -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    case $kind in
        files) compopt -o default 2>/dev/null ;;
        folders) compopt -o dirnames 2>/dev/null ;;
    esac
    return 0
}
complete -F _agent_runner agent-runner
""",
    Shell.ZSH: r"""
#compdef agent-runner
# zsh completion of agent-runner
_agent_runner() {
    local program=@PROGRAM@ kind line
    local -a lines candidates
    lines=("${(@f)$(command "$program" completion zsh -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    kind=${lines[1]}
    for line in "${(@)lines[2,-1]}"; do
        candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    (( $#candidates )) && _describe -t words agent-runner candidates
    case $kind in
        files) _files ;;
        folders) _files -/ ;;
    esac
}
if [[ ${funcstack[1]} == _agent_runner ]]; then
    _agent_runner "$@"
else
    compdef _agent_runner agent-runner
fi
""",
    Shell.FISH: r"""
# fish completion of agent-runner
function __agent_runner
    set -l program @PROGRAM@
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (command $program completion fish -- $before[2..-1] "$current" 2>/dev/null)
    printf '%s\n' $lines[2..-1]
    switch "$lines[1]"
        case files
            __fish_complete_path "$current"
        case folders
            __fish_complete_directories "$current"
    end
end
complete --command agent-runner --no-files --arguments '(__agent_runner)'
""",
}
