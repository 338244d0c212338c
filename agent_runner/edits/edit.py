r"""What a reply asks for, once read: edits of files, commands to run, files to be shown.

Texts use `\n` only; which ending a file gets is decided where the file is known. Paths stand here
as the reply spelled them; whether they are allowed is decided in `files/jail.py`.
"""

from attrs import field, frozen

from agent_runner.ground.linediff import ADD, DROP, KEEP, HunkLine

TEXT_TOOL = "edit_file"
"""The form of an edit by a tool that is given two texts."""


@frozen
class Origin:
    """Where an edit stood: the block's number in the reply and its first line, both from 1.

    `kept`: so many replies ago it was sent, and was fine; only other blocks had to be sent again.
    `drafted`: by a tool call, which came after those before it and fitted what they left; `line` is
    then a number that the edits of one call share.
    """

    block: int
    line: int
    form: str
    kept: int = 0
    drafted: bool = False


@frozen
class Edit:
    """Base of all edits. Two edits are equal if they ask for the same, wherever they stood.

    `other`: another file that the same header may name, "" for none; if it stands, that is doubt.
    """

    path: str
    origin: Origin = field(eq=False)
    other: str = field(default="", kw_only=True)


@frozen
class Write(Edit):
    """The whole file, new or in place of what is there; no final newline unless `text` has one.

    `whole`: the reply says so in words; else it may be an example, a fragment, an output. `new`:
    there is no such file yet, or an empty one.
    """

    text: str
    whole: bool = False
    new: bool = False


@frozen
class Hunk:
    """One place in a file that changes.

    `anchors`: lines that stand above it, outermost first; they must be found. `heading`: what a
    diff writes after `@@ ... @@`; it may be missing from the file, but not stand elsewhere.
    `start`: its first line in the file before the change, from 1, where the header's counts agree
    with the lines, so that it can be believed. `at_end`: it ends the file. `newline_at_end`: what
    it asks of the final newline. `quoted`: its lines stand in the file letter by letter.
    """

    lines: tuple[HunkLine, ...]
    anchors: tuple[str, ...] = ()
    heading: str = ""
    start: int | None = None
    at_end: bool = False
    newline_at_end: bool | None = None
    quoted: bool = False

    @property
    def before(self) -> list[str]:
        """The lines that must be there."""
        return [text for op, text in self.lines if op != ADD]

    @property
    def after(self) -> list[str]:
        """The lines that will be there."""
        return [text for op, text in self.lines if op != DROP]

    @property
    def added(self) -> list[str]:
        """The lines that come."""
        return [text for op, text in self.lines if op == ADD]

    @property
    def kept(self) -> list[str]:
        """The lines that stay."""
        return [text for op, text in self.lines if op == KEEP]

    @property
    def changes_nothing(self) -> bool:
        """Whether it leaves the file as it is."""
        return self.newline_at_end is None and all(op == KEEP for op, _ in self.lines)


@frozen
class Alter(Edit):
    """Hunks of one file, in order; all of them or none."""

    hunks: tuple[Hunk, ...]


@frozen
class Delete(Edit):
    """The file goes. `lines`: all that it must hold for that; None where the form quotes none."""

    lines: tuple[str, ...] | None = None


@frozen
class Move(Edit):
    """The file gets another path. `replaces`: a file that stands there gives way."""

    to: str
    replaces: bool = False


@frozen
class SetMode(Edit):
    """The file becomes executable, or stops being so."""

    executable: bool


@frozen
class StrayFence(Edit):
    """A fence that is not clearly an edit, and perhaps meant as one; `path` is "" if it names none.

    Whether it is harmless can be said only when the files are known and all edits carried out.
    `alone`: nothing else stands on the line that names the file.
    """

    text: str
    language: str
    alone: bool = False


@frozen
class Unreadable(Edit):
    """A block that was meant as an edit and cannot be read; `path` is "" where none is known.

    `wrong`: what was found; `remedy`: how to write it.
    """

    wrong: str
    remedy: str


@frozen
class NoChange:
    """A reply that asks for nothing: no edit, no command, no file to be shown.

    `seen`: what it holds instead, in words that fit behind "What I saw: " ("words only"; "a
    `python` fence at line 3 with no path on the line above it"; several are divided by "; ").
    `why`: the agent's reason, where it wrote a line `NO CHANGE NEEDED: why` (never empty); None
    where it did not, so that the change is missing. `shows_code`: part of the reply is fenced, and
    may have been meant as a change.
    """

    seen: str
    why: str | None = None
    shows_code: bool = False


@frozen
class Reply:
    """All that a reply asks for, each in the order in which it stands there.

    `stray_fences`: what may be meant as an edit, to be judged when the others stand.

    `asks`: paths or globs that the agent wants to see. `no_change`: set if it asks for nothing in a
    known form. `exact`: a program made the edits from files: nothing is a slip of the pen. `looks`:
    the lines of `look` fences, by which a model without native tools uses those for looking; an
    empty fence is one empty line.
    `redacted`: a known key was taken out of it before it was read.
    """

    edits: tuple[Edit, ...] = ()
    stray_fences: tuple[StrayFence, ...] = ()
    commands: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    no_change: NoChange | None = None
    exact: bool = False
    redacted: bool = False
    looks: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[Unreadable, ...]:
        """The blocks that cannot be read."""
        return tuple(edit for edit in self.edits if isinstance(edit, Unreadable))
