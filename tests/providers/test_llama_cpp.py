"""The smallest dialect that a compatible server speaks: llama.cpp's, by a stand-in as strict.

`nox -s llama` asks the real one the same.
"""

import json
import os
import urllib.request
from pathlib import Path

import pytest
from attrs import evolve

from agent_runner.model.agent import (
    Finish,
    Message,
    Prompt,
    ToolAnswer,
    ToolCall,
    ToolSpec,
)
from agent_runner.model.errors import FatalError
from tests.cli.scene import Scene, reply
from tests.providers import dialects
from tests.providers.dialects import Spoken
from tests.providers.llama_cpp import StrictServer
from tests.providers.one_call import ask, profile_for, say
from tests.providers.server import answer, serving
from tests.support.vendors.said import Call, Say, Used
from tests.support.vendors.server import PROTOCOLS

each = pytest.mark.parametrize("spoken", dialects.ALL, ids=lambda spoken: spoken.protocol)
streamed = pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])

TALK = Prompt(
    "Be brief.",
    (
        Message("user", "Say grün."),
        Message("assistant", "I want to see b.txt."),
        Message("user", "Here it is: b."),
    ),
)
REAL = os.environ.get("LLAMA_CPP_URL", "")
"""The address of a real server, without a path."""


@each
@streamed
def test_a_conversation_of_three_turns_is_understood(spoken: Spoken, streaming: bool) -> None:
    strict = StrictServer(["grün"])
    with serving(strict) as server:
        base = server.url if spoken.protocol == "anthropic" else f"{server.url}/v1"
        asked = say(TALK, profile_for(spoken.protocol, base, stream=streaming))
    assert asked.answer.finish is Finish.COMPLETE
    expected = [("system", TALK.system), *((m.role, m.text) for m in TALK.messages)]
    assert strict.seen == [expected]


@each
def test_a_task_whose_model_looks_first_is_done(spoken: Spoken, tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    strict = StrictServer(["I want to see it.\n\n```show\nb.txt\n```\n", reply(a__py="done")])
    with serving(strict) as server:
        base = server.url if spoken.protocol == "anthropic" else f"{server.url}/v1"
        own = {"protocol": spoken.protocol, "base_url": base, "model": "any"}
        scene.config(
            {"provider": "local", "providers": {"local": own}, "baseline": "never"}, bare=True
        )
        scene.tasks({"id": "T1"})
        scene.write("b.txt", "what b says\n")
        ended = scene.run("run")
    assert "done" in scene.read("a.py"), ended
    assert [role for role, _ in strict.seen[1]] == ["system", "user", "assistant", "user"]


def test_an_error_with_a_number_as_its_code() -> None:
    body = {"error": {"code": 400, "message": "no", "type": "invalid_request_error"}}
    with serving(answer(body, status=400)) as server:
        assert isinstance(ask(profile_for("responses", server.url)).failure, FatalError)


@pytest.mark.skipif(not REAL, reason="LLAMA_CPP_URL names no server")
@each
@streamed
def test_the_real_server_answers_a_conversation(spoken: Spoken, streaming: bool) -> None:
    with urllib.request.urlopen(f"{REAL}/health", timeout=60) as health:  # loopback
        assert json.load(health)["status"] == "ok"
    base = REAL if spoken.protocol == "anthropic" else f"{REAL}/v1"
    asked = say(TALK, profile_for(spoken.protocol, base, stream=streaming, timeout=120.0), cap=16)
    # a model of random weights says anything, at any length
    assert asked.answer.finish in {Finish.COMPLETE, Finish.TRUNCATED, Finish.EMPTY}
    assert asked.answer.usage.input > 0


WITH_TOOLS = Prompt(
    "Be brief.",
    (
        Message("user", "Say grün."),
        Message(
            "assistant",
            "I look.",
            calls=(
                ToolCall("call00100", "read_file", '{"path": "ü"}'),
                ToolCall("call00101", "search", "no JSON"),
            ),
        ),
        Message(
            "user",
            "",
            answers=(
                ToolAnswer("call00100", "read_file", "what it says"),
                ToolAnswer("call00101", "search", "no JSON", is_error=True),
            ),
        ),
    ),
    (ToolSpec("read_file", "Read.", {"type": "object", "properties": {}}),),
)
"""A conversation in which a model once wrote arguments that nobody can read."""


def as_sent(spoken: Spoken) -> Prompt:
    """The same with the model's turn as its protocol's own items, reasoning included."""
    user, model, answers = WITH_TOOLS.messages
    calls = [Call(call.name, call.arguments) for call in model.calls]
    if spoken.protocol == "anthropic":
        calls = [Call("read_file", {"path": "ü"}), Call("search", {"invalid": "x"})]
    protocol = next(one for one in PROTOCOLS if one.name == spoken.protocol)
    whole = protocol.answer(Say("I look.", calls), 1, {"max_tokens": 9}, Used(1, 0, 0, 1))
    text = json.dumps(whole).replace("toolu_1_", "call_1_").replace("call_1_", "call0010")
    whole = json.loads(text)
    raw = whole.get("content") or whole.get("output")
    if spoken.protocol == "chat":
        raw = [whole["choices"][0]["message"]]
    if spoken.protocol == "responses":  # this server's own thoughts are no secret
        raw[0]["content"] = [{"type": "reasoning_text", "text": "I think."}]
    model = evolve(model, raw=json.dumps(raw))
    return evolve(WITH_TOOLS, messages=(user, model, answers))


@pytest.mark.skipif(not REAL, reason="LLAMA_CPP_URL names no server")
@each
@streamed
@pytest.mark.parametrize("raw", [False, True], ids=["words and calls", "own items"])
def test_the_real_server_takes_a_conversation_with_tools(
    spoken: Spoken, streaming: bool, raw: bool
) -> None:
    base = REAL if spoken.protocol == "anthropic" else f"{REAL}/v1"
    asked = profile_for(spoken.protocol, base, stream=streaming, timeout=120.0)
    answered = say(as_sent(spoken) if raw else WITH_TOOLS, asked, cap=16).answer
    assert answered.finish in {Finish.COMPLETE, Finish.TRUNCATED, Finish.EMPTY}
    assert not answered.usage.estimated
