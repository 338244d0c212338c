"""What a model looked at and drafted, in words: for the live line, `why` and `log`."""

from collections.abc import Sequence

from agent_runner.model.looks import Look
from agent_runner.ui import words

_MOST = 3

_VERBS = {
    "list_files": "listing",
    "read_file": "reading",
    "search": "search",
    "git_log": "git log",
    "git_diff": "git diff",
    "hook_output": "output of",
    "edit_file": "drafting",
    "apply_patch": "drafting",
    "delete_file": "drafting: delete",
    "move_file": "drafting: move",
    "run_check": "checking with",
}


def look_words(look: Look) -> str:
    """One look: `reading src/a.py 1-400`, `search "def main": 3 files`."""
    verb = _VERBS.get(look.tool, words.clean(look.tool))
    brief = words.clean(look.brief)
    text = f"{verb} {brief}".strip()
    if look.is_error or look.tool in {"search", "run_check"}:
        return f"{text}: {words.clean(look.outcome)}"
    return text


def looks_line(looks: Sequence[Look]) -> str:
    """The looks of one reply on one line, the first of them in words."""
    shown = "; ".join(look_words(look) for look in looks[:_MOST])
    more = len(looks) - _MOST
    return f"{shown}; and {more} more" if more > 0 else shown
