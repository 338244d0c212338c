"""Tasks from where people keep them: a Markdown checklist, JSON lines, issues of GitHub.

What comes of it is a task list that a person reads and edits before anything is run: the texts are
others' words, and a run would follow them.
"""

import io
import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import evolve, field, frozen
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from agent_runner.model.errors import InputError, Problem
from agent_runner.tasks.entries import as_file_name, fault_of_id
from agent_runner.tasks.fields import FIELDS

_ITEM = re.compile(r"(?P<indent>\s*)[-*+]\s+\[(?P<mark>[ xX])\]\s+(?P<text>\S.*)")
_HEADING = re.compile(r"#{1,6}\s+(?P<text>.*?)\s*#*\s*")
_OWN_ID = re.compile(r"\*{0,2}(?P<id>[A-Za-z]+-?\d+)\*{0,2}\s*[:.)]\*{0,2}\s+(?P<rest>\S.*)")
_FENCE = re.compile(r"\s*(?P<marks>`{3,}|~{3,})")


@frozen
class Imported:
    """A task as it was found. `line`: where in its source, from 1; 0 where that has no lines."""

    id: str
    title: str
    description: str
    fields: Mapping[str, Any] = field(factory=dict)
    line: int = 0


@frozen
class _Item:
    line: int
    indent: int
    done: bool
    text: str
    heading: str
    body: tuple[str, ...] = ()


def from_markdown(text: str) -> list[Imported]:
    """The open items of a checklist (`- [ ] ...`), each with what is indented below it.

    An item that begins with an id (`T3: ...`) keeps it; the others are numbered as they stand, done
    ones counted, so that an id stays when items are ticked off. Items below another one are part of
    its description. What stands in code fences is no item.
    """
    found = []
    for number, item in enumerate(_items(text), start=1):
        if item.done:
            continue
        own = _OWN_ID.fullmatch(item.text)
        name, title = (own["id"], own["rest"]) if own else (f"T{number}", item.text)
        about = f"Part of: {item.heading}\n\n" if item.heading else ""
        body = _dedented(item.body)
        description = f"{about}{title}" + (f"\n\n{body}" if body else "")
        found.append(Imported(name, _one_line(title), description, {}, item.line))
    return _with_ids_of_their_own(found)


def ticked_off(text: str, passed: Iterable[str]) -> str:
    """The checklist with the items of these tasks marked as done, and nothing else changed."""
    wanted = {_one_line(one) for one in passed}
    lines = text.splitlines(keepends=True)
    for item in _items(text):
        own = _OWN_ID.fullmatch(item.text)
        if not item.done and _one_line(own["rest"] if own else item.text) in wanted:
            lines[item.line - 1] = lines[item.line - 1].replace("[ ]", "[x]", 1)
    return "".join(lines)


def from_json_lines(text: str, name: str) -> list[Imported]:
    """A task from each line: an object with `id`, `title` and `description`, or at least a title.

    Other fields of a task are kept; what a task does not have goes into its `metadata`.

    Raises InputError with every line that is no such object.
    """
    found: list[Imported] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            problems.append(Problem(name, number, 1, f"this line is no JSON: {error}"))
            continue
        title = value.get("title") if isinstance(value, dict) else None
        if not isinstance(title, str) or not title.strip():
            problems.append(Problem(name, number, 1, "this line is no object with a title"))
            continue
        found.append(_from_object(value, title, number))
    if problems:
        raise InputError(tuple(problems))
    return _with_ids_of_their_own(found)


