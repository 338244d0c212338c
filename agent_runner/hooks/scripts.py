"""Which files of a task's tree judge it because a hook's command runs them.

Two kinds, told apart by who reads them. A script is what the command itself runs: `./check.sh`,
`sh check.sh`, `python scripts/check.py`, `make -f check.mk`. Who changes that, changes the
question. A test is what a known test runner is given (`pytest checks/all.py`), or what is run by
way of a file that the project's own conventions name (`make check`, `npm test`): many tasks rightly
change those.

Where a command runs something that its words do not say (`sh "$x"`, `ls s | xargs sh`), everything
that they may come to judges: reading shells well enough to know is no aim of this, and to be
refused costs a line of configuration.

Only files that are there count: a task may well create what its hook runs.
"""

import posixpath
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from attrs import define, field, frozen

from agent_runner.hooks.named_files import NamedFiles, is_filled_in, pieces
from agent_runner.hooks.programs import (
    BUILDERS,
    FEEDERS,
    FINDERS,
    PACKAGERS,
    RUN_BY_A_WORD,
    RUNNERS,
    RUNS_FOUND,
    WRAPPERS,
    file_option,
    folder_option,
    is_interpreter,
    is_known,
    is_shell,
    name_of,
    runs_no_file,
    runs_tests,
)
from agent_runner.hooks.recipes import recipes_of, script_of
from agent_runner.hooks.shell_words import Statement, assigned, statements
from agent_runner.model.hooks import Hook

_LOADS = frozenset({"-r", "--require", "--import", "--loader", "-I", "--rcfile", "--init-file"})
"""Options of interpreters that have a file run before the script."""

_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_DEEPEST = 4


@frozen
class Judges:
    """Paths relative to the root, with `/`. A folder stands for all that is in it."""

    scripts: frozenset[str] = frozenset()
    tests: frozenset[str] = frozenset()

    def __or__(self, other: "Judges") -> "Judges":
        return Judges(self.scripts | other.scripts, self.tests | other.tests)


def judges_of(hooks: Iterable[Hook], root: Path, names: Callable[[], Iterable[str]]) -> Judges:
    """What these hooks run of the files below `root`, as they stand now.

    `names`: lists the paths of all files there; it is called only where a command is not clear.
    """
    found, files = Judges(), NamedFiles(root, names)
    for hook in hooks:
        settings = [f"{name}={value}" for name, value in hook.env.items()]
        search = _Search(files, hook.cwd or "", assigned=settings)
        if isinstance(hook.command, str):
            search.text(hook.command)
        else:
            search.statement = Statement(words=list(hook.command))
            search.simple(list(hook.command))
        for script in sorted(search.scripts):
            search.follow(script)
        found |= Judges(frozenset(search.scripts), frozenset(search.tests - search.scripts))
    return found


