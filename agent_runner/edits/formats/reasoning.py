"""What a model thinks before it answers, where its server leaves that in the text: no reply.

Tags that are known to hold it are taken away with what they hold; changes in others are in doubt.
"""

import re

from agent_runner.edits.formats.scan import dedented, outside_fences

_WORDS = (
    r"(?:\w+:)?(?:(?:ant)?think(?:ing)?|thoughts?|reason(?:ing)?|reflection|analysis|scratchpad)"
)
_OPEN = re.compile(rf" {{0,3}}(?:<{_WORDS}>|\[THINK\]|\u25c1think\u25b7)", re.IGNORECASE)
_CLOSE = re.compile(
    rf"</{_WORDS}>|\[/THINK\]|\u25c1/think\u25b7|\.\.\.done thinking\.", re.IGNORECASE
)
_FINAL = re.compile(r"^.*<\|channel\|>final<\|message\|>")
_TAG = re.compile(r"\s*<\|?(/?)(?:(begin|end)_of_)?([\w:.-]+)\|?>\s*")
_ANSWERS = frozenset(
    {"answer", "final_answer", "final", "response", "reply", "output", "result", "solution"}
    | {"details"}
)
"""Tags in which the reply itself stands."""


def without_reasoning(lines: list[str]) -> tuple[list[str], int | None]:
    """The lines with those of reasoning made blank, and the line of one that does not end.

    An end without a beginning counts from the first line: some templates hold the beginning back.
    """
    kept = list(lines)
    final = next((at for at in outside_fences(kept) if _FINAL.match(kept[at])), None)
    if final is not None:
        kept[: final + 1] = [*[""] * final, _FINAL.sub("", kept[final])]
    closed = next((at for at, line in enumerate(kept) if _CLOSE.match(dedented(line, 3))), None)
    if closed is not None and not any(map(_OPEN.match, kept[: closed + 1])):
        _blank(kept, 0, closed)
    for at in outside_fences(kept):
        if not _OPEN.match(kept[at]):
            continue
        end = next((i for i in range(at, len(kept)) if _CLOSE.search(kept[i])), None)
        if end is None:
            kept[at:] = [""] * (len(kept) - at)
            return kept, at
        _blank(kept, at, end)
    return kept, None


def enclosures(lines: list[str]) -> list[tuple[int, int, str]]:
    """Parts of a reply between tags of which nobody knows what they mean.

    The line of the beginning and of the end, and the tag's name. What is changed there may be
    a draft or the answer.
    """
    found: list[tuple[int, int, str]] = []
    opened: dict[str, int] = {}
    for at in outside_fences(lines):
        tag = _TAG.fullmatch(lines[at])
        if tag is None or tag[3].lower() in _ANSWERS:
            continue
        if not tag[1] and tag[2] != "end":
            opened.setdefault(tag[3], at)
        elif tag[3] in opened:
            found.append((opened.pop(tag[3]), at, tag[3]))
    return found


def _blank(lines: list[str], first: int, last: int) -> None:
    """Blank the lines but for what stands behind the end of the reasoning in the last one."""
    rest = _CLOSE.split(lines[last], maxsplit=1)[-1]
    lines[first : last + 1] = [*[""] * (last - first), rest]
