"""Completion of commands, options and task ids, in real shells at real terminals."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from agent_runner.cli.commands import COMMANDS
from agent_runner.cli.parser import app
from tests.cli.scene import Scene, environment
from tests.cli.terminal import until

pytestmark = pytest.mark.slow

SHELLS = {
    "bash": ("bash", "--norc", "--noprofile", "-i"),
    "zsh": ("zsh", "-f", "-i"),
    "fish": ("fish", "--no-config", "-i"),
}

SHOW = "show() { printf '<%s>' \"$@\" > ~/line; mv ~/line ~/shown; }"
SET_UP = {
    "bash": f'{SHOW}; eval "$(agent-runner completion bash)"',
    "zsh": f'{SHOW}; autoload -U compinit; compinit -u -D; eval "$(agent-runner completion zsh)"',
    "fish": "function show; printf '<%s>' $argv > ~/line; mv ~/line ~/shown; end;"
    " agent-runner completion fish | source",
}
"""What makes each shell complete, and `show`, which writes its arguments down."""

PRESENT = [
    pytest.param(name, marks=pytest.mark.skipif(not shutil.which(name), reason=f"no {name} here"))
    for name in SHELLS
]


def installed(scene: Scene) -> dict[str, str]:
    """An environment with `agent-runner` on its path."""
    program = scene.root / "bin/agent-runner"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m agent_runner "$@"\n')
    program.chmod(0o755)
    more = {"PATH": f"{program.parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    return environment(scene.home, {**scene.env, **more})


@contextmanager
def prompt(scene: Scene, shell: str) -> Iterator[pexpect.spawn]:
    """An interactive shell in the project, ready to complete."""
    program, *options = SHELLS[shell]
    child = pexpect.spawn(
        program,
        options,
        cwd=str(scene.project),
        env=installed(scene),
        dimensions=(40, 120),
        timeout=30,
        encoding="utf-8",
    )
    child.delaybeforesend = None
    try:
        child.sendline(f"{SET_UP[shell]}; echo set''up")
        child.expect_exact("setup")
        yield child
    finally:
        child.close(force=True)


def completed(scene: Scene, child: pexpect.spawn, typed: str) -> str:
    """The words of the line after the Tab key, as the shell itself takes them."""
    shown = scene.home / "shown"
    shown.unlink(missing_ok=True)
    child.send(f"{typed}\t")
    child.send("\x01show \x05\r")
    assert until(shown.exists), typed
    return shown.read_text()


LINES = [
    ("agent-runner sta", ["agent-runner", "status"]),
    ("agent-runner why Fi", ["agent-runner", "why", "First-1"]),
    ("agent-runner run --until Fi", ["agent-runner", "run", "--until", "First-1"]),
    ("agent-runner run --on-escalation c", ["agent-runner", "run", "--on-escalation", "continue"]),
    ("agent-runner run --max-no", ["agent-runner", "run", "--max-no-progress"]),
    ("agent-runner debug pr", ["agent-runner", "debug", "prompt"]),
    ("agent-runner run --tasks oth", ["agent-runner", "run", "--tasks", "other.yml"]),
    ("agent-runner help rep", ["agent-runner", "help", "report"]),
    ("agent-runner -C 'a folder' why El", ["agent-runner", "-C", "a folder", "why", "Elsewhere"]),
]


@pytest.mark.parametrize("shell", PRESENT)
def test_commands_options_and_ids_are_completed(scene: Scene, shell: str) -> None:
    scene.config({})
    scene.tasks({"id": "First-1"}, {"id": "Second-2"})
    scene.write("other.yml", "tasks: []\n")
    scene.write("a folder/tasks.yml", json.dumps({"tasks": [task("Elsewhere")]}))
    with prompt(scene, shell) as child:
        for typed, words in LINES:
            assert completed(scene, child, typed) == "".join(f"<{word}>" for word in words)


@pytest.mark.parametrize("shell", PRESENT)
def test_a_hostile_project_is_not_obeyed(scene: Scene, shell: str) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2Jtitle"
    scene.config({"hooks": {"h": {"command": "touch hooked"}}})
    scene.tasks(
        {"id": "Good-1", "title": hostile, "post_hooks": ["h"]},
        {"id": "Good-$(touch substituted)"},
        {"id": "Good-;touch separated"},
        {"id": "Good-`touch quoted`"},
    )
    scene.write("agent-runner", "#!/bin/sh\ntouch started\n").chmod(0o755)
    scene.write("agent_runner/__init__.py", "open('imported', 'w')\n")
    before = set(scene.project.iterdir())
    with prompt(scene, shell) as child:
        line = completed(scene, child, "./agent-runner why Goo")
        assert line in {"<./agent-runner><why><Good-1>", "<./agent-runner><why><Goo>"}
        assert completed(scene, child, "agent-runner why Goo") == "<agent-runner><why><Good-1>"
        child.send("agent-runner why \t\t")
        child.expect_exact("Good-1")
        child.send("\x03")
        assert "\x1b]0;owned" not in str(child.before)
    assert set(scene.project.iterdir()) == before


def task(name: str) -> dict[str, str]:
    return {"id": name, "title": f"Do {name}", "description": "Write it."}


def asked(scene: Scene, *words: str, cwd: Path | None = None) -> list[str]:
    """The words that a script would get."""
    ended = scene.run("completion", "bash", "--", *words, cwd=cwd)
    assert (ended.code, ended.err) == (0, "")
    return [line.partition("\t")[0] for line in ended.lines]


def test_every_command_and_every_option_is_offered(scene: Scene) -> None:
    kind, *commands = asked(scene, "")
    assert (kind, commands) == ("words", list(COMMANDS))
    import typer.main

    command = typer.main.get_command(app).commands["run"]  # type: ignore[attr-defined]  # a group
    options = {name for one in command.params for name in one.opts if name.startswith("-")}
    assert set(asked(scene, "run", "-")[1:]) == options | {"--help"}


def test_ids_come_from_the_snapshot_once_there_is_one(scene: Scene) -> None:
    scene.config({})
    scene.tasks({"id": "T1"}, {"id": "T2"})
    scene.change("T1", 1)
    scene.change("T2", 1)
    assert asked(scene, "run", "T") == ["files", "T1", "T2"]
    assert scene.run("run").code == 0
    (scene.project / ".git").mkdir()  # the top of the project
    below = scene.project / "src"
    below.mkdir()
    assert asked(scene, "why", "", cwd=below) == ["words", "T1", "T2"]
    assert asked(scene, "run", "--until=T2") == ["words", "--until=T2"]
    assert asked(scene, "run", "--until", "=", "T2") == ["words", "T2"]


@pytest.mark.parametrize(
    "words",
    [
        ("why", "T"),
        ("-C", "nowhere", "why", ""),
        ("-C", "~nobody-of-that-name/x", "why", ""),
        ("nope", "--x", ""),
    ],
)
def test_nothing_is_offered_where_nothing_can_be_known(
    scene: Scene, words: tuple[str, ...]
) -> None:
    scene.write("tasks.yml", "tasks: [")
    assert asked(scene, *words)[1:] == []
