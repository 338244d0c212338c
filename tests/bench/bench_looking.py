"""What a model's looks cost in 50,000 files: `search` against `git grep`, and each other tool.

Run it with `python -m tests.bench.bench_looking [files]`. Compared is the processors' time of all
processes, the least of several rounds in turn: on a busy machine seconds of the wall say more of
what else runs. Both divide their work among processors. It fails past a bound.
"""

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from attrs import evolve

from agent_runner.files.rules import Rules
from agent_runner.looking.toolbox import Toolbox
from agent_runner.looking.tools import Offer
from agent_runner.model.agent import ToolCall
from agent_runner.model.settings import EditFormat
from agent_runner.providers.client import WORDS
from agent_runner.workspace.names import Scope, file_names
from tests.bench.projects import git
from tests.bench.rows import row
from tests.engine.agents import using
from tests.engine.scene import Scene
from tests.engine.scripted import ScriptedClient

FILES = 50_000
ROUNDS = 7
BOUND = 2.5  # times `git grep`
TURNS = 15
MOST_A_TURN = 10.0  # milliseconds
ROOMY = {"max_tokens": 1_000_000, "max_turns": 100}
PATTERNS = {
    "a rare word": "needle_in_a_haystack",
    "a rare regex": r"needle_in\w+ = \d",
    "2,400 matches": "somewhat_common_word",
}
LOOKS = {
    "list_files": {},
    "read_file": {"path": "package025/part3/file25300.py"},
    "git_log": {},
    "git_diff": {},
    "edit_file": {"path": "package025/part3/file25300.py", "old_text": "#", "new_text": "x = 1"},
}


def main() -> int:
    """Measure; the exit code says whether the bounds hold."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FILES
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        fill(root, count)
        names = file_names(Scope(root))
        offer = Offer(EditFormat.REPLACE, git=True)
        box = Toolbox(Scope(root), Rules(), offer, names=lambda: names)
        holds = True
        for what, pattern in PATTERNS.items():
            grep = ["git", "grep", "-nP", pattern]
            theirs, ours = best(
                partial(subprocess.run, grep, cwd=root, capture_output=True, check=True),
                partial(ask, box, "search", pattern=pattern),
            )
            note = f"{ours:.2f} s against {theirs:.2f} s"
            title = f"search of {count:,} files, {what}"
            holds &= row(title, ours / theirs, "x git grep", BOUND, note)
        for name, arguments in LOOKS.items():
            (seconds,) = best(partial(ask, box, name, **arguments))
            row(f"{name} in {count:,} files", seconds * 1e3, "ms")
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
        (bare,) = best(partial(subprocess.run, [sys.executable, "-c", "pass"], check=True))
        note = f"`python -c pass` takes {bare * 1e3:.0f} ms"
        what = f"a turn of a conversation, in {TURNS}"
        holds &= row(what, per_turn(root), "ms", MOST_A_TURN, note)
        row(f"memory of looks in {count:,} files", max(most, child), "MB", 150)
    return 0 if holds else 1


def per_turn(folder: Path) -> float:
    """Milliseconds of processor time of a turn in a conversation of `TURNS`, without its agent.

    Each reads 400 lines and drafts a change in another file; all that it takes is counted, from the
    prompt to the journal. What a run takes beside its turns is not.
    """
    long, short = conversation(folder / "long", TURNS), conversation(folder / "short", 2)
    return (long - short) / (TURNS - 2)


def conversation(folder: Path, turns: int) -> float:
    """Milliseconds of processor time of a run with so many turns, the least of some."""
    looks = [("read_file", {"path": f"{number}.py"}) for number in range(turns - 1)]
    edits = [
        ("edit_file", {"path": f"{number}.py", "old_text": "line 7\n", "new_text": "line 8\n"})
        for number in range(turns - 1)
    ]
    took: list[float] = []
    for attempt in range(3):
        scene = Scene(
            folder / str(attempt) / "p",
            [{"id": "T1", "post_hooks": []}],
            {"providers": {"replay": {"replies": ".", "tools": "native"}}, "prompt": ROOMY},
        )
        script = [using(look, edit) for look, edit in zip(looks, edits, strict=True)]
        scene.client = ScriptedClient([*script, "Done."], can=evolve(WORDS, tools=True))
        for number in range(turns):
            lines = "".join(f"line {line}\n" for line in range(400))
            (scene.folder / f"{number}.py").write_text(lines)
        began = time.process_time()
        stopped = scene.run()
        took.append((time.process_time() - began) * 1e3)
        assert stopped.exit_code == 0, stopped
        assert len(scene.client.asked) == turns
    return min(took)


def fill(root: Path, count: int) -> None:
    """A repository of files of about 3 KB that look like code, each other than the others."""
    dice = random.Random(1)
    for number in range(count):
        folder = root / f"package{number // 1000:03}" / f"part{number // 100 % 10}"
        folder.mkdir(parents=True, exist_ok=True)
        lines = [
            f"def f{dice.randrange(10**6)}(a):\n    return {dice.random()}\n" for _ in range(60)
        ]
        lines += ["# a somewhat_common_word\n"] * (not number % 21) + ["#"]
        (folder / f"file{number}.py").write_text("".join(lines))
    middle = count // 2 - count // 2 % 100
    place = f"package{middle // 1000:03}/part{middle // 100 % 10}/file{middle}.py"
    with (root / place).open("a") as file:
        file.write("\nneedle_in_a_haystack = 1\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "all")


def ask(box: Toolbox, name: str, **arguments: str) -> None:
    """One look, answered."""
    (answer,) = box.answer([ToolCall("c", name, json.dumps(arguments))]).answers
    assert not answer.is_error, answer.text


def best(*alternatives: Callable[[], object]) -> list[float]:
    """The least seconds of processors that each took, tried in turn."""
    seconds: list[list[float]] = [[] for _ in alternatives]
    for _ in range(ROUNDS):
        for taken, run in zip(seconds, alternatives, strict=True):
            before = sum(os.times()[:4])
            run()
            taken.append(sum(os.times()[:4]) - before)
    return [min(taken) for taken in seconds]


if __name__ == "__main__":
    sys.exit(main())
