"""The vendors' own packages as judges of what we send and of what our test server says.

Their types take our requests and their clients read our server's answers, so that neither is only
what we believe it to be.
"""

import importlib
from collections.abc import Iterable, Mapping
from typing import Any

import anthropic
import openai
import pydantic
import pytest
from anthropic.types import message_create_params
from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params

from agent_runner.model.agent import Message, Prompt
from agent_runner.providers.catalogue import KNOWN_MODELS
from agent_runner.providers.http import (
    anthropic as messages,
    anthropic_request,
    chat_request,
    responses_request,
)
from agent_runner.providers.http.reply import GrowingReply
from agent_runner.providers.profiles import Profile
from tests.providers import dialects
from tests.providers.one_call import profile_for, request_for, run
from tests.providers.server import answer, serving, stream

PROMPT = Prompt(
    "Be brief.", (Message("user", "one"), Message("assistant", "two"), Message("user", "three"))
)
Body = Mapping[str, Any]
STREAMED = [True, False]


def exhausted(value: Any) -> Any:
    """Go through the lazy lists of a validated body, whose items are judged as they are read."""
    if isinstance(value, Mapping):
        return {name: exhausted(inner) for name, inner in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [exhausted(inner) for inner in value]
    return value


def accepted(kind: Any, body: Body) -> None:
    """The type takes the body, and knows every field of it."""
    adapter = pydantic.TypeAdapter(kind)  # kept: its lazy lists look things up in it
    taken = exhausted(adapter.validate_python(dict(body)))
    assert taken == body


def profile(protocol: str, streaming: bool, **own: Any) -> Profile:
    return profile_for(protocol, "http://localhost", stream=streaming, **own)


@pytest.mark.parametrize("streaming", STREAMED)
def test_the_messages_request(streaming: bool) -> None:
    kind = (
        message_create_params.MessageCreateParamsStreaming
        if streaming
        else message_create_params.MessageCreateParamsNonStreaming
    )
    accepted(
        kind, anthropic_request.body_of(profile("anthropic", streaming), PROMPT, request_for())
    )


@pytest.mark.parametrize("streaming", STREAMED)
@pytest.mark.parametrize("background", [True, False])
def test_the_responses_request(streaming: bool, background: bool) -> None:
    kind = (
        response_create_params.ResponseCreateParamsStreaming
        if streaming and not background
        else response_create_params.ResponseCreateParamsNonStreaming
    )
    asked = profile("responses", streaming, background=background)
    accepted(kind, responses_request.body_of(asked, PROMPT, request_for()))


@pytest.mark.parametrize("streaming", STREAMED)
@pytest.mark.parametrize("params", [{}, {"max_completion_tokens": 9}])
def test_the_chat_request(streaming: bool, params: dict[str, Any]) -> None:
    kind = (
        completion_create_params.CompletionCreateParamsStreaming
        if streaming
        else completion_create_params.CompletionCreateParamsNonStreaming
    )
    asked = profile("chat", streaming, params=params)
    accepted(kind, {**chat_request.body_of(asked, PROMPT, request_for()), **params})


def test_a_field_that_the_vendor_does_not_know_is_noticed() -> None:
    body = anthropic_request.body_of(profile("anthropic", True), PROMPT, request_for())
    with pytest.raises(AssertionError):
        accepted(message_create_params.MessageCreateParamsStreaming, {**body, "mistyped": 1})


def test_the_vendors_client_reads_our_servers_messages() -> None:
    spoken = dialects.ANTHROPIC

    async def read(url: str) -> tuple[anthropic.types.Message, anthropic.types.Message]:
        async with anthropic.AsyncAnthropic(api_key="k", base_url=url, max_retries=0) as client:
            asked: Any = {
                "model": "m",
                "max_tokens": 9,
                "messages": [{"role": "user", "content": "x"}],
            }
            whole = await client.messages.create(**asked)
            async with client.messages.stream(**asked) as events:
                streamed = await events.get_final_message()
        return whole, streamed

    scripts = (
        answer(spoken.whole(("grün", " 🌱"), spoken.complete)),
        stream(*spoken.events(("grün", " 🌱"), spoken.complete)),
    )
    with serving(*scripts) as server:
        for message in run(lambda: read(server.url)):
            words = [block.text for block in message.content if block.type == "text"]
            assert "".join(words) == "grün 🌱"
            assert message.stop_reason == "end_turn"
            assert message.usage.output_tokens == dialects.USAGE_OUTPUT


def test_the_vendors_client_reads_our_servers_responses() -> None:
    spoken = dialects.RESPONSES

    async def read(url: str) -> tuple[Any, list[Any]]:
        async with openai.AsyncOpenAI(api_key="k", base_url=url, max_retries=0) as client:
            whole = await client.responses.create(model="m", input="x")
            events = await client.responses.create(model="m", input="x", stream=True)
            return whole, [event async for event in events]

    scripts = (
        answer(spoken.whole(("grün", " 🌱"), spoken.complete)),
        stream(*spoken.events(("grün", " 🌱"), spoken.complete)),
    )
    with serving(*scripts) as server:
        whole, events = run(lambda: read(server.url))
    assert whole.output_text == "grün 🌱"
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert deltas == ["grün", " 🌱"]
    assert events[-1].response.output_text == "grün 🌱"
    assert events[-1].response.usage.total_tokens == (dialects.USAGE_INPUT + dialects.USAGE_OUTPUT)


def test_the_vendors_client_reads_our_servers_chat() -> None:
    spoken = dialects.CHAT

    async def read(url: str) -> tuple[Any, list[Any]]:
        async with openai.AsyncOpenAI(api_key="k", base_url=url, max_retries=0) as client:
            asked: Any = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
            whole = await client.chat.completions.create(**asked)
            chunks = await client.chat.completions.create(**asked, stream=True)
            return whole, [chunk async for chunk in chunks]

    scripts = (
        answer(spoken.whole(("grün", " 🌱"), spoken.complete)),
        stream(*spoken.events(("grün", " 🌱"), spoken.complete)),
    )
    with serving(*scripts) as server:
        whole, chunks = run(lambda: read(server.url))
    assert whole.choices[0].message.content == "grün 🌱"
    words = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(words) == "grün 🌱"
    assert chunks[-1].usage.completion_tokens == dialects.USAGE_OUTPUT


@pytest.mark.parametrize("spoken", [dialects.ANTHROPIC, dialects.RESPONSES, dialects.CHAT])
def test_the_vendors_client_reads_our_servers_errors(spoken: dialects.Spoken) -> None:
    module: Any = anthropic if spoken.protocol == "anthropic" else openai

    async def read(url: str) -> None:
        make = module.AsyncAnthropic if module is anthropic else module.AsyncOpenAI
        async with make(api_key="k", base_url=url, max_retries=0) as client:
            await client.models.list()

    failing = answer(spoken.error("rate_limit_error", "words"), status=429)
    with serving(failing) as server, pytest.raises(module.RateLimitError, match="words"):
        run(lambda: read(server.url))


def test_what_the_vendors_types_build_is_read_by_us() -> None:
    """The other way round: a message made by the vendor's own types."""
    message = anthropic.types.Message.model_validate(
        dialects.ANTHROPIC.whole(("text",), "end_turn")
    )
    reader = messages.MessagesReader(GrowingReply())
    reader.read_whole(message.model_dump(mode="json"))
    assert (reader.reply.text, reader.reply.ended) == ("text", True)


def test_the_models_we_guess_from_exist() -> None:
    """Names go stale: one that a vendor's package no longer lists is no good guess."""
    vendor = importlib.import_module("anthropic.types.model")
    chat_models = importlib.import_module("openai.types.shared.chat_model")
    responses_models = importlib.import_module("openai.types.shared.responses_model")
    listed = repr((vendor.Model, chat_models.ChatModel, responses_models.ResponsesModel))
    unlisted = {"gpt-5.3-codex", "gpt-5.2-codex"}  # served, though the package leaves them out
    assert [m for m in KNOWN_MODELS if f"'{m}'" not in listed and m not in unlisted] == []
