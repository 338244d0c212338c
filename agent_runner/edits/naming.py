"""How replies name files: alone on a line, in a fence's info string, in a sentence, in a diff.

A name is sure by its extension, or where the word before it says that it is one. Any other word
may be a file's name as well; whether it is, only the tree can tell.
"""

import re
from functools import lru_cache
from posixpath import basename

from attrs import frozen

_GROUPS = (
    "py pyi pyw pyx pxd bzl star wsgi python python3",
    "js jsx ts tsx mjs cjs mts cts vue svelte astro html xml xsd svg csproj javascript typescript",
    "c h cc cpp cxx hh hpp hxx inl ino cu m mm c++ objc objective-c",
    "java kt kts scala groovy gradle kotlin",
    "go golang",
    "rs rust",
    "rb rake gemspec ruby ru",
    "php",
    "cs csx cshtml csharp c# razor",
    "sh bash zsh ksh bats fish env shell console shell-session terminal powershell pwsh batch cmd",
    "json json5 jsonc jsonl ipynb",
    "yaml yml",
    "toml ini cfg conf properties service editorconfig",
    "css scss sass less",
    "sql",
)
"""Languages: the extensions of their files and the words that fences have for them."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMMON = _words(
    "md mdx rst txt adoc tex csv tsv htm lock log proto graphql prisma tf hcl nix cmake mk"
    " patch diff po lua pl r jl ex exs erl hs ml fs clj el dart zig nim swift s asm ps1 bat vb f90"
    " sol snap j2 tmpl template rules gitignore dockerignore erb phtml"
)
_TEMPLATES = _words("txt j2 tmpl template erb phtml")
_LANGUAGE = {word: number for number, group in enumerate(_GROUPS) for word in group.split()}
_PROSE = _words("md mdx markdown rst txt adoc org log snap out patch diff csv po")
"""What is written in these may hold examples, and rows of dots, that are meant as they stand."""

_SETTINGS = _words("json json5 jsonc yaml yml toml ini cfg conf properties env editorconfig")
DIFF_LANGUAGES = frozenset({"diff", "patch", "udiff"})
_TITLES = _words("README CHANGELOG AUTHORS CONTRIBUTING INSTALL VERSION NOTICE BUILD LICENSE")
"""Files without an extension whose names are as often titles of sections."""

BUILD_FILES = _words(
    "Makefile Dockerfile Containerfile Vagrantfile Jenkinsfile Procfile Gemfile Rakefile Justfile"
    " Brewfile Caddyfile Podfile Pipfile CODEOWNERS COPYING MANIFEST WORKSPACE"
)
"""Names without an extension that only files have; commands and captions hold them, too."""

_PRODUCT = re.compile(
    r"(?:node|next|nuxt|vue|nest|react|express|three|d3|p5|chart|angular|ember|backbone|discord|alpine"
    r"|solid|moment|knex|koa|fastify|hapi|meteor|passport|leaflet)\.js|socket\.io|(?:asp|vb|ado|ml)\.net",
    re.IGNORECASE,
)
"""Names that look like files and are mostly meant as products."""

_FORBIDDEN = frozenset('<>|"*?{},;=`:')
_LONGEST = 10_000
"""Longer lines name no file; a path that is too long is still recognised, to be refused."""

_SYMBOLS = re.compile("^[\u2190-\u2bff\U0001f000-\U0001faff\ufe0f\\s]+")
_PREFIX = re.compile(r"^(?:#{1,6}\s+|[-*+]\s+|\d+[.)]\s+|>\s*)+")
_COMMENT = re.compile(r"^(?:#|//|--|;|%|<!--|/\*)\s*(\S.*?)\s*(?:-->|\*/)?$")
_LABEL = re.compile(
    r"^(?:\*\*)?(?P<whole>(?:whole|full|entire|complete) )?(?:new |updated )?"
    r"(?:file ?name|file ?path|file|path)(?: #?\d+)?(?:\*\*)?\s*[:=]\s*(?:\*\*)?\s*",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"(?<!\s)\s*\((?:new|new file|updated|modified|created|changed)\)$", re.IGNORECASE
)
_RULED = re.compile(r"^[-=#*~+]{2,}\s+(\S.*?)\s+[-=#*~+]{2,}$")
_WRAPPED = re.compile(r"^(\*\*|__|\*|_|`|\"|')(?!\s)(.*?)(?<!\s)\1$")
_LINK = re.compile(r"^\[([^\[\]]+)\]\(([^()\s]*)\)$")
_QUOTED = re.compile(r"`([^`]+)`(?:\s*\(\w+(?: file)?\))?:?(?:\*\*)?")
_POSITION = re.compile(r":\d+(?:[-:,]\d+)*$|#L\d+(?:-L?\d+)?$|:[A-Za-z_]\w*$")
_INFO_PATH = re.compile(
    r"""(?:^|[\s{,])(?:path|file|filename|file_?path|title)\s*=\s*"""
    r"""(?:"([^"]*)"|'([^']*)'|([^\s},]*))"""
)


