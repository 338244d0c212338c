"""Carries the hunks of one file out on its text."""

from collections.abc import Sequence

from attrs import evolve

from agent_runner.edits.edit import Hunk
from agent_runner.edits.fitting import Place
from agent_runner.edits.matching import Haystack, NoPlace, locate, tells
from agent_runner.edits.outcome import Carried, Failed, Outcome, not_found
from agent_runner.files.textfile import TextFile
from agent_runner.ground.linediff import DROP, KEEP


def alter(text: TextFile, hunks: Sequence[Hunk], *, exact: bool) -> Outcome:
    """Carry out the hunks of one file, in order, each on what those before it left.

    `exact`: a program wrote them, so that every number is meant. The text is changed even where
    some of them fail.
    """
    shift = after = standing = 0
    before = list(text.lines)
    wrong: list[Failed] = []
    for number, written in enumerate(hunks, 1):
        hunk = _as_file(written, text)
        hay = Haystack(text.lines, before, after, shift)
        place = locate(hay, hunk, exact=exact)
        if isinstance(place, NoPlace):
            if _stands(hay, hunk, place):
                standing += 1
            else:
                label = f"hunk {number}: " if len(hunks) > 1 else ""
                wrong.append(not_found(label, text.lines, hunk, place))
        elif hunk.changes_nothing or (not exact and _is_inserted(text.lines, place, hunk)):
            standing += 1
        else:
            grown = text.splice(place.start, place.lines)
            if hunk.newline_at_end is not None:
                text.finish(newline=hunk.newline_at_end)
            shift += grown
            after = place.start + len(hunk.before) + grown
    if wrong:
        texts = "\n".join(failed.text for failed in wrong if failed.text)
        return Failed("; ".join(failed.short for failed in wrong), texts)
    return Carried(already=standing == len(hunks))


def _as_file(hunk: Hunk, text: TextFile) -> Hunk:
    """The hunk without the BOM and the carriage returns that programs show in diffs."""
    lines = hunk.lines
    if text.bom:
        lines = tuple((op, line.removeprefix("\ufeff")) for op, line in lines)
    if "\r\n" in text.ends and any(line.endswith("\r") for line in hunk.before):
        lines = tuple((op, line.removesuffix("\r")) for op, line in lines)
    return hunk if lines is hunk.lines else evolve(hunk, lines=lines)


def _is_inserted(lines: list[str], place: Place, hunk: Hunk) -> bool:
    """Whether the lines that an insertion brings stand at its place: they are not put there twice.

    Lines that say nothing (blank ones, brackets) may be meant twice.
    """
    ops = [op for op, _ in place.lines]
    if DROP in ops or not tells(hunk.added) or hunk.newline_at_end is not None:
        return False
    lead = next((at for at, op in enumerate(ops) if op == KEEP), len(ops))
    after = [text.rstrip() for _, text in place.lines]
    return any(
        start >= 0 and [line.rstrip() for line in lines[start : start + len(after)]] == after
        for start in (place.start, place.start - lead)
    )


def _stands(hay: Haystack, hunk: Hunk, missing: NoPlace) -> bool:
    """Whether what the hunk would bring stands in the file, surely at the place that it means.

    Its old text must be gone, and the new one must stand once, around lines that both have: the
    new lines alone may stand anywhere.
    """
    if missing.found or missing.wrong or not tells(hunk.kept) or not tells(hunk.added):
        return False
    place = locate(hay, evolve(hunk, lines=tuple((KEEP, line) for line in hunk.after)))
    if not isinstance(place, Place):
        return False
    there = hay.lines[place.start : place.start + len(place.lines)]
    return [line.rstrip() for line in there] == [line.rstrip() for line in hunk.after]
