"""Lines that stand for others that were left out: `# ... rest of the file ...`, `[unchanged]`.

One judge for all formats, asked of lines that an edit brings and the file does not hold. It knows
no list of sayings: a line is a comment, a bracket or dots around words, and stands for others if
all its words are of the kind that such lines are made of. Whoever means a line as it stands can
word it otherwise, so that doubt costs little.
"""

import re
from collections.abc import Callable, Sequence

from attrs import frozen

from agent_runner.edits.lookalikes import plain
from agent_runner.edits.naming import extension, is_prose

_STRONG = re.compile(
    r"rest|remain\w*|existing|un(?:changed|modified|touched|altered)|omit\w*|elided|truncated|snip\w*"
    r"|abbreviated|ditto|skipped|brevity"
)
"""Such words are in nearly all of these lines, and seldom in a comment of a few plain words."""

_WEAK = re.compile(
    r"others?|previous(?:ly)?|original(?:ly)?|same|more|etc|everything|already|continue\w*|before|above"
)
"""Such words make them too, but titles as well: `# other settings`."""

_KNOWN = re.compile(
    r"\w{1,4}|\d+|(?:code|file|func|method|class|import|export|test|field|propert|attribute|variable"
    r"|constant|config|setting|content|implement|logic|block|line|section|module|component|route"
    r"|handler|endpoint|definition|declar|statement|entr|item|element|value|param|argument|option|rule"
    r"|style|script|markup|table|column|helper|constructor|document|version|program|project|depend"
    r"|state|provider|member|interface|struct|branch|check|step|service|paragraph|chapter|template"
    r"|children|target|quer|model|exactly|below|change|modif|remain|stay|leave|where|which|these|there"
    r"|those|after|clarity|simplicity|insert|place|follow|still|other|without|need)\w*"
)
"""Words of code and of grammar; short ones are nearly always one or the other."""

_PHRASES = re.compile(
    r"\bno (?:(?:other|further|more) )?changes?\b|\bas[ -]is\b|\bas (?:before|above|it was)\b"
    r"|\bas they are\b|\bthe same\b|\bsame as\b|\b(?:keep|leave)\b.*\b(?:code|as)\b"
    r"|\band (?:so on|more|others)\b"
)
_HINT = re.compile(
    rf"^\s*pass$|\.\.|\u2026|\. \.|{_STRONG.pattern}|{_WEAK.pattern}|{_PHRASES.pattern}",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"#|//|/\*|\*|--|<!|;|%|\(\*|\{-|@\*|\.\. |^'\s|^REM\s", re.IGNORECASE)
_IN_BRACKETS = re.compile(r".*\s.*|snip\w*|omitted|elided|truncated|unchanged|unmodified")
"""A single other word in brackets (`<rest>`, `[existing]`) is as likely code."""

_INLINE = re.compile(r"/\*\s*\.{3,}[^*/]*\*/|<!--\s*\.{3,}[^>]*-->|\{\s*\.{3,}\s*\}")
_TAIL = re.compile(r"^.*(?:\.\.\.|\bpass|[:{]|\{\s*\}?)\s*((?:#|//|--|/\*|<!--)\s*\S.*)$")
_SPREAD = re.compile(r"\.{3}[\w.]+[,;]?")
"""JavaScript's `...rest`."""

_DEFINED = re.compile(
    r"^\s*(?:\w+\s+){0,2}(?:def|class|function|func|fn|struct|interface|impl|trait|enum)\s+(\w+)"
)
_MOST_WORDS, _FEW = 14, 7


def first_left_out(
    lines: Sequence[tuple[bool, str]],
    path: str,
    content: Callable[[], bytes],
    gone: list[str] | None,
) -> str | None:
    """The first line that only stands for lines that were left out; None if there is none.

    `lines`: those of the new text in order, each with whether the edit brings it. `content`: the
    file before. `gone`: the lines that the new text takes the place of; None where that is all.
    """
    if not any(new and _HINT.search(s) for new, s in lines):
        return None  # nothing that could be one: most edits
    old = content().decode("utf-8", "replace").splitlines()
    filled = sum(bool(s.strip()) for s in (old if gone is None else gone))
    shrinks = sum(bool(s.strip()) for _, s in lines) <= filled
    if is_prose(path) and not shrinks:
        return None  # an example in a text
    held = frozenset(line.strip() for line in old)
    least = 1 if held and (shrinks or gone is None) else 2
    judge = _Judge(path, held, shrinks and bool(held), least, is_whole=gone is None)
    above = ""
    for is_new, line in lines:
        if is_new and line.strip() not in held and judge.is_left_out(plain(line), above):
            return line
        above = line if line.strip() else above
    return None


