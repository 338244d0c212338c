"""What a first message says of the repository: names in its files, and its own instructions.

Symbols are found by one regular expression a language: of 5,000 files in two thirds of a second,
with nothing to install, where parsers take ten times as long.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping

from agent_runner.ground.escaping import on_one_line
from agent_runner.looking.arguments import AskError
from agent_runner.looking.files import Files, counted
from agent_runner.model.shown_files import FileText

MOST_INSTRUCTIONS = 8 << 10
"""Characters of the repository's own instructions."""

INSTRUCTIONS = ("AGENTS.md", "CLAUDE.md")
"""Files in which repositories say how agents are to work in them."""

_MOST_SYMBOLS = 40
_LONGEST_TEXT = 400_000  # characters of a file that are looked at
_LONGEST_NAME = 60

_PYTHON = r"^(?:async def|def|class) (\w+)"
_SCRIPT = (
    r"^(?:export )?(?:default )?(?:declare )?(?:abstract )?(?:async )?"
    r"(?:function\*? ?|class |interface |enum |type |namespace |const |let )(\w+)"
)
_JAVA = (
    r"^ {0,4}(?:(?:public|private|protected|internal|static|final|abstract|sealed|open|data)"
    r" |partial )*(?:class|interface|enum|record|object|struct|fun|trait|func|protocol) (\w+)"
)
_RUST = (
    r"^(?:pub(?:\(\w+\))? )?(?:async |unsafe |const )*"
    r"(?:fn|struct|enum|trait|mod|type|static) (\w+)"
)
_GO = r"^(?:func (?:\([^)\n]{0,80}\) )?|type )(\w+)"
_RUBY = r"^ {0,4}(?:def|class|module) (?:self\.)?(\w+)"
_C = (
    r"^(?:(?:static|inline|extern|const|unsigned|constexpr|virtual) )*"
    r"(?:(?:struct|class|enum|union|namespace) |\w+(?:::\w+)?[ *&]{1,4}(?=\w+\())(\w+)"
)
_SHELL = r"^(?:function )?(\w+) ?\(\)"
_PHP = (
    r"^ {0,4}(?:(?:public|private|protected|static|final|abstract) )*"
    r"(?:function|class|interface|trait) (\w+)"
)
_LANGUAGES: Mapping[str, tuple[str, ...]] = {
    _PYTHON: ("py", "pyi"),
    _SCRIPT: ("js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "vue", "svelte"),
    _JAVA: ("java", "kt", "cs", "scala", "swift", "dart"),
    _RUST: ("rs",),
    _GO: ("go",),
    _RUBY: ("rb",),
    _C: ("c", "h", "cc", "cpp", "cxx", "hpp", "hh", "m"),
    _SHELL: ("sh", "bash"),
    _PHP: ("php",),
}
_BY_ENDING = {
    ending: re.compile(regex, re.MULTILINE)
    for regex, endings in _LANGUAGES.items()
    for ending in endings
}


def top_level_names(files: Files, paths: Iterable[str], most: int) -> tuple[str, ...]:
    """The names that these files define, a line for each file; at most about `most` characters."""
    return _fitted([_symbols_line(files, path) for path in dict.fromkeys(paths)], most)


def symbols(path: str, text: str) -> tuple[str, ...]:
    """The names that a file defines at its top level, in order, at most 40."""
    regex = _BY_ENDING.get(posixpath.splitext(path)[1].removeprefix(".").lower())
    if regex is None:
        return ()
    found = (match[1] for match in regex.finditer(text[:_LONGEST_TEXT]))
    return tuple(dict.fromkeys(name[:_LONGEST_NAME] for name in found))[:_MOST_SYMBOLS]


def own_instructions(files: Files) -> tuple[FileText, ...]:
    """The repository's own instructions: `AGENTS.md` and `CLAUDE.md` of the task's folder.

    Whole lines, at most 8 KB of all; `lines` says which where one is cut. A link is followed only
    to a file of the task that may be seen itself, and one that says the same again is left out.
    """
    texts: list[FileText] = []
    room = MOST_INSTRUCTIONS
    for name in INSTRUCTIONS:
        text = _instructions(files, name)
        if not text.strip() or any(text == one.text for one in texts):
            continue
        head = text if len(text) <= room else text[: text.rfind("\n", 0, room) + 1]
        if head:
            lines = "" if head == text else f"1-{head.count(chr(10))}"
            texts.append(FileText(name, head, lines))
            room -= len(head)
    return tuple(texts)


def _instructions(files: Files, name: str) -> str:
    where = files.root / name
    path = name
    try:
        if where.is_symlink():
            path = posixpath.normpath(where.readlink().as_posix())
        return files.text(path) if files.shows(path) and files.shows(name) else ""
    except (AskError, OSError, ValueError):
        return ""


def _symbols_line(files: Files, path: str) -> str:
    if not files.shows(path):
        return ""
    try:
        names = symbols(path, files.text(path))
    except AskError:
        return ""
    return f"{on_one_line(path)}: {', '.join(names)}" if names else ""


def _fitted(lines: Iterable[str], most: int) -> tuple[str, ...]:
    fitted: list[str] = []
    every = [line for line in lines if line]
    for at, line in enumerate(every):
        most -= len(line) + 1
        if most < 0:
            return (*fitted, f"... and {counted(len(every) - at, 'more file')}")
        fitted.append(line)
    return tuple(fitted)
