"""Which files of a task's tree judge it because a hook's command runs them.

Two kinds, told apart by who reads them. A script is what the command itself runs: `./check.sh`,
`sh check.sh`, `python scripts/check.py`, `make -f check.mk`. Who changes that, changes the
question. A test is what a known test runner is given (`pytest checks/all.py`), or what is run by
way of a file that the project's own conventions name (`make check`, `npm test`): many tasks rightly
change those.

Only files that are there count: a task may well create what its hook runs.
"""

import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import define, field, frozen

from agent_runner.hooks.recipes import recipes_of, script_of
from agent_runner.hooks.shell_words import pipelines
from agent_runner.model.hooks import Hook

RUNNERS = frozenset(
    {"pytest", "py.test", "unittest", "nose2", "nosetests", "ward", "trial", "stestr", "behave"}
    | {"robot", "jest", "vitest", "mocha", "ava", "tap", "tape", "jasmine", "karma", "cypress"}
    | {"playwright", "testcafe", "qunit", "rspec", "cucumber", "minitest", "phpunit", "pest"}
    | {"codecept", "behat", "busted", "bats", "shellspec", "ctest", "prove", "tox", "nox"}
)
"""Test runners by the names of their programs, or of their modules (`python -m`)."""

RUNNERS_IN_TWO = frozenset(
    {"go", "cargo", "dotnet", "swift", "mix", "deno", "bun", "rails", "zig", "flutter", "dart"}
    | {"lein", "sbt", "gradle", "gradlew", "mvn", "mvnw", "stack", "cabal", "ng", "artisan"}
)
"""Programs whose first word after their options, `test` (or `nextest`), runs tests."""

_INTERPRETER = re.compile(
    r"(?:ba|da|z|k|mk|a|fi|tc|c)?sh|(?:python|pypy|ruby|perl|php|lua|node|deno|bun)[\d.]*"
    r"|nodejs|tsx|ts-node|Rscript|pwsh|julia|groovy|osascript|wish|tclsh|java|go|coverage"
)
_SHELL = re.compile(r"(?:ba|da|z|k|mk|a)?sh")
_LOADS = frozenset({"-r", "--require", "--import", "--loader", "-I", "--rcfile", "--init-file"})
"""Options of interpreters that have a file run before the script."""

_WRAPPERS = frozenset(
    {"env", "exec", "time", "nice", "nohup", "timeout", "sudo", "command", "builtin", "stdbuf"}
    | {"setsid", "xargs", "chronic", "unbuffer", "ionice", "eatmydata", "uv", "uvx", "poetry"}
    | {"pipenv", "pdm", "hatch", "rye", "conda", "bundle", "npx", "bunx", "pnpx", "pipx", "mise"}
    | {"direnv", "dotenv", "nix-shell", "xvfb-run", "doppler", "op", "faketime", "flock"}
)
"""Programs that run what comes after them."""

_BUILDERS = frozenset(
    {"make", "gmake", "just", "ninja", "rake", "ant", "task", "invoke", "awk", "gawk", "sed"}
)
_FILE_OPTION = re.compile(r"-[fb]|--(?:\w+-)?(?:file|\w+file)")
_FOLDER_OPTION = re.compile(r"-C|--(?:directory|prefix|cwd|dir)")
_PACKAGERS = frozenset({"npm", "yarn", "pnpm"})
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_FILLED_IN, _PATTERN = re.compile(r"[$`(){}]"), re.compile(r"[*?\[]")
_LARGEST = 256 * 1024
_DEEPEST = 4


@frozen
class Judges:
    """Paths relative to the root, with `/`. A folder stands for all that is in it."""

    scripts: frozenset[str] = frozenset()
    tests: frozenset[str] = frozenset()

    def __or__(self, other: "Judges") -> "Judges":
        return Judges(self.scripts | other.scripts, self.tests | other.tests)


def judges_of(hooks: Iterable[Hook], root: Path) -> Judges:
    """What these hooks run of the files below `root`, as they stand now."""
    found = Judges()
    for hook in hooks:
        search = _Search(root, hook.cwd or "")
        if isinstance(hook.command, str):
            search.text(hook.command)
        else:
            search.simple(list(hook.command))
        for script in sorted(search.scripts):
            search.follow(script)
        found |= Judges(frozenset(search.scripts), frozenset(search.tests - search.scripts))
    return found


