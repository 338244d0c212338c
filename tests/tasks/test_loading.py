"""The task list: what is read, and that every mistake is told at once, where it stands."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_runner.model.errors import InputError
from agent_runner.model.hooks import Hook
from agent_runner.model.names import KnownNames
from agent_runner.model.settings import Defaults, ProviderSettings, Settings
from agent_runner.model.task import TaskList
from agent_runner.providers.profiles import KNOWN_NAMES
from agent_runner.tasks import load_task_list

SETTINGS = Settings(
    hooks={name: Hook(name, "true") for name in ("test-env", "unit-tests", "lint")},
    defaults=Defaults(pre_hooks=("test-env",), post_hooks=("unit-tests",)),
    providers={"local": ProviderSettings(protocol="chat")},
)
Load = Callable[..., TaskList]
Mistakes = Callable[[str], list[str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def load(project: Path) -> Load:
    def loaded(text: str, name: str = "tasks.yml") -> TaskList:
        file = project / name
        file.write_text(text)
        return load_task_list(file, SETTINGS, home=project.parent, names=KNOWN_NAMES)

    return loaded


@pytest.fixture
def mistakes(load: Load, project: Path) -> Mistakes:
    def told(text: str) -> list[str]:
        with pytest.raises(InputError) as caught:
            load(text)
        return [str(p).removeprefix(f"{project}/") for p in caught.value.problems]

    return told


def one(fields: str) -> str:
    """A list of one task that is right but for `fields`, which stand in line 2."""
    return f"- {{id: T1, title: a, description: b,\n  {fields}}}\n"


def test_a_full_task(load: Load, project: Path) -> None:
    (project / "prompt.md").write_text("x")
    tasks = load(
        """
tasks:
  - id: T1
    title: Setup
    description: >
      Create the layout.
    path: ./repo
    pre_hooks: []
    post_hooks: [lint, unit-tests]
    files: ["src/**"]
    protect: [tests]
    provider: local
    model: m
    max_attempts: 2
    template: prompt.md
    metadata: {a: [1, null], b: {c: true}}
  - {id: T2, title: b, description: c, depends_on: [T1]}
"""
    )
    first, second = tasks.tasks
    assert (tasks.id, tasks.folder, tasks.file) == ("tasks.yml", project, project / "tasks.yml")
    assert (first.id, first.title, first.description) == ("T1", "Setup", "Create the layout.\n")
    assert (first.path, first.root) == ("./repo", project / "repo")
    assert (first.pre_hooks, first.post_hooks) == ((), ("lint", "unit-tests"))
    assert (first.files, first.protect) == (("src/**",), ("tests",))
    assert (first.provider, first.model, first.max_attempts) == ("local", "m", 2)
    assert first.template == project / "prompt.md"
    assert first.metadata == {"a": [1, None], "b": {"c": True}}
    assert (first.line, second.line) == (3, 17)
    assert (second.pre_hooks, second.post_hooks) == (("test-env",), ("unit-tests",))
    assert second.depends_on == ("T1",)
    assert second.root == project


def test_json_and_a_bare_list_read_the_same(load: Load) -> None:
    entry = {"id": "T1", "title": "a", "description": "b", "max_attempts": None}
    as_json = load(json.dumps({"tasks": [entry]}), "tasks.json")
    as_yaml = load("- {id: T1, title: a, description: b}\n")
    assert as_json.tasks == as_yaml.tasks


def test_the_order_of_the_file_is_kept(load: Load) -> None:
    text = "".join(f"- {{id: T{n}, title: a, description: b}}\n" for n in (3, 1, 2))
    assert [task.id for task in load(text).tasks] == ["T3", "T1", "T2"]


def test_all_mistakes_are_told_at_once_in_file_order(mistakes: Mistakes) -> None:
    text = """\
tasks:
  - id: T1
    titel: Setup
    description:
    path: ../x
    pre_hooks: test-env
    post_hooks: [unit-test, 5]
    depends_on: [T2, T9]
    depends_on: []
  - id: t1
    title: [a]
    description: x
    max_attempts: 0
    provider: clade
  - {id: T2, title: b, description: c, depends_on: [T1, T1], metadata: 5, template: nope}
  - {id: T2, title: b, description: c, post_hooks: }
  - 5
