"""A conversation of ten turns, killed before each call that changes something, in each protocol.

The server is as strict as the vendors' and keeps the accounts: what is said after a kill is word
for word what an undisturbed run says, and no answer that came is paid for again.
"""

import json
import platform
import random
import shutil
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

from tests.crash.test_killed_together import killed_at
from tests.e2e.wire import KEY, settings
from tests.providers.server import serving
from tests.support.crashing import CrashProject, Outcome
from tests.support.exploring import Share
from tests.support.vendors.said import Call, Say
from tests.support.vendors.server import StrictServer

SAMPLE = 1
"""Points tried in each protocol where not all are asked for."""

pytestmark = [
    pytest.mark.crash,
    pytest.mark.parametrize("protocol", ["anthropic", "responses", "chat"]),
    pytest.mark.skipif(
        (sys.platform, platform.machine()) != ("linux", "x86_64"),
        reason="system calls have other numbers here",
    ),
]

HOOK = """\
# a hook of builtins alone: keeps count, then judges
echo "judge begun" >> ../../hooks.log
read -r word < a.py
[ "$word" = "alpha = 3" ] || { echo "a.py begins with $word"; exit 1; }
[ -f new.py ] || { echo "no new.py"; exit 1; }
echo "judge ended" >> ../../hooks.log
"""

FILES: Mapping[str, str] = {
    "work/tools/judge": HOOK,
    "work/a.py": "alpha = 1\n",
    "work/long.py": "".join(f"line_{number} = {number}\n" for number in range(1200)),
    "tasks.yml": "tasks:\n  - {id: T1, title: Count, description: To three., path: ./work,"
    " post_hooks: [judge]}\n",
}

SETTINGS: Mapping[str, Any] = {
    "hooks": {"judge": {"command": "sh tools/judge"}},
    "apply": {"protect": ["tools/**"]},
    "prompt": {"max_tokens": 10_200},  # what was read first has to give way on the way
    "provider": {"edit_format": "replace"},
}

BLOCK = "\n\na.py\n```\n<<<<<<< SEARCH\nbeta\n=======\ngamma\n>>>>>>> REPLACE\n```\n"


def read(first: int) -> Call:
    return Call("read_file", {"path": "long.py", "start_line": first, "end_line": first + 399})


def draft(old: str, new: str, path: str = "a.py") -> Call:
    return Call("edit_file", {"path": path, "old_text": old, "new_text": new})


TURNS = (
    Say("I look.", [Call("search", {"pattern": "alpha"}), Call("list_files"), read(1)]),
    Say("", [read(401), read(801), Call("read_file", {"path": "none.py"})]),
    Say("I try.", [draft("alpha = 0", "alpha = 2"), Call("no_such_tool", "{")]),
    Say("", [draft("alpha = 1", "alpha = 2"), draft("", "new\n", "new.py")]),
    Say(f"And more:{BLOCK}"),  # fits nowhere
    Say("I see.", [read(1), draft("new\n", "new\nmore\n", "new.py")]),
    Say("Only what I have drafted."),  # red
    Say("", [Call("hook_output", {"hook": "judge"}), Call("read_file", {"path": "a.py"})]),
    Say("", [draft("alpha = 2", "alpha = 3")]),
    Say("It is three now."),
)
"""All that a conversation has to come through: failures of each kind, drafts, a red hook."""


def speaker(body: Mapping[str, Any]) -> Say:
    """The next turn, by how many the request holds."""
    if "input" in body:  # some turns have no message there, each has thoughts
        return TURNS[sum(item.get("type") == "reasoning" for item in body["input"])]
    return TURNS[sum(message["role"] == "assistant" for message in body["messages"])]


@frozen
class Undisturbed:
    """What a run that nobody killed left, said, and did.

    `digests`: of its requests, in order. `points`: how many of its calls change something.
    """

    outcome: Outcome
    digests: tuple[str, ...]
    points: int


def undisturbed(folder: Path, protocol: str) -> Undisturbed:
    """A run to its end, which is what the talk is made for."""
    project, strict, points = ran(folder, protocol, 0)
    kinds = {type(entry.event).__name__ for entry in project.entries()}
    assert {"Consulted", "Rejected", "PostHooksFailed", "Trimmed"} <= kinds
    assert strict.refused == []
    digests = tuple(charge.digest for charge in strict.charges)
    assert len(digests) == len(set(digests)) == len(TURNS)
    outcome = project.outcome()
    assert outcome.counts == {"T1": ("passed", 2, 1)}
    return Undisturbed(outcome, digests, points)


def ran(folder: Path, protocol: str, number: int) -> tuple[CrashProject, StrictServer, int]:
    """A project whose run was killed before that call and then went on to its end; 0: not killed.

    With the server that it asked, and how many calls were made until then.
    """
    strict = StrictServer(speaker, pieces=2)  # each is written down: more of them are no other
    with serving(strict) as server:
        config = json.dumps(settings(server.url, protocol=protocol, **SETTINGS))
        files = {**FILES, "agent-runner.yml": config}
        project = CrashProject.write(folder, files=files, env={"THE_KEY": KEY})
        calls = killed_at(project, number)
        if number:
            code, printed = project.go_on()
            assert code == 0, (strict.refused, printed)
    return project, strict, calls


def says_the_same(folder: Path, protocol: str, number: int, whole: Undisturbed) -> None:
    """Killed before that call it asks the same, pays for each answer once, and comes to its end."""
    project, strict, _ = ran(folder, protocol, number)
    assert strict.refused == []
    asked = [charge.digest for charge in strict.charges]
    assert tuple(digest for digest, _ in groupby(asked)) == whole.digests
    lost = project.lost_calls()
    assert len(asked) - len(whole.digests) <= lost
    now = project.outcome()
    assert sum(now.calls.values()) == len(TURNS)
    config = {"agent-runner.yml": now.tree["agent-runner.yml"]}  # the server's address is in it
    # and what was lost and is asked once more comes from the server's cache, which usage says
    wanted = evolve(whole.outcome, calls=now.calls, tree={**whole.outcome.tree, **config})
    project.must_be_like(wanted, kills=1)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Undisturbed]:
    """The undisturbed run in a protocol."""
    return lru_cache(lambda protocol: undisturbed(tmp_path_factory.mktemp("undisturbed"), protocol))


def test_killed_before_some(
    tmp_path: Path, protocol: str, whole: Callable[[str], Undisturbed], dice: random.Random
) -> None:
    spoken = whole(protocol)
    for _ in range(SAMPLE):
        number = dice.randint(1, spoken.points)
        print(f"killed before call {number} of {spoken.points}")  # noqa: T201  # shown on failure
        says_the_same(tmp_path / str(number), protocol, number, spoken)


@pytest.mark.long
def test_killed_before_each(
    tmp_path: Path, protocol: str, whole: Callable[[str], Undisturbed], share: Share
) -> None:
    spoken = whole(protocol)
    for number in share.of(range(1, spoken.points + 1)):
        print(f"killed before call {number} of {spoken.points}")  # noqa: T201  # shown on failure
        says_the_same(tmp_path / str(number), protocol, number, spoken)