def from_issues(text: str, name: str) -> list[Imported]:
    """What `gh issue list --json number,title,body,labels,url` prints.

    Raises InputError where it is something else.
    """
    try:
        return [_from_issue(one) for one in json.loads(text)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError((Problem(name, 0, 0, f"these are no issues: {error}"),)) from error


def task_list_text(tasks: Iterable[Imported], source: str) -> str:
    """The task list as YAML, with the source in its first line."""
    plain = [_plain(task) for task in tasks]
    yaml = YAML()
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump({"tasks": plain}, out)
    return f"# Made of {_one_line(source)}: read and edit it before you run it.\n{out.getvalue()}"


def _items(text: str) -> Iterator[_Item]:
    """The items of the outermost level of each list, with the lines below them."""
    item: _Item | None = None
    heading, fence = "", ""
    for number, line in enumerate(text.splitlines(), start=1):
        marks = _FENCE.match(line)
        if marks and (not fence or marks["marks"].startswith(fence)):
            fence = "" if fence else marks["marks"]
        inside = bool(fence or marks)
        title = None if inside else _HEADING.fullmatch(line)
        begun = None if inside else _begun(line, number, heading)
        if item is not None:
            if not title and (inside or not line.strip() or _indent(line) > item.indent):
                item = evolve(item, body=(*item.body, line.expandtabs(4)))
                continue
            yield item
        item = begun
        heading = title["text"] if title else heading
    if item is not None:
        yield item


def _begun(line: str, number: int, heading: str) -> _Item | None:
    """The item that a line begins, if it does."""
    match = _ITEM.fullmatch(line)
    if match is None:
        return None
    return _Item(number, _indent(line), match["mark"] != " ", match["text"].strip(), heading)


def _indent(line: str) -> int:
    return len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())


def _dedented(lines: tuple[str, ...]) -> str:
    return textwrap.dedent("\n".join(lines)).strip()


def _from_object(value: dict[str, Any], title: str, number: int) -> Imported:
    name = value.get("id")
    description = value.get("description")
    rest = {k: v for k, v in value.items() if k not in {"id", "title", "description"}}
    fields = {k: v for k, v in rest.items() if k in FIELDS and k != "metadata" and v is not None}
    given = rest.get("metadata")
    metadata = {**(given if isinstance(given, dict) else {})}
    metadata |= {k: v for k, v in rest.items() if k not in FIELDS}
    if metadata:
        fields["metadata"] = metadata
    return Imported(
        str(name) if isinstance(name, str | int) and str(name).strip() else f"T{number}",
        _one_line(title),
        description if isinstance(description, str) and description.strip() else title,
        fields,
        number,
    )


def _from_issue(issue: Mapping[str, Any]) -> Imported:
    number, title, body = issue["number"], _one_line(issue["title"]), issue.get("body") or ""
    labels = [label["name"] for label in issue.get("labels") or ()]
    about = {"issue": number, "url": issue.get("url") or "", "labels": labels}
    metadata = {key: value for key, value in about.items() if value}
    description = f"{title}\n\n{body.strip()}".strip()
    return Imported(f"issue-{number}", title, description, {"metadata": metadata})


def _with_ids_of_their_own(found: list[Imported]) -> list[Imported]:
    """The tasks with ids that name a folder each; one that cannot is replaced by its place."""
    taken: set[str] = set()
    tasks = []
    for task in found:
        name = task.id if not fault_of_id(task.id) else f"T{task.line}"
        while as_file_name(name) in taken:
            name = f"{name}-{task.line}"
        taken.add(as_file_name(name))
        tasks.append(evolve(task, id=name))
    return tasks


def _plain(task: Imported) -> dict[str, Any]:
    text = _printable(task.description)
    shown = LiteralScalarString(text + "\n") if "\n" in text else text
    return {"id": task.id, "title": task.title, "description": shown, **task.fields}


def _one_line(text: str) -> str:
    return " ".join(_printable(text).split())


def _printable(text: str) -> str:
    """Somebody else's text without what a terminal would obey; line ends stay, without blanks."""
    kept = "".join(c if c.isprintable() or c == "\n" else " " for c in text.replace("\r\n", "\n"))
    return "\n".join(line.rstrip() for line in kept.split("\n")).strip("\n")