@define
class _Search:
    """Goes through a command and what it calls.

    Attributes:
        cwd: Where it is by then, below the root.
        depth: How many commands or files call this one.
        is_own: Whether this is the hook's own command, and no file that it calls.
        assigned: What variables were given so far, as `name=value`.
        statement: What the program that is looked at belongs to.
    """

    files: NamedFiles
    cwd: str
    depth: int = 0
    is_own: bool = True
    assigned: list[str] = field(factory=list)
    statement: Statement = field(factory=Statement)
    scripts: set[str] = field(factory=set)
    tests: set[str] = field(factory=set)

    def text(self, command: str) -> None:
        """A command of a shell."""
        try:
            found = list(statements(command))
        except ValueError:  # as with an open quote: a shell may still run what stands before it
            self.scripts |= self.files.reached(self.cwd, command.split())
            return
        for statement in found:
            self.assigned += assigned(statement.words)
            for pipeline in statement.pipelines:
                for words in pipeline:
                    self.statement = statement
                    self.simple(words)

    def simple(self, words: list[str], *, is_fed: bool = False) -> None:
        """One program with its arguments; `is_fed`: more of them come from elsewhere."""
        words, is_fed = self._unwrapped(words, is_fed=is_fed)
        if not words:
            return
        name, arguments = name_of(words[0]), words[1:]
        if runs_tests(name, arguments):
            self._given(arguments)
            return
        if "/" in words[0]:
            self.scripts.update(self._there(words[:1]))
        if name == "cd" and arguments:
            self.cwd = self.files.inside(self.cwd, arguments[0]) or self.cwd
        elif name == "eval":
            self._deeper(" ".join(arguments))
        elif name in BUILDERS:
            self._built(name, arguments)
        elif name in PACKAGERS:
            self._packaged(arguments)
        elif name in RUN_BY_A_WORD and arguments[:1] == ["run"]:
            self._interpreted(name, arguments[1:], is_fed=is_fed)
        elif name in {".", "source"} or is_interpreter(name):
            self._interpreted(name, arguments, is_fed=is_fed)
        else:
            self._started(words)

    def follow(self, script: str) -> None:
        """Scripts of a shell that a script of a shell calls; what else it runs may be the work."""
        files = self.files
        text = files.read(script) if files.is_of_shell(script) else ""
        for folder in {"", posixpath.dirname(script)} if text else ():
            below = _Search(files, folder, self.depth + 1, is_own=False)
            below.text(text)
            called = set(filter(files.is_of_shell, below.scripts)) - self.tests
            self.tests |= called
            for one in called if below.depth < _DEEPEST else ():
                below.follow(one)
            self.tests |= set(filter(files.is_of_shell, below.tests))

    def _unwrapped(self, words: list[str], *, is_fed: bool) -> tuple[list[str], bool]:
        """The program that is run in the end: after wrappers, the first word that is known."""
        while words and (name := name_of(words[0])) in WRAPPERS | FEEDERS | FINDERS:
            if words[:2] in (["command", "-v"], ["command", "-V"]):
                return [], is_fed
            is_fed |= name not in WRAPPERS
            rest, is_file = words[1:], self.files.is_file
            if name in FINDERS:
                at = next((at for at, word in enumerate(rest) if word in RUNS_FOUND), len(rest))
                words = rest[at + 1 :]
                continue
            known = next((at for at, word in enumerate(rest) if is_known(word)), len(rest))
            here = [at for at, word in enumerate(rest) if any(map(is_file, self._there([word])))]
            paths = [at for at, word in enumerate(rest) if "/" in word or is_filled_in(word)]
            # a feeder's own files come before the program, as in `xargs -a list sh`
            at = known if is_fed and known < len(rest) else min([known, *here])
            for word in rest[:at]:
                if " " in word.strip():  # a command in one word: `env -S`, `trap`
                    self._deeper(word)
            words = rest[at:] or rest[min(paths, default=len(rest)) :]
        return words, is_fed

    def _started(self, words: list[str]) -> None:
        """A program that is a file of the tree, or that only a shell knows."""
        word, on_path = words[0], any(one.startswith("PATH=") for one in self.assigned)
        found = list(self._there([word])) if "/" in word else []
        if not found and ("/" in word or on_path) and word[0] != "/":
            found = list(self.files.anywhere(word))
        self.scripts.update(found)
        if not found and is_filled_in(word):
            self._interpreted("", words[1:], is_fed=False)
        shell = next(
            (at for at, word in enumerate(words[1:-1], 1) if is_shell(name_of(word))), None
        )
        if shell is not None:  # as in `docker run image sh check.sh`
            self.simple(words[shell:])

    def _interpreted(self, name: str, arguments: list[str], *, is_fed: bool) -> None:
        """The first argument that is a file, and files among the options before it.

        `name` is empty for a program that is not known: it is taken to run scripts only.
        """
        plain = [word for word in arguments if word[:1] not in {"-", "+"}]
        before, is_option = "", True
        for at, word in enumerate(arguments):
            following = arguments[at + 1 : at + 2]
            is_option &= word not in plain
            if is_shell(name) and re.fullmatch(r"-\w*c|<<<", word):
                self.assigned += arguments[at + 2 :]
                self._deeper(" ".join(following))
                return
            if word == "-m" and following:
                self._module(following[0], arguments[at + 2 :])
                return
            if is_option and runs_no_file(name, word):
                return
            found = set(self._there([word.partition("=")[2] if word[:1] == "-" else word]))
            is_kind = self.files.is_script if not name else self.files.is_file
            found = {x for x in found if (name and word in plain) or is_kind(x)}
            self.scripts |= found
            if word in plain and (is_filled_in(word) or (is_fed and not found)):
                break
            if word in plain and found and before not in _LOADS:
                return
            before = word
        if "<<" not in arguments:  # else the code stands in the command
            self._not_there(plain, is_fed=is_fed, scripts_only=not name)

    def _not_there(self, plain: list[str], *, is_fed: bool, scripts_only: bool) -> None:
        """The script is elsewhere, or nobody named it; `plain`: the arguments but for options."""
        if not plain or is_fed or any(map(is_filled_in, plain)):
            self._unclear(scripts_only=scripts_only and bool(plain))
        else:
            found = self.files.anywhere(plain[0])
            self.scripts.update(x for x in found if not scripts_only or self.files.is_script(x))

    def _unclear(self, *, scripts_only: bool = False) -> None:
        """What the words of the statement may come to; where that is no script, all scripts.

        A file that is called by the hook's command is followed as far as its words go.
        """
        words = [word for word in self.statement.words if "/" in word or not is_known(word)]
        found = self.files.reached(self.cwd, words + self.assigned)
        scripts = set(filter(self.files.is_script, found))
        self.scripts |= scripts if scripts_only else found
        if self.is_own and not scripts:
            self.scripts |= self.files.loose_scripts()

    def _given(self, arguments: list[str]) -> None:
        """Files that a test runner is given, its configuration among them."""
        words = [word.partition("=")[2] if word[:1] == "-" else word for word in arguments]
        words += [piece for word in words for piece in pieces(word)]
        words += [word.partition("::")[0] for word in words]
        words += [f"{word.replace('.', '/')}.py" for word in words]  # `unittest checks.all`
        self.tests.update(filter(self.files.is_file, self._there(words)))

    def _module(self, module: str, arguments: list[str]) -> None:
        """`python -m module`: a test runner, something installed, or a file of the tree."""
        if module in RUNNERS:
            self._given(arguments)
        elif module == "coverage":
            self._interpreted("python", arguments, is_fed=False)
        else:
            place = module.replace(".", "/")
            files = [f"{place}.py", f"{place}/__main__.py"]
            self.scripts.update(self._there(files))
            if any(word.startswith("PYTHONPATH=") for word in self.assigned):
                self.scripts.update(path for file in files for path in self.files.anywhere(file))

    def _built(self, name: str, arguments: list[str]) -> None:
        """`make -f x` runs x; what the recipes of its goals run are tests."""
        named = [file_option(arguments)]
        self.scripts.update(self._there(named))
        if name not in {"make", "gmake"}:
            return
        folder = folder_option(arguments)
        goals = [word for word in arguments if re.fullmatch(r"[\w.-]*\w", word) and word[0] != "-"]
        for makefile in named if named[0] else [posixpath.join(folder, one) for one in _MAKEFILES]:
            for path in self._there([makefile]):
                self._indirect(recipes_of(self.files.read(path), goals), folder)
                return

    def _packaged(self, arguments: list[str]) -> None:
        """`npm test` runs what `package.json` says; what that runs are tests."""
        folder = folder_option(arguments)
        words = [w for w in arguments if w[:1] != "-" and w not in {folder, "run", "run-script"}]
        name = {"t": "test", "tst": "test"}.get(words[0], words[0]) if words else ""
        for path in self._there([posixpath.join(folder, "package.json")]):
            self._indirect(script_of(self.files.read(path), name), folder)

    def _indirect(self, text: str, folder: str) -> None:
        """What is run by way of a file that is shown to people whenever it is changed."""
        below = _Search(
            self.files,
            self.files.inside(self.cwd, folder) or self.cwd,
            self.depth + 1,
            is_own=False,
        )
        if below.depth < _DEEPEST:
            below.text(text)
        self.tests |= below.scripts | below.tests

    def _deeper(self, text: str) -> None:
        self.depth += 1
        if self.depth < _DEEPEST:
            self.text(text)
        else:
            self.scripts |= self.files.reached(self.cwd, text.split())
        self.depth -= 1

    def _there(self, words: Iterable[str]) -> Iterable[str]:
        return self.files.there(self.cwd, words)
