"""The examples that come with the package, and copies of them to run.

They stand in `examples/` of a source checkout and, put there by the build, in the wheel.
"""

from itertools import count
from pathlib import Path

from agent_runner.model.errors import UsageError

PACKAGED = Path(__file__).parent / "examples"
CHECKED_OUT = Path(__file__).parent.parent / "examples"

LEFT_BEHIND = frozenset(
    {".agent-runner", ".git", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv", "__pycache__"}
)
"""What a run or a tool leaves in an example; it is not copied."""


def example_names() -> tuple[str, ...]:
    """The names that `example_folder` knows, sorted."""
    return tuple(sorted(tasks.parent.name for tasks in _examples().glob("*/tasks.yml")))


def example_folder(name: str) -> Path:
    """Where the example `name` stands, to be read only; UsageError if there is none."""
    if name not in example_names():
        known = ", ".join(example_names()) or "none came with this installation"
        raise UsageError(f"there is no example {name!r}", fix=f"the examples are: {known}")
    return _examples() / name


def copy_example(name: str, destination: Path) -> Path:
    """Copy the example `name` to `destination`, a new or an empty folder, and return its full path.

    Raises UsageError for an unknown name, for a destination that holds anything, and for one that
    cannot be written. Nothing that exists is ever written over.
    """
    source = example_folder(name)
    target = destination.absolute()
    try:
        if _occupied(target):
            _require_empty(target)
        for file in _files(source):
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            with copy.open("xb") as new:
                new.write(file.read_bytes())
    except OSError as error:
        raise UsageError(
            f"cannot copy the example to {target}: {error.strerror or error}",
            fix="name another folder",
        ) from error
    return target


def free_folder(parent: Path, name: str = "agent-runner-demo") -> Path:
    """The first of `name`, `name-2`, `name-3`, ... that does not exist in `parent`."""
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(folder for each in names if not _occupied(folder := parent / each))


def _examples() -> Path:
    """The folder of all examples; the checkout's where the package is not from a wheel."""
    return PACKAGED if PACKAGED.is_dir() else CHECKED_OUT


def _files(folder: Path) -> list[Path]:
    """All files of an example, sorted, without what was left behind."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and LEFT_BEHIND.isdisjoint(path.relative_to(folder).parts)
    ]


def _require_empty(target: Path) -> None:
    """Raise UsageError unless `target` is a folder with nothing in it."""
    if not target.is_dir() or any(target.iterdir()):
        raise UsageError(
            f"{target} exists already and is not an empty folder",
            fix="name a folder that does not exist yet",
        )


def _occupied(path: Path) -> bool:
    """Whether anything is at `path`, a dangling link included."""
    return path.is_symlink() or path.exists()
