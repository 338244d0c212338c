"""Forms of edits that others read and we do not: named, so that none is dropped without a word.

Commands are one: nobody runs those that a reply shows, so that one that changes files is a change
which would be lost. Few are known never to change a file that they are given; any other one is in
doubt if it is given one.
"""

import re
import shlex
from collections.abc import Callable, Sequence
from itertools import dropwhile, pairwise

from agent_runner.edits.formats import search_replace, whole_file
from agent_runner.edits.naming import DIFF_LANGUAGES, is_path, is_shell

NAME = "no form that is read"
REMEDY = f"{search_replace.FORM.format(path='the path')} For a new file: {whole_file.FORM}"
_ANGLES = str.maketrans({"\u00ab": "<", "\u00bb": ">", "\u2039": "<", "\u203a": ">"})
_MARK = re.compile(
    r"<{4,}(?:\s.*)?|>{4,}(?:\s\S+)?|>{7}\s.{0,60}"
    r"|[^\w\s`\"']{3,}\s*(?:SEARCH|REPLACE|ORIGINAL|UPDATED|FIND)(?: BLOCK)?[^\w`]*"
)
_DIVIDER = re.compile(r"\s*([=#*%~+-])\1{2,}.*\b(?:FILE|START|BEGIN|END)\b.*\1{3}\s*")
"""Around the files of a reply, where their names stand in lines of dashes."""

_TAG = re.compile(
    r"^[ \t]*(<(?:\w+:)?(?:files?|patch|changes?|artifact|invoke|function(?:_calls?)?|parameter"
    r"|(?:write|edit|create|replace|str_replace|apply_|update|search|insert|delete|tool_|modif"
    r"|code_?change)\w*)(?:[\s=][^>]*)?/?>)"
)
"""Elements by which agents write files, edit them, or call tools."""

_ATTRIBUTES = re.compile(r"^[ \t]*(<[\w:.-]+(?:\s+[\w:.-]+\s*=\s*[\"'][^\"']*[\"'])+\s*/?>)")
_VALUE = re.compile(r"=\s*[\"']([^\"']+)[\"']")
_CALL = re.compile(
    r"(?s)(?=.*\b(?:path|file|file_?name|file_?path|target_file)[\"']?\s*:)"
    r".*\b(?:contents?|old\w*|new\w*|search|replace\w*|patch|diff|edits|text|code)[\"']?\s*:"
    r"|(?=.*[\"'](?:name|tool\w*|function)[\"']\s*:).*[\"'](?:arg\w*|\w*input|param\w+)[\"']\s*:"
    r"|.*\*\*\* Begin Patch"
)
"""A path and a text for it, the name of a tool and its input, or a patch."""

_CODE = re.compile(r"`[^`]*`")
_VERB = re.compile(r"^\s*\*\*\* [A-Z][\w ]*: *\S")
_QUOTED = re.compile(r"^\s*>\s*(?:```|~~~|\*\*\* |@@|--- \S|diff )")
_RULE = re.compile(r"={5,9}\s*")
_HUNK = re.compile(r"^[ \t]*@@(?:\s|$)")
_DATA = frozenset({"json", "jsonc", "json5", "yaml", "yml"})
_AS_TEXT = "a call of a tool, written as text, is no form that is read."
_UNEVEN = 2
"""By how many characters a heading may be longer or shorter than the line below it."""

_CODE_ADDED = re.compile(r"\+(?:\t| {2,})\S.*")
_REMOVED, _ADDED = re.compile(r"-[^\s-]"), re.compile(r"\+[^\s+]")

_PROMPT = re.compile(r"^\s*(?:\$|%|PS[^>]*>|[A-Z]:\\[^>]*>)\s+(?=\S)")
_REMARK = re.compile(r"^\s*(?:#|REM\b|::).*|\s#\s.*")
_NEXT = re.compile(r"&&|\|\||[;|]")
_INTO = re.compile(
    r"(?<!<)<<-?\s*\\?['\"]?[A-Za-z_]"
    r"|(?:^|[\s\w\"'])(?:[12&]?>>?|>\|)\s*(?!/dev/null|&\d|nul\b)[\w.~/\"'$]"
)
"""Text for a command, or what it says, put into a file."""

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

_ADDRESS = re.compile(r".*://|[\w.-]+:\d+(?:/|$)")
_PARTS = re.compile(r"[\s'\"(),=:]+")
_PLAIN = frozenset({"", "text", "txt", "plain", "plaintext", "output"})
_BEGINS = re.compile(r"\s*[a-z][\w.+-]*\s.*[./<>-]")
_PROGRAM = re.compile(r"[a-z][\w.+-]*")

IsFile = Callable[[str], bool]
"""Whether a word names a file, by its form or because it stands in the tree."""