@define
class _Search:
    """Goes through a command and what it calls; `cwd` is where it is by then, below the root."""

    root: Path
    cwd: str
    depth: int = 0
    scripts: set[str] = field(factory=set)
    tests: set[str] = field(factory=set)

    def text(self, command: str) -> None:
        """A command of a shell."""
        for pipeline in pipelines(command):
            for words in pipeline:
                self.simple(words)
            last = pipeline[-1]
            if len(pipeline) > 1 and _INTERPRETER.fullmatch(_name(last[0])) and len(last) == 1:
                self.scripts.update(self._there(word for words in pipeline[:-1] for word in words))

    def simple(self, words: list[str]) -> None:
        """One program with its arguments."""
        words = self._unwrapped(words)
        if not words:
            return
        name, arguments = _name(words[0]), words[1:]
        if _runs_tests(name, arguments):
            self._given(arguments)
            return
        if "/" in words[0]:
            self.scripts.update(self._there(words[:1]))
        if name == "cd" and arguments:
            self.cwd = self._inside(arguments[0]) or self.cwd
        elif name == "eval":
            self._deeper(" ".join(arguments))
        elif name in {".", "source"}:
            self.scripts.update(self._there(arguments[:1]))
        elif name in _BUILDERS:
            self._built(name, arguments)
        elif name in _PACKAGERS:
            self._packaged(arguments)
        elif _INTERPRETER.fullmatch(name):
            self._interpreted(name, arguments)

    def follow(self, script: str) -> None:
        """Scripts of a shell that a script of a shell calls; what else it runs may be the work."""
        text = self._read(script)
        for folder in {"", posixpath.dirname(script)} if _is_shell(script, text) else ():
            below = _Search(self.root, folder, self.depth + 1)
            below.text(text)
            called = {x for x in below.scripts if _is_shell(x, self._read(x))} - self.tests
            self.tests |= called
            for one in called if below.depth < _DEEPEST else ():
                below.follow(one)
            self.tests |= {x for x in below.tests if _is_shell(x, self._read(x))}

    def _unwrapped(self, words: list[str]) -> list[str]:
        """The program that is run in the end: after wrappers, the first word that is known."""
        if not words or _name(words[0]) not in _WRAPPERS:
            return words
        for at in range(1, len(words)):
            if _is_known(words[at]) or any(self._there([words[at]])):
                return self._unwrapped(words[at:])
        return []

    def _interpreted(self, name: str, arguments: list[str]) -> None:
        """The first argument that is a file, and files among the options before it."""
        before = ""
        for at, word in enumerate(arguments):
            following = arguments[at + 1 : at + 2]
            if _SHELL.fullmatch(name) and re.fullmatch(r"-\w*c", word):
                self._deeper(" ".join(following))
                return
            if word == "-m" and following:
                self._module(following[0], arguments[at + 2 :])
                return
            found = list(self._there([word.partition("=")[2] if word[:1] == "-" else word]))
            self.scripts.update(found)
            if found and word[:1] != "-" and before not in _LOADS:
                return
            before = word

    def _given(self, arguments: list[str]) -> None:
        """Files that a test runner is given, its configuration among them."""
        words = [word.partition("=")[2] if word[:1] == "-" else word for word in arguments]
        words += [word.partition("::")[0] for word in words]
        words += [f"{word.replace('.', '/')}.py" for word in words]  # `unittest checks.all`
        self.tests.update(x for x in self._there(words) if (self.root / x).is_file())

    def _module(self, module: str, arguments: list[str]) -> None:
        """`python -m module`: a test runner, something installed, or a file of the tree."""
        if module in RUNNERS:
            self._given(arguments)
        elif module == "coverage":
            self._interpreted("python", arguments)
        else:
            place = module.replace(".", "/")
            self.scripts.update(self._there([f"{place}.py", f"{place}/__main__.py"]))

    def _built(self, name: str, arguments: list[str]) -> None:
        """`make -f x` runs x; what the recipes of its goals run are tests."""
        named = [_after(arguments, _FILE_OPTION)]
        self.scripts.update(self._there(named))
        if name not in {"make", "gmake"}:
            return
        folder = _after(arguments, _FOLDER_OPTION)
        goals = [word for word in arguments if re.fullmatch(r"[\w.-]*\w", word) and word[0] != "-"]
        for makefile in named if named[0] else [posixpath.join(folder, one) for one in _MAKEFILES]:
            for path in self._there([makefile]):
                self._indirect(recipes_of(self._read(path), goals), folder)
                return

    def _packaged(self, arguments: list[str]) -> None:
        """`npm test` runs what `package.json` says; what that runs are tests."""
        folder = _after(arguments, _FOLDER_OPTION)
        words = [w for w in arguments if w[:1] != "-" and w not in {folder, "run", "run-script"}]
        name = {"t": "test", "tst": "test"}.get(words[0], words[0]) if words else ""
        for path in self._there([posixpath.join(folder, "package.json")]):
            self._indirect(script_of(self._read(path), name), folder)

    def _indirect(self, text: str, folder: str) -> None:
        """What is run by way of a file that is shown to people whenever it is changed."""
        below = _Search(self.root, self._inside(folder) or self.cwd, self.depth + 1)
        if below.depth < _DEEPEST:
            below.text(text)
        self.tests |= below.scripts | below.tests

    def _deeper(self, text: str) -> None:
        self.depth += 1
        if self.depth < _DEEPEST:
            self.text(text)
        self.depth -= 1

    def _there(self, words: Iterable[str]) -> Iterator[str]:
        """Those of the words that name something in the tree, and what links lead to there."""
        for path in (path for word in words for path in self._meant(word)):
            if path and (self.root / path).exists():
                yield path
                real = os.path.relpath((self.root / path).resolve(), self.root.resolve())
                if not real.startswith(".."):
                    yield real

    def _meant(self, word: str) -> Iterator[str]:
        """The paths that a word may come to: as it is, by a pattern, by what a shell fills in."""
        yield self._inside(word)
        if _FILLED_IN.search(word):
            yield from map(self._inside, re.findall(r"[\w.][\w./-]*", word))
        elif _PATTERN.search(word) and (pattern := self._inside(word)):
            # to /bin/sh two stars are one; `glob` would look through the whole tree, or raise
            found = self.root.glob(re.sub(r"\*+", "*", pattern))
            yield from (path.relative_to(self.root).as_posix() for path in found)

    def _inside(self, word: str) -> str:
        """The path below the root that a word may name; "" for others and for the root itself."""
        plain = re.sub(r"^.*\$(?:\w+|\{[^}]*\})/*", "", re.sub(r"\$\(.*\)/*", "", word))
        if not plain or plain[0] in "-~" or "\0" in plain or len(plain) > 1_000:
            return ""
        place = posixpath.join(self.root, self.cwd, plain)
        if not place.startswith(f"{self.root}/") and plain[0] == "/":
            place = posixpath.join(self.root, self.cwd, plain.lstrip("/"))  # `$(pwd)/check.sh`
        path = os.path.relpath(os.path.normpath(place), self.root)
        return "" if path == "." or path.startswith("..") else path

    def _read(self, path: str) -> str:
        try:
            with (self.root / path).open(encoding="utf-8", errors="replace") as file:
                return file.read(_LARGEST)
        except OSError:
            return ""