@frozen
class Label:
    """A line that holds the name of a file, its dressing, and nothing else.

    `sure`: it is a path without looking at the tree. `dressed`: as a heading, in bold, in a list,
    before a colon. `says_so`: `File:` or the like stands before it; `whole`: that what follows is
    all of the file. `inside`: it is the first line of the fence that it names.
    """

    path: str
    sure: bool
    dressed: bool = False
    says_so: bool = False
    whole: bool = False
    inside: bool = False


@lru_cache(maxsize=64)  # a line is asked about as a name, as what stands above a block, and more
def label_on(line: str) -> Label | None:
    """The line's label: `src/x.py`, `**x.py**`, `### x.py`, `1. x.py:`, `File: x.py (new)`, ..."""
    if len(line) > _LONGEST:
        return None
    text = _SYMBOLS.sub("", line.strip())
    bare = _SYMBOLS.sub("", _PREFIX.sub("", _RULED.sub(r"\1", text)))
    comment = _COMMENT.match(text) if bare == text else None
    text, dressed = _undressed(comment[1] if comment else bare, dressed=bare != text)
    said = _LABEL.match(text)
    if said is not None:
        text = text[said.end() :].strip()
        quoted = _QUOTED.fullmatch(text)  # then it may hold what it likes
        if quoted is not None:
            return Label(quoted[1], True, says_so=True, whole=said["whole"] is not None)
        text = _undressed(text, dressed=dressed)[0]
    if text[:1] == "[" and is_path(text[1:-1]) and text[-1] == "]":
        return Label(text[1:-1], sure=False, dressed=True)  # a citation, perhaps
    *others, last = text.split(" ")
    if others and (said is None or any(map(is_path, others)) or "." in text.removesuffix(last)):
        return None  # a path and words, or several
    if not _is_name(text):
        return None
    may_be_title = is_title(text) or re.fullmatch(r"[A-Z]\w*\.js", text) is not None
    sure = said is not None or (is_path(text) and not (dressed and may_be_title))
    return Label(text, sure, dressed, said is not None, bool(said and said["whole"]))


def _undressed(text: str, *, dressed: bool) -> tuple[str, bool]:
    """The text without bold, quotes, a colon, a remark; whether there was such dressing."""
    before = ""
    while text != before:
        before = text
        text = _REMARK.sub("", text.strip())
        bare = _LINK.sub(_linked, text.removesuffix(":").strip()) or text
        wrapped = _WRAPPED.match(bare)
        inside = _PREFIX.sub("", wrapped[2]) if wrapped and wrapped[1] not in wrapped[2] else bare
        dressed = dressed or bare != text or bool(wrapped and wrapped[1][0] in "*_")
        text = inside or text
    return text, dressed


def _linked(link: re.Match[str]) -> str:
    """The path that a link names: its target, of which the text may be the last part only."""
    text, target = link[1], link[2].removeprefix("./")
    is_same = target.lstrip("/") == text.strip("`")
    return text if is_same or "://" in target or not is_path(target) else target


def _is_name(text: str) -> bool:
    if "://" in text or text.endswith((".", "/", "()", "\\")) or len(text) > _LONGEST:
        return False
    without_drive = re.sub(r"^[A-Za-z]:(?=[\\/])", "", text)  # to be refused with the reason
    return any(map(str.isalnum, text)) and not _FORBIDDEN & set(without_drive)


