"""What `import` reads, and where the list goes: files as they are named, issues through `gh`."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from agent_runner.app.overview import KnownList, of_list
from agent_runner.ground.disk import Disk, storage_errors
from agent_runner.model.errors import InputError, Problem, UsageError
from agent_runner.model.states import TaskState
from agent_runner.tasks.importing import (
    Imported,
    from_issues,
    from_json_lines,
    from_markdown,
    ticked_off,
)

_MOST_SECONDS = 120
_FIELDS = "number,title,body,labels,url"


def tasks_of_file(file: Path) -> list[Imported]:
    """The tasks in a Markdown checklist, or in JSON lines by the file's ending.

    Raises InputError if it cannot be read, or has none.
    """
    text = _text(file)
    lines = file.suffix in {".jsonl", ".ndjson"}
    found = from_json_lines(text, str(file)) if lines else from_markdown(text)
    if not found:
        what = "no line with a task" if lines else "no open item of a checklist (`- [ ] ...`)"
        raise InputError((Problem(str(file), 0, 0, f"there is {what} in it"),))
    return found


def tasks_of_issues(repository: str, labels: Sequence[str], most: int) -> list[Imported]:
    """The open issues of a GitHub repository ("" for the one of the current folder), by `gh`.

    Raises UsageError where `gh` is missing or refuses.
    """
    command = ["gh", "issue", "list", "--state", "open", "--limit", str(most), "--json", _FIELDS]
    command += ["--repo", repository] if repository else []
    for label in labels:
        command += ["--label", label]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            timeout=_MOST_SECONDS,
        )
    except FileNotFoundError:
        raise UsageError(
            "gh, by which issues are read, is not installed", fix="see https://cli.github.com"
        ) from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"gh gave no answer in {_MOST_SECONDS} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise UsageError(f"gh refused: {said[-1] if said else f'exit code {done.returncode}'}")
    found = from_issues(done.stdout, "gh")
    if not found:
        raise UsageError("there is no such open issue", fix="see what `gh issue list` shows")
    return sorted(found, key=lambda task: int(task.id.rpartition("-")[2]))


def write_list(text: str, file: Path) -> None:
    """Write a new list. Raises UsageError where something is there already."""
    with storage_errors(file):
        try:
            with file.open("x", encoding="utf-8") as out:
                out.write(text)
        except FileExistsError:
            raise UsageError(
                f"{file} is there already; nothing was written", fix="name another file with -o"
            ) from None


def tick_off(file: Path, known: KnownList) -> int:
    """Mark the items of passed tasks in a checklist; returns how many there were.

    Items and tasks are told by their titles. Raises InputError if the file cannot be read.
    """
    tally, text = of_list(known).tally, _text(file)
    passed = [one.title for one in tally.listed if tally.record(one.id).state is TaskState.PASSED]
    changed = ticked_off(text, passed)
    if changed != text:
        Disk().write_file(file, changed.encode(), mode=file.stat().st_mode & 0o777)
    return sum(a != b for a, b in zip(text.splitlines(), changed.splitlines(), strict=True))


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InputError((Problem(str(file), 0, 0, f"it is no text in UTF-8: {error}"),)) from error
    except OSError as error:
        message = f"it cannot be read: {error.strerror or error}"
        raise InputError((Problem(str(file), 0, 0, message),)) from error
