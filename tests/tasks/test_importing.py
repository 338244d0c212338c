"""Task lists made of checklists, JSON lines and issues are valid and say what these said."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from agent_runner.model.errors import InputError
from agent_runner.model.settings import Settings
from agent_runner.model.task import Task
from agent_runner.providers.profiles import KNOWN_NAMES
from agent_runner.tasks import load_task_list
from agent_runner.tasks.importing import (
    Imported,
    from_issues,
    from_json_lines,
    from_markdown,
    task_list_text,
    ticked_off,
)

PLAN = """\
# Parser

Some words.

- [ ] T7: Read quoted fields
  Both kinds of quotes.

      keep this indented
  - [ ] a part of it
- [x] Split at commas
* [ ] Write `rows()`

```md
- [ ] no item
```

## Writer ##
1. [ ] no item either
- [ ] Quote what needs it
not a part
"""


def loaded(folder: Path, found: list[Imported]) -> tuple[Task, ...]:
    project = folder / "project"
    project.mkdir(exist_ok=True)
    file = project / "tasks.yml"
    file.write_text(task_list_text(found, "here"))
    return load_task_list(file, Settings(), home=folder, names=KNOWN_NAMES).tasks


def test_a_checklist_becomes_tasks(tmp_path: Path) -> None:
    tasks = loaded(tmp_path, from_markdown(PLAN))
    assert [(task.id, task.title) for task in tasks] == [
        ("T7", "Read quoted fields"),
        ("T3", "Write `rows()`"),
        ("T4", "Quote what needs it"),
    ]
    assert tasks[0].description == (
        "Part of: Parser\n\nRead quoted fields\n\nBoth kinds of quotes.\n\n"
        "    keep this indented\n- [ ] a part of it\n"
    )
    assert tasks[2].description == "Part of: Writer\n\nQuote what needs it\n"


def test_what_has_passed_is_ticked_off_and_nothing_else() -> None:
    changed = ticked_off(PLAN, ["Read quoted fields", "no item", "a part of it"])
    assert changed == PLAN.replace("- [ ] T7:", "- [x] T7:")
    assert ticked_off(PLAN, []) == PLAN


def test_an_id_stays_when_another_item_is_ticked_off() -> None:
    before = {task.title: task.id for task in from_markdown(PLAN)}
    after = {task.title: task.id for task in from_markdown(ticked_off(PLAN, ["Write `rows()`"]))}
    assert after.items() < before.items()


def test_json_lines_keep_the_fields_of_a_task_and_the_rest_as_metadata(tmp_path: Path) -> None:
    lines = [
        {"id": "A-1", "title": "One", "description": "Do it.", "files": ["a.py"], "priority": 3},
        {"title": "Two", "metadata": {"k": 1}, "owner": "me"},
        {"id": "a/b", "title": "Three"},
    ]
    text = "\n".join([json.dumps(lines[0]), "", *map(json.dumps, lines[1:])])
    one, two, three = loaded(tmp_path, from_json_lines(text, "x.jsonl"))
    assert (one.id, one.files, one.metadata) == ("A-1", ("a.py",), {"priority": 3})
    assert (two.id, two.description, two.metadata) == ("T3", "Two", {"k": 1, "owner": "me"})
    assert three.id == "T4"  # a folder of that name there cannot be


def test_every_line_that_is_no_task_is_told() -> None:
    with pytest.raises(InputError) as caught:
        from_json_lines('{"title": "x"}\nnope\n[]\n{"id": 1}\n', "x.jsonl")
    assert [one.line for one in caught.value.problems] == [2, 3, 4]


def test_issues_keep_their_numbers_labels_and_address(tmp_path: Path) -> None:
    issue = {
        "number": 12,
        "title": "It\x1b[31m breaks\n",
        "body": "Steps:\r\n1. run\u202e\r\n",
        "labels": [{"name": "bug"}],
        "url": "https://example.org/12",
    }
    (task,) = loaded(tmp_path, from_issues(json.dumps([issue]), "gh"))
    assert (task.id, task.title) == ("issue-12", "It [31m breaks")
    assert task.description == "It [31m breaks\n\nSteps:\n1. run\n"
    assert task.metadata == {"issue": 12, "url": "https://example.org/12", "labels": ["bug"]}


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"title": "x"}]', "null"])
def test_what_is_no_list_of_issues_is_refused(text: str) -> None:
    if text == "{}":
        assert from_issues(text, "gh") == []
        return
    with pytest.raises(InputError, match="these are no issues"):
        from_issues(text, "gh")


@settings(max_examples=150)
@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=60)), min_size=1, max_size=4))
def test_whatever_the_words_the_list_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, words: list[tuple[str, str]]
) -> None:
    lines = [
        json.dumps({"title": f"t {title}", "description": f"d {text}"}) for title, text in words
    ]
    found = from_json_lines("\n".join(lines), "x.jsonl")
    tasks = loaded(tmp_path_factory.mktemp("home"), found)
    assert [task.title for task in tasks] == [one.title for one in found]


@settings(max_examples=150)
@given(st.lists(st.sampled_from(PLAN.splitlines()), max_size=12))
def test_ticking_off_everything_leaves_nothing_open(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = from_markdown(text)
    assert from_markdown(ticked_off(text, [task.title for task in found])) == []
