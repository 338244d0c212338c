"""Lines that stand for others that were left out: `# ... rest of the file ...`, `[unchanged]`.

One judge for all formats, asked of lines that an edit brings. Dots say
it in every language, and a few words of English. Else the place does: a remark that comes where
lines of code go, and explains none. Who means such a line can say so, so that doubt costs little.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from agent_runner.edits.anchors import indent_of
from agent_runner.edits.naming import extension, is_prose
from agent_runner.ground.linediff import ADD, DROP, KEEP, HunkLine
from agent_runner.ground.lookalikes import plain

_STRONG = (
    r"rest|remain\w*|existing|un(?:changed|modified|touched)|omitted|elided|snip|truncated|same"
)
_WORDS = re.compile(
    rf"{_STRONG}|the|of|all?|as|is|are|and|for|in|to|it|here|this|below|above|before|file|code|body"
    r"|contents?|logic|lines?|block|imports?|functions?|methods?|class(?:es)?|tests?|sections?|other"
    r"|definitions?|implementation|everything|else|keep|stays?|original|previous(?:ly)?|brevity|your"
    r"|(?:no )?changes?"
)
"""All words of a comment without dots that says that lines are left out; one has to be strong."""

_COMMENT = re.compile(
    r"(?:#+(?=\s|\.\.)|//+|/\*+|\{/\*|\*\s|--+(?=\s|\[)|<!--|;+\s|%+\s|\(\*|\{-|@\*|'\s|REM\s)\s*",
    re.IGNORECASE,
)
_STRING = re.compile(r"(\"{3}|'{3}).*\1")
_MARK = re.compile(r"(?:#+|//+|--+|;+|%+)\s*")
"""What a comment begins with where no blank follows; code may begin with it, too."""

_PROSE_COMMENT = re.compile(r"<!--\s*|\[//\]: #")
_BRACKETED = re.compile(r"[\[({<\uff08\u3010\uff3b](?=.*\s|\W*\w+\W*$).*[\])}>\uff09\u3011\uff3d]")
_INLINE = re.compile(r"/\*\s*\.{3,}[^*/]*\*/|<!--\s*\.{3,}[^>]*-->|\{\s*\.{3,}\s*\}")
_TAIL = re.compile(r"^.*(?:\.\.\.|\bpass|[:{]|\{\s*\}?)\s*((?:#|//|--|/\*|<!--)\s*\S.*)$")
_NOTHING = re.compile(r"pass\s*(?:#.*)?$")
_SPREAD = re.compile(r"\.{3}[\w.]+[,;]?")
"""JavaScript's `...rest`."""

_DOTS = re.compile(r"(?:#|//|--|;|<!--|/\*)? ?\.{3} ?(?:-->|\*/)?")
_MOST_WORDS, _FEW = 14, 7
_Line = tuple[str, str, str]
"""The line above, the line, and the line below, in the new text."""


def says_left_out(parts: Sequence[Sequence[HunkLine]], path: str) -> str:
    """The first new line that says, by dots or in words, that it stands for others; "" for none.

    `parts`: the hunks, or all of a file as one.
    """
    for part in parts:
        goes = any(op == DROP for op, _ in part)
        if is_prose(path) and not goes:
            continue  # an example in a text
        for line in _new(part):
            if _says_so(line, path, goes=goes):
                return line[1]
    return ""


def stands_in(part: Sequence[HunkLine], path: str, *, whole: bool) -> str:
    """The first new remark that comes where more code goes than comes; "" for none.

    `whole`: the part is all of a file, of which something may have been forgotten. Where a part of
    it is quoted, only a remark with nothing right below it is in doubt: it explains nothing.
    """
    for gap in _gaps(part):
        gone = [text.strip() for op, text in gap if op == DROP and not _is_remark(text, path)]
        bare = [_MARK.sub("", text, count=1) for text in gone]
        if sum(map(bool, bare)) <= _size(gap, ADD, path):
            continue
        for above, text, below in _new(gap):
            # code that is commented out, or `#words` with a blank between
            is_kept = _COMMENT.sub("", text.strip(), count=1) in {*gone, *bare}
            is_alone = not below.strip() or _is_remark(below, path)
            is_stub = _NOTHING.match(text.strip()) is not None
            is_string = _STRING.fullmatch(text.strip()) is not None
            is_string = is_string and above.strip()[-1:] not in {"", ":"}  # which explains it
            is_remark = is_string or _is_remark(text, path)
            if is_remark and not is_kept and (whole or (is_alone and not is_stub)):
                return text
    return ""


