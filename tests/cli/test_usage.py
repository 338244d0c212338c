"""Wrong words, missing files and broken lists: what, where and what next; never a traceback."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from agent_runner import __version__
from agent_runner.cli.commands import COMMANDS, SECTIONS
from agent_runner.cli.parser import app
from agent_runner.model.settings import Settings
from tests.cli.scene import Scene, reply
from tests.cli.terminal import seat

WITH_STATE = (
    ("status",),
    ("plan",),
    ("usage",),
    ("why", "T1"),
    ("diff", "T1"),
    ("run", "--dry-run"),
    ("debug", "state"),
    ("debug", "prompt", "T1"),
)
"""Commands that only read."""


def test_the_help_names_every_command_under_a_heading_and_fits(scene: Scene) -> None:
    told = scene.run("--help").out
    assert set(COMMANDS) == set(re.findall(r"^  ([a-z]+)  ", told, re.MULTILINE))
    assert set(SECTIONS) < set(re.findall(r"^([A-Z].*):$", told, re.MULTILINE))
    assert max(map(len, told.splitlines())) <= 80
    assert scene.run("help").out == told


def test_every_help_has_usage_and_an_example_that_can_be_typed() -> None:
    root = typer.main.get_command(app)
    for name, command in walked("", root):
        page = help_of(name)
        assert f"Usage: agent-runner {name}" in page
        assert "{" not in page.partition("Usage:")[2].splitlines()[0]
        example = re.search(r"^Example: agent-runner (.*)$", page, re.MULTILINE)
        assert example, name
        words = shlex.split(example[1])[len(name.split()) :]
        command.make_context(name, words, obj={})  # raises for what cannot be typed


def help_of(name: str) -> str:
    context = typer.main.get_command(app).make_context("agent-runner", [], resilient_parsing=True)
    for word in name.split():
        below = context.command.commands[word]  # type: ignore[attr-defined]  # a group
        context = below.make_context(word, [], parent=context, resilient_parsing=True)
    return context.get_help()


def test_the_defaults_in_the_help_of_run_are_those_of_the_settings() -> None:
    command = dict(walked("", typer.main.get_command(app)))["run"]
    shown = {one.name: one.show_default for one in command.params if one.show_default}
    stated = {name: text for name, text in shown.items() if isinstance(text, str)}
    assert len(stated) == 6
    for name, text in stated.items():
        assert str(getattr(Settings(), name)) == text


def test_the_help_is_coloured_at_a_terminal_only_where_that_is_allowed(scene: Scene) -> None:
    for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        scene.env = env
        with seat(scene, "run", "--help") as at:
            _, told = at.ends()
        assert ("\x1b[1mUsage:\x1b[0m" in told) is coloured
        assert "Example:" in told
    assert "\x1b" not in scene.run("run", "--help").out


@pytest.mark.parametrize(
    ("words", "leads_to"), [(("list",), ("status",)), (("logs", "T1"), ("log", "T1"))]
)
def test_names_that_other_tools_use_lead_somewhere(
    scene: Scene, words: tuple[str, ...], leads_to: tuple[str, ...]
) -> None:
    scene.config({})
    scene.tasks({"id": "T1"})
    assert scene.run(*words) == scene.run(*leads_to)
    assert scene.run(*words).code == 0
    assert scene.run("help", words[0]).out == scene.run("help", leads_to[0]).out


def test_the_version_is_short_and_long(scene: Scene) -> None:
    assert scene.run("-V") == scene.run("--version")
    assert scene.run("-V").out == f"agent-runner {__version__}\n"


def test_every_command_can_say_where_its_time_went(scene: Scene) -> None:
    scene.config({})
    scene.tasks({"id": "T1"})
    scene.reply("T1", 1, reply(a__txt="x"))
    commands = dict(walked("", typer.main.get_command(app)))
    assert {"run", "config show", "providers", "debug state"} < set(commands)
    for name, command in commands.items():
        assert "--timings" in [word for one in command.params for word in one.opts], name
    ended = scene.run("run", "--timings")
    assert ended.code == 0
    told = {line.split("  ")[0] for line in ended.err.splitlines()}
    assert {"start", "load", "state", "sync", "step agent", "provider", "in all"} <= told
    failed = scene.run("why", "T9", "--timings")
    assert failed.code == 2
    assert "in all" in failed.err


def walked(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every command that does something by itself."""
    below = getattr(command, "commands", {})
    if path and (not below or command.invoke_without_command):
        yield path, command
    for name, one in below.items():
        yield from walked(f"{path} {name}".strip(), one)