"""
    assert [one.partition(" (")[0] for one in mistakes(text)] == [
        'tasks.yml:2:5: the task "T1" has no title',
        'tasks.yml:3:5: a task has no key "titel"',
        "tasks.yml:4:5: description must not be empty",
        'tasks.yml:5:11: path "../x" leaves the project',
        'tasks.yml:6:16: pre_hooks must be a list, not the text "test-env"',
        'tasks.yml:7:18: there is no hook "unit-test"',
        'tasks.yml:7:29: an item of post_hooks must be text, not the number "5"',
        "tasks.yml:8:18: these tasks depend on each other: T1 -> T2 -> T1",
        'tasks.yml:8:22: there is no task "T9" to depend on',
        'tasks.yml:9:5: the key "depends_on" is given twice',
        'tasks.yml:10:9: the ids "t1" and "T1" differ only in case',
        "tasks.yml:11:12: title must be text, not a list",
        "tasks.yml:13:19: max_attempts must be at least 1, not 0",
        'tasks.yml:14:15: there is no provider "clade"',
        'tasks.yml:15:57: "T1" is in depends_on twice',
        "tasks.yml:15:72: metadata must be a mapping",
        'tasks.yml:15:85: template "nope" does not exist, or is not a file',
        'tasks.yml:16:10: the id "T2" is already taken',
        "tasks.yml:16:40: post_hooks must be a list, not nothing",
        "tasks.yml:17:5: a task must be a mapping",
    ]


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ("titel: x", "did you mean title?"),
        ("post_hooks: [unit-test]", "did you mean unit-tests?"),
        ("post_hooks: [Lint]", "did you mean lint?"),
        ("post_hooks: [zzz]", "known: test-env, unit-tests, lint"),
        ("post_hooks: lint", "write [lint]"),
        ("depends_on: [t-1]", "did you mean T1?"),
        ("provider: claud", "did you mean claude?"),
        ("model: 4", 'put it in quotes: "4"'),
        ("max_attempts: '3'", "write 3"),
        ("path: ~/x", "it is relative to the task list's folder"),
    ],
)
def test_mistakes_come_with_advice(mistakes: Mistakes, fields: str, hint: str) -> None:
    (told,) = mistakes(one(fields))
    assert told.startswith("tasks.yml:2:")
    assert f"({hint})" in told


@pytest.mark.parametrize("provider", ["claude", "openai", "codex", "local", "replay"])
def test_providers_that_are_known(load: Load, provider: str) -> None:
    assert load(one(f"provider: {provider}")).tasks[0].provider == provider


def test_plugged_in_providers_are_known_and_asked_for_late(project: Path) -> None:
    asked: list[str] = []

    def plugged_in() -> list[str]:
        asked.append("asked")
        return ["mine"]

    names = KnownNames(providers=("claude",), plugged_in=plugged_in)
    file = project / "tasks.yml"
    file.write_text(one("provider: claude"))
    load_task_list(
        file,
        SETTINGS,
        home=project.parent,
        names=names,
    )
    assert not asked
    file.write_text(one("provider: mine"))
    load_task_list(
        file,
        SETTINGS,
        home=project.parent,
        names=names,
    )
    assert asked


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a/b", "may not contain /"),
        (r"a\b", "may not contain \\"),
        (".hidden", 'may not begin with "."'),
        ("..", 'may not begin with "."'),
        ("-x", 'may not begin with "-"'),
        (" x", "space"),
        ("x\n", "cannot be printed"),
        ("ü" * 51, "longer than 100 bytes"),
        ("", "must not be empty"),
    ],
)
def test_ids_that_cannot_name_a_folder(mistakes: Mistakes, name: str, words: str) -> None:
    (told,) = mistakes(json.dumps([{"id": name, "title": "a", "description": "b"}]))
    assert words in told


@pytest.mark.parametrize("name", ["T1", "1.2", "set-up_a", "größe", "a b", "ü" * 50])
def test_ids_that_can(load: Load, name: str) -> None:
    assert name in load(json.dumps([{"id": name, "title": "a", "description": "b"}]))


def test_ids_are_kept_apart_by_every_file_system(mistakes: Mistakes) -> None:
    composed, split = "caf\u00e9", "cafe\u0301"
    tasks = [{"id": name, "title": "a", "description": "b"} for name in (composed, split)]
    (told,) = mistakes(json.dumps(tasks, ensure_ascii=False))
    assert "differ only in case" in told


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("..", "leaves the project"),
        ("a/../../b", "leaves the project"),
        ("/", "leaves the project"),
        ("out", "through a symlink"),
        ("out/deeper", "through a symlink"),
        ("tasks.yml", "is not a folder"),
        ("tasks.yml/x", "is not a folder"),
        ("loop", "is not a folder"),
        ("x" * 300, "cannot be the name"),
        ("x/" * 3000, "cannot be the name"),
        (".git/hooks", "no task may change"),
        (".agent-runner", "no task may change"),
    ],
)
def test_paths_that_cannot_be_a_root(
    mistakes: Mistakes, project: Path, path: str, words: str
) -> None:
    (project / "out").symlink_to(project.parent)
    (project / "loop").symlink_to("loop")
    (told,) = mistakes(one(f"path: {path}"))
    assert told.startswith("tasks.yml:2:9: ")
    assert words in told


def test_paths_that_can(load: Load, project: Path) -> None:
    (project / "real").mkdir()
    (project / "link").symlink_to("real")
    assert load(one("path: link/new")).tasks[0].root == project / "real" / "new"
    assert load(one(f"path: {project}/real")).tasks[0].root == project / "real"


def test_every_circle_is_told_once_and_spelled_out(mistakes: Mistakes) -> None:
    edges = {"a": ["b"], "b": ["c", "a"], "c": ["a"], "d": ["d"], "e": ["a"]}
    tasks = [
        {"id": name, "title": "x", "description": "y", "depends_on": after}
        for name, after in edges.items()
    ]
    told = mistakes(json.dumps(tasks))
    assert [one.partition(": these tasks depend on each other: ")[2] for one in told] == [
        "a -> b -> c -> a (remove one of the dependencies)",
        "d -> d (remove one of the dependencies)",
    ]


def test_a_chain_of_ten_thousand_tasks_and_a_circle_as_long(load: Load, mistakes: Mistakes) -> None:
    tasks = [
        {"id": f"T{n}", "title": "a", "description": "b", "depends_on": [f"T{n + 1}"]}
        for n in range(9_999)
    ]
    last = {"id": "T9999", "title": "a", "description": "b"}
    assert len(load(json.dumps([*tasks, last]), "tasks.json")) == 10_000
    circle = json.dumps([*tasks, {**last, "depends_on": ["T0"]}])
    with pytest.raises(InputError, match=r"T0 -> T1 -> .* -> \(9990 more\) -> T0"):
        load(circle, "tasks.json")


def test_ten_thousand_misspelt_words_take_no_minutes(load: Load) -> None:
    tasks = [
        {"id": f"T{n}", "title": "a", "description": "b", "depends_on": [f"X{n}"]}
        for n in range(10_000)
    ]
    with pytest.raises(InputError) as caught:
        load(json.dumps(tasks), "tasks.json")
    assert len(caught.value.problems) == 10_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file has no tasks"),
        ("# only a comment\n", "the file has no tasks"),
        ("tasks: []\n", "the list has no tasks"),
        ("tasks:\n", "the tasks must be a list"),
        ("hello\n", "the tasks must be a list"),
        ("- id: T1\n\ttitle: x\n", "a tab is used where"),
        ("tasks: [\n", "a bracket is not closed"),
    ],
)
def test_files_without_tasks(mistakes: Mistakes, text: str, words: str) -> None:
    (told,) = mistakes(text)
    assert words in told


def test_a_misspelt_top_is_told(mistakes: Mistakes) -> None:
    unknown, missing = mistakes("task: []\n")
    assert unknown == 'tasks.yml:1:1: a task list has no key "task" (did you mean tasks?)'
    assert missing.startswith("tasks.yml:1:1: tasks is missing (write tasks: and under it a list")


def test_a_mistake_seen_through_aliases_is_told_once(mistakes: Mistakes) -> None:
    text = """\
x-base: &base {post_hooks: [nope]}
tasks:
  - {id: T1, title: a, description: b, <<: *base}
  - {id: T2, title: a, description: b, <<: *base}
"""
    (told,) = mistakes(text)
    assert told.startswith('tasks.yml:1:29: there is no hook "nope"')


def test_a_list_in_the_home_folder_is_refused(project: Path) -> None:
    file = project / "tasks.yml"
    file.write_text(one("path: ."))
    with pytest.raises(InputError, match="may not be in the home folder"):
        load_task_list(file, SETTINGS, home=project, names=KNOWN_NAMES)


def test_a_missing_list_is_told(project: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        load_task_list(project / "tasks.yml", SETTINGS, home=project.parent, names=KNOWN_NAMES)
