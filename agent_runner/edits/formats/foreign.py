"""Forms of edits that others read and we do not: named, so that none is dropped without a word."""

import re

from agent_runner.edits.formats import search_replace, whole_file
from agent_runner.edits.marks import is_mark
from agent_runner.edits.naming import is_path, is_shell

NAME = "no form that is read"
REMEDY = f"{search_replace.FORM.format(path='the path')} For a new file: {whole_file.FORM}"
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
_WRITING = re.compile(
    r"(?:^|\s)(?:cat|tee)\b.*<<-?\s*\\?['\"]?\w+"
    r"|\bsed\s+(?:-\w+\s+)*-(?:\w*i|-in-place)|\bperl\s+-\w*i|\bpatch\s+-p\d"
    r"|\bgit\s+apply\b|\bapply_patch\b"
    r"|\b(?:echo|printf)\b.*[\s\"']>>?\s*[\w.~\"'$]",
)
_TYPED = re.compile(r"\s*(?:\$\s+)?(?:sed|perl|cat|tee|echo|printf|patch|git|rm|mv)\s")
"""How the commands begin of a fence that does not say that it holds some."""

_MOVING = re.compile(r"^\s*\$?\s*(?:git )?(?:rm|mv)\s+(.*)$")


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
    """The same for a fence without a path, by its language and its lines."""
    first = next((line for line in lines if line.strip()), "")
    if is_shell(language) or (not language and _TYPED.match(first)):
        for line in lines:
            moving = _MOVING.match(line)
            if _WRITING.search(line) or (moving and any(map(is_path, moving[1].split()))):
                return f"a shell command that changes files (`{line.strip()[:60]}`) is not run."
        return None
    text = "\n".join(lines)
    is_json = language in {"", "json", "jsonc"} and first.lstrip().startswith(("{", "["))
    if language.startswith("tool") or (is_json and _CALL.match(text)):
        return "a call of a tool, written as text, is no form that is read."
    if not is_mark(first) and language in {"", "xml", "html"} and _TAG.match(first):
        return strange_line(first)
    marker = next((line for line in lines if is_mark(line) or _HUNK.match(line)), None)
    return None if marker is None else strange_line(marker)