def _is_shell(path: str, text: str) -> bool:
    """Whether a file is a script of a shell, by its name or its first line."""
    first = text.partition("\n")[0].rpartition("/")[2].rpartition(" ")[2]
    return path.endswith((".sh", ".bash")) or (text[:2] == "#!" and bool(_SHELL.fullmatch(first)))


def _name(word: str) -> str:
    return word.rpartition("/")[2].removesuffix(".exe")


def _is_known(word: str) -> bool:
    name = _name(word)
    known = RUNNERS | RUNNERS_IN_TWO | _WRAPPERS | _BUILDERS | _PACKAGERS
    return name in known or bool(_INTERPRETER.fullmatch(name))


def _runs_tests(name: str, arguments: list[str]) -> bool:
    if name in RUNNERS:
        return True
    first = next((word for word in arguments if word[:1] not in {"-", "+"}), "")
    if name in RUNNERS_IN_TWO:
        return first in {"test", "nextest", "t"}
    return name in {"node", "nodejs"} and any(word.startswith("--test") for word in arguments)


def _after(arguments: list[str], options: re.Pattern[str]) -> str:
    """The value of the first of these options; "" without any."""
    for at, word in enumerate(arguments):
        option, _, value = word.partition("=")
        if options.fullmatch(option):
            return value or "".join(arguments[at + 1 : at + 2])
    return ""
