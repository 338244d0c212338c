"""Whether a command that a reply proposes is one that the user allows: judged by its words.

A command is read as the shell would read it, but only in forms that mean the same in every shell:
words, quotes, `&&` and `;`. Whatever else a shell acts on (pipes, redirections, substitutions,
variables, globs, backslashes, newlines, ...) makes it not allowed, so that it is asked about.
"""

import enum
import re
import shlex
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from attrs import define, field

_ACTED_ON = frozenset("$`\\|&;<>(){}*?[]~!#^=%")
"""Characters that some shell acts on outside quotes, if not everywhere (`=` is judged apart)."""

_HARMLESS_WITHIN = frozenset("=!%^#]")
"""Of those, the ones that are plain inside a word: `--flag=1`, `page#2`."""

_ACTED_ON_IN_DOUBLE_QUOTES = frozenset("$`\\!")

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_RESERVED = frozenset(
    {"case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in"}
    | {"select", "then", "time", "until", "while"}
)


class _Mark(enum.Enum):
    """What ends a simple command and begins the next one."""

    NEXT = ";"


class _NotPlainError(Exception):
    """The command has something that is not read here."""


def is_allowed(command: str, patterns: Sequence[str]) -> bool:
    """Whether each simple command of `command` is covered by one of `patterns`.

    A pattern is words, quoted as in a shell; each is a glob for one word of the command (`*` also
    for slashes, but nothing but `..` itself for `..`), and a last word `*` or `**` stands for all
    further words, or none. Patterns with shell operators cover nothing.
    """
    chain = simple_commands(command)
    wanted = [words for pattern in patterns if (words := _pattern_words(pattern))]
    return bool(chain) and all(any(_covers(words, one) for words in wanted) for one in chain)


def simple_commands(command: str) -> list[list[str]]:
    """The command's words, one list for each simple command of the chain; none is empty.

    Without any where the command has something that is not read here.
    """
    try:
        return _chain(command)
    except _NotPlainError:
        return []


def _covers(pattern: list[str], words: list[str]) -> bool:
    if pattern[-1] in {"*", "**"}:
        *pattern, _rest = pattern
        if len(words) < max(1, len(pattern)):
            return False
        words = words[: len(pattern)]
    return len(words) == len(pattern) and all(map(_matches, words, pattern))


def _matches(word: str, pattern: str) -> bool:
    """A glob covers a word, but does not climb: `scripts/*` is not `scripts/../../bin/sh`."""
    if word == pattern:
        return True
    climbs = ".." in word.split("/")
    return not climbs and fnmatchcase(word, pattern)


def _pattern_words(pattern: str) -> list[str]:
    try:
        words = shlex.split(pattern)
    except ValueError:
        return []
    lexer = shlex.shlex(pattern, posix=False, punctuation_chars=";&|<>()")
    lexer.whitespace_split = True
    lexer.commenters = ""
    operators = any(set(token) <= set(";&|<>()") for token in lexer)
    return [] if operators else words


def _chain(command: str) -> list[list[str]]:
    """The same; raises _NotPlainError."""
    chain: list[list[str]] = [[]]
    for token in _ShellReader(command).tokens():
        if isinstance(token, _Mark):
            chain.append([])
        else:
            chain[-1].append(token)
    for words in chain:
        if not words or words[0] in _RESERVED or _ASSIGNMENT.match(words[0]):
            raise _NotPlainError
    return chain


@define
class _ShellReader:
    """Reads words, quotes and the two operators; raises _NotPlainError at anything else."""

    _text: str
    _at: int = field(default=0, init=False)

    def tokens(self) -> Iterator[str | _Mark]:
        if any(not char.isprintable() and char != "\t" for char in self._text):
            raise _NotPlainError  # newlines, NUL, and blanks that only some shells split at
        while self._at < len(self._text):
            char = self._text[self._at]
            if char in " \t":
                self._at += 1
            elif self._text.startswith("&&", self._at):
                self._at += 2
                yield _Mark.NEXT
            elif char == ";":
                self._at += 1
                yield _Mark.NEXT
            else:
                yield self._word()

    def _word(self) -> str:
        start = self._at
        parts: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            if char in " \t;" or self._text.startswith("&&", self._at):
                break
            if char in "'\"":
                parts.append(self._quoted(char))
            elif char in _ACTED_ON and (self._at == start or char not in _HARMLESS_WITHIN):
                raise _NotPlainError
            else:
                parts.append(char)
                self._at += 1
        return "".join(parts)

    def _quoted(self, quote: str) -> str:
        end = self._text.find(quote, self._at + 1)
        if end < 0:
            raise _NotPlainError
        inside = self._text[self._at + 1 : end]
        if quote == '"' and _ACTED_ON_IN_DOUBLE_QUOTES & set(inside):
            raise _NotPlainError
        self._at = end + 1
        return inside
