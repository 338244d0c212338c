"""Every preset in every situation that matters, with stand-ins that behave as the real commands do.

What a call comes to is the same for all of them, but where a command cannot say so: `OTHERWISE`.
The stand-ins were compared with the real programs (`tests/support/agent_cli/README.md`).
"""

import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import pytest

from agent_runner.ground.clock import SystemClock
from agent_runner.ground.processes import this_machine
from agent_runner.model.agent import AgentResponse
from agent_runner.model.errors import (
    AuthError,
    BudgetError,
    ProviderError,
    RateLimitedError,
    TransientError,
    UnknownOutcomeError,
)
from agent_runner.model.settings import ProviderSettings, Settings
from agent_runner.providers.client import CallContext, Workplace
from agent_runner.providers.commands.client import make_client
from agent_runner.providers.profiles import outline
from tests.providers.one_call import PROMPT, request_for

STAND_INS = Path(__file__).parents[2] / "support" / "agent_cli"
PRESETS = {
    "claude-code": ("claude", "", {"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat-0123456789"}),
    "codex-cli": ("codex", "", {"CODEX_API_KEY": "sk-0123456789"}),
    "gemini-cli": ("gemini", "", {"GEMINI_API_KEY": "g-0123456789"}),
    "opencode": ("opencode", "anthropic/claude-x", {"ANTHROPIC_API_KEY": "sk-ant-0123456789"}),
    "aider": ("aider", "claude-x", {"ANTHROPIC_API_KEY": "sk-ant-0123456789"}),
}
"""The program, a model where it needs one, and a key, by the name of the preset."""

pytestmark = pytest.mark.slow

Outcome: TypeAlias = AgentResponse | ProviderError
EDIT = {"do": "write", "path": "a.py", "text": "a = 2\n"}


class Place:
    """A folder in which a preset's command works, with a file in a repository."""

    def __init__(self, preset: str, folder: Path) -> None:
        self.preset, self.folder, self.home = preset, folder / "copy", folder / "home"
        self.calls = folder / "calls"
        self.folder.mkdir()
        self.home.mkdir()
        (self.folder / "a.py").write_text("a = 1\n")
        (self.folder / "old.py").write_text("old\n")
        subprocess.run(["git", "init", "-q", str(self.folder)], check=True)
        self._before = self._files()

    def ask(self, *steps: Mapping[str, Any], timeout: float = 20.0, session: str = "") -> Outcome:
        """What the client makes of a call in which the command does these steps."""
        program, model, key = PRESETS[self.preset]
        settings = ProviderSettings(
            command=(str(STAND_INS / program),),
            model=model or None,
            timeout=timeout,
            params={"sandbox": "off", "allow": ["git", "rm", "echo"]},
        )
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "STANDIN_SCRIPT": json.dumps(steps),
            "STANDIN_RECORD": str(self.calls),
            **key,
        }
        profile = outline(self.preset, Settings(providers={self.preset: settings}), env)
        context = CallContext(
            request_for(), workplace=Workplace(self.folder, self.changed, session=session)
        )

        async def main() -> AgentResponse:
            return await make_client(profile, SystemClock()).generate_completion(PROMPT, context)

        try:
            return anyio.run(main)
        except ProviderError as error:
            return error

    async def changed(self) -> tuple[str, ...]:
        """What differs, as the runner sees it: without git's own files and the command's."""
        now = self._files()
        paths = now.keys() | self._before.keys()
        return tuple(sorted(p for p in paths if now.get(p) != self._before.get(p)))

    def differs(self) -> tuple[str, ...]:
        return anyio.run(self.changed)

    def _files(self) -> dict[str, bytes]:
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in found
            if not {".git", ".opencode"}.intersection(path.relative_to(self.folder).parts)
            and not path.name.startswith(".aider")
        }


