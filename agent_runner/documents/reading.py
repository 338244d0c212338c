"""From a file, or a value of the environment, to its tree: bounded, UTF-8, by the right reader."""

import re
import stat
from pathlib import Path
from typing import NoReturn

from agent_runner.documents.json_reader import parse_json
from agent_runner.documents.tree import Document, Source
from agent_runner.documents.yaml_reader import parse_yaml
from agent_runner.ground.collector import paused_collector
from agent_runner.model.errors import InputError, Problem

MAX_YAML_BYTES = 8 * 2**20
"""Largest YAML file: the parser in Python takes about a second a MiB, and nobody waits longer."""

MAX_JSON_BYTES = 64 * 2**20
"""Largest JSON file: what a program may have written, read in a few seconds."""

_BOMS = ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")


def read_document(file: Path, *, name: str | None = None) -> Document:
    """The tree in `file`: JSON if its name ends so, else YAML. `name` stands in messages.

    Raises InputError for what cannot be read at all; lesser mistakes are in the document.
    """
    shown = name or str(file)
    if file.suffix.lower() == ".json":
        source = read_source(file, name=shown, most=MAX_JSON_BYTES)
        with paused_collector():
            return parse_json(source)
    source = read_source(file, name=shown, most=MAX_YAML_BYTES)
    with paused_collector():
        return parse_yaml(source)


def read_value(text: str, *, name: str) -> Document:
    """The YAML value in a short text that is no file: an environment variable, a flag.

    `name` says where it came from; there are no lines and columns. Raises InputError.
    """
    checked = decoded(text.encode(errors="surrogatepass"), name, numbered=False)
    return parse_yaml(Source(name, checked, numbered=False))


def read_source(file: Path, *, name: str, most: int) -> Source:
    """The text of `file`, at most `most` bytes, without byte-order mark, line ends as newlines.

    `name` is what mistakes are reported under. Raises InputError.
    """
    return Source(name, decoded(_read(file, name, most), name))


def decoded(raw: bytes, name: str, *, numbered: bool = True) -> str:
    """The text in `raw`. Raises InputError where it is not UTF-8 or holds control characters."""
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            _refuse(name, f"this is {encoding}, not UTF-8", "save it as UTF-8")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        text = _one_line_end(raw.decode())
    except UnicodeDecodeError as error:
        before = Source(name, _one_line_end(raw[: error.start].decode()), numbered)
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        problem = before.problem(len(before.text), message, "save it as UTF-8")
        raise InputError((problem,)) from None
    found = _FORBIDDEN.search(text)
    if found:
        hint = "is it UTF-16, or not text at all?" if found[0] == "\0" else "remove it"
        message = f"the control character U+{ord(found[0]):04X} is not allowed"
        raise InputError((Source(name, text, numbered).problem(found.start(), message, hint),))
    return text


def _read(file: Path, name: str, most: int) -> bytes:
    try:
        status = file.stat()
        if stat.S_ISDIR(status.st_mode):
            _refuse(name, "this is a folder, not a file")
        if not stat.S_ISREG(status.st_mode):
            _refuse(name, "this is not a regular file", "save the text in a file")
        # after the check of its kind, which keeps from waiting for ever at a pipe or a terminal
        with file.open("rb") as stream:
            raw = stream.read(most + 1)
    except FileNotFoundError:
        _refuse(name, "there is no such file", _neighbour(file))
    except (OSError, ValueError) as error:
        _refuse(name, f"the file cannot be read: {getattr(error, 'strerror', None) or error}")
    if len(raw) > most:
        message = f"the file is larger than {most // 2**20} MiB, the most that is read"
        _refuse(name, message, _split(file))
    return raw


def _split(file: Path) -> str:
    return "split it" if file.suffix == ".json" else "split it, or write it as JSON"


def _neighbour(file: Path) -> str:
    """The same name with the other usual ending, where that exists."""
    for suffix in (".yml", ".yaml", ".json"):
        other = file.with_suffix(suffix)
        if other != file and other.is_file():
            return f"did you mean {other.name}?"
    return ""


def _one_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _refuse(name: str, message: str, hint: str = "") -> NoReturn:
    raise InputError((Problem(name, 0, 0, message, hint),)) from None
