"""The files of a tree that words of a shell's command name, for certain or perhaps."""

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path

from attrs import frozen

from agent_runner.ground.globs import Globs
from agent_runner.ground.judges import judging
from agent_runner.hooks.programs import is_shell

_FILLED_IN, _PATTERN = re.compile(r"[$`(){}]"), re.compile(r"[*?\[]")
_CODE_OF_SCRIPTS = re.compile(
    r"\.(?:(?:ba|da|z|k|fi)?sh|py|rb|pl|php|lua|[cm]?[jt]s|ps1|R|jl|tcl|awk|groovy|bat|cmd)"
)
_SHELLS = (".sh", ".bash", ".zsh", ".ksh")
_LARGEST = 256 * 1024


@frozen(slots=False)  # `cached_property` wants a `__dict__`
class NamedFiles:
    """Looks words up below `root`. `list_names` gives the paths of all files there, with `/`."""

    root: Path
    list_names: Callable[[], Iterable[str]]

    def there(self, cwd: str, words: Iterable[str]) -> Iterator[str]:
        """What the words name as seen from `cwd`, and what links lead to there."""
        for path in (path for word in words for path in self._meant(cwd, word)):
            if path and (self.root / path).exists():
                yield path
                real = os.path.relpath((self.root / path).resolve(), self.root.resolve())
                if not real.startswith(".."):
                    yield real

    def anywhere(self, word: str) -> tuple[str, ...]:
        """Files in any folder whose path ends as the word does."""
        return Globs(tuple(f"**/{piece}" for piece in pieces(_tail(word)))).covered(self.names)

    def reached(self, cwd: str, words: Iterable[str]) -> set[str]:
        """What a program may run that is fed with these words, or with what lies where they say.

        That is every file that a word names or a pattern matches, in any folder, and the scripts
        in folders that are named. A pattern without a folder, as for `find -name`, is looked for
        in these folders, if there are any.
        """
        named = list(dict.fromkeys(piece for word in words for piece in pieces(word)))
        folders = [x for x in named if not _PATTERN.search(x) and self._is_folder(cwd, x)]
        loose = [x for x in named if _PATTERN.search(x) and "/" not in x]
        exact = [x for x in named if x not in folders and not (folders and x in loose)]
        deep = [f"{folder}/**/{x}" for folder in folders for x in loose]
        files = Globs(tuple(f"**/{x}" for x in (*exact, *deep)))
        below = Globs(tuple(f"**/{folder}" for folder in folders if not loose))
        found = {*filter(self.is_file, self.there(cwd, exact)), *files.covered(self.names)}
        return found | {
            path
            for path in below.covered(self.names)
            if self.is_script(path) or "." not in posixpath.basename(path)
        }

    def loose_scripts(self) -> set[str]:
        """What a shell may be given of the whole tree: its scripts, and all that starts as one."""
        return {
            path
            for path in self.names
            if path.endswith(_SHELLS)
            or (os.access(self.root / path, os.X_OK) and self.read(path)[:2] == "#!")
            if judging(path) is None  # tests by their names may be changed, and are told
        }

    def is_script(self, path: str) -> bool:
        """Whether a file is a script of any language, by its name or its first line."""
        extension = posixpath.splitext(path)[1]
        return bool(_CODE_OF_SCRIPTS.fullmatch(extension)) or self.read(path)[:2] == "#!"

    def is_of_shell(self, path: str) -> bool:
        """Whether a file is a script of a shell, by its name or its first line."""
        text = self.read(path)
        first = text.partition("\n")[0].rpartition("/")[2].rpartition(" ")[2]
        return path.endswith(_SHELLS) or (text[:2] == "#!" and is_shell(first))

    def is_file(self, path: str) -> bool:
        """Whether a file lies there, or a link to one."""
        return (self.root / path).is_file()

    def read(self, path: str) -> str:
        """The text of a file, or of its beginning; "" if it cannot be read."""
        try:
            with (self.root / path).open(encoding="utf-8", errors="replace") as file:
                return file.read(_LARGEST)
        except OSError:
            return ""

    def inside(self, cwd: str, word: str) -> str:
        """The path below the root that a word may name; "" for others and for the root itself."""
        plain = _tail(word)
        if not plain or plain[0] in "-~" or "\0" in plain or len(plain) > 1_000:
            return ""
        place = posixpath.join(self.root, cwd, plain)
        path = os.path.relpath(os.path.normpath(place), self.root)
        return "" if path == "." or path.startswith("..") else path

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The paths of all files, listed once."""
        return tuple(self.list_names())

    def _meant(self, cwd: str, word: str) -> Iterator[str]:
        """The paths that a word may come to: as it is, or by a pattern."""
        yield (path := self.inside(cwd, word))
        if path and _PATTERN.search(word):
            # to /bin/sh two stars are one; `glob` would look through the whole tree, or raise
            found = self.root.glob(re.sub(r"\*+", "*", path))
            yield from (one.relative_to(self.root).as_posix() for one in found)

    def _is_folder(self, cwd: str, piece: str) -> bool:
        within = f"/{piece}/"
        return (self.root / cwd / piece).is_dir() or any(within in f"/{x}" for x in self.names)


def is_filled_in(word: str) -> bool:
    """Whether only a shell knows the name at the end of a word: `$x` and `$(ls)`, not `$D/x`."""
    return bool(_FILLED_IN.search(word.rpartition("/")[2]))


def _tail(word: str) -> str:
    """What follows the parts of a word that a shell fills in: `$(pwd)/check.sh`, `$D/check.sh`."""
    return re.sub(r"^.*\$(?:\w+|\{[^}]*\})/*", "", re.sub(r"\$\(.*\)/*", "", word))


def pieces(word: str) -> Iterator[str]:
    """The parts of a word that may be paths, or patterns of paths, without what leads to them."""
    word = re.sub(r"(?<!\$)\{[^{}]*[,.][^{}]*\}", "*", word)  # `{a,b}`, `{1..3}`
    word = re.sub(r"\$\{\w+\}|\$\w+|\$[@*#]", "*", word)
    word = re.sub(r"\$\{\w*\W{0,2}", " ", word)  # `${X:-check.sh}`
    for part in re.split(r"[\s\0$`(){}=:,;'\"<>|&\\]+", word):
        piece = re.sub(r"^(?:\.{0,2}/|\*+/)+", "", part).rstrip("/")
        if piece and piece[0] not in "-~!" and set(piece) - set("*?./") and len(piece) < 1_000:
            yield os.path.normpath(piece)