def is_left_out(line: str) -> bool:
    """Whether the line, in a text that is only shown, stands for others."""
    return _says_so(("", line, ""), "", goes=True)


def is_dots(line: str) -> bool:
    """Whether the line is dots and at most the marks of a comment."""
    return _DOTS.fullmatch(plain(line).strip()) is not None


def _new(part: Sequence[HunkLine]) -> Iterator[_Line]:
    """The lines that come and are not only moved; above one stands the last that is not blank."""
    gone = Counter(text.strip() for op, text in part if op == DROP)
    after = [(op, text) for op, text in part if op != DROP]
    above = ""
    for at, (op, text) in enumerate(after):
        below = after[at + 1][1] if at + 1 < len(after) else ""
        if op == ADD and gone[text.strip()] > 0:
            gone[text.strip()] -= 1
        elif op == ADD and text.strip():
            yield above, text, below
        above = text if text.strip() else above


def _gaps(part: Sequence[HunkLine]) -> Iterator[list[HunkLine]]:
    """What goes and comes between two lines that stay; blank ones do not count as such."""
    gap: list[HunkLine] = []
    for op, text in (*part, (KEEP, "x")):
        if op == KEEP and text.strip():
            yield gap
            gap = []
        else:
            gap.append((op, text))


def _size(part: Sequence[HunkLine], op: str, path: str) -> int:
    """How many lines of code go, or come; lines that stay are in both."""
    return sum(one == op and bool(s.strip()) and not _is_remark(s, path) for one, s in part)


def _is_remark(line: str, path: str) -> bool:
    """Whether the line is a comment, dots, words in brackets, or does nothing."""
    text = plain(line).strip()
    if is_prose(path):
        is_bracketed = text[:1] not in {"{", "<"} and _BRACKETED.fullmatch(text)
        return bool(_PROSE_COMMENT.match(text) or is_bracketed or is_dots(text))
    found = _NOTHING.match(text) or _COMMENT.match(text) or is_dots(text) or text.endswith(": ...")
    return bool(found)


def _says_so(line: _Line, path: str, *, goes: bool) -> bool:
    above, text = line[0], re.sub(r"(?:\. ){2,}\.", "...", plain(line[1]).strip())
    if _SPREAD.fullmatch(text) or (text[:3] == "..." and above.lstrip()[:3] in {">>>", "..."}):
        return False
    tail = _TAIL.match(text)
    if _INLINE.search(text) or (tail is not None and _says_so(("", tail[1], ""), path, goes=goes)):
        return True
    found = re.fullmatch(r"((?:REM )?[\W_]*)(.*?)([\W_]*)", text, re.IGNORECASE)
    before, said, behind = found.groups() if found else ("", text, "")
    if not said:
        return "..." in before and not _is_code(line, path, goes=goes)
    words = re.findall(r"[^\W\d_]+", said.lower())
    if len(words) > _MOST_WORDS or not re.fullmatch(r"[\w\s,.;:'\"/&()\[\]-]*", said):
        return False
    first, last = "..." in before, "..." in behind
    comment = (_PROSE_COMMENT if is_prose(path) else _COMMENT).match(text)
    whole = _BRACKETED.fullmatch(text) or _STRING.fullmatch(text)
    is_remark = comment is not None or whole is not None
    is_strong = any(re.fullmatch(_STRONG, word) for word in words)
    is_plain = is_strong and is_remark and all(map(_WORDS.fullmatch, words))
    goes_on = plain(above).rstrip().endswith("...")
    is_dotted = first and is_remark and not goes_on and len(words) <= _FEW
    return is_plain or is_dotted or (first and last) or (is_strong and (first or last))


def _is_code(line: _Line, path: str, *, goes: bool) -> bool:
    """Whether dots alone are Python's statement, YAML's end, or C's last parameter."""
    above, text, below = line
    head, bare = above.strip(), text.strip()
    if extension(path) in {"yaml", "yml"}:
        return text.rstrip() == "..." and not goes
    if bare != "...":
        return head.endswith(",") and re.match(r"\.\.\.\s*\)", bare) is not None
    deep = len(indent_of(text)) - len(indent_of(above))
    is_body = (head.endswith(":") and deep > 0) or (head.endswith(('"""', "'''")) and deep == 0)
    is_all = not below.strip() or len(indent_of(below)) < len(indent_of(text))
    return extension(path) in {"py", "pyi"} and is_body and is_all and not goes
