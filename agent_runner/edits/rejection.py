"""What the agent is told when its reply cannot be applied.

Every problem at once, and what was fine.
"""

from collections.abc import Sequence

from attrs import field, frozen

from agent_runner.edits.edit import Complaint, Edit, Origin

_MOST_TEXT = 12_000
_MOST_OF_ONE = 3_000


@frozen
class Verdict:
    """What came of one block.

    `already`: it asked for what stands. `short` and `text`: why it failed.
    """

    origin: Origin
    path: str
    fine: bool
    already: bool = False
    short: str = ""
    text: str = ""

    @property
    def label(self) -> str:
        """The block as it is named to the agent."""
        path = (
            self.path.encode("unicode_escape").decode()
            if not self.path.isprintable()
            else self.path
        )
        earlier = " of an earlier reply" if self.origin.kept else ""
        where = f"line {self.origin.line}{earlier}"
        return f"block {self.origin.block} (`{path[:200]}`, {self.origin.form}, {where})"


@frozen
class Rejection:
    """Nothing can be applied. `text` is for the agent, `summary` one line for people.

    `fine`: the edits that could have been; the next reply need not repeat them. `faults`: the part
    of `text` that is about the others.
    """

    text: str
    summary: str
    fine: tuple[Edit, ...] = field(default=(), repr=False)
    faults: str = field(default="", repr=False)


def rejection(
    verdicts: Sequence[Verdict], problems: Sequence[Complaint], fine: tuple[Edit, ...]
) -> Rejection:
    """Put all that is wrong, and all that is right, into words."""
    failed = [verdict for verdict in verdicts if not verdict.fine]
    count = len(failed) + len(problems)
    every = len(verdicts) + len(problems)
    head = f"Nothing was applied: {count} of {every} block{'s' if every != 1 else ''} cannot be."
    parts: list[tuple[tuple[int, int], str]] = [
        ((-v.origin.kept, v.origin.line), _told(v)) for v in failed
    ]
    parts += [((0, problem.line), _clipped(str(problem), _MOST_OF_ONE)) for problem in problems]
    told = [text for _, text in sorted(parts, key=lambda part: part[0])]
    body = _fitted(told)
    shorts = [f"{v.path} ({v.short})" for v in failed] + [p.wrong for p in problems]
    summary = f"{count} of {every} blocks did not apply: {'; '.join(shorts)}"
    faults = "\n\n".join([head, *body])
    text = "\n\n".join([faults, *_fine_text(verdicts)])
    return Rejection(text, _clipped(_printable(summary), 300), fine, faults)


def _told(verdict: Verdict) -> str:
    text = f"{verdict.label}: {verdict.short}."
    return _clipped(f"{text}\n{verdict.text}" if verdict.text else text, _MOST_OF_ONE)


def _fitted(told: list[str]) -> list[str]:
    """As many as fit; the others are counted."""
    room = _MOST_TEXT
    for at, text in enumerate(told):
        room -= len(text)
        if room < 0:
            return [*told[:at], f"({len(told) - at} more blocks failed; correct these first.)"]
    return told


def _fine_text(verdicts: Sequence[Verdict]) -> list[str]:
    good = [verdict for verdict in verdicts if verdict.fine]
    if not good:
        return []
    names = ", ".join(f"{v.label}{' - already as asked' if v.already else ''}" for v in good)
    told = (
        f"Fine, and kept: {_clipped(names, 2_000)}.\n"
        "Do not send these again: send only the failed blocks, corrected."
        " They are applied after the ones that are kept."
    )
    return [told]


def _clipped(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + " ..."


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
