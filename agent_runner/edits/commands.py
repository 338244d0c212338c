"""Which of a reply's commands the user's patterns allow.

Judged by their words as the shell would read them.
"""

import shlex
from collections.abc import Sequence
from fnmatch import fnmatchcase

_JOINERS = frozenset({"&&", "||", ";", "|"})
_PUNCTUATION = frozenset("();<>|&")


def allowed(command: str, patterns: Sequence[str]) -> bool:
    """Whether every simple command in it matches a pattern.

    They may be joined by newlines, `&&`, `||`, `;` and `|`.

    A pattern is words, each with `*`, `?`, `[...]`; a last word `*` stands for any further words,
    or none. What words cannot judge is never allowed: substitutions, variables, redirections,
    background jobs, groups, assignments.
    """
    wanted = [pattern.split() for pattern in patterns if pattern.split()]
    simple = _simple_commands(command)
    return bool(simple) and all(
        any(_matches(words, pattern) for pattern in wanted) for words in simple
    )


def _matches(words: list[str], pattern: list[str]) -> bool:
    if len(pattern) > 1 and pattern[-1] == "*":
        pattern = pattern[:-1]
        words = words[: len(pattern)]
    return len(words) == len(pattern) and all(map(fnmatchcase, words, pattern))


def _simple_commands(command: str) -> list[list[str]]:
    """The words of each simple command; empty if it holds anything that words cannot judge."""
    if set("`$\\\0\r#{}!~") & set(command):
        return []
    found: list[list[str]] = []
    for line in command.split("\n"):
        if not line.strip():
            continue
        words = _words(line)
        if words is None:
            return []
        current: list[str] = []
        for word in [*words, ";"]:
            if word not in _JOINERS:
                if set(word) <= _PUNCTUATION or (not current and "=" in word):
                    return []
                current.append(word)
            elif current:
                found.append(current)
                current = []
    return found


def _words(line: str) -> list[str] | None:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.commenters = ""
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:  # quotes that do not close
        return None
