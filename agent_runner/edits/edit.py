r"""What a reply asks for, once read.

Edits of files, commands to run, files to be shown, and blocks that do not parse.

Texts use `\n` only; which ending a file gets is decided where the file is known. Paths stand here
as the reply spelled them; whether they are allowed is decided in `jail.py`.
"""

from attrs import evolve, field, frozen

KEEP, DROP, ADD = " ", "-", "+"
"""What a line of a hunk does: stays (context), goes, comes."""

HunkLine = tuple[str, str]
"""One of KEEP, DROP, ADD, and the line's text without its ending."""


@frozen
class Origin:
    """Where an edit stood: the block's number in the reply and its first line, both from 1.

    `kept`: so many replies ago it was sent, and was fine; only other blocks had to be sent again.
    """

    block: int
    line: int
    form: str
    kept: int = 0


@frozen
class Edit:
    """Base of all edits. Two edits are equal if they ask for the same, wherever they stood."""

    path: str
    origin: Origin = field(eq=False)


@frozen
class Write(Edit):
    """The whole file, new or in place of what is there.

    Without a final newline in `text` none is written.
    """

    text: str


@frozen
class Create(Edit):
    """A new file: not there yet, or empty."""

    text: str


@frozen
class Hunk:
    """One place in a file that changes.

    `anchors`: lines that stand above it, outermost first. `start`: its first line in the file
    before the change, from 1, or None. `counted`: the header's counts agree with the lines, so
    `start` can be believed. `at_end`: it ends the file. `newline_at_end`: what it asks of the final
    newline.
    """

    lines: tuple[HunkLine, ...]
    anchors: tuple[str, ...] = ()
    start: int | None = None
    counted: bool = False
    at_end: bool = False
    newline_at_end: bool | None = None

    @property
    def before(self) -> list[str]:
        """The lines that must be there."""
        return [text for op, text in self.lines if op != ADD]

    @property
    def after(self) -> list[str]:
        """The lines that will be there."""
        return [text for op, text in self.lines if op != DROP]

    @property
    def changes_nothing(self) -> bool:
        """Whether it leaves the file as it is."""
        return self.newline_at_end is None and all(op == KEEP for op, _ in self.lines)


def without_bom(hunk: Hunk) -> Hunk:
    """The hunk without the BOM that diffs show at the start of a file's first line."""
    lines = tuple((op, text.removeprefix("\ufeff")) for op, text in hunk.lines)
    return evolve(hunk, lines=lines)


@frozen
class Alter(Edit):
    """Hunks of one file, in order; all of them or none."""

    hunks: tuple[Hunk, ...]


@frozen
class Delete(Edit):
    """The file goes."""


@frozen
class Move(Edit):
    """The file gets another path, in place of what is there."""

    to: str


@frozen
class SetMode(Edit):
    """The file becomes executable, or stops being so."""

    executable: bool


@frozen
class Complaint:
    """A block that was meant as an edit and cannot be read.

    `line`: where it stands in the reply, from 1. `wrong`: what is wrong; `remedy`: how to write it.
    """

    block: int
    line: int
    form: str
    wrong: str
    remedy: str

    def __str__(self) -> str:
        where = f"block {self.block} ({self.form}, line {self.line} of the reply)"
        return f"{where}: {self.wrong}\n  {self.remedy}"


@frozen
class Reply:
    """All that a reply asks for, each in the order in which it stands there.

    `asks` are paths or globs that the agent wants to see.
    """

    edits: tuple[Edit, ...] = ()
    commands: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    problems: tuple[Complaint, ...] = ()