@pytest.fixture(params=PRESETS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(request.param, tmp_path)


def answered(outcome: Outcome) -> AgentResponse:
    assert isinstance(outcome, AgentResponse), repr(outcome)
    return outcome


WORK: dict[str, tuple[list[dict[str, Any]], tuple[str, ...]]] = {
    "an edit": ([EDIT], ("a.py",)),
    "several files": (
        [EDIT, {"do": "write", "path": "d/b.py", "text": "b\n"}],
        ("a.py", "d/b.py"),
    ),
    "no change": ([{"do": "say", "text": "There is nothing to do."}], ()),
}


@pytest.mark.parametrize("what", WORK)
def test_what_it_did_and_used_is_known(place: Place, what: str) -> None:
    steps, changed = WORK[what]
    answer = answered(place.ask(*steps))
    assert place.differs() == changed
    assert answer.usage.input >= 1200
    assert answer.usage.output >= 40
    assert (answer.cost is not None) == (place.preset in {"claude-code", "opencode", "aider"})


def test_it_can_remove_a_file(place: Place) -> None:
    answered(place.ask({"do": "delete", "path": "old.py"}, EDIT))
    # aider has no shell
    assert place.differs() == (("a.py",) if place.preset == "aider" else ("a.py", "old.py"))


ENDS: dict[str, tuple[dict[str, Any], type[ProviderError]]] = {
    "five hours": ({"do": "limit", "resets_in": 9000, "window": "five_hour"}, RateLimitedError),
    "a week": ({"do": "limit", "resets_in": 300_000, "window": "seven_day"}, RateLimitedError),
    "a minute": ({"do": "rate"}, RateLimitedError),
    "credit": ({"do": "credit"}, BudgetError),
    "login": ({"do": "auth"}, AuthError),
    "overload": ({"do": "overloaded"}, TransientError),
    "cut": ({"do": "cut"}, UnknownOutcomeError),
    "crash": ({"do": "crash", "code": 3, "text": "Segmentation fault"}, UnknownOutcomeError),
}
TELLS_RESET = {"claude-code", "codex-cli"}
"""Those that say when a limit of a subscription resets."""

OTHERWISE: dict[tuple[str, str], type[AgentResponse]] = {("claude-code", "cut"): AgentResponse}
"""Claude Code asks once more by itself, and says nothing of it: its counts are the least."""


@pytest.mark.parametrize("what", ENDS)
def test_each_end_is_its_own_outcome(place: Place, what: str) -> None:
    """Never an answer, and never the task's fault; edits made before are no reason to think so."""
    step, kind = ENDS[what]
    began = time.time()
    # opencode waits for a limit in silence, and one that is cut short asks for ever
    outcome = place.ask(EDIT, step, timeout=2.0)
    assert isinstance(outcome, OTHERWISE.get((place.preset, what), kind)), repr(outcome)
    if what in {"five hours", "a week"} and place.preset in TELLS_RESET:
        assert isinstance(outcome, RateLimitedError)
        assert outcome.retry_after == pytest.approx(step["resets_in"], abs=65)
    assert time.time() - began < 15


def test_what_it_was_not_allowed_is_told(place: Place) -> None:
    if place.preset in {"codex-cli", "aider"}:
        pytest.skip("it says nothing of that")
    answer = answered(place.ask({"do": "deny", "command": "curl x"}, EDIT))
    assert any("was not allowed" in note for note in answer.notes), answer.notes


def test_silence_ends_it_with_all_that_it_started(place: Place) -> None:
    pid = place.home / "pid"
    child = {"do": "grandchild", "seconds": 60, "pid_file": str(pid), "own_session": True}
    outcome = place.ask(child, {"do": "hang"}, timeout=1.0)
    kind = RateLimitedError if place.preset == "opencode" else UnknownOutcomeError
    assert isinstance(outcome, kind), repr(outcome)
    assert not this_machine().carries(int(pid.read_text()), {})


def test_what_it_left_running_ends_with_it(place: Place) -> None:
    pid = place.home / "pid"
    child = {"do": "grandchild", "seconds": 60, "pid_file": str(pid), "own_session": True}
    answered(place.ask(EDIT, child))
    assert not this_machine().carries(int(pid.read_text()), {})


def test_lines_of_later_versions_are_passed_over(place: Place) -> None:
    odd = ({"do": "raw", "text": "no JSON"}, {"do": "raw", "text": '{"type": "of.2027"}'})
    answered(place.ask(*odd, EDIT))
    assert place.differs() == ("a.py",)


def test_it_goes_on_in_its_session_after_a_limit(place: Place) -> None:
    """What it had done stays in the folder, and the error names the session."""
    limit = {"do": "limit", "resets_in": 9000, "window": "five_hour"}
    outcome = place.ask(EDIT, limit, timeout=2.0)
    assert isinstance(outcome, RateLimitedError), repr(outcome)
    assert place.differs() == ("a.py",)
    if place.preset == "aider":
        assert not outcome.session
        return
    assert outcome.session
    more = {"do": "write", "path": "b.py", "text": "b\n"}
    answered(place.ask(more, session=outcome.session))
    assert place.differs() == ("a.py", "b.py")
    last = json.loads(place.calls.read_text().splitlines()[-1])
    assert outcome.session in last["argv"]