def is_left_out(line: str) -> bool:
    """Whether the line, in a text that is only shown, stands for others."""
    return _Judge("", frozenset(), doubts=True, least=1).is_left_out(plain(line), "")


def defined_on(line: str) -> str:
    """The name that the line defines, in small letters; "" for none."""
    found = _DEFINED.match(line)
    return found[1].lower() if found else ""


def is_dots(line: str) -> bool:
    """Whether the line is dots and at most the marks of a comment."""
    text = plain(line).strip()
    return re.fullmatch(r"(?:#|//|--|;|<!--|/\*)? ?\.{3} ?(?:-->|\*/)?", text) is not None


@frozen
class _Judge:
    """What is known of the file: its path, its lines without blanks, whether doubt suffices.

    `least`: how many words of the kind a comment without dots has to have; where lines are lost, or
    the text is all of the file, one is enough. `is_whole`: it is all of it; a body that became
    nothing but `pass` then stands for the one that the file has.
    """

    path: str
    held: frozenset[str]
    doubts: bool
    least: int
    is_whole: bool = False

    def is_left_out(self, line: str, above: str) -> bool:
        text = re.sub(r"(?:\. ){2,}\.", "...", line.strip())
        if text == "pass" and self.is_whole and self._is_redefined(above):
            return True
        is_example = text.startswith("...") and above.lstrip().startswith((">>>", "..."))
        if is_example or _SPREAD.fullmatch(text):
            return False
        if _INLINE.search(text) or (text.endswith(": ...") and self._is_redefined(text)):
            return True
        found = re.fullmatch(r"((?:REM )?[\W_]*)(.*?)([\W_]*)", text, re.IGNORECASE)
        before, words, behind = found.groups() if found else ("", text, "")
        if not words:
            return "..." in before and not self._is_code(line, above)
        if self._says_so(before, words, behind, above):
            return True
        tail = _TAIL.match(text)
        return tail is not None and self.is_left_out(tail[1], "")

    def _says_so(self, before: str, text: str, behind: str, above: str) -> bool:
        """Whether words in a comment, in brackets or with dots say that lines are left out."""
        words = re.findall(r"[^\W_]+", _PHRASES.sub("unchanged", text.lower()))
        first, last = "..." in before, "..." in behind
        is_plain = re.fullmatch(r"[\w\s,.;:'\"/&()\[\]-]*", text) is not None
        if not is_plain or len(words) > _MOST_WORDS or (first and last):
            return is_plain and len(words) <= _MOST_WORDS
        marks = before.replace("#", "") if is_prose(self.path) else before  # a heading
        is_bracketed = before[-1:] in set("([{<") and behind[:1] in set(")]}>")
        is_bracketed = is_bracketed and _IN_BRACKETS.fullmatch(text.lower()) is not None
        is_comment = is_bracketed or _COMMENT.search(marks) is not None
        if not (is_comment or first or last):
            return False
        strong, weak = (sum(map(bool, map(k.fullmatch, words))) for k in (_STRONG, _WEAK))
        is_dotted = first or last
        said = strong and (strong + weak >= self.least or is_dotted)
        weak = weak and (self.doubts or is_dotted)
        if (said or weak) and all(map(self._is_known, words)):
            return True
        is_sentence = plain(above).rstrip().endswith("...")
        starts = first and is_comment and not is_sentence and len(words) <= _FEW
        return starts or (strong > 0 and is_dotted)

    def _is_known(self, word: str) -> bool:
        kinds = (_KNOWN, _STRONG, _WEAK)
        return any(kind.fullmatch(word) for kind in kinds) or self._is_redefined(f"def {word}")

    def _is_redefined(self, line: str) -> bool:
        """Whether the line defines something that the file defines as well."""
        name = defined_on(line)
        return bool(name) and name in map(defined_on, self.held)

    def _is_code(self, line: str, above: str) -> bool:
        """Whether dots alone are Python's statement, YAML's end, or C's last parameter."""
        text, head = line.strip(), above.strip()
        if extension(self.path) in {"yaml", "yml"}:
            return line.rstrip() == "..." and not self.doubts
        if text != "...":
            return head.endswith(",") and re.match(r"\.\.\.\s*\)", text) is not None
        is_new = head not in self.held and not self._is_redefined(above)
        deep = len(line) - len(line.lstrip()) - (len(above) - len(above.lstrip()))
        is_body = (head.endswith(":") and deep > 0) or (head.endswith(('"""', "'''")) and deep == 0)
        return extension(self.path) in {"py", "pyi"} and is_body and is_new
