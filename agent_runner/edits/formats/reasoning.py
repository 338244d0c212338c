"""What a model thinks before it answers, where its server leaves that in the text: no reply."""

import re

_WORDS = (
    r"(?:\w+:)?(?:(?:ant)?think(?:ing)?|thoughts?|reason(?:ing)?|reflection|analysis|scratchpad)"
)
_OPEN = re.compile(rf"\s*(?:<{_WORDS}>|\[THINK\]|\u25c1think\u25b7)", re.IGNORECASE)
_CLOSE = re.compile(
    rf"</{_WORDS}>|\[/THINK\]|\u25c1/think\u25b7|\.\.\.done thinking\.", re.IGNORECASE
)
_FINAL = re.compile(r"^.*<\|channel\|>final<\|message\|>")
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})")


def without_reasoning(lines: list[str]) -> tuple[list[str], int | None]:
    """The lines with those of reasoning made blank, and the line of one that does not end.

    An end without a beginning counts from the first line: some templates hold the beginning back.
    """
    kept = list(lines)
    final = next((at for at, line in enumerate(kept) if _FINAL.match(line)), None)
    if final is not None:
        kept[: final + 1] = [*[""] * final, _FINAL.sub("", kept[final])]
    closed = next((at for at, line in enumerate(kept) if _CLOSE.match(line.strip())), None)
    if closed is not None and not any(map(_OPEN.match, kept[: closed + 1])):
        _blank(kept, 0, closed)
    is_fenced = False
    for at in range(len(kept)):
        is_fenced ^= _FENCE.match(kept[at]) is not None
        if is_fenced or not _OPEN.match(kept[at]):
            continue
        end = next((i for i in range(at, len(kept)) if _CLOSE.search(kept[i])), None)
        if end is None:
            kept[at:] = [""] * (len(kept) - at)
            return kept, at
        _blank(kept, at, end)
    return kept, None


def _blank(lines: list[str], first: int, last: int) -> None:
    """Blank the lines but for what stands behind the end of the reasoning in the last one."""
    rest = _CLOSE.split(lines[last], maxsplit=1)[-1]
    lines[first : last + 1] = [*[""] * (last - first), rest]
