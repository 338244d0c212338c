"""Which files that were changed git would run, or be led by, when it commits.

A commit runs the user's own hooks and filters. Where one of them lies in the tree, whoever changed
it decides what runs; so does whoever changes `.gitattributes`, which say what filters a file has. A
program counts also where a hook or a filter only names it, or names a program that names it: what
is read is their text, so that in doubt a file counts.
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from agent_runner.workspace.git import Repository

_LONGEST = 1 << 16  # bytes of a program that are read
_MOST_READ = 100  # programs that are followed
_WORD = re.compile(r"[\w./@+~-]+")
_MODULE = re.compile(r"(?:-m|\bimport|\bfrom)\s+([\w.]+)")
_SCRIPTS = frozenset(
    {
        *("", ".sh", ".bash", ".zsh", ".fish", ".py", ".pyw", ".js", ".mjs", ".cjs", ".ts", ".rb"),
        *(".pl", ".php", ".lua", ".tcl", ".awk", ".sed", ".ps1", ".bat", ".cmd", ".exe", ".mk"),
    }
)
_OBEYED_BY = {
    ".pre-commit-config.yaml": {"pre-commit", "pre_commit", "prek"},
    "lefthook.yml": {"lefthook"},
    "package.json": {"npm", "npx", "yarn", "pnpm", "bun", "bunx", "husky", "lint-staged"},
    ".lintstagedrc": {"lint-staged"},
    "makefile": {"make", "gmake"},
    "justfile": {"just"},
    "rakefile": {"rake"},
    "tox.ini": {"tox"},
    "noxfile.py": {"nox"},
    "conftest.py": {"pytest"},
}
"""Files by which well-known programs are told what to run, and the words that start these."""


def run_by_a_commit(repository: Repository, changed: Iterable[str]) -> tuple[str, ...]:
    """Those of the changed files that a commit would run or be led by.

    Paths, in and out, are relative to the top of the work tree. What the user has committed since
    is not among them: it is theirs now.

    Raises:
        UsageError: git cannot tell what differs.
    """
    paths = tuple(dict.fromkeys(changed))
    led = {path for path in paths if PurePosixPath(path.casefold()).name == ".gitattributes"}
    led |= {path for path in paths if _is_hook(repository, path)}
    led |= _named(repository, [path for path in paths if path not in led])
    if not led:
        return ()
    top = Repository.around(repository.git.work_tree) or repository
    differing = top.modified_paths() | top.ignored(led)
    return tuple(path for path in paths if path in led & differing)


def hooks_of(repository: Repository) -> tuple[Path, ...]:
    """The hooks that git would run here, whatever for."""
    hooks = repository.programs.hooks
    try:
        names = sorted(os.listdir(hooks))
    except OSError:
        return ()
    found = (hooks / name for name in names if not name.endswith(".sample"))
    return tuple(hook for hook in found if hook.is_file() and os.access(hook, os.X_OK))


def _is_hook(repository: Repository, path: str) -> bool:
    """Whether a path lies among the hooks, or beside their folder, from where husky calls them."""
    top, hooks = repository.git.work_tree.resolve(), repository.programs.hooks.resolve()
    if not hooks.is_relative_to(top) or hooks.is_relative_to(repository.common.resolve()):
        return False
    folder = hooks if hooks.parent == top else hooks.parent
    return (top / path).resolve().is_relative_to(folder)


def _named(repository: Repository, changed: list[str]) -> set[str]:
    """The changed files that are named by what git runs, or by what that runs."""
    top = repository.git.work_tree
    candidates = [path for path in changed if _may_run(top / path)]
    obeyed = {path: _OBEYED_BY.get(PurePosixPath(path.casefold()).name) for path in changed}
    found: set[str] = set()
    texts = [*((text, top) for text in repository.programs.commands), *_hooks(repository)]
    followed: set[Path] = set()
    while texts:
        text, folder = texts.pop()
        words = _words(text)
        found |= {path for path, programs in obeyed.items() if programs and programs & words}
        found |= {path for path in candidates if any(_means(word, path) for word in words)}
        for word in words:
            for file in (top / word, folder / word):
                if len(followed) < _MOST_READ and file not in followed and _may_run(file):
                    followed.add(file)
                    texts.append((_text(file), file.parent))
    return found


def _hooks(repository: Repository) -> Iterator[tuple[str, Path]]:
    """The text of each hook that git would run, and where it stands."""
    for hook in hooks_of(repository):
        yield _text(hook), hook.parent


def _words(text: str) -> set[str]:
    """What in a program may be the name of another one, or the end or the whole of its path."""
    modules = {name.replace(".", "/") + ".py" for name in _MODULE.findall(text)}
    words = {os.path.normpath(word) for word in _WORD.findall(text)} | modules
    return {word.removeprefix("../").strip("/") for word in words} - {"", "."}


def _means(word: str, path: str) -> bool:
    """Whether one of them is the end of the other; some file systems take no notice of case."""
    one, other = f"/{word}".casefold(), f"/{path}".casefold()
    return one.endswith(other) or other.endswith(one)


def _may_run(file: Path) -> bool:
    """Whether the file is, or looks like, a program."""
    try:
        mode = file.lstat().st_mode
    except (OSError, ValueError):
        return False
    if not stat.S_ISREG(mode):
        return False
    return file.suffix.lower() in _SCRIPTS or bool(mode & 0o111) or _text(file).startswith("#!")


def _text(file: Path) -> str:
    try:
        if not file.is_file():
            return ""
        with file.open("rb") as opened:
            return opened.read(_LONGEST).decode(errors="replace")
    except OSError:
        return ""
