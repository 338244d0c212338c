"""A text file in memory, line by line, with what must survive a change.

Endings, BOM, final newline.
"""

from attrs import define, evolve

from agent_runner.edits.linediff import Same, same_runs

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
    """Lines that came and went since."""

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
        pieces = text.split("\n")
        last = pieces.pop()
        if "\r" not in text:
            ending = "\n"
            ends = ["\n"] * len(pieces)
        else:
            ends = ["\r\n" if piece.endswith("\r") else "\n" for piece in pieces]
            pieces = [piece.removesuffix("\r") for piece in pieces]
            ending = "\r\n" if 2 * ends.count("\r\n") > len(ends) else "\n"
        if last:
            pieces.append(last)
            ends.append("")
        return cls(pieces, ends, bom, ending)

    @classmethod
    def new(cls, text: str) -> "TextFile":
        """A new file of this text: LF endings, a final newline if the text has one."""
        return cls.read(b"").rewritten(text)

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

    @property
    def mixed(self) -> bool:
        """Whether lines end in both ways."""
        return "\r\n" in self.ends and "\n" in self.ends

    def rewritten(self, text: str) -> "TextFile":
        """The file with all of its text replaced.

        Endings, BOM and final newline stay as they are.
        """
        if self.bom:
            text = text.removeprefix("\ufeff")
        lines = text.split("\n")
        bare = bool(lines.pop()) and not text.endswith("\n")
        if bare:
            lines.append(text.rsplit("\n", 1)[-1])
        runs = same_runs(self.lines, lines)
        ends = self._ends_for(lines, runs) if self.mixed else [self.ending] * len(lines)
        same = sum(size for _, _, size in runs)
        plus, minus = self.plus + len(lines) - same, self.minus + len(self.lines) - same
        made = TextFile(lines, ends, self.bom, self.ending, plus, minus)
        made.finish(newline=not bare and self.final_newline, ending=self.ending)
        return made

    def copy(self) -> "TextFile":
        """A copy that later changes do not reach."""
        return evolve(self, lines=list(self.lines), ends=list(self.ends))

    def finish(self, *, newline: bool, ending: str) -> None:
        """Put the last line's ending right: one it has, or none."""
        if not self.ends:
            return
        if not newline:
            if self.lines[-1]:  # an empty last line without an ending would be no line
                self.ends[-1] = ""
        elif not self.ends[-1]:
            before = self.ends[-2] if len(self.ends) > 1 else ""
            self.ends[-1] = before or ending

    def _ends_for(self, lines: list[str], runs: list[Same]) -> list[str]:
        """Endings for new lines: those of the lines they are, replace or follow."""
        ends: list[str] = []
        at = new_at = 0
        for start, new_start, size in [*runs, (len(self.lines), len(lines), 0)]:
            gone = self.ends[at:start]
            for index in range(new_start - new_at):
                ends.append(gone[index] if index < len(gone) else self._followed(ends, at))
            ends += self.ends[start : start + size]
            at, new_at = start + size, new_start + size
        return [end or self.ending for end in ends]

    def _followed(self, ends: list[str], at: int) -> str:
        if ends:
            return ends[-1]
        return self.ends[at] if at < len(self.ends) else self.ending

    def splice(self, start: int, ops: "list[tuple[str, str]]") -> int:
        """Carry out lines that stay, go and come from line `start` on.

        Returns how many lines more there are.

        Lines that stay keep the file's own text and ending; a line that comes takes the ending of
        the one it replaces, else of the one it follows.
        """
        newline, ending = self.final_newline, self.ending
        lines: list[str] = []
        ends: list[str] = []
        gone: list[str] = []
        at = start
        for op, text in ops:
            if op == "+":
                self.plus += 1
                lines.append(text)
                ends.append(gone.pop(0) if gone else self._before(ends, start, ending))
                continue
            if op == "-":
                self.minus += 1
                gone.append(self.ends[at])
            else:
                gone = []
                lines.append(self.lines[at])
                ends.append(self.ends[at])
            at += 1
        self.lines[start:at] = lines
        self.ends[start:at] = ends
        self._mend(start, start + len(lines), ending)
        self.finish(newline=newline, ending=ending)
        return len(lines) - (at - start)

    def _before(self, ends: list[str], start: int, ending: str) -> str:
        if ends:
            return ends[-1]
        if start:
            return self.ends[start - 1]
        return self.ends[0] if self.ends else ending

    def _mend(self, start: int, stop: int, ending: str) -> None:
        """Give an ending to lines that are no longer the last."""
        for at in range(max(0, start - 1), min(stop, len(self.ends) - 1)):
            if not self.ends[at]:
                self.ends[at] = (self.ends[at - 1] if at else "") or ending
