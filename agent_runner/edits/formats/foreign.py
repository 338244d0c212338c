"""Forms of edits that others read and we do not: named, so that none is dropped without a word."""

import re

from agent_runner.edits.formats import search_replace, whole_file
from agent_runner.edits.naming import is_path

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
    r"^[ \t]*(<(?:\w+:)?(?:files?|write\w*|edit\w*|create\w*|replace\w*|str_replace\w*|apply_\w+"
    r"|update\w*|patch|change|changes|search\w*|insert\w*|delete\w*|invoke|function_calls?|tool_\w+"
    r"|artifact|code_?change\w*|modif\w+|function|parameter)(?:[\s=][^>]*)?/?>)"
)
_PATH_TAG = re.compile(
    r"^[ \t]*(<[\w:.-]+\s(?:[^>]*\s)?(?:path|file|filename|file_?path|name)"
    r"\s*=\s*[\"']([^\"']+)[\"'][^>]*>)"
)
_CALL = re.compile(
    r'(?s)(?=.*"(?:path|file|file_?name|file_?path|target_file)"\s*:)'
    r'.*"(?:contents?|old\w*|new\w*|search|replace\w*|patch|diff|edits|text|code)"\s*:'
    r'|(?=.*"(?:name|tool\w*|function)"\s*:).*"(?:arguments|\w*input|param\w+|args)"\s*:'
    r"|.*\*\*\* Begin Patch"
)
"""A path and a text for it, the name of a tool and its input, or a patch."""

_RULE = re.compile(r"={5,9}\s*")
_HUNK = re.compile(r"^[ \t]*@@(?:\s|$)")
_UNEVEN = 2
"""By how many characters a heading may be longer or shorter than the line below it."""

_CODE_ADDED = re.compile(r"\+(?:\t| {2,})\S.*")
_REMOVED, _ADDED = re.compile(r"-[^\s-]"), re.compile(r"\+[^\s+]")


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
    if is_mark(line) or _DIVIDER.fullmatch(line):
        return f"the marker `{line.strip()[:60]}` belongs to no form that is read."
    if _RULE.fullmatch(line) and not _is_heading(above, line):
        return f"the divider `{line.strip()}` belongs to no block."
    if _CODE_ADDED.match(line) or (_ADDED.match(line) and _REMOVED.match(above)):
        return f"the line `{line.strip()[:60]}` stands outside of a diff."
    if _HUNK.match(line):
        return f"the hunk `{line.strip()[:60]}` stands outside of a diff."
    tag = _TAG.match(line) or _PATH_TAG.match(line)
    if tag is not None and (tag.re is _TAG or is_path(tag[2])):
        return f"a `{tag[1][:80]}` tag is no form that is read."
    return None


def _is_heading(text: str, rule: str) -> bool:
    """Whether a line of `=` underlines the text above it, as Markdown has it."""
    return not text[:1].isspace() and bool(text.strip()) and abs(len(text) - len(rule)) <= _UNEVEN


def strange_fence(language: str, lines: list[str]) -> str | None:
    """The same for a fence, by its language and its lines."""
    text = "\n".join(lines)
    first = next((line for line in lines if line.strip()), "")
    is_json = language in {"", "json", "jsonc"} and first.lstrip().startswith(("{", "["))
    if language.startswith("tool") or (is_json and _CALL.match(text)):
        return "a call of a tool, written as text, is no form that is read."
    is_markup = language in {"", "xml", "html"} and _TAG.match(first)
    above = ["", *lines]
    found = (strange_line(line, above[at]) for at, line in enumerate(lines) if not _TAG.match(line))
    return strange_line(first) if is_markup else next(filter(None, found), None)
