"""Marks of edits in any dialect: lines that stand around old and new text and in neither."""

import re

_ANGLES = str.maketrans({"\u00ab": "<", "\u00bb": ">", "\u2039": "<", "\u203a": ">"})
_MARK = re.compile(
    r"<{4,}(?:\s.*)?|>{4,}(?:\s\S+)?|>{7}\s.{0,60}"
    r"|[^\w\s`\"']{3,}\s*(?:SEARCH|REPLACE|ORIGINAL|UPDATED|FIND)(?: BLOCK)?[^\w`]*"
)


def is_mark(line: str) -> bool:
    """Whether the line is such a mark, also one that is escaped or in other brackets.

    Three or four `>` may as well begin a quotation.
    """
    text = line.strip().lstrip("\\").replace("&lt;", "<").replace("&gt;", ">").translate(_ANGLES)
    return _MARK.fullmatch(text) is not None