WRONG = [
    (("run", "nofile.yml"), "there is no task list nofile.yml", "agent-runner init"),
    (("run", "--max-attempts", "0"), "--max-attempts", "agent-runner run -h"),
    (("run", "--junit"), "error: option '--junit' requires an argument", "agent-runner -h"),
    (("run", "--nope"), "no such option: --nope", "agent-runner run -h"),
    (("run", "--on-escalation", "panic"), "must be ask, stop or continue", "panic"),
    (("run", "--wait-max", "soon"), "--wait-max soon is not a duration", "90s"),
    (("run", "--provider", "claude"), 'no key for provider "claude"', "ANTHROPIC_API_KEY"),
    (("run", "--junit", "."), "--junit . is a folder", "name a file"),
    (("run", "--record", "tasks.yml"), "--record tasks.yml is a file", "name a folder"),
    (("run", "--state-dir", "tasks.yml"), "--state-dir tasks.yml is a file", "name a folder"),
    (("run", "--state-dir", "."), "--state-dir . holds the project", "for the state alone"),
    (("run", "--state-dir", ".."), "--state-dir .. holds the project", "for the state alone"),
    (("run", "--state-dir", ".git/x"), "lies in git's own folder", "for the state alone"),
    (("run", "tasks.yml", "--tasks", "x.yml"), "named twice", "not both"),
    (("why", "t1"), "there is no task t1", 'did you mean "T1"?'),
    (("skip", "T1x"), "there is no task T1x", 'did you mean "T1"?'),
    (("retry", "T1"), "T1 is pending and cannot be retried", "agent-runner run"),
    (("stauts",), "no such command 'stauts'. Did you mean 'status'?", "agent-runner -h"),
    (("help", "stauts"), "there is no command agent-runner stauts", 'did you mean "status"?'),
    (("why",), "missing argument 'TASK'", "usage: agent-runner why TASK [OPTIONS]"),
    (("demo", "."), "is not an empty folder", "name a folder"),
    (("providers", "check", "foo"), 'there is no provider "foo"', "Known"),
]


SELDOM = slice(1, None, 2)
"""Wrong words that are only tried in the long run: each is a process, and their way is the same."""


@pytest.mark.parametrize(
    ("words", "what", "hint"),
    [
        pytest.param(*case, marks=[pytest.mark.long] if case in WRONG[SELDOM] else [])
        for case in WRONG
    ],
    ids=lambda v: "-".join(v)[:30],
)
def test_wrong_use_says_what_and_what_next(
    scene: Scene, words: tuple[str, ...], what: str, hint: str
) -> None:
    scene.config({})
    scene.tasks({"id": "T1"}, {"id": "T2"})
    ended = scene.run(*words)
    assert ended.code == 2
    assert what in ended.err
    assert hint in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


def test_nothing_that_only_reads_writes(scene: Scene) -> None:
    scene.config({"hooks": {"post": {"command": "false"}}, "max_attempts_per_task": 1})
    scene.tasks({"id": "T1", "post_hooks": ["post"]}, {"id": "T2"})
    scene.change("T1", 1)
    before = scene.tree()
    for words in WITH_STATE:
        assert scene.run(*words).code == 0, words
    assert scene.tree() == before
    assert scene.run("run").code == 1
    before = scene.tree()
    for words in WITH_STATE:
        ended = scene.run(*words)
        assert (ended.code, ended.err.replace("T1 has not changed any file\n", "")) == (0, ""), (
            words
        )
    assert scene.tree() == before


