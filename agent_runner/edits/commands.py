"""Commands that a reply shows in a fence: whether they only look and run, or change files.

Nobody runs them. One that changes files is therefore a change that would be lost, unless somebody
says so. Few commands are known never to change a file that they are given; any other one is in
doubt if it is given one.
"""

import re
import shlex
from collections.abc import Callable, Sequence

from agent_runner.edits.naming import is_shell

_PROMPT = re.compile(r"^\s*(?:\$|%|PS[^>]*>|[A-Z]:\\[^>]*>)\s+(?=\S)")
_COMMENT = re.compile(r"^\s*(?:#|REM\b|::).*|\s#\s.*")
_ENDS = re.compile(r"&&|\|\||[;|]")
_HERE = re.compile(r"(?<!<)<<-?\s*\\?['\"]?[A-Za-z_]\w*")
_INTO = re.compile(r"(?:^|[\s\w\"'])(?:[12&]?>>?|>\|)\s*(?!/dev/null|&\d|nul\b)[\w.~/\"'$]")
_BEFORE = re.compile(
    r"(?:sudo|env|time|nohup|exec|command|xargs|then|do|else|if|while|!|[{(]|[A-Za-z_]\w*=\S*)"
)
"""Words before a command that leave it what it is."""

_LOOKS = re.compile(
    r"cd|ls|cat|head|tail|less|more|grep|rg|diff|wc|file|stat|code|vim|nano|open|export|source|\."
    r"|test|python[\d.]*|py|node|deno|bun|ruby|perl|php|java|go|cargo|make|sh|bash|pytest|tox|nox"
    r"|mypy|ruff|flake8|eslint|tsc|jest|vitest|mocha|rspec|phpunit|np[mx]|pnpm|yarn|pip3?|uv|poetry"
    r"|docker(?:-compose)?|kubectl|terraform|psql|sqlite3|.*/.*"
    r"|git (?:status|diff|log|show|add|commit|push|pull|fetch|clone|blame|branch)"
)
"""They read or run what they are given, or change it only where an option says so."""

_CHANGES = re.compile(
    r"cp|mv|rm|rmdir|touch|mkdir|ln|chmod|chown|truncate|install|dd|tee|patch|unlink|shred"
    r"|del|erase|copy|xcopy|move|ren|rename|(?:New|Set|Add|Remove|Move|Copy|Rename|Clear|Out)-\w+",
    re.IGNORECASE,
)
_SAYS_SO = re.compile(r"--(?:in-place|write|fix|overwrite|delete)\b.*|-(?:delete|exec|[ce])")
"""Options by which others change files, or run code that stands behind them."""

_PARTS = re.compile(r"[\s'\"(),=:]+")
_PLAIN = frozenset({"", "text", "txt", "plain", "plaintext", "output"})
_BEGINS = re.compile(r"\s*[a-z][\w.+-]*\s.*[./<>-]")
_PROGRAM = re.compile(r"[a-z][\w.+-]*")

IsFile = Callable[[str], bool]
"""Whether a word names a file, by its form or because it stands in the tree."""


def changing(language: str, lines: Sequence[str], is_file: IsFile) -> str | None:
    """The first line of a fence that is a command by which files change, or may; None for none."""
    is_labelled = is_shell(language)
    if not is_labelled and language not in _PLAIN:
        return None
    shows_output = any(map(_PROMPT.match, lines))
    for line in "\n".join(lines).replace("\\\n", " ").split("\n"):
        prompt = _PROMPT.match(line)
        text = _COMMENT.sub("", line[prompt.end() :] if prompt else line)
        if (shows_output and not prompt) or not text.strip():
            continue
        if not (is_labelled or prompt or _is_command(text, is_file)):
            continue
        if _HERE.search(text) or _INTO.search(text):
            return line
        if any(_may_change(_words(part), is_file) for part in _ENDS.split(text)):
            return line
    return None


def is_typed(line: str, is_file: IsFile) -> bool:
    """Whether a line outside of all fences is such a command: after a prompt, or beyond doubt."""
    prompt = _PROMPT.match(line)
    if not prompt and not _BEGINS.match(line):
        return False  # most lines, at once
    text = line[prompt.end() :] if prompt else line
    words = _words(text) if prompt or _is_command(text, is_file) else []
    if not words or not (prompt or _CHANGES.fullmatch(words[0]) or len(words) > 2):
        return False
    return changing("sh", [text], is_file) is not None


def _may_change(words: list[str], is_file: IsFile) -> bool:
    while words and _BEFORE.fullmatch(words[0]):
        words = words[1:]
    if not words:
        return False
    program, *given = words
    says_so = any(map(_SAYS_SO.fullmatch, given))
    name = " ".join(words[:2]) if program == "git" else program
    looks = _LOOKS.fullmatch(name) is not None
    if _CHANGES.fullmatch(program):
        return bool(given)
    parts = (part for word in given if "://" not in word for part in _PARTS.split(word))
    return (says_so or not looks) and any(map(is_file, parts))


def _is_command(line: str, is_file: IsFile) -> bool:
    """Whether a line without any prompt is one: a program, and only what programs are given."""
    program, *given = _words(line) or [""]
    if _PROGRAM.fullmatch(program) is None or not given:
        return False
    if _HERE.search(line) or any(map(is_file, re.findall(r">\s*(\S+)", line))):
        return True
    given = given[1:] if program == "git" else given
    is_given = [is_file(word) for word in given]
    others = (word for word, known in zip(given, is_given, strict=True) if not known)
    return any(is_given) and all(
        word[:1] == "-" or word.isdecimal() or not word.isalpha() for word in others
    )


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
