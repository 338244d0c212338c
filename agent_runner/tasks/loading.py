"""From the file that a person wrote to a `TaskList`, or to all the mistakes in it at once."""

from collections.abc import Sequence
from pathlib import Path

from agent_runner.documents import (
    Document,
    Expect,
    Fields,
    Items,
    Node,
    Scalar,
    Suggestions,
    quoted,
    read_document,
)
from agent_runner.ground.collector import paused_collector
from agent_runner.model.errors import InputError, Problem
from agent_runner.model.names import KnownNames
from agent_runner.model.settings import Settings
from agent_runner.model.task import TaskList
from agent_runner.tasks.entries import TaskEntry, TaskReader, as_file_name

_TOP = Suggestions(["tasks"])
_EXAMPLE = "write tasks: and under it a list, each with id, title and description"
_MOST_SHOWN = 12


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
        message = "a task list may not be in the home folder itself"
        shared = folder / ".agent-runner"
        hint = f"move it into a project folder; {shared} is shared by all projects"
        raise InputError((Problem(str(file), 0, 0, message, hint),))
    document = read_document(file)
    expect = Expect(document.problems)
    with paused_collector():
        reader = TaskReader(folder, home, settings, names, expect)
        entries = [reader.read(node) for node in _task_nodes(document, expect)]
        read = [entry for entry in entries if entry]
        check_unique(read, expect)
        check_dependencies(read, expect)
    if expect.problems:
        raise InputError(_in_file_order(expect.problems))
    tasks = tuple(entry.task for entry in read)
    return TaskList(id=file.name, file=folder / file.name, folder=folder, tasks=tasks)


def locate(file: Path, task_id: str, key: str, item: str | None = None) -> tuple[int, int]:
    """Line and column of a task's field, or of an item in its list, in a task list that is valid.

    Reads the file once more: a place is wanted for a few tasks of a list at most. (0, 0) if the
    file has changed so much that it is not there.
    """
    for node in _task_nodes(read_document(file), Expect()):
        named = node.values.get("id") if isinstance(node, Fields) else None
        if isinstance(node, Fields) and isinstance(named, Scalar) and named.text == task_id:
            at = node.values.get(key, node)
            for one in at.items if isinstance(at, Items) else ():
                if isinstance(one, Scalar) and one.value == item:
                    at = one
            return at.source.position(at.at)
    return 0, 0


def check_unique(entries: Sequence[TaskEntry], expect: Expect) -> None:
    """Notes ids that stand twice, or that one folder could not keep apart on every system."""
    first: dict[str, TaskEntry] = {}
    for entry in entries:
        if entry.named is None:
            continue
        name = entry.task.id
        earlier = first.setdefault(as_file_name(name), entry)
        if earlier is entry:
            continue
        if earlier.task.id == name:
            message = f"the id {quoted(name)} is already taken"
        else:
            message = f"the ids {quoted(name)} and {quoted(earlier.task.id)} differ only in case"
        expect.note(entry.named, message, f"the other task begins on line {earlier.task.line}")


def check_dependencies(entries: Sequence[TaskEntry], expect: Expect) -> None:
    """Notes unknown and repeated dependencies, and every cycle once, spelled out."""
    known = {entry.task.id for entry in entries if entry.named is not None}
    ids = Suggestions(entry.task.id for entry in entries if entry.named is not None)
    for entry in entries:
        seen: set[str] = set()
        for item in entry.depends_on:
            if item.text not in known:
                hint = ids.hint(item.text)
                expect.note(item, f"there is no task {quoted(item.text)} to depend on", hint)
            elif item.text in seen:
                expect.note(item, f"{quoted(item.text)} is in depends_on twice")
            seen.add(item.text)
    edges: dict[str, list[Scalar]] = {}
    for entry in entries:
        if entry.named is not None:
            edges.setdefault(entry.task.id, [i for i in entry.depends_on if i.text in known])
    for cycle in _cycles(edges):
        at = next(item for item in edges[cycle[0]] if item.text == cycle[1])
        message = f"these tasks depend on each other: {_spelled(cycle)}"
        expect.note(at, message, "remove one of the dependencies")


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


def _cycles(edges: dict[str, list[Scalar]]) -> list[list[str]]:
    """Circles, first name repeated at the end; no task is in two of them. Never recurses."""
    found: list[list[str]] = []
    in_cycles: set[str] = set()
    done: set[str] = set()
    for start, first in edges.items():
        path = [start] if start not in done else []
        on_path = set(path)
        waiting = [iter(first)] if path else []
        while path:
            item = next(waiting[-1], None)
            if item is None:
                waiting.pop()
                on_path.discard(path[-1])
                done.add(path.pop())
            elif item.text in on_path:
                if item.text not in in_cycles and path[-1] not in in_cycles:
                    cycle = path[path.index(item.text) :]
                    found.append(_from_first(cycle, edges))
                    in_cycles.update(cycle)
            elif item.text not in done:
                path.append(item.text)
                on_path.add(item.text)
                waiting.append(iter(edges[item.text]))
    return found


def _from_first(cycle: list[str], edges: dict[str, list[Scalar]]) -> list[str]:
    """The circle begun at the task that stands first in the file, and closed."""
    members = set(cycle)
    first = cycle.index(next(name for name in edges if name in members))
    turned = cycle[first:] + cycle[:first]
    return [*turned, turned[0]]


def _spelled(cycle: list[str]) -> str:
    if len(cycle) <= _MOST_SHOWN:
        return " -> ".join(cycle)
    shown = _MOST_SHOWN - 2
    return " -> ".join([*cycle[:shown], f"({len(cycle) - shown - 1} more)", cycle[-1]])
