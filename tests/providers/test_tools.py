"""Conversations with tools, in all three protocols, with a server as strict as the vendors'."""

import json
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from agent_runner.model.agent import (
    AgentResponse,
    Finish,
    Message,
    Prompt,
    ToolAnswer,
    ToolCall,
    ToolSpec,
)
from agent_runner.model.errors import FatalError
from agent_runner.providers.http.call_in_text import calls_in_text
from tests.providers.one_call import KEY, Asked, profile_for, say
from tests.providers.server import serving
from tests.support.exploring import examples
from tests.support.vendors.said import Call, Say
from tests.support.vendors.server import StrictServer

each = pytest.mark.parametrize("protocol", ["anthropic", "responses", "chat"])
streamed = pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])

READ = ToolSpec(
    "read_file",
    "Read a file.",
    {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
)
SEARCH = ToolSpec("search", "Search files.", {"type": "object", "properties": {}})
PATCH = ToolSpec("apply_patch", "Patch files.", {"type": "object"}, grammar="start: /.+/")
FIRST = Prompt("Be brief.", (Message("user", "Mend a.py."),), (READ, SEARCH, PATCH))
ODD = 'grün "q" \\ \u2028 🧵 \x7f'


def ask(prompt: Prompt, protocol: str, url: str, *, streaming: bool, **own: Any) -> Asked:
    return say(prompt, profile_for(protocol, url, stream=streaming, **own))


def with_reply(prompt: Prompt, reply: AgentResponse, answers: Sequence[ToolAnswer]) -> Prompt:
    """The prompt of the next turn, as the engine makes it."""
    model = Message("assistant", reply.text, calls=reply.tool_calls, raw=reply.raw)
    user = Message("user", "", answers=tuple(answers))
    return attrs.evolve(prompt, messages=(*prompt.messages, model, user))


def answered(reply: AgentResponse, text: str = "what it says") -> list[ToolAnswer]:
    return [
        ToolAnswer(call.id, call.name, text, is_error=bool(at))
        for at, call in enumerate(reply.tool_calls)
    ]


TALK = [
    Say("I look.", [Call("read_file", {"path": ODD}), Call("search", {"n": 1, "x": [1.5, None]})]),
    Say("", [Call("read_file")]),
    Say("Reading again.", [Call("read_file", {"path": "b"})] * 12, thinking=""),
    Say("", [Call("nobody_offered_this", {"a": {"b": "c"}})], thinking=ODD),
    Say("All done, größer."),
]


@each
@streamed
def test_a_conversation_of_calls_is_had_to_its_end(protocol: str, streaming: bool) -> None:
    turns = iter(TALK)
    strict = StrictServer(lambda body: next(turns))
    prompt = FIRST
    replies: list[AgentResponse] = []
    with serving(strict) as server:
        while not replies or replies[-1].tool_calls:
            asked = ask(prompt, protocol, server.url, streaming=streaming)
            replies.append(asked.answer)
            prompt = with_reply(prompt, replies[-1], answered(replies[-1]))
    assert strict.refused == []
    assert [reply.finish for reply in replies] == [Finish.COMPLETE] * len(TALK)
    assert [reply.text for reply in replies] == [said.text for said in TALK]
    for reply, said in zip(replies, TALK, strict=True):
        assert [call.name for call in reply.tool_calls] == [call.name for call in said.calls]
        assert [json.loads(call.arguments) for call in reply.tool_calls] == [
            call.arguments for call in said.calls
        ]
    assert len(strict.charges) == len(TALK)
    assert not strict.paid_twice()
    # all that was sent before is read from the cache, also after a turn of twelve calls
    used = [charge.used for charge in strict.charges]
    assert [later.cached for later in used[1:]] == [before.input for before in used[:-1]]


@each
@streamed
def test_raw_is_what_came(protocol: str, streaming: bool) -> None:
    said = Say("Words: ü.", [Call("read_file", {"path": ODD}), Call("search", {"deep": [{}]})])
    strict = StrictServer(lambda body: said)
    with serving(strict) as server:
        reply = ask(FIRST, protocol, server.url, streaming=streaming).answer
    issued = strict._issued[protocol][0]
    came = issued.get("content") or issued.get("output")
    if protocol == "chat":
        came = [issued["choices"][0]["message"]]
    assert json.loads(reply.raw) == came
    assert "ü" in reply.raw
    assert "🧵" in reply.raw


@each
@streamed
def test_calls_of_a_reply_that_was_cut_are_never_complete(protocol: str, streaming: bool) -> None:
    strict = StrictServer(lambda body: Say("", [Call("read_file", {"path": "a"})], cut=True))
    with serving(strict) as server:
        reply = ask(FIRST, protocol, server.url, streaming=streaming).answer
    assert reply.finish is Finish.TRUNCATED
    assert reply.raw == ""


@each
@streamed
def test_calls_where_no_tool_was_offered_are_unreadable(protocol: str, streaming: bool) -> None:
    strict = StrictServer(lambda body: Say("", [Call("read_file")]))
    with serving(strict) as server:
        bare = attrs.evolve(FIRST, tools=())
        reply = ask(bare, protocol, server.url, streaming=streaming).answer
    assert reply.finish is Finish.UNREADABLE
    assert "none is offered" in reply.detail


@each
@streamed
def test_an_end_that_promises_calls_and_has_none_is_empty(protocol: str, streaming: bool) -> None:
    strict = StrictServer(lambda body: Say("", thinking="only thoughts"))
    with serving(strict) as server:
        reply = ask(FIRST, protocol, server.url, streaming=streaming).answer
    assert reply.finish is Finish.EMPTY


@pytest.mark.parametrize("protocol", ["responses", "chat"])
@pytest.mark.parametrize("arguments", ["", '{"path": "a', "[1]", '{"a": NaN}', "no JSON"])
@streamed
def test_arguments_that_are_no_json_do_not_end_the_conversation(
    protocol: str, arguments: str, streaming: bool
) -> None:
    turns = iter([Say("", [Call("read_file", arguments)]), Say("done")])
    strict = StrictServer(lambda body: next(turns))
    with serving(strict) as server:
        first = ask(FIRST, protocol, server.url, streaming=streaming).answer
        [call] = first.tool_calls
        assert call.arguments == (arguments or "{}")
        prompt = with_reply(FIRST, first, answered(first))
        assert ask(prompt, protocol, server.url, streaming=streaming).answer.text == "done"
    assert strict.refused == []


@each
def test_a_turn_known_by_words_and_calls_alone_is_sent_as_such(protocol: str) -> None:
    strict = StrictServer(lambda body: Say("done"))
    calls = (ToolCall("a1", "read_file", '{"path": "x"}'), ToolCall("a2", "search", ""))
    answers = tuple(ToolAnswer(call.id, call.name, "seen") for call in calls)
    turns = (Message("assistant", "I look.", calls=calls), Message("user", "", answers=answers))
    prompt = attrs.evolve(FIRST, messages=(*FIRST.messages, *turns))
    with serving(strict) as server:
        assert ask(prompt, protocol, server.url, streaming=True).answer.text == "done"
    assert strict.refused == []


@each
def test_a_key_in_what_the_model_wrote_takes_its_raw_form(protocol: str) -> None:
    turns = iter([Say("x", [Call("search", {"pattern": KEY})]), Say("done")])
    strict = StrictServer(lambda body: next(turns))
    with serving(strict) as server:
        reply = ask(FIRST, protocol, server.url, streaming=True).answer
    assert reply.raw == ""
    assert reply.raw_lost
    assert reply.redacted
    assert KEY not in repr(reply)


@each
def test_the_same_question_is_the_same_body(protocol: str) -> None:
    strict = StrictServer(lambda body: Say("done"))
    with serving(strict) as server:
        for _ in range(2):
            ask(FIRST, protocol, server.url, streaming=True)
    assert len(strict.paid_twice()) == 1


def test_freeform_calls_are_answered_in_kind() -> None:
    turns = iter([Say("", [Call("apply_patch", "*** Begin ü\n", freeform=True)]), Say("done")])
    strict = StrictServer(lambda body: next(turns))
    with serving(strict) as server:
        reply = ask(FIRST, "responses", server.url, streaming=True).answer
        assert reply.tool_calls == (
            ToolCall("call_1_0", "apply_patch", "*** Begin ü\n", freeform=True),
        )
        prompt = with_reply(FIRST, reply, answered(reply))
        assert ask(prompt, "responses", server.url, streaming=True).answer.text == "done"
    assert strict.refused == []


# --- what a strict server turns away: a stand-in that takes everything would show nothing ---


def spoiled(prompt: Prompt, how: str) -> Prompt:
    *before, model, user = prompt.messages
    items = json.loads(model.raw)
    if how == "orphaned result":
        return attrs.evolve(prompt, messages=(*before, user))
    if how == "missing result":
        user = attrs.evolve(user, answers=user.answers[1:])
    if how == "no results":
        user = Message("user", "go on")
    if how == "words before results":
        return attrs.evolve(prompt, messages=(*before, model, Message("user", "well"), user))
    if how == "missing reasoning":
        items = [item for item in items if item.get("type") not in {"thinking", "reasoning"}]
        for item in items:
            item.pop("reasoning_content", None)
    if how == "changed reasoning":
        text = json.dumps(items).replace("Let me think", "Let me see").replace("gAAAA", "gAAAB")
        items = json.loads(text)
    if how == "unknown field":
        items[-1]["surprise"] = 1
    return attrs.evolve(
        prompt, messages=(*before, attrs.evolve(model, raw=json.dumps(items)), user)
    )


@each
@pytest.mark.parametrize(
    "how",
    [
        "orphaned result",
        "missing result",
        "no results",
        "words before results",
        "missing reasoning",
        "changed reasoning",
        "unknown field",
    ],
)
def test_what_the_strict_server_turns_away(protocol: str, how: str) -> None:
    calls = [Call("read_file", {"path": "a"}), Call("search", {})]
    strict = StrictServer(lambda body: Say("Look.", calls))
    with serving(strict) as server:
        reply = ask(FIRST, protocol, server.url, streaming=True).answer
        prompt = spoiled(with_reply(FIRST, reply, answered(reply)), how)
        assert isinstance(ask(prompt, protocol, server.url, streaming=True).failure, FatalError)
    assert len(strict.refused) == 1
    assert len(strict.charges) == 1


# --- calls in the words of a reply ---

NAMES = {"read_file", "search"}


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('{"name": "search", "arguments": {"pattern": "x"}}', ['{"pattern": "x"}']),
        ('\n {"name":"search","parameters":{}}\n', ["{}"]),
        ('```json\n{"name": "search", "arguments": {}}\n```', ["{}"]),
        ('```\n{"arguments": {}, "name": "search"}\n```', ["{}"]),
        ('<tool_call>\n{"name": "search", "arguments": {"a": "ü"}}\n</tool_call>', ['{"a": "ü"}']),
        ('<tool_call>{"name": "search", "arguments": {}}</tool_call>\n' * 2, ["{}", "{}"]),
        ('{"name": "unknown", "arguments": {}}', []),
        ('{"name": "search", "arguments": "x"}', []),
        ('{"name": ["search"], "arguments": {}}', []),
        ('{"name": "search"}', []),
        ('{"name": "search", "arguments": {}, "more": 1}', []),
        ('[{"name": "search", "arguments": {}}]', []),
        ('I call: {"name": "search", "arguments": {}}', []),
        ('{"name": "search", "arguments": {}} and go on', []),
        ('```json\n{"name": "search", "arguments": {}}\n```\nfor instance', []),
        ('<tool_call>{"name": "search", "arguments": {}}</tool_call> or so', []),
        ("package.json\n```json\n{}\n```", []),
        ("", []),
    ],
)
def test_a_text_that_is_nothing_but_calls(text: str, arguments: list[str]) -> None:
    assert calls_in_text(text, NAMES) == tuple(("search", one) for one in arguments)
    assert calls_in_text(text, set()) == ()


@given(st.text(max_size=40), st.text(max_size=40))
@examples(60)
def test_words_around_a_call_make_it_none(before: str, after: str) -> None:
    text = f'{before}{{"name": "search", "arguments": {{}}}}{after}'
    if before.strip() or after.strip():
        assert calls_in_text(text, NAMES) == ()


@each
@streamed
def test_a_call_in_the_words_is_taken_and_answered(protocol: str, streaming: bool) -> None:
    words = '```json\n{"name": "read_file", "arguments": {"path": "ü"}}\n```'
    turns = iter([Say(words, thinking=""), Say("done")])
    strict = StrictServer(lambda body: next(turns))
    with serving(strict) as server:
        reply = ask(FIRST, protocol, server.url, streaming=streaming).answer
        assert (reply.finish, reply.text, reply.raw) == (Finish.COMPLETE, "", "")
        assert reply.tool_calls == (ToolCall("call00100", "read_file", '{"path": "ü"}'),)
        prompt = with_reply(FIRST, reply, answered(reply))
        assert ask(prompt, protocol, server.url, streaming=streaming).answer.text == "done"
    assert strict.refused == []