def test_several_mistakes_are_told_at_once_each_with_its_place(scene: Scene) -> None:
    scene.config({})
    scene.write("tasks.yml", "tasks:\n  - id: T1\n    titel: x\n  - title: y\n")
    ended = scene.run("run")
    assert ended.code == 2
    told = ended.err.splitlines()
    assert len(told) >= 3
    assert all(re.match(r"error: tasks\.yml:\d+:\d+: ", line) for line in told), "as one types it"


@pytest.mark.parametrize(
    "damage",
    [
        "broken list",
        pytest.param("no list", marks=pytest.mark.long),
        pytest.param("broken configuration", marks=pytest.mark.long),
    ],
)
def test_status_helps_also_where_list_or_configuration_cannot_be_read(
    scene: Scene, damage: str
) -> None:
    scene.config({})
    scene.tasks({"id": "T1"})
    scene.change("T1", 1)
    assert scene.run("run").code == 0
    match damage:
        case "broken list":
            scene.write("tasks.yml", "tasks: [")
        case "no list":
            (scene.project / "tasks.yml").unlink()
        case _:
            scene.write("agent-runner.yml", "provider: [")
    ended = scene.run("status")
    assert ended.code == 2
    assert re.search(r"^T1 .*passed", ended.out, re.MULTILINE)
    assert "text changed" not in ended.out
    assert ended.err.startswith("error: ")
    assert json.loads(scene.run("status", "--json").out)["tasks"][0]["state"] == "passed"


def test_a_list_in_the_home_folder_is_refused(scene: Scene) -> None:
    (scene.home / "tasks.yml").write_text("tasks: [{id: T1, title: x, description: y}]")
    ended = scene.run("run", cwd=scene.home)
    assert ended.code == 2
    assert "home folder" in ended.err
    assert list(scene.home.iterdir()) == [scene.home / "tasks.yml"]


def test_another_list_in_the_same_folder_is_refused_and_told_what_to_do(scene: Scene) -> None:
    scene.config({})
    scene.tasks({"id": "T1"})
    scene.tasks({"id": "A"}, file="other.yml")
    for task in ("T1", "A"):
        scene.change(task, 1)
    assert scene.run("run").code == 0
    for words in (
        ("run", "other.yml"),
        ("status", "--tasks", "other.yml"),
        ("skip", "A", "--tasks", "other.yml"),
    ):
        ended = scene.run(*words)
        assert ended.code == 3, words
        assert "--state-dir " in ended.err
    assert scene.run("run", "other.yml", "--state-dir", "its own").code == 0
    assert scene.states("--state-dir", "its own") == {"A": "passed"}
    assert scene.states() == {"T1": "passed"}


def test_init_begins_a_project_that_is_valid(scene: Scene) -> None:
    assert scene.run("init").code == 0
    assert scene.run("config", "validate").code == 0
    scene.env = {"ANTHROPIC_API_KEY": "k"}
    assert scene.run("run", "--dry-run").code == 0


def test_what_is_shown_of_the_configuration_has_no_key(scene: Scene) -> None:
    scene.config({"providers": {"claude": {"api_key": "sk-secret-1234567890"}}})
    scene.tasks({"id": "T1"})
    for words in (
        ("config", "show"),
        ("config", "show", "--origin"),
        ("providers",),
        ("providers", "--json"),
    ):
        ended = scene.run(*words)
        assert ended.code == 0
        assert "secret" not in ended.out + ended.err


def test_the_machine_is_drawn(scene: Scene) -> None:
    assert scene.run("debug", "machine").out.startswith(("stateDiagram", "---"))
