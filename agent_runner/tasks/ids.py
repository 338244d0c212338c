"""Which ids a task may have: they name folders (`logs/ID/`) and are typed on the command line."""

import unicodedata

MAX_BYTES = 100
"""Longest id in UTF-8. File systems take 255; some of it is left for what is put around it."""


def fault_of_id(name: str) -> str:
    """What keeps `name` from being an id, as the end of a sentence; "" if nothing does."""
    if len(name.encode(errors="replace")) > MAX_BYTES:
        return f"is longer than {MAX_BYTES} bytes"
    if not name.isprintable():
        return "holds a character that cannot be printed"
    if name.startswith((".", "-")):
        return f'may not begin with "{name[0]}"'
    if name != name.strip():
        return "may not begin or end with a space"
    bad = next((char for char in name if char in '/\\:*?"<>|'), None)
    return f"may not contain {bad}" if bad else ""


def as_file_name(name: str) -> str:
    """Equal for names that are one file where case and composed letters make no difference."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
