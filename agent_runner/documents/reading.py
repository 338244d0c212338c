"""Opens a file or takes a value from the environment, and picks the reader for it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent_runner.documents.json_reader import parse_json
from agent_runner.documents.text import decoded, read_source
from agent_runner.documents.tree import Document, Source
from agent_runner.documents.yaml_reader import parse_yaml

MAX_YAML_BYTES = 8 * 2**20
"""Largest YAML file: the parser in Python takes about a second a MiB, and nobody waits longer."""

MAX_JSON_BYTES = 64 * 2**20
"""Largest JSON file: what a program may have written, read in a few seconds."""


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


@contextmanager
def paused_collector() -> Iterator[None]:
    """No garbage collection meanwhile: many objects come into being and none becomes garbage.

    Ten thousand tasks load in about half the time.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
