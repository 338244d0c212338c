"""How replies spell the path of a file.

On a line of its own, in a fence's info string, in a diff's header.
"""

import re

_DRESSING = re.compile(r"^(?:#{1,6}\s+|[-*+]\s+|\d+[.)]\s+|>\s*|//\s+|<!--\s*)+")
_LABEL = re.compile(
    r"^(?:\*\*)?(?:new |updated )?(?:file ?name|file ?path|file|path)(?:\*\*)?"
    r"\s*[:=]\s*(?:\*\*)?\s*",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"(?<!\s)\s*\((?:new|new file|updated|modified|created|changed)\)$", re.IGNORECASE
)
_EXTENSION = re.compile(r"[^\s/]\.[A-Za-z][\w+-]{0,15}$|^\.[A-Za-z][\w.-]*$")
_BARE_NAMES = frozenset(
    [
        "Makefile",
        "Dockerfile",
        "Containerfile",
        "Vagrantfile",
        "Jenkinsfile",
        "Procfile",
        "Gemfile",
        "Rakefile",
        "Justfile",
        "LICENSE",
        "COPYING",
        "README",
        "CHANGELOG",
        "AUTHORS",
        "CONTRIBUTING",
        "CONTRIBUTORS",
        "INSTALL",
        "MAINTAINERS",
        "MANIFEST",
        "VERSION",
        "Brewfile",
        "Caddyfile",
        "Podfile",
        "NOTICE",
        "CODEOWNERS",
        "BUILD",
        "WORKSPACE",
        "Pipfile",
    ]
)
_NAME = re.compile(r"[A-Za-z0-9_][\w.+-]*")
_FORBIDDEN = frozenset('<>|"*?{},;=')
_LONGEST = 10_000
"""Longer lines hold no path.

A path that is too long is still recognised, to be refused with the reason.
"""

_NOT_PATHS = frozenset({"node.js", "vue.js", "asp.net", "vb.net", "c.f"})
_INFO_PATH = re.compile(
    r"""(?:^|[\s{,])(?:path|file|filename|file_path|title)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s},]*))"""
)


def path_on_line(line: str) -> str | None:
    """The path.

    If the line holds a path and nothing else but its dressing (`**x**`, `### x`, `File: x`).
    """
    if len(line) > _LONGEST:
        return None
    text = _DRESSING.sub("", line.strip()).removesuffix("-->").strip()
    bare = _LABEL.sub("", text)
    labelled = bare != text
    text = _undressed(bare)
    quoted = (
        len(text) > 2 and text[0] == text[-1] and text[0] in "`'\"" and text[0] not in text[1:-1]
    )  # two quotes and something between
    if quoted:
        text = text[1:-1].strip()
    if not text or "`" in text:
        return None
    if labelled:
        return text
    return text if _looks_like_path(text, spaces=quoted) else None


def name_on_line(line: str) -> str | None:
    """The name, if the line holds one word that could be a file's, dressed or not, and no more."""
    text = line.strip().strip("*`")
    return text if len(text) <= _LONGEST and _NAME.fullmatch(text) else None


def labelled_path(line: str) -> str | None:
    """The path in a first line inside a fence that says it is one.

    `# path: src/x.py`, `// file: x.ts`.
    """
    text = line.strip()
    if len(text) > _LONGEST:
        return None
    text = re.sub(r"^(?:#|//|--|;|<!--|/\*|%)\s*", "", text)
    text = text.removesuffix("-->").removesuffix("*/").rstrip()
    bare = _LABEL.sub("", text)
    if bare == text:
        return None
    return bare.strip("`'\" ") or None


def commented_path(line: str) -> str | None:
    """The path in a comment that holds nothing else: a hint that the fence was meant as a file."""
    words = line.split(maxsplit=3)
    if len(words) not in {2, 3} or words[0] not in {"#", "//", "--", ";", "<!--", "/*"}:
        return None
    closed = len(words) == 2 or words[2].strip() in {"-->", "*/"}
    return words[1] if closed and _looks_like_path(words[1], spaces=False) else None


def path_in_info(info: str) -> str | None:
    """The path in a fence's info string.

    `python path=src/x.py`, `src/x.py`, `python src/x.py`, `py:src/x.py`.

    None if there is none; an empty one is returned as it is, to be complained about.
    """
    found = _INFO_PATH.search(info)
    if found is not None:
        return next(group for group in found.groups() if group is not None)
    words = info.strip().split()
    for word in words[:2]:
        candidate = word.split(":", 1)[1] if re.match(r"^[A-Za-z+#]{2,12}:[^/\\]", word) else word
        if candidate.lower() not in _NOT_PATHS and _looks_like_path(candidate, spaces=False):
            return candidate
    return None


def unquoted(name: str) -> str:
    """A file name from a diff's header.

    Git's C-style quotes and a tab with a time stamp taken off.
    """
    name = name.strip("\r\n")
    if name.startswith('"'):
        end = _closing_quote(name)
        if end:
            return _unescaped(name[1:end])
    return name.split("\t", 1)[0].rstrip()


def _undressed(text: str) -> str:
    text = text.strip()
    for _ in range(3):
        text = _REMARK.sub("", text).strip()
        text = text.removesuffix(":").strip()
        if len(text) > 4 and text.startswith("**") and text.endswith("**"):  # the four stars
            text = text[2:-2].strip()
    return text


def _looks_like_path(text: str, *, spaces: bool) -> bool:
    if not spaces and any(char.isspace() for char in text):
        return False
    if "://" in text or _FORBIDDEN & set(text) or text.endswith((".", "!", "/")):
        return False
    if text in _BARE_NAMES or text.startswith("~"):
        return True
    if "/" in text or "\\" in text:
        return any(char.isalnum() for char in text)
    return _EXTENSION.search(text) is not None


def _closing_quote(name: str) -> int:
    at = 1
    while at < len(name):
        if name[at] == "\\":
            at += 2
        elif name[at] == '"':
            return at
        else:
            at += 1
    return 0


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def _unescaped(text: str) -> str:
    """Git's escapes: octal bytes of UTF-8 and the letters of C."""

    def one(found: re.Match[str]) -> bytes:
        inside = found[1]
        if inside[0] in "01234567":
            return bytes([int(inside, 8) & 0xFF])
        return _ESCAPES.get(inside, inside).encode("utf-8", "surrogatepass")

    raw = b""
    at = 0
    for found in re.finditer(r"\\([0-7]{3}|.)", text, re.DOTALL):
        raw += text[at : found.start()].encode("utf-8", "surrogatepass") + one(found)
        at = found.end()
    raw += text[at:].encode("utf-8", "surrogatepass")
    return raw.decode("utf-8", "replace")
