"""Globs over paths below a task's root, one kind for all: `files`, `protect`, `when.changed`.

They read as in a `.gitignore`: `*` and `?` stay within one folder's name, `**` crosses folders; a
pattern without a slash (but at its end) holds at any depth, one with a slash from the root; one
that names a folder covers all below it; `!pattern` takes back what an earlier one covered. Case
matters.
"""

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache
from itertools import groupby

from attrs import field, frozen

_STAR, _DEEP, _ALL = "*", "**/", "**"
_SEGMENT_END = r"(?=/|\Z)"


@frozen
class Globs:
    """Patterns in the order they were written; the last one that covers a path decides."""

    patterns: tuple[str, ...] = field(converter=tuple[str, ...])

    @cached_property
    def _tests(self) -> tuple[tuple[bool, re.Pattern[str]], ...]:
        """One regular expression of neighbours, on first use: 50 cost hardly more than one."""
        neighbours = groupby(reversed(self.patterns), lambda pattern: not pattern.startswith("!"))
        return tuple((covers, _regex(tuple(found))) for covers, found in neighbours)

    def covers(self, path: str) -> bool:
        """Whether `path` (relative, with `/`) is meant. No patterns cover nothing."""
        return next((covers for covers, regex in self._tests if regex.match(path)), False)

    def covered(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Those of `paths` that are meant, in their order."""
        return tuple(path for path in paths if self.covers(path))


def is_plain(pattern: str) -> bool:
    """Whether the pattern is just a path: nothing in it stands for anything else."""
    return not (set("*?[\\") & set(pattern) or pattern.startswith("!"))


@lru_cache(maxsize=1024)
def _regex(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """What any of the patterns covers, as a regular expression over whole paths."""
    from_root: list[str] = []
    anywhere: list[list[str]] = []
    for pattern in patterns:
        body = pattern.removeprefix("!").removeprefix("./")
        anchored = "/" in body.rstrip("/")  # as gitignore(5): a slash at the end anchors nothing
        body = body.strip("/")
        if body in {"", "."}:  # the root itself: everything
            from_root.append(".*")
        elif anchored:
            from_root.append(_translated(body))
        else:
            anywhere.append(_tokens(body))
    if anywhere:
        from_root.append(f"(?:.*/)?(?:{'|'.join(_with_shared_stars(anywhere))})")
    return re.compile(rf"(?:{'|'.join(from_root)})(?:/.*)?\Z", re.DOTALL)


def _with_shared_stars(bodies: list[list[str]]) -> list[str]:
    """Regular expressions of single segments, in which all `*.a` and all `*a*` search together.

    One by one, each of the forty patterns of `looks_secret` goes through the whole name: 50,000
    names took 0.7 s, and now an eighth of that.
    """
    endings, inner, others = [], [], []
    for tokens in bodies:
        match ["".join(chunk) for chunk in _split(tokens, _STAR)]:
            case ["", ending] if ending:
                endings.append(ending)
            case ["", chunk, ""] if chunk:
                inner.append(chunk)
            case _:
                others.append(_segment(tokens))
    if endings:
        others.insert(0, f"(?>[^/]*?(?:{'|'.join(endings)}){_SEGMENT_END})")
    if inner:
        others.insert(0, f"(?>[^/]*?(?:{'|'.join(inner)}))[^/]*+")
    return others


def _translated(body: str) -> str:
    """Regular expression text for a pattern without leading or trailing slashes.

    It never tries a second time: what stands between two stars is taken at the first place where it
    fits (`(?>...)` forgets the others), and with less used up, more is left for the rest. A plain
    `.*a.*a.*b` tries every way of sharing a path out, which takes years for a dozen stars.
    """
    first, *deeper = _split(_tokens(body), _DEEP)
    parts = [_segments(first)]
    for number, tokens in enumerate(deeper, 1):
        # its last segment is whole: but for the last one, a slash ends it
        end = _SEGMENT_END if number == len(deeper) else ""
        parts.append(f"(?>(?:[^/]*+/)*?{_segments(tokens)}{end})")
    return "".join(parts)


def _segments(tokens: list[str]) -> str:
    """Folders' names one below the other, as a regular expression."""
    return "/".join(map(_segment, _split(tokens, "/")))


def _segment(tokens: list[str]) -> str:
    """One folder's or file's name as a regular expression."""
    if tokens == [_ALL]:
        return ".+"
    first, *chunks = ("".join(chunk) for chunk in _split(tokens, _STAR))
    if not chunks:
        return first
    *between, last = chunks
    ending = f"(?>[^/]*?{last}{_SEGMENT_END})" if last else "[^/]*+"
    return "".join((first, *(f"(?>[^/]*?{chunk})" for chunk in between), ending))


def _split(tokens: list[str], at: str) -> list[list[str]]:
    """The tokens between those that are `at`."""
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token == at:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _tokens(body: str) -> list[str]:
    """The pattern in pieces: wildcards, slashes, and regular expressions for one character each."""
    tokens: list[str] = []
    at = 0
    while at < len(body):
        rest = body[at:]
        begins = at == 0 or body[at - 1] == "/"
        if begins and rest.startswith(_DEEP):
            tokens.append(_DEEP)
            at += len(_DEEP)
        elif begins and rest == _ALL:
            tokens.append(_ALL)
            at += len(_ALL)
        elif rest[0] == "*":
            tokens.append(_STAR)
            at += len(rest) - len(rest.lstrip("*"))
        elif rest[0] == "?":
            tokens.append("[^/]")
            at += 1
        elif rest[0] == "[" and (end := _class_end(body, at)):
            tokens.append(_class(body[at + 1 : end]))
            at = end + 1
        else:
            escaped = rest[0] == "\\" and len(rest) > 1
            tokens.append(re.escape(rest[1] if escaped else rest[0]))
            at += 2 if escaped else 1
    return tokens


def _class_end(body: str, at: int) -> int:
    """Where the `[` at `at` is closed, 0 if nowhere: then it is a plain character."""
    first = at + 2 if body[at + 1 : at + 2] in {"!", "^"} else at + 1
    return max(0, body.find("]", first + 1))


def _class(inside: str) -> str:
    """A character class; never matches a slash."""
    negated = inside[0] in "!^"
    chars = inside[1:] if negated else inside
    text = re.sub(r"([\[\]\\^&~|])", r"\\\1", chars).replace("--", r"\-\-")
    try:
        re.compile(f"[{text}]")
    except re.error:  # a range that runs backwards: it matches nothing, as in a shell
        return r"(?!)"
    return f"(?!/)[{'^' if negated else ''}{text}]"
