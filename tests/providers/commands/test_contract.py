"""What holds for every provider holds for each command, here a stand-in that prints its lines."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import evolve

from agent_runner.ground.clock import SystemClock
from agent_runner.model.agent import Finish
from agent_runner.model.errors import UnknownOutcomeError
from agent_runner.model.settings import ProviderSettings, Settings
from agent_runner.providers.profiles import Profile, outline
from agent_runner.providers.registry import make_client
from tests.providers.commands import lines as a
from tests.providers.one_call import ask, ask_with, run

TEXT = "Grün 日本語 🧵"
STAND_IN = (
    "import sys, time; sys.stdin.read(); print(open({0!r}).read(), flush=True); time.sleep({1})"
)

SAID: dict[str, tuple[Any, ...]] = {
    "claude-code": (a.claude_init(), a.claude_result(result=TEXT)),
    "codex-cli": (
        {"type": "thread.started", "thread_id": "t1"},
        {"type": "item.completed", "item": {"type": "agent_message", "text": TEXT}},
        {"type": "turn.completed", "usage": {"input_tokens": 99, "output_tokens": 9}},
    ),
    "opencode": (
        {"type": "text", "sessionID": "ses_1", "part": {"text": TEXT}},
        a.opencode_step("stop"),
    ),
    "gemini-cli": (
        {"type": "init", "model": "g"},
        {"type": "message", "role": "assistant", "content": TEXT},
        a.gemini_result(),
    ),
    "aider": (
        TEXT,
        "Tokens: 1.2k sent, 40 received. Cost: $0.00018 message, $0.00018 session.",
    ),
    "mine": (TEXT, "used 1200 and 40"),
}
PATTERNS = {"input_tokens": r"used (\d+)", "output_tokens": r"and (\d+)", "failed": r"^Traceback"}
PROSE = {"aider", "mine"}
"""Their end is that of the program; what they say on the way says nothing of it."""
each = pytest.mark.parametrize("name", SAID)


def profile(
    folder: Path, name: str, events: tuple[Any, ...], stay: int = 0, code: int = 0
) -> Profile:
    file = folder / "lines"
    lines = (e if isinstance(e, str) else json.dumps(e, ensure_ascii=False) for e in events)
    file.write_text("\n".join(lines))
    script = f"{STAND_IN.format(str(file), stay)}; sys.exit({code})"
    command = (sys.executable, "-X", "utf8", "-c", script)
    params = {"sandbox": "off", **(PATTERNS if name == "mine" else {})}
    own = ProviderSettings(command=command, params=params)
    if name == "mine":
        own = evolve(own, protocol="command")
    settings = Settings(providers={name: own})
    return outline(name, settings, {"PATH": os.environ["PATH"], "HOME": str(folder)})


@each
def test_a_full_answer_comes_whole(tmp_path: Path, name: str) -> None:
    asked = ask(profile(tmp_path, name, SAID[name]))
    assert asked.answer.finish is Finish.COMPLETE
    assert asked.answer.text.partition("\n")[0] == TEXT
    assert (asked.answer.usage.input, asked.answer.usage.output) >= (99, 9)
    assert asked.progress[0] == 0
    assert TEXT.encode() in asked.kept


@each
def test_a_stream_without_its_end_is_no_answer(tmp_path: Path, name: str) -> None:
    asked = ask(profile(tmp_path, name, SAID[name][:-1], code=3 if name in PROSE else 0))
    assert isinstance(asked.failure, UnknownOutcomeError)


@each
def test_lines_of_any_shape_raise_nothing_else(tmp_path: Path, name: str) -> None:
    odd: tuple[Any, ...] = (
        {},
        [],
        None,
        3,
        {"type": ["x"]},
        {"type": "result", "stats": 3, "errors": 3},
    )
    asked = ask(profile(tmp_path, name, odd, code=1 if name in PROSE else 0))
    assert asked.reply is None or asked.reply.finish is not Finish.COMPLETE


@each
def test_a_call_can_be_cancelled_in_the_middle(tmp_path: Path, name: str) -> None:
    async def cancelled() -> bool:
        client = make_client(profile(tmp_path, name, SAID[name][:-1], stay=60), SystemClock())
        with anyio.move_on_after(1) as scope:
            await ask_with(client)
        await client.aclose()
        await client.aclose()
        return scope.cancelled_caught

    assert run(cancelled)
