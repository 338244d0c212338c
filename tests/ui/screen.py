"""A terminal small enough to read: what stands on it after the bytes that a program wrote."""

import re

_PART = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


class Screen:
    """All lines, scrollback included. Knows what our screens use and refuses the rest."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.lines = [""]
        self.row = 0
        self.column = 0
        self.cursor_shown = True

    def feed(self, text: str) -> None:
        position = 0
        for part in _PART.finditer(text):
            assert part.start() == position, f"unknown: {text[position : position + 20]!r}"
            position = part.end()
            arguments, letter, control, plain = part.groups()
            if letter:
                self._obey(arguments, letter)
            elif control == "\r":
                self.column = 0
            elif control:
                self._down()
            else:
                self._write(plain)
        assert position == len(text)

    def _obey(self, arguments: str, letter: str) -> None:
        if letter == "A":
            self.row -= int(arguments or "1")
            assert self.row >= 0
        elif letter == "K":
            assert arguments in {"", "0"}, "a line is cleared before it is written"
            self.lines[self.row] = self.lines[self.row][: self.column]
        elif letter == "J":
            assert arguments in {"", "0"}, "the whole screen is cleared"
            self.lines[self.row] = self.lines[self.row][: self.column]
            del self.lines[self.row + 1 :]
        elif letter in "hl":
            assert arguments in {"?25", "?2026"}
            if arguments == "?25":
                self.cursor_shown = letter == "h"
        else:
            assert letter == "m", f"unknown sequence {arguments}{letter}"

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")

    def _write(self, text: str) -> None:
        line = self.lines[self.row]
        assert self.column + len(text) <= self.columns, f"wider than the screen: {text!r}"
        self.lines[self.row] = line[: self.column] + text + line[self.column + len(text) :]
        self.column += len(text)
