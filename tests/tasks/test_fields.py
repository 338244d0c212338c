"""The task list's schema accepts what the loader accepts, and nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from agent_runner.model.errors import InputError
from agent_runner.model.hooks import Hook
from agent_runner.model.settings import Settings
from agent_runner.providers.profiles import KNOWN_NAMES
from agent_runner.tasks import load_task_list
from agent_runner.tasks.fields import FIELDS, task_list_schema

VALIDATOR = jsonschema.Draft7Validator(task_list_schema())
SETTINGS = Settings(hooks={"h": Hook("h", "true")})
ROOT = Path(__file__).parents[2]

ANYTHING = st.sampled_from(
    [
        None,
        True,
        0,
        1,
        1.5,
        "",
        " ",
        "x",
        "claude",
        "a\nb",
        "a\n",
        [],
        ["h"],
        [""],
        [1],
        {},
        {"k": 1},
    ]
)
FITTING: dict[str, Any] = {
    "id": st.sampled_from(
        ["T1", "a b", ".a", "-a", "a/b", "a ", " a", "a\tb", "x" * 101, "\xe9", "a:b"]
    ),
    "title": st.sampled_from(["t", "a\nb", " t\n"]),
    "depends_on": st.just([]),
    "max_attempts": st.sampled_from([0, 1, 2]),
    "provider": st.just("claude"),
    "pre_hooks": st.sampled_from([[], ["h"]]),
    "post_hooks": st.sampled_from([[], ["h"]]),
    "metadata": st.sampled_from([{}, {"k": [1]}]),
    "template": st.just("t.md"),
    "path": st.sampled_from([".", "sub"]),
}


def faults(folder: Path, value: Any) -> list[str]:
    file = folder / "tasks.json"
    file.write_text(json.dumps(value))
    try:
        load_task_list(file, SETTINGS, home=folder.parent, names=KNOWN_NAMES)
    except InputError as error:
        return [str(problem) for problem in error.problems]
    return []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home") / "project"
    folder.mkdir()
    (folder / "t.md").write_text("{{ title }}\n")
    return folder


@st.composite
def lists(draw: st.DrawFn) -> Any:
    task: dict[str, Any] = {"id": "T1", "title": "t", "description": "d"}
    for name in draw(st.lists(st.sampled_from([*FIELDS, "x-mine", "nope"]), max_size=3)):
        task[name] = draw(st.one_of(FITTING.get(name, st.just(["a"])), ANYTHING))
    for name in draw(st.lists(st.sampled_from(["id", "title", "description"]), max_size=1)):
        if draw(st.booleans()):
            del task[name]
    return draw(st.sampled_from([[task], {"tasks": [task]}, {"tasks": [task], "x-a": 1}]))


REFERENCES = re.compile(r"there is no (hook|provider|task)|does not exist|is outside|not a glob")
"""What needs the configuration, the list or the disk, and no schema can know."""


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lists())
def test_schema_and_loader_agree(folder: Path, value: Any) -> None:
    found = faults(folder, value)
    structural = [one for one in found if not REFERENCES.search(one)]
    assert VALIDATOR.is_valid(value) == (not structural), (value, found)


@pytest.mark.parametrize("value", [{}, [], {"tasks": []}, {"tasks": 5}, {"task": []}, "x", [5]])
def test_what_is_no_list_of_tasks_is_none_for_both(folder: Path, value: Any) -> None:
    assert faults(folder, value)
    assert not VALIDATOR.is_valid(value)


def test_the_documentation_lists_the_same_fields() -> None:
    text = (ROOT / "docs/tasks.md").read_text()
    listed = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)))
    assert listed == list(FIELDS)


def test_the_documentation_says_what_holds_without_them() -> None:
    rows = re.findall(
        r"^\| (`.+?`) \| .+ \| (.+) \|$", (ROOT / "docs/tasks.md").read_text(), re.MULTILINE
    )
    named = [(name, left) for names, left in rows for name in re.findall(r"`(\w+)`", names)]
    expected = {n: "required" if f.required else f.left_out for n, f in FIELDS.items()}
    assert {n: left.replace("`", "") for n, left in named if n in FIELDS} == expected


def test_each_field_says_in_the_schema_what_it_is_and_what_holds_without_it() -> None:
    shown = task_list_schema()["properties"]["tasks"]["items"]["properties"]
    assert shown["path"]["description"].endswith("hooks run there (left out: the list's folder)")
    assert all(
        re.search(r"\((?:required|left out: .+)\)$", f["description"]) for f in shown.values()
    )
