"""A text file in memory, line by line, with what must survive: endings, BOM, final newline."""

from collections.abc import Sequence

from attrs import define, evolve

from agent_runner.ground.linediff import ADD, DROP, HunkLine, hunk_lines

_BOM = b"\xef\xbb\xbf"


class NotTextError(ValueError):
    """The content is no UTF-8 text; `str()` says why. Caught within this room."""


def check_writable(text: str) -> None:
    """Raises NotTextError for text that no UTF-8 file may hold: NUL, half of a surrogate pair."""
    if "\0" in text:
        raise NotTextError("the new text holds a NUL character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotTextError("the new text holds half of a character pair (a surrogate)") from error


@define
class TextFile:
    """Lines without endings, and the ending of each: LF, CRLF, or "" for a last line without."""

    lines: list[str]
    ends: list[str]
    bom: bytes = b""
    ending: str = "\n"
    """What most lines end with when it is read; LF where it is even."""
    plus: int = 0
    minus: int = 0
    """Lines that came and went since: a diff of each file would take longer than all else."""

    @classmethod
    def read(cls, content: bytes) -> "TextFile":
        """Decode. Raises NotTextError for binary content and for what is not UTF-8."""
        bom = _BOM if content.startswith(_BOM) else b""
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise NotTextError("it is UTF-16 text, and only UTF-8 can be edited")
        if b"\0" in content:
            raise NotTextError("it is a binary file")
        try:
            text = content[len(bom) :].decode("utf-8")
        except UnicodeDecodeError as error:
            raise NotTextError(
                f"it is not UTF-8 text (byte {error.start + len(bom)} is not)"
            ) from error
        lines = text.split("\n")
        last = lines.pop()
        ends = ["\n"] * len(lines)
        if "\r" in text:
            ends = ["\r\n" if line.endswith("\r") else "\n" for line in lines]
            lines = [line.removesuffix("\r") for line in lines]
        ending = "\r\n" if 2 * ends.count("\r\n") > len(ends) else "\n"
        if last:
            lines.append(last)
            ends.append("")
        return cls(lines, ends, bom, ending)

    def content(self) -> bytes:
        """The bytes. What was added must have passed `check_writable`."""
        if "\r\n" in self.ends:
            text = "".join(map(str.__add__, self.lines, self.ends))
        else:
            text = "\n".join(self.lines) + (self.ends[-1] if self.ends else "")
        return self.bom + text.encode("utf-8")

    @property
    def final_newline(self) -> bool:
        """Whether its last line has an ending; an empty file counts as one that has."""
        return not self.ends or self.ends[-1] != ""

    def rewritten(self, text: str) -> "TextFile":
        """The file with all of its text replaced; endings, BOM and final newline stay."""
        lines = text.removeprefix("\ufeff").split("\n")
        is_bare = bool(lines[-1])
        if not is_bare:
            lines.pop()
        made = self.copy()
        made.splice(0, hunk_lines(self.lines, lines))
        made.finish(newline=self.final_newline and not is_bare)
        return made

    def copy(self) -> "TextFile":
        """A copy that later changes do not reach."""
        return evolve(self, lines=list(self.lines), ends=list(self.ends))

    def finish(self, *, newline: bool) -> None:
        """Put the last line's ending right: one it has, or none."""
        if not self.ends:
            return
        if newline and not self.ends[-1]:
            self.ends[-1] = (self.ends[-2] if len(self.ends) > 1 else "") or self.ending
        elif not newline and self.lines[-1]:  # an empty last line without one would be no line
            self.ends[-1] = ""

    def splice(self, start: int, ops: Sequence[HunkLine]) -> int:
        """Carry out lines that stay, go and come from line `start` on; how many more there are.

        Lines that stay keep the file's own text and ending; a line that comes takes the ending of
        the one it replaces, else of the one it follows.
        """
        newline = self.final_newline
        lines: list[str] = []
        ends: list[str] = []
        gone: list[str] = []
        before = self.ends[start - 1 : start] if start else self.ends[:1]
        at = start
        for op, text in ops:
            self.plus += op == ADD
            self.minus += op == DROP
            if op == ADD:
                lines.append(text)
                ends.append(gone.pop(0) if gone else (ends or before or [self.ending])[-1])
                continue
            if op == DROP:
                gone.append(self.ends[at])
            else:
                gone = []
                lines.append(self.lines[at])
                ends.append(self.ends[at])
            at += 1
        self.lines[start:at] = lines
        self.ends[start:at] = ends
        for place in range(max(0, start - 1), min(start + len(lines), len(self.ends) - 1)):
            if not self.ends[place]:  # it was the last line, and is no longer
                self.ends[place] = (self.ends[place - 1] if place else "") or self.ending
        self.finish(newline=newline)
        return len(lines) - (at - start)