def is_path(text: str) -> bool:
    """Whether a word is a path by its form: a known extension, a folder and any, a known name."""
    if not text or not _is_name(text) or any(map(str.isspace, text)):
        return False
    name = re.split(r"[/\\]", text)[-1]
    if text.startswith(("~/", "../")) or name in BUILD_FILES or name in _TITLES:
        return True
    suffix = extension(name)
    if suffix in _LANGUAGE or suffix in _COMMON:
        return _PRODUCT.fullmatch(text) is None
    has_folder = name != text
    is_hidden = re.match(r"\.[A-Za-z]\w", name) is not None
    return is_hidden or (has_folder and re.search(r"[^/]\.[A-Za-z][\w+-]{0,15}$", name) is not None)


def is_title(text: str) -> bool:
    """Whether a name, where it is a heading or a caption, is as likely a title or a product."""
    return text in _TITLES or _PRODUCT.fullmatch(text) is not None


def extension(path: str) -> str:
    """The extension in lower case, without the dot; "" for none."""
    _, dot, suffix = basename(path.lower()).rpartition(".")
    return suffix if dot else ""


def is_prose(path: str) -> bool:
    """Whether the file is made of words, or holds what others wrote."""
    return extension(path) in _PROSE or basename(path) in _TITLES


def is_settings(path: str) -> bool:
    """Whether the file is made of names and their values."""
    name = basename(path)
    return extension(path) in _SETTINGS or name.startswith(".env")


def fits(language: str, path: str) -> bool:
    """Whether such a file may be written in the fence's language: `x.json` not in `python`."""
    group, suffix = _LANGUAGE.get(language), extension(path)
    is_open = suffix in _TEMPLATES or (suffix not in _COMMON and suffix not in _LANGUAGE)
    return group is None or is_open or _LANGUAGE.get(suffix) == group


def is_shell(language: str) -> bool:
    """Whether the fence holds shell commands, or what a terminal shows."""
    return _LANGUAGE.get(language) == _LANGUAGE["sh"]


def path_in_comment(line: str, *, labelled: bool) -> str | None:
    """The path in a comment (`# file: src/x.py`; `labelled`: only where it says that it is one)."""
    comment = _COMMENT.match(line.strip()) if len(line) <= _LONGEST else None
    label = label_on(comment[1]) if comment is not None else None
    return label.path if label and label.sure and (label.says_so or not labelled) else None


def mentioned(line: str) -> tuple[str, ...]:
    """The paths that a sentence names, each once."""
    if len(line) > _LONGEST:
        return ()
    found: dict[str, None] = {}
    for word in re.findall(r"[^\s`\[\]<>]+", line):
        dot = "." if word.strip("*_\"'(")[:1] == "." else ""
        path = _POSITION.sub("", dot + word.strip("*_\"'()<>,;:.!?"))
        if is_path(path) and not re.fullmatch(r"\w(\.\w)+", path):  # `p.m`, `U.S`
            found[path] = None
    return tuple(found)


def info_path(info: str) -> str | None:
    """The path in a fence's info string: `python path=src/x.py`, `src/x.py`, `python src/x.py`, ...

    None if there is none; an empty `path=` is returned as it is, to be complained about.
    """
    found = _INFO_PATH.search(info)
    if found is not None:
        return next(group for group in found.groups() if group is not None)
    words = (re.sub(r"^[A-Za-z+#]{1,12}:(?=[^/\\])", "", word) for word in info.split()[:2])
    return None if is_citation(info) else next(filter(is_path, words), None)


def is_citation(info: str) -> bool:
    """Whether a fence says that it quotes lines of a file (`1:20:src/x.py`)."""
    return re.match(r"\s*\d+:\d+:\S", info) is not None


def unquoted(name: str) -> str:
    """A file name from a diff's header, without git's C-style quotes or a tab with a time stamp."""
    quoted = re.match(r'"((?:[^"\\]|\\.)*)"', name)
    if quoted is None:
        return name.strip("\r\n").split("\t", 1)[0].rstrip()
    try:
        raw = quoted[1].encode("utf-8", "surrogatepass").decode("unicode_escape")
        return raw.encode("latin-1").decode("utf-8", "replace")
    except (UnicodeDecodeError, UnicodeEncodeError):
        return quoted[1]
