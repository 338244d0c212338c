"""Whether a command failed because a program that it runs is not on this machine.

Exit codes 126 and 127 say so themselves, unless something stands in between: make, npm, a pipe, an
`|| exit 1`, Python looking for a module. Then only the output says it, and it counts only as a
whole: every line is a shell's word that a program is not there, or belongs to whoever called it. A
judge that got as far as to say something of its own has judged.
"""

import re
import shutil
from collections.abc import Mapping
from itertools import dropwhile

from agent_runner.hooks.allowed import simple_commands
from agent_runner.hooks.ending import NOT_FOUND, Ending
from agent_runner.hooks.excerpt import excerpt
from agent_runner.hooks.log import HookLog
from agent_runner.model.hooks import HookOutcome, Phase

LONGEST = 4_000
"""Characters of an output that may be nothing but such words; a longer one has others too."""

CALLERS = (
    r"(?:g?make|ninja|just|task)(?:\[\d+\])?: |npm (?:ERR!|error|warn)(?: |$)|[>$] "
    r"|(?:.{0,2}ELIFECYCLE| *info|yarn run|error:? [Cc]ommand|error: [Rr]ecipe|sh: .*: Error) "
    r"|Done in |Exit status [0-9]"
)
"""How lines begin by which make, npm, yarn and the like say what they run and how it ended."""

_NAME = r"[\"'`\u2018]?(?P<name>[\w@+][\w@+./-]*|\.{1,2}/[\w@+./-]+)[\"'`\u2019]?"
_STARTERS = r"(?:env|g?make(?:\[\d+\])?|timeout|nice|nohup|xargs|sudo|setsid|stdbuf)"
_PYTHON = r"(?:/.*/)?\S*py\S*"  # in a folder that may have spaces in its name
_CANNOT_START = tuple(
    re.compile(pattern)
    for pattern in (
        # POSIX shells: `sh: 1: x: not found`, `bash: line 1: x: command not found`
        rf"\S+: (?:line )?\d+: (?:exec: |eval: )?{_NAME}: (?:command )?not found",
        rf"(?:\S*/)?-?\w*sh(?:\[\d+\])?: (?:\S+: )?{_NAME}: not found(?: \[No such file.*\])?",
        rf"(?:\S+: )*{_NAME}: [Cc]ommand not found\.?",
        # zsh, poetry, bundler, cargo, uv
        rf"(?:\S+: )*(?:[Cc]ommand not found|no such command):? {_NAME}\.?",
        rf"error: Failed to spawn: {_NAME}",
        rf"Error: the command {_NAME} could not be found.*",
        # programs that start others
        rf"{_STARTERS}: (?:failed to run command |execvp: )?{_NAME}: (?:No such|Permission) .*",
        # Python: `python3: No module named x`, `...; 'x' is a package and cannot be executed`
        rf"(?:{_PYTHON}: )?No module named {_NAME}(?:; .*)?",
        rf"{_PYTHON}: Error while finding .* \(ModuleNotFoundError: No module named {_NAME}\)",
        # those who called it, and pass the exit code on as a number of their own
        rf"(?:{CALLERS}).*\b(?:[Ee]rror|code|status):? 12[67]\W*",
        r"npm (?:ERR!|error) (?:npx canceled due to missing|could not determine executable).*",
    )
)
_FURTHER = re.compile(
    r"Caused by:.*|No such file or directory.*|(?:help|hint): .*|Install missing gem.*"
    r"|Is it installed\?.*"
)
"""What some of them add in further lines."""

_CALLER = re.compile(CALLERS)
_NO_PROGRAMS = frozenset({"cd", "export", "set", ":", "true", "umask", "ulimit", "unset"})
"""Built into every shell, and followed by what a hook is about."""

_BUILT_IN = frozenset(
    {".", "[", "alias", "bg", "break", "command", "continue", "echo", "eval", "exec", "exit"}
    | {"false", "fc", "fg", "getopts", "hash", "jobs", "kill", "local", "printf", "pwd", "read"}
    | {"readonly", "return", "shift", "source", "test", "times", "trap", "type", "wait"}
)


def said_missing(phase: Phase, ending: Ending, log: HookLog) -> tuple[Ending, str]:
    """The program that the output says is not there, and the ending in that light.

    A judge that exits with 0 and says nothing else, as in `pytest | tail`, has judged nothing.
    """
    by_itself = ending.exit_code is not None and ending.exit_code >= 0
    judged = phase is not Phase.PRE or ending.outcome is not HookOutcome.PASSED
    missing = ""
    if by_itself and judged and log.length <= LONGEST:
        output = excerpt(log.read, log.length)
        missing = missing_program(output)
        if ending.exit_code == NOT_FOUND:
            missing = missing or named_as_missing(output)
    if missing and ending.outcome is not HookOutcome.BROKEN:
        reason = f"exit code {ending.exit_code}: {missing} is not there"
        return Ending(HookOutcome.FAILED, ending.exit_code, reason), missing
    return ending, missing


def missing_program(output: str) -> str:
    """The program or module that the output, as a whole, says is not there; "" if it says more."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    found, names = False, [""]
    for line in lines if len(output) <= LONGEST else ():
        match = next(filter(None, (one.fullmatch(line) for one in _CANNOT_START)), None)
        found = found or match is not None
        if match is not None and "name" in match.re.groupindex:
            names.append(match["name"])
    echoed = re.compile(rf"(?<![\w/.-]){re.escape(names[-1])}(?![\w/.-])") if names[-1] else None
    for line in lines:
        said = _CALLER.match(line) or _FURTHER.fullmatch(line) or (echoed and echoed.search(line))
        if not said and not any(one.fullmatch(line) for one in _CANNOT_START):
            return ""
    return (names[-1] or "a program") if found else ""


def named_as_missing(output: str) -> str:
    """What the last line of an output says is not there, after exit code 127; "" if nothing."""
    last = output.rstrip().rpartition("\n")[2]
    match = re.search(rf"(?:^|: ){_NAME}: (?:.*not found|No such file or directory)\.?$", last)
    return match["name"] if match else ""


def absent_program(command: str | tuple[str, ...], env: Mapping[str, str]) -> str:
    """The program that a command begins with, if it is nowhere on the `PATH` of `env`; else "".

    Nothing is run for this. A path is not looked at, since an earlier hook may build what lies
    there; nor is a command that only a shell can read.
    """
    chain = simple_commands(command) if isinstance(command, str) else [list(command)]
    first = next(dropwhile(lambda words: words[0] in _NO_PROGRAMS, chain), [""])[0]
    if not first or "/" in first or first in _BUILT_IN:
        return ""
    return "" if shutil.which(first, path=env.get("PATH")) else first
