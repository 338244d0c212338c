"""The common case without taking a file apart: plain text that holds the lines exactly once."""

from agent_runner.edits.edit import Hunk


def replaced(content: bytes, hunk: Hunk) -> bytes | None:
    """The content with the hunk carried out, or None: then the long way has to look.

    Only ASCII with LF endings and a final newline is taken; what it does is what the long way does.
    """
    before = hunk.before
    plain = content.isascii() and content.endswith(b"\n") and not _has_nul_or_cr(content)
    if not plain or not before or hunk.newline_at_end is not None:
        return None
    needle = _bytes(before)
    at = 0 if content.startswith(needle) else content.find(b"\n" + needle) + 1
    if (at == 0 and not content.startswith(needle)) or content.find(b"\n" + needle, at) >= 0:
        return None
    return content[:at] + _bytes(hunk.after) + content[at + len(needle) :]


def _has_nul_or_cr(content: bytes) -> bool:
    return b"\0" in content or b"\r" in content


def _bytes(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass")
