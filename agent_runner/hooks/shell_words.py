"""A command of a shell in its parts: pipelines of simple commands, each a list of words.

This reads what people write as a hook's command, generously: it asks what may be run, not whether
something is safe (that is `allowed.py`, which refuses what it cannot read for certain).
"""

import re
import shlex
from collections.abc import Iterator

_RESERVED = frozenset(
    {"!", "{", "}", "if", "then", "elif", "else", "fi", "while", "until", "do", "done", "for"}
    | {"case", "esac", "in", "time", "function", "select", "coproc"}
)
_ASSIGNMENT = re.compile(r"\w+\+?=")
_SUBSTITUTION = re.compile(r"\$\((?P<inner>.*)\)|`(?P<ticked>[^`]*)`", re.DOTALL)
_OPERATOR = re.compile(r"[;&|()<>]+")

Pipeline = list[list[str]]
"""Simple commands, each reading what the one before it writes; `<` and a file's name are words."""


def pipelines(text: str) -> Iterator[Pipeline]:
    """Every pipeline of the command in order, those within substitutions after their own."""
    pipeline: Pipeline = [[]]
    inner: list[str] = []
    for word in (*_tokens(text), ";"):
        if not _OPERATOR.fullmatch(word):
            pipeline[-1].append(word)
            inner += [m["inner"] or m["ticked"] or "" for m in _SUBSTITUTION.finditer(word)]
        elif set(word) <= {"<", ">", "&"} and set(word) & {"<", ">"}:
            pipeline[-1].append(word)
        elif word in {"|", "|&"}:
            pipeline.append([])
        else:
            found = [command for words in pipeline if (command := _plain(words))]
            if found:
                yield found
            pipeline = [[]]
    for more in inner:
        yield from pipelines(more)


def _tokens(text: str) -> list[str]:
    """Words without their quotes, and operators; a text with an open quote is split at blanks."""
    joined = text.replace("\\\n", " ").replace("\n", " ; ")
    lexer = shlex.shlex(joined, posix=True, punctuation_chars=";&|()<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:
        return text.split()


def _plain(words: list[str]) -> list[str]:
    """The words without what stands before a program: reserved words and assignments."""
    at = 0
    while at < len(words) and (words[at] in _RESERVED or _ASSIGNMENT.match(words[at])):
        at += 1
    return words[at:]
