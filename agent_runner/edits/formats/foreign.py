"""Forms of edits that others read and we do not: named, so that none is dropped without a word."""

import re

from agent_runner.edits.naming import is_path, is_shell

NAME = "no form that is read"
REMEDY = (
    "Write the path alone on a line and below it `<<<<<<< SEARCH`, the lines as they stand in the"
    " file, `=======`, the lines that take their place, `>>>>>>> REPLACE`; for a new file the path"
    " alone on a line and below it a fence with the whole of it."
)
_MARKER = re.compile(
    r"^[ \t]*(?:<{5,9}(?: .*)?|>{5,9}(?: \S+)?|>{7} .{0,60}"
    r"|[-+=*#~]{3,9} ?(?:SEARCH|REPLACE|ORIGINAL|UPDATED)(?: BLOCK)?)\s*$"
)
_TAG = re.compile(
    r"^[ \t]*(<(?:\w+:)?(?:files?|write\w*|edit\w*|create\w*|replace\w*|str_replace\w*|apply_\w+"
    r"|update\w*|patch|change|changes|search\w*|insert\w*|delete\w*|invoke|function_calls?|tool_\w+"
    r"|artifact|code_?change\w*|modif\w+)(?:\s[^>]*)?/?>)"
)
_PATH_TAG = re.compile(
    r"^[ \t]*(<[\w:.-]+\s(?:[^>]*\s)?(?:path|file|filename|file_?path|name)"
    r"\s*=\s*[\"']([^\"']+)[\"'][^>]*>)"
)
_CALL = re.compile(
    r'^[ \t]*\{\s*"(?:name|tool|function|command|action|path|file_?path|file|filename)"\s*:'
)
_HUNK = re.compile(r"^[ \t]*@@(?:\s|$)")
_WRITING = re.compile(
    r"(?:^|\s)(?:cat|tee)\b.*<<-?\s*\\?['\"]?\w+"
    r"|\bsed\s+(?:-\w+\s+)*-\w*i|\bperl\s+-\w*i|\bpatch\s+-p\d|\bgit\s+apply\b|\bapply_patch\b"
    r"|\bgit (?:mv|rm)\b",
    re.MULTILINE,
)


def strange_line(line: str) -> str | None:
    """What a line outside of every block is, if it belongs to a form of edits that is not read."""
    if _MARKER.match(line):
        return f"the marker `{line.strip()[:60]}` belongs to no form that is read."
    if _HUNK.match(line):
        return f"the hunk `{line.strip()[:60]}` stands outside of a diff."
    tag = _TAG.match(line) or _PATH_TAG.match(line)
    if tag is not None and (tag.re is _TAG or is_path(tag[2])):
        return f"a `{tag[1][:80]}` tag is no form that is read."
    return None


def strange_fence(language: str, lines: list[str]) -> str | None:
    """The same for a fence without a path, by its language and its lines."""
    if is_shell(language):
        found = _WRITING.search("\n".join(lines))
        if found is not None:
            return f"a shell command that changes files (`{found[0].strip()[:60]}`) is not run."
        return None
    first = next((line for line in lines if line.strip()), "")
    if _CALL.match(first) and language in {"", "json", "tool_call", "tool_code", "tool"}:
        return "a call of a tool, written as JSON, is no form that is read."
    if _MARKER.match(first) is None and language in {"", "xml", "html"} and _TAG.match(first):
        return strange_line(first)
    marker = next((line for line in lines if _MARKER.match(line) or _HUNK.match(line)), None)
    return None if marker is None else strange_line(marker)
