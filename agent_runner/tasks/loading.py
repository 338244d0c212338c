"""From the file that a person wrote to a `TaskList`, or to all the mistakes in it at once."""

from pathlib import Path

from agent_runner.documents import (
    Document,
    Expect,
    Fields,
    Items,
    Node,
    Suggestions,
    paused_collector,
    read_document,
)
from agent_runner.model.errors import InputError, Problem
from agent_runner.model.names import KnownNames
from agent_runner.model.settings import Settings
from agent_runner.model.task import TaskList
from agent_runner.tasks.entries import EntryReader
from agent_runner.tasks.together import check_dependencies, check_unique

_TOP = Suggestions(["tasks"])
_EXAMPLE = "write tasks: and under it a list, each with id, title and description"


def load_task_list(
    file: Path,
    settings: Settings,
    *,
    home: Path,
    names: KnownNames,
) -> TaskList:
    """The tasks in `file` (YAML, or JSON by its ending), in the file's order.

    `settings` has the hooks and providers that tasks may name, `names` the providers that are known
    without configuration. `home` is the user's folder. Raises InputError with all mistakes, in file
    order.
    """
    folder = file.parent.resolve()
    if folder == home.resolve():
        message = "a task list may not lie in the home folder itself"
        hint = f"move it into a project folder; {folder / '.agent-runner'} is for all projects"
        raise InputError((Problem(str(file), 0, 0, message, hint),))
    document = read_document(file)
    expect = Expect(document.problems)
    with paused_collector():
        reader = EntryReader(folder, home, settings, names, expect)
        entries = [reader.read(node) for node in _task_nodes(document, expect)]
        read = [entry for entry in entries if entry]
        check_unique(read, expect)
        check_dependencies(read, expect)
    if expect.problems:
        raise InputError(_in_file_order(expect.problems))
    tasks = tuple(entry.task for entry in read)
    return TaskList(id=file.name, file=folder / file.name, folder=folder, tasks=tasks)


def _task_nodes(document: Document, expect: Expect) -> list[Node]:
    root = document.root
    if document.empty:
        expect.note(root, "the file has no tasks", _EXAMPLE)
        return []
    if isinstance(root, Fields):
        expect.known_keys(root, "a task list", _TOP)
        if "tasks" not in root.values:
            expect.note(root, "tasks is missing", _EXAMPLE)
            return []
        root = root.values["tasks"]
    if not isinstance(root, Items):
        expect.note(root, "the tasks must be a list", _EXAMPLE)
        return []
    if not root.items:
        expect.note(root, "the list has no tasks", _EXAMPLE)
    return root.items


def _in_file_order(problems: list[Problem]) -> tuple[Problem, ...]:
    """By position; the same mistake seen through several aliases once."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.line, p.column)))
