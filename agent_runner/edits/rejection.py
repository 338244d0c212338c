"""What the agent is told when its reply cannot be applied: all problems, and what was fine."""

from collections.abc import Sequence

from attrs import field, frozen

from agent_runner.edits.edit import Edit, NoChange
from agent_runner.edits.formats import search_replace, whole_file
from agent_runner.edits.outcome import Carried, Failed, Outcome

FORMS = f"""\
The forms are:
- for a change within a file: {search_replace.FORM.format(path="its path")}
- for a new file: {whole_file.FORM}
- a unified diff, or a `*** Begin Patch` envelope.
If nothing has to be changed, reply with one line: `NO CHANGE NEEDED: why`."""

_MOST_TEXT = 12_000
_MOST_OF_ONE = 3_000


@frozen
class Rejection:
    """Nothing can be applied. `text` is for the agent, `summary` one line for people.

    `fine`: the edits that could have been; the next reply need not repeat them. `faults`: the part
    of `text` that is about the others. `no_change`: set if the reply asked for nothing.
    """

    text: str
    summary: str
    fine: tuple[Edit, ...] = field(default=(), repr=False)
    faults: str = field(default="", repr=False)
    no_change: NoChange | None = None


def no_change_found(found: NoChange) -> Rejection:
    """The answer to a reply that asks for nothing: what was seen in it, and the known forms."""
    text = f"No change in a known form was found. What I saw: {found.seen}.\n\n{FORMS}"
    summary = f"no change in a known form was found: {found.seen}"
    return Rejection(text, _clipped(_printable(summary), 300), faults=text, no_change=found)


def rejection(blocks: Sequence[tuple[Edit, Outcome]], fine: tuple[Edit, ...]) -> Rejection:
    """Put all that is wrong, and all that is right, into words.

    `blocks`: one edit of each and what came of the block. `fine`: all edits of the good ones.
    """
    failed = [(edit, said) for edit, said in blocks if isinstance(said, Failed)]
    failed.sort(key=lambda one: (-one[0].origin.kept, one[0].origin.line))
    every = f"{len(blocks)} block{'s' if len(blocks) != 1 else ''}"
    told = [
        _clipped(
            f"{_label(edit)}: {said.short}.{_below(said.text)}{_below(said.forms)}", _MOST_OF_ONE
        )
        for edit, said in failed
    ]
    faults = "\n\n".join(
        [f"Nothing was applied: {len(failed)} of {every} cannot be.", *_fitted(told)]
    )
    shorts = "; ".join(f"{e.path} ({said.short})" if e.path else said.short for e, said in failed)
    summary = _clipped(_printable(f"{len(failed)} of {every} did not apply: {shorts}"), 300)
    good = [(edit, said) for edit, said in blocks if isinstance(said, Carried)]
    if not good:
        return Rejection(faults, summary, fine, faults)
    names = ", ".join(f"{_label(e)}{' - already as asked' * said.already}" for e, said in good)
    kept = (
        f"Fine, and kept: {_clipped(names, 2_000)}.\n"
        "Do not send these again: send only the failed blocks, corrected."
        " They are applied after the ones that are kept."
    )
    return Rejection(f"{faults}\n\n{kept}", summary, fine, faults)


def _label(edit: Edit) -> str:
    """The block as it is named to the agent."""
    path = edit.path if edit.path.isprintable() else edit.path.encode("unicode_escape").decode()
    named = [f"`{path[:200]}`"] if path else []
    earlier = " of an earlier reply" if edit.origin.kept else " of the reply"
    # which call drafted it says nothing to the agent, and may be another number after a restart
    where = "drafted" if edit.origin.drafted else f"line {edit.origin.line}{earlier}"
    said = ", ".join([*named, edit.origin.form, where])
    return f"block {edit.origin.block} ({said})" if edit.origin.block else f"{said}"


def _below(text: str) -> str:
    return f"\n{text}" if text else ""


def _fitted(told: list[str]) -> list[str]:
    """As many as fit; the others are counted."""
    room = _MOST_TEXT
    for at, text in enumerate(told):
        room -= len(text)
        if room < 0:
            return [*told[:at], f"({len(told) - at} more blocks failed; correct these first.)"]
    return told


def _clipped(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + " ..."


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
