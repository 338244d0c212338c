"""What holds for every command: it obeys nobody whose text it shows, and a lost output is said."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from agent_runner.cli.commands import COMMANDS, Entry
from tests.cli.scene import COMMAND, Scene, environment, reply
from tests.cli.terminal import seat

pytestmark = pytest.mark.slow

HOSTILE = "\x1b]0;t\x07\x1b[2J\r\x9b31m\u202e\u0085\n::error::x\n##[error]y"

WORDS = (
    *("run --dry-run", "run T2", "run --json", "run -q", "resume", "status", "status --json"),
    *("plan", "plan --json", "usage", "usage --json", "why T1", "why T2", "report"),
    *("report --markdown", "log T1", "import plan.md", "import issues.jsonl"),
    *("undo --dry-run T1", "diff T1", "undo T1", "retry T2", "skip T3", "check T2", "reset T1"),
    *("init new", "demo made", "config validate", "config show", "config show --origin"),
    *("providers", "providers --json", "providers check", "schema tasks", "trust", "trust --list"),
    *("doctor", "doctor --json", "debug state", "debug state --json", "debug machine"),
    *("debug prompt T3", "--help", "run --help", "help run", "list", "logs T1"),
    *("completion bash", "completion bash -- why T"),
)

SILENT = frozenset({"run -q", "report"})
"""Print nothing where all is well, or write into a file."""

PATCHES = frozenset({"diff T1"})
"""Goes out byte for byte."""


def names(entries: Mapping[str, Entry], above: str = "") -> Iterator[str]:
    for name, entry in entries.items():
        if entry.body:
            yield f"{above}{name}"
        yield from names(entry.below, f"{above}{name} ")


def test_every_command_is_here() -> None:
    assert [x for x in names(COMMANDS) if not any(f"{w} ".startswith(f"{x} ") for w in WORDS)] == []


@pytest.fixture
def hostile(tmp_path: Path) -> Scene:
    """A task that passed, one that failed and one to come; whatever can be worded is hostile."""
    scene = Scene(tmp_path)
    hooks = {
        "green": {"command": f"cat <<'E'\n{HOSTILE}\nE"},
        "red": {"command": f"cat <<'E'\n{HOSTILE}\nE\nexit 1"},
    }
    asked = {"protocol": "chat", "base_url": "http://127.0.0.1:9/v1", "model": HOSTILE}
    scene.config(
        {
            "hooks": hooks,
            "notify": {"escalated": f"cat <<'E'\n{HOSTILE}\nE\nexit 1"},
            "apply": {"commands": "allow", "allow": [HOSTILE]},
            "max_attempts_per_task": 1,
            "on_escalation": "continue",
            "providers": {"replay": {"replies": "./replies"}, "asked": asked},
        }
    )
    title = HOSTILE.replace("\n", " ").replace("\r", " ")
    said = {"title": f"{title} ::error::z", "description": HOSTILE, "metadata": {"k": HOSTILE}}
    scene.tasks(
        {"id": "T1", **said, "post_hooks": ["green"]},
        {"id": "T2", **said, "post_hooks": ["red"]},
        {"id": "T3", **said, "files": ["*.txt"], "depends_on": ["T2"]},
    )
    scene.write("a\x1b[2Jb.txt", HOSTILE)
    scene.write("plan.md", f"- [ ] T7: {HOSTILE}\n  {HOSTILE}\n")
    scene.write("issues.jsonl", json.dumps({"title": HOSTILE, "description": HOSTILE}))
    scene.reply("T1", 1, HOSTILE + "\n\n" + reply(a__txt=HOSTILE.replace("\r", "")))
    scene.reply("T2", 1, HOSTILE + "\n\n" + reply(b__txt="b"))
    assert scene.run("run").code == 1
    assert scene.states() == {"T1": "passed", "T2": "escalated", "T3": "pending"}
    return scene


def obeyed(shown: str) -> list[str]:
    """What a terminal or a build server would obey."""
    found = [repr(c) for c in "\x1b\x07\r\x9b\u202e\u0085" if c in shown]
    found += [line for line in shown.split("\n") if line.lstrip().startswith("::")]
    return found + ["##["] * ("##[" in shown)


def test_no_terminal_and_no_build_server_obeys_what_is_shown(hostile: Scene) -> None:
    """All commands on one project, those that look first."""
    wrong = {}
    for words in WORDS:
        done = hostile.run(*words.split())
        found = obeyed(done.out + done.err) if words not in PATCHES else obeyed(done.err)
        if found or done.code in {70, 120}:
            wrong[words] = (done.code, found)
    assert wrong == {}


DRAWN = (
    *("run --dry-run", "status", "plan", "usage", "why T1", "why T2", "log T1", "diff T1"),
    *("diff T1 --stat", "providers", "doctor", "debug state", "report --markdown", "config show"),
)
"""Commands that draw on a terminal in a way of their own: fitted, wrapped, in colour."""


def test_what_is_drawn_on_a_terminal_is_not_obeyed_either(hostile: Scene) -> None:
    """Nothing but colours, and lines that fit."""
    wrong = {}
    hostile.env = {"PAGER": "cat"}
    for words in DRAWN:
        with seat(hostile, *words.split(), columns=90) as at:
            _, shown = at.ends()
        plain = re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r\n", "\n")
        found = [repr(c) for c in "\x1b\x07\r\x9b\u202e\u0085" if c in plain]
        if found:
            wrong[words] = found
    assert wrong == {}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_an_output_that_is_lost_is_no_success(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.config({})
    scene.tasks({"id": "T1"}, {"id": "T2"}, {"id": "T3"})
    for task in ("T1", "T2", "T3"):
        scene.reply(task, 1, reply(**{f"{task}__txt": "x"}))
    scene.run("run", "T1")
    wrong = {}
    for words in WORDS:
        code, said = into_full(scene, words.split())
        if code in {0, 70, 120} or "Traceback" in said:
            wrong[words] = (code, said)
    assert wrong.keys() <= SILENT, wrong


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("words", ["nonsense", "status --nonsense", "run nothing.yml", "status"])
def test_messages_that_cannot_be_shown_change_no_exit_code(words: str, tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    shown = scene.run(*words.split()).code
    with open("/dev/full", "w") as full:  # noqa: PTH123  # a device
        done = subprocess.run(
            [*COMMAND, *words.split()],
            cwd=scene.project,
            env=environment(scene.home),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=full,
            check=False,
        )
    assert done.returncode == shown == 2


def into_full(scene: Scene, words: list[str]) -> tuple[int, str]:
    """The command's exit code and stderr, where stdout is on a full disk."""
    with open("/dev/full", "w") as full:  # noqa: PTH123  # a device
        done = subprocess.run(
            [*COMMAND, *words],
            cwd=scene.project,
            env=environment(scene.home),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    return done.returncode, done.stderr
