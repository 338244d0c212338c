"""A conversation in which the agent runs checks, stopped before, during and after one.

Nothing of a check outlives the runner, and no answer of the model is paid for again.
"""

import json
import platform
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from agent_runner.app.sharing import COPIES
from tests.crash.test_conversations import draft
from tests.crash.test_killed_together import killed_at
from tests.e2e.wire import KEY, settings
from tests.providers.server import serving
from tests.support.crashing import CrashProject
from tests.support.exploring import Share
from tests.support.sandboxes import lasting
from tests.support.vendors.said import Call, Say
from tests.support.vendors.server import StrictServer

__all__ = ["lasting"]

SAMPLE = 2
"""Points tried where not all are asked for."""

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(
        (sys.platform, platform.machine()) != ("linux", "x86_64"),
        reason="system calls have other numbers here, and processes are looked up in /proc",
    ),
]

SLEEP = "sleep 55.7"
HOOK = f"""\
# takes long while there is a file `slow`, then judges
[ ! -e slow ] || {SLEEP}
read -r word < a.py
[ "$word" = "alpha = 3" ] || {{ echo "a.py begins with $word"; exit 1; }}
"""

FILES: Mapping[str, str] = {
    "work/tools/judge": HOOK,
    "work/a.py": "alpha = 1\n",
    "tasks.yml": "tasks:\n  - {id: T1, title: Count, description: To three., path: ./work,"
    " post_hooks: [judge]}\n",
}

SETTINGS: Mapping[str, Any] = {
    "hooks": {"judge": {"command": "sh tools/judge", "agent": True}},
    "apply": {"protect": ["tools/**"]},
    "provider": {"edit_format": "replace"},
}

CHECK = Call("run_check", {"hook": "judge"})
TURNS = (
    Say("", [draft("alpha = 1", "alpha = 2"), CHECK]),  # red
    Say("", [draft("alpha = 2", "alpha = 3"), CHECK]),  # green
    Say("It is three now."),
)


def speaker(body: Mapping[str, Any]) -> Say:
    if "run_check" not in {tool["function"]["name"] for tool in body["tools"]}:
        pytest.skip("nothing confines a check here")
    return TURNS[sum(message["role"] == "assistant" for message in body["messages"])]


@frozen
class Talk:
    """The project, the server that it asks, and where its temporary files are."""

    project: CrashProject
    strict: StrictServer
    temporary: Path

    @property
    def asked(self) -> list[str]:
        """What was asked, in order; how long a check took is left out."""
        bodies = (json.dumps(charge.body, sort_keys=True) for charge in self.strict.charges)
        return [re.sub(r" after \d+\.\d s", "", body) for body in bodies]

    def came_to_its_end(self) -> None:
        """Each turn was asked for once, and once more for each answer that was lost."""
        assert self.strict.refused == []
        assert self.project.states() == {"T1": "passed"}
        assert (self.project.root / "work/a.py").read_text() == "alpha = 3\n"
        once = list(dict.fromkeys(self.asked))
        assert len(once) == len(TURNS)
        assert len(self.asked) - len(once) <= self.project.lost_calls()
        for answer, seen in zip(("exit code 1", "exit code 0"), once[1:], strict=True):
            assert answer in seen
        copies = self.project.folder / "home" / COPIES
        left = [*self.temporary.rglob("*"), *copies.rglob("*")]
        kept = [path for path in left if path.is_file() and b"alpha" in path.read_bytes()]
        assert kept == [], "drafts were left behind"


@contextmanager
def talk(folder: Path, files: Mapping[str, str] | None = None) -> Iterator[Talk]:
    strict = StrictServer(speaker, pieces=2)
    temporary = folder / "temporary"
    temporary.mkdir(parents=True)
    with serving(strict) as server:
        config = json.dumps(settings(server.url, protocol="chat", **SETTINGS))
        every = {**FILES, **(files or {}), "agent-runner.yml": config}
        env = {"THE_KEY": KEY, "TMPDIR": str(temporary)}
        yield Talk(CrashProject.write(folder, files=every, env=env), strict, temporary)


def sleepers() -> list[str]:
    """Processes of the check."""
    found = subprocess.run(
        ["pgrep", "-f", f"^{SLEEP}"], capture_output=True, text=True, check=False
    )
    return found.stdout.split()


def becomes(wanted: bool) -> bool:
    """Wait until a check is running, or until none is."""
    end = time.monotonic() + 30
    while bool(sleepers()) is not wanted and time.monotonic() < end:
        time.sleep(0.05)
    return bool(sleepers()) is wanted


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_stopped_while_a_check_runs(lasting: Path, number: signal.Signals) -> None:
    with talk(lasting, {"work/slow": ""}) as met:
        runner = met.project.start("run", "-q")
        assert becomes(True), runner.communicate()
        runner.send_signal(number)
        runner.communicate(timeout=30)
        assert becomes(False), "the check outlived the runner"
        (met.project.root / "work/slow").unlink()
        code, printed = met.project.go_on()
        assert code == 0, printed
        met.came_to_its_end()
        assert met.project.lost_calls() == 0


def killed(folder: Path, number: int) -> int:
    """Killed before that call, and then brought to its end; how many calls there were."""
    with talk(folder) as met:
        calls = killed_at(met.project, number)
        if number:
            code, printed = met.project.go_on()
            assert code == 0, (met.strict.refused, printed)
        met.came_to_its_end()
        assert met.project.lost_calls() <= 1
    shutil.rmtree(folder)
    return calls


def test_all_killed_before_some(lasting: Path, dice: random.Random) -> None:
    points = killed(lasting / "0", 0)
    for _ in range(SAMPLE):
        number = dice.randint(1, points)
        print(f"killed before call {number} of {points}")  # noqa: T201  # shown on failure
        killed(lasting / str(number), number)


@pytest.mark.long
def test_all_killed_before_each(lasting: Path, share: Share) -> None:
    points = killed(lasting / "0", 0)
    for number in share.of(range(1, points + 1)):
        print(f"killed before call {number} of {points}")  # noqa: T201  # shown on failure
        killed(lasting / str(number), number)