def is_mark(line: str) -> bool:
    """Whether the line is a mark around old and new text in any dialect, escaped or not.

    Three or four `>` may as well begin a quotation.
    """
    text = line.strip().lstrip("\\").replace("&lt;", "<").replace("&gt;", ">").translate(_ANGLES)
    return _MARK.fullmatch(text) is not None


def strange_line(line: str, above: str = "") -> str | None:
    """What a line outside of every block is, if it belongs to a form of edits that is not read.

    `above`: the line above it.
    """
    shown = line.strip()[:60]
    tag = _TAG.match(line) or _ATTRIBUTES.match(line)
    is_tag = tag is not None and (tag.re is _TAG or any(map(is_path, _VALUE.findall(line))))
    is_rule = _RULE.fullmatch(line) is not None and not _is_heading(above, line)
    is_signed = _CODE_ADDED.match(line) or (_ADDED.match(line) and _REMOVED.match(above))
    is_marker = is_mark(line) or _DIVIDER.fullmatch(line) or _VERB.match(line)
    kinds = (
        (is_marker, f"the marker `{shown}` stands in no block that can be read."),
        (is_rule, f"the divider `{shown}` belongs to no block."),
        (is_signed, f"the line `{shown}` stands outside of a diff."),
        (_HUNK.match(line), f"the hunk `{shown}` stands outside of a diff."),
        (_QUOTED.match(line), f"`{shown}` stands in a quotation."),
        ('{"' in line and _CALL.match(_CODE.sub("", line)), _AS_TEXT),
        (is_typed(line, is_path), f"a shell command that changes files (`{shown}`) is not run."),
        (is_tag, f"a `{tag[1][:80] if tag else ''}` tag is no form that is read."),
    )
    return next((words for is_so, words in kinds if is_so), None)


def _is_heading(text: str, rule: str) -> bool:
    """Whether a line of `=` underlines the text above it, as Markdown has it."""
    return not text[:1].isspace() and bool(text.strip()) and abs(len(text) - len(rule)) <= _UNEVEN


def strange_fence(language: str, lines: list[str]) -> str | None:
    """The same for a fence, by its language and its lines."""
    first = next(filter(str.strip, lines), "")
    is_data = language in _DATA or (not language and first.lstrip().startswith(("{", "[")))
    if language.startswith("tool") or (is_data and _CALL.match("\n".join(lines))):
        return _AS_TEXT
    if language in DIFF_LANGUAGES and first:
        return f"a `{language}` fence has to begin with `---` and `+++`, then `@@`."
    if language in {"", "xml", "html"} and _TAG.match(first):
        return strange_line(first)
    found = (
        strange_line(line, above) for above, line in pairwise(["", *lines]) if not _TAG.match(line)
    )
    return next(filter(None, found), None)


def changing(language: str, lines: Sequence[str], is_file: IsFile) -> str | None:
    """The first line of a fence that is a command by which files change, or may; None for none."""
    if not is_shell(language) and language not in _PLAIN:
        return None
    shows_output = any(map(_PROMPT.match, lines))
    for line in "\n".join(lines).replace("\\\n", " ").split("\n"):
        prompt = _PROMPT.match(line)
        text = _REMARK.sub("", line[prompt.end() :] if prompt else line)
        is_run = prompt or (is_shell(language) and not shows_output)
        if (is_run or (not shows_output and _is_command(text, is_file))) and (
            _INTO.search(text) or any(_may_change(part, is_file) for part in _NEXT.split(text))
        ):
            return line
    return None


def is_typed(line: str, is_file: IsFile) -> bool:
    """Whether a line outside of all fences is such a command: after a prompt, or beyond doubt."""
    if not _PROMPT.match(line) and not _BEGINS.match(line):
        return False  # most lines, at once
    words = line.split()
    is_sure = len(words) > 2 or _CHANGES.fullmatch(words[0])
    return bool(is_sure) and changing("", [line], is_file) is not None


def _may_change(part: str, is_file: IsFile) -> bool:
    program, *given = list(dropwhile(_BEFORE.fullmatch, _words(part))) or [""]
    if _CHANGES.fullmatch(program):
        return bool(given)
    looks = _LOOKS.fullmatch(" ".join([program, *given[:1]]) if program == "git" else program)
    parts = (part for word in given if not _ADDRESS.match(word) for part in _PARTS.split(word))
    return (not looks or any(map(_SAYS_SO.fullmatch, given))) and any(map(is_file, parts))


def _is_command(line: str, is_file: IsFile) -> bool:
    """Whether a line without any prompt is one: a program, and only what programs are given."""
    program, *given = _words(line) or [""]
    if _PROGRAM.fullmatch(program) is None or not given:
        return False
    if "<<" in line or any(map(is_file, re.findall(r">\s*(\S+)", line))):
        return True
    given = given[1:] if program == "git" else given
    others = [word for word in given if not is_file(word)]
    return len(others) < len(given) and not any(map(str.isalpha, others))


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
