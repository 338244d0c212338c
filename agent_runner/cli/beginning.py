"""The files that a new project begins with."""

from importlib.resources import files
from pathlib import Path

from agent_runner.model.errors import UsageError

_FILES = ("tasks.yml", "agent-runner.yml")


def write_beginning(folder: Path) -> int:
    """Write both files, or neither if one of them exists already."""
    there = [name for name in _FILES if (folder / name).exists()]
    if there:
        raise UsageError(
            f"{', '.join(str(folder / name) for name in there)}: there already; nothing written",
            fix="edit it, or name another folder: agent-runner init FOLDER",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _FILES:
            text = files("agent_runner.cli").joinpath("templates", name).read_text("utf-8")
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(f"cannot write into {folder}: {error.strerror}") from error
    for name in _FILES:
        print(f"wrote {folder / name}")
    print("next: edit both, then: agent-runner config validate && agent-runner run --dry-run")
    return 0
