"""A terminal small enough to read: what stands on it after the bytes that a program wrote."""

import re
from itertools import groupby

from agent_runner.ui import words

_PART = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


SCRIPTS = {
    "wide": ("\u4e16\u754c", 4),
    "decomposed Korean": ("\u1112\u1161\u11ab\u1100\u1173\u11af", 4),
    "composed": ("\u00e9", 1),
    "combining": ("e\u0301", 1),
    "Thai, vowels and tones above": ("\u0e17\u0e35\u0e48\u0e2d\u0e22\u0e39\u0e48", 3),
    "Thai, greeting": ("\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", 4),
    "Devanagari, joined consonants": ("\u0928\u092e\u0938\u094d\u0924\u0947", 4),
    "Devanagari, signs beside their letter": ("\u0939\u093f\u0928\u094d\u0926\u0940", 5),
    "Bengali": ("\u09ac\u09be\u0982\u09b2\u09be", 5),
    "Tamil": ("\u0ba4\u0bae\u0bbf\u0bb4\u0bcd", 4),
    "Burmese": ("\u1019\u103c\u1014\u103a\u1019\u102c", 5),
    "Khmer": (
        "\u1797\u17b6\u179f\u17b6\u1781\u17d2\u1798\u17c2\u179a",
        8,
    ),
    "Hebrew with points": ("\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd", 4),
    "Arabic with points": ("\u0645\u064e\u0631\u0652\u062d\u064e\u0628\u064b\u0627", 5),
    "emoji": ("\U0001f680", 2),
    "a flag": ("\U0001f1e9\U0001f1ea", 2),
    "a family of three": ("\U0001f469\u200d\U0001f469\u200d\U0001f467", 2),
}
"""Texts, each with the column where tmux 3.3 leaves its cursor after it."""


class Screen:
    """All lines, scrollback included. Knows what our screens use and refuses the rest."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.row = 0
        self.place = 0
        self.cursor_shown = True
        self._style = ""
        self._rows: list[list[tuple[str, str]]] = [[]]

    @property
    def lines(self) -> list[str]:
        """The text of every line."""
        return ["".join(character for character, _ in row) for row in self._rows]

    @property
    def painted(self) -> list[str]:
        """Every line with its colours, as the sequences that a terminal would need for them."""
        lines = []
        for row in self._rows:
            runs = [
                (style, "".join(character for character, _ in run))
                for style, run in groupby(row, key=lambda cell: cell[1])
            ]
            lines.append(
                "".join(f"{style}{text}\x1b[0m" if style else text for style, text in runs)
            )
        return lines

    def feed(self, text: str) -> None:
        position = 0
        for part in _PART.finditer(text):
            assert part.start() == position, f"unknown: {text[position : position + 20]!r}"
            position = part.end()
            arguments, letter, control, plain = part.groups()
            if letter:
                self._obey(arguments, letter)
            elif control == "\r":
                self.place = 0
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
            del self._rows[self.row][self.place :]
        elif letter == "J":
            assert arguments in {"", "0"}, "the whole screen is cleared"
            del self._rows[self.row][self.place :]
            del self._rows[self.row + 1 :]
        elif letter in "hl":
            assert arguments in {"?25", "?2026"}
            if arguments == "?25":
                self.cursor_shown = letter == "h"
        else:
            assert letter == "m", f"unknown sequence {arguments}{letter}"
            self._style = "" if arguments in {"", "0"} else f"{self._style}\x1b[{arguments}m"

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self._rows):
            self._rows.append([])

    def _write(self, text: str) -> None:
        row = self._rows[self.row]
        row[self.place : self.place + len(text)] = [(one, self._style) for one in text]
        self.place += len(text)
        written = self.lines[self.row][: self.place]
        assert words.columns(written) <= self.columns, f"wider than the screen: {written!r}"
