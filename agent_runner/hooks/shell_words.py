"""A command of a shell in its parts: statements, of pipelines, of simple commands, of words.

This reads what people write as a hook's command, generously: it asks what may be run, not whether
something is safe (that is `allowed.py`, which refuses what it cannot read for certain).
"""

import re
import shlex
from collections.abc import Iterator

from attrs import Factory, define

_OPENING = frozenset({"if", "while", "until", "for", "case", "select", "{"})
_CLOSING = frozenset({"fi", "done", "esac", "}"})
_BESIDE = frozenset({"!", "then", "elif", "else", "do", "in", "coproc"})
_RUN_NOTHING = frozenset({"for", "case", "select"})
_ASSIGNMENT = re.compile(r"\w+\+?=")
_HERE = re.compile(
    r"^(?P<line>.*<<-?[ ]*(?P<quote>['\"]?)(?P<end>\w+)(?P=quote).*)\n(?P<body>(?:.*\n)*?)"
    r"[ \t]*(?P=end)[ \t]*$",
    re.MULTILINE,
)
_SHELL = re.compile(r"(?<![\w.-])(?:ba|da|z|k|mk|a)?sh(?![\w.-])")
_OPERATOR = re.compile(r"[;&|()<>]+")
_HELD = re.compile("\ue000(\\d+)\ue001")
_DEEPEST = 8

Pipeline = list[list[str]]
"""Simple commands, each reading what the one before it writes; `<` and a file's name are words."""


@define
class Statement:
    """What belongs together: a pipeline, or a whole loop, condition or group.

    `words` has all of them in order, also what a loop goes through and what is assigned.
    """

    pipelines: list[Pipeline] = Factory(list)
    words: list[str] = Factory(list)


def statements(text: str, layer: int = 0) -> Iterator[Statement]:
    """Every statement of a command in order, each before those within its substitutions.

    Raises ValueError for a text that cannot be read, such as one with an open quote.
    """
    if layer > _DEEPEST:
        raise ValueError("substitutions within substitutions")
    text, fed = _without_here_documents(text)
    inner: list[str] = []
    statement, pipeline, depth = Statement(), [list[str]()], 0
    for word in (*_tokens(text, inner), ";"):
        if not _OPERATOR.fullmatch(word) or _redirects(word):
            pipeline[-1].append(word)
        elif word in {"|", "|&"}:
            pipeline.append([])
        else:
            for words in pipeline:
                depth = max(0, depth + _opened(words))
            depth = max(0, depth + word.count("(") - word.count(")"))
            statement.words += [word for words in pipeline for word in words]
            if found := [command for words in pipeline if (command := _plain(words))]:
                statement.pipelines.append(found)
            pipeline = [[]]
            if depth == 0 and (set(word) & {";", "&"} or word == "||"):
                yield statement
                statement = Statement()
    yield statement
    for more in (*inner, *fed):
        yield from statements(more, layer + 1)


def assigned(words: list[str]) -> list[str]:
    """Those of the words that give a variable a value."""
    return [word for word in words if _ASSIGNMENT.match(word)]


def _without_here_documents(text: str) -> tuple[str, list[str]]:
    """The text without what it has a program read in place; and what of that a shell reads."""
    fed = [match["body"] for match in _HERE.finditer(text) if _SHELL.search(match["line"])]
    return _HERE.sub(lambda match: match["line"], text), fed


def _tokens(text: str, inner: list[str]) -> list[str]:
    """Words without their quotes, and operators; the texts of substitutions go to `inner`."""
    text = re.sub(r"^[ \t]*#.*", "", text.replace("\\\n", " "), flags=re.MULTILINE)
    held: list[str] = []
    text = _with_substitutions_held(text, held)
    try:
        tokens = _split(text)
    except ValueError:
        tokens = _split(re.sub(r"[ \t]#.*", "", text))
    inner += [one[1:-1] if one[0] == "`" else one[2:-1] for one in held]
    whole = (_HELD.sub(lambda match: held[int(match[1])], token) for token in tokens)
    return _without_outputs(list(whole))


def _split(text: str) -> list[str]:
    text = re.sub(r"\\[;()]", " ", text)  # for `find`, and no operators
    lexer = shlex.shlex(text.replace("\n", " ; "), posix=True, punctuation_chars=";&|()<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    return list(lexer)


def _with_substitutions_held(text: str, held: list[str]) -> str:
    """The text with a mark for each `$(...)` and each pair of backticks, which are put aside."""
    result, at, single, double = "", 0, False, False
    while at < len(text):
        start, end = at, at + 1
        if text[at] == "\\" and not single:
            end = at + 2
        elif not single and (text.startswith("$(", at) or text[at] == "`"):
            end = _substitution_end(text, at)
            held.append(text[start:end])
            text, end = f"{text[:start]}\ue000{len(held) - 1}\ue001{text[end:]}", start + 1
        elif text[at] == "'" and not double:
            single = not single
        elif text[at] == '"' and not single:
            double = not double
        result, at = result + text[start:end], end
    return result


def _substitution_end(text: str, start: int) -> int:
    """Where the substitution that begins at `start` is over; ValueError if it never is."""
    if text[start] == "`":
        return text.index("`", start + 1) + 1
    depth = 0
    for at in range(start + 1, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    raise ValueError("a substitution that never ends")


def _redirects(word: str) -> bool:
    return set(word) <= {"<", ">", "&"} and bool(set(word) & {"<", ">"})


def _without_outputs(words: list[str]) -> list[str]:
    """The words without those that say where something is written to."""
    kept, skipped = list[str](), False
    for word in words:
        if skipped:
            skipped = False
        elif _redirects(word) and ">" in word:
            skipped = True
        else:
            kept.append(word)
    return kept


def _opened(words: list[str]) -> int:
    """How many loops, conditions and groups a simple command opens, less those it ends."""
    count = 0
    for word in words:
        if word in _OPENING:
            count += 1
        elif word in _CLOSING:
            count -= 1
        elif word not in _BESIDE:
            break
    return count


def _plain(words: list[str]) -> list[str]:
    """The words without what stands before a program: reserved words and assignments."""
    for at, word in enumerate(words):
        if word in _RUN_NOTHING:
            return []
        if word == "function":  # its name follows, and what it runs
            return _plain(words[at + 2 :])
        if word not in _OPENING | _CLOSING | _BESIDE and not _ASSIGNMENT.match(word):
            return words[at:]
    return []
