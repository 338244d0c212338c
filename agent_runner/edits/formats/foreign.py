"""Forms of edits that others read and we do not: named, so that none is dropped without a word."""

import re

from agent_runner.edits.commands import is_typed
from agent_runner.edits.formats import search_replace, whole_file
from agent_runner.edits.naming import DIFF_LANGUAGES, is_path

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
        (is_marker, f"the marker `{shown}` belongs to no form that is read."),
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
    text = "\n".join(lines)
    first = next((line for line in lines if line.strip()), "")
    is_data = language in _DATA or (not language and first.lstrip().startswith(("{", "[")))
    if language.startswith("tool") or (is_data and _CALL.match(text)):
        return _AS_TEXT
    if language in DIFF_LANGUAGES and first:
        return f"a `{language}` without `---`, `+++` and `@@` is no form that is read."
    is_markup = language in {"", "xml", "html"} and _TAG.match(first)
    above = ["", *lines]
    found = (strange_line(line, above[at]) for at, line in enumerate(lines) if not _TAG.match(line))
    return strange_line(first) if is_markup else next(filter(None, found), None)
