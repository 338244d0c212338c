"""Conversations with tools, judged by the vendors' own packages: every body, and every answer."""

import json
from collections.abc import Mapping
from typing import Any

import anthropic
import attrs
import openai
import pytest
from anthropic.types import message_create_params
from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params

from agent_runner.model.settings import Settings
from agent_runner.providers.http.responses_request import body_of
from agent_runner.providers.profiles import resolve
from tests.providers.one_call import request_for, run
from tests.providers.server import serving
from tests.providers.test_oracle import accepted
from tests.providers.test_tools import FIRST, TALK, answered, ask, each, streamed, with_reply
from tests.support.vendors.said import Call, Say
from tests.support.vendors.server import StrictServer

KINDS: Mapping[str, tuple[Any, Any]] = {
    "anthropic": (
        message_create_params.MessageCreateParamsStreaming,
        message_create_params.MessageCreateParamsNonStreaming,
    ),
    "responses": (
        response_create_params.ResponseCreateParamsStreaming,
        response_create_params.ResponseCreateParamsNonStreaming,
    ),
    "chat": (
        completion_create_params.CompletionCreateParamsStreaming,
        completion_create_params.CompletionCreateParamsNonStreaming,
    ),
}


def talk(protocol: str, *, streaming: bool) -> StrictServer:
    """A whole conversation, without thoughts in Chat, whose types do not know them."""
    turns = iter(attrs.evolve(said, thinking="") if protocol == "chat" else said for said in TALK)
    strict = StrictServer(lambda body: next(turns))
    prompt = FIRST
    with serving(strict) as server:
        for _ in TALK:
            reply = ask(prompt, protocol, server.url, streaming=streaming).answer
            prompt = with_reply(prompt, reply, answered(reply))
    return strict


@each
@streamed
def test_the_vendors_types_take_every_body(protocol: str, streaming: bool) -> None:
    strict = talk(protocol, streaming=streaming)
    assert len(strict.charges) == len(TALK)
    for charge in strict.charges:
        accepted(KINDS[protocol][0 if streaming else 1], charge.body)


def test_the_vendors_types_take_what_is_sent_to_openai_alone() -> None:
    """Custom tools, the key of the cache: no stand-in has OpenAI's own address."""
    profile = resolve("openai", Settings(), {"OPENAI_API_KEY": "sk-22222222"})
    body = body_of(profile, FIRST, request_for())
    accepted(KINDS["responses"][0], body)
    assert [tool["type"] for tool in body["tools"]] == ["function", "function", "custom"]
    assert (
        body["prompt_cache_key"]
        == body_of(profile, FIRST, request_for(number=9))["prompt_cache_key"]
    )
    other = attrs.evolve(request_for(), task="T2")
    assert body["prompt_cache_key"] != body_of(profile, FIRST, other)["prompt_cache_key"]


SAID = Say("Grün.", [Call("read_file", {"path": "ü"}), Call("search", {})])


def test_the_vendors_client_reads_the_stand_ins_messages() -> None:
    strict = StrictServer(lambda body: SAID)

    async def read(url: str) -> list[Any]:
        async with anthropic.AsyncAnthropic(api_key="k", base_url=url, max_retries=0) as client:
            asked: Any = {
                "model": "m",
                "max_tokens": 9,
                "messages": [{"role": "user", "content": "x"}],
            }
            whole = await client.messages.create(**asked)
            async with client.messages.stream(**asked) as events:
                return [whole, await events.get_final_message()]

    with serving(strict) as server:
        replies = run(lambda: read(server.url))
    for reply in replies:
        assert [block.type for block in reply.content] == ["thinking", "text"] + ["tool_use"] * 2
        assert [block.input for block in reply.content[2:]] == [{"path": "ü"}, {}]
        assert reply.content[0].thinking == SAID.thinking
        assert reply.content[0].signature
        assert reply.stop_reason == "tool_use"


def test_the_vendors_client_reads_the_stand_ins_responses() -> None:
    freeform = attrs.evolve(SAID, calls=[*SAID.calls, Call("apply_patch", "*** ü", freeform=True)])
    strict = StrictServer(lambda body: freeform)

    async def read(url: str) -> list[Any]:
        async with openai.AsyncOpenAI(api_key="k", base_url=url, max_retries=0) as client:
            asked: Any = {
                "model": "m",
                "input": [{"role": "user", "content": "x"}],
                "include": ["reasoning.encrypted_content"],
            }
            whole = await client.responses.create(**asked)
            events = [event async for event in await client.responses.create(**asked, stream=True)]
            done = [event.item for event in events if event.type == "response.output_item.done"]
            assert done == events[-1].response.output
            return [whole, events[-1].response]

    with serving(strict) as server:
        replies = run(lambda: read(server.url))
    for reply in replies:
        kinds = ["reasoning", "message", "function_call", "function_call", "custom_tool_call"]
        assert [item.type for item in reply.output] == kinds
        assert [json.loads(item.arguments) for item in reply.output[2:4]] == [{"path": "ü"}, {}]
        assert reply.output[4].input == "*** ü"
        assert reply.output[0].encrypted_content
        assert reply.output_text == SAID.text


def test_the_vendors_client_reads_the_stand_ins_chat() -> None:
    strict = StrictServer(lambda body: SAID)

    async def read(url: str) -> list[Any]:
        async with openai.AsyncOpenAI(api_key="k", base_url=url, max_retries=0) as client:
            asked: Any = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
            whole = await client.chat.completions.create(**asked)
            async with client.chat.completions.stream(**asked) as events:
                return [whole, await events.get_final_completion()]

    with serving(strict) as server:
        replies = run(lambda: read(server.url))
    for reply in replies:
        message = reply.choices[0].message
        assert message.content == SAID.text
        assert [json.loads(call.function.arguments) for call in message.tool_calls] == [
            {"path": "ü"},
            {},
        ]
        assert reply.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("protocol", KINDS)
def test_the_vendors_clients_read_what_the_stand_in_turns_away(protocol: str) -> None:
    module: Any = anthropic if protocol == "anthropic" else openai
    strict = StrictServer(lambda body: SAID)

    async def read(url: str) -> None:
        make = module.AsyncAnthropic if module is anthropic else module.AsyncOpenAI
        async with make(api_key="k", base_url=url, max_retries=0) as client:
            if module is anthropic:
                turns: Any = [{"role": "assistant", "content": "x"}]
                await client.messages.create(model="m", max_tokens=9, messages=turns)
            elif protocol == "chat":
                await client.chat.completions.create(
                    model="m", messages=[{"role": "assistant", "content": "x"}]
                )
            else:
                await client.responses.create(
                    model="m",
                    input=[{"type": "function_call_output", "call_id": "x", "output": "y"}],
                )

    with serving(strict) as server, pytest.raises(module.BadRequestError):
        run(lambda: read(server.url))
