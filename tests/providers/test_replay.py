"""Answers from files, and recordings that come back byte for byte."""

from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest
from hypothesis import given, strategies as st

from agent_runner.ground.redaction import Redactor
from agent_runner.model.agent import AgentResponse, Finish, ToolCall
from agent_runner.model.errors import FatalError, RateLimitedError, StorageError
from agent_runner.model.settings import EditFormat, ProviderSettings, Settings, ToolUse
from agent_runner.model.usage import ReportedLimit, Usage
from agent_runner.providers.client import clean_error, clean_response
from agent_runner.providers.probe import probe
from agent_runner.providers.profiles import Profile, resolve
from agent_runner.providers.registry import make_client
from agent_runner.providers.replay import Recorder, ReplayClient, decode, encode
from tests.providers import dialects
from tests.providers.one_call import (
    KEY,
    StillClock,
    ask,
    ask_with,
    profile_for,
    request_for,
    run,
    say,
)
from tests.providers.server import serving, stream
from tests.providers.test_tools import FIRST, TALK, answered, with_reply
from tests.support.vendors.server import StrictServer

FULL = AgentResponse(
    text="line\r\nnaïve 🧵\n",
    finish=Finish.TRUNCATED,
    usage=Usage(1, 2, 3, 4, 5, estimated=True),
    model="m",
    request_id="req",
    response_id="resp",
    detail="cap",
    tool_calls=(ToolCall("1", "grep", "{}"),),
    limits=(ReportedLimit("tokens", 1.0, 2, 3, None, 4.0, "allowed"),),
    service={"service_tier": "default", "cost": 0.5},
    edits=("diff",),
    logs=("one", "two"),
    raw='[{"type": "text", "text": "na\u00efve"}]',
)


def replaying(folder: Path) -> Profile:
    providers = {"replay": ProviderSettings(replies=folder)}
    return resolve("replay", Settings(providers=providers), {})


def write(folder: Path, name: str, content: bytes) -> None:
    (folder / "T1").mkdir(exist_ok=True)
    (folder / "T1" / name).write_bytes(content)


def test_words_in_a_file_are_the_reply_byte_for_byte(tmp_path: Path) -> None:
    write(tmp_path, "2.md", "naïve\r\n🧵\n".encode())
    asked = ask(replaying(tmp_path), number=2)
    assert (asked.answer.text, asked.answer.finish) == ("naïve\r\n🧵\n", Finish.COMPLETE)
    assert asked.answer.usage.estimated
    assert asked.kept == "naïve\r\n🧵\n".encode()


def test_a_whole_response_comes_back_whole(tmp_path: Path) -> None:
    write(tmp_path, "1.json", encode(FULL).encode())
    assert ask(replaying(tmp_path)).answer == FULL


def test_a_response_needs_no_more_than_its_text() -> None:
    assert decode('{"text": "x", "later": 1, "usage": {"input": 3, "later": 1}}') == (
        AgentResponse("x", usage=Usage(input=3))
    )


def test_a_missing_answer_is_named(tmp_path: Path) -> None:
    error = ask(replaying(tmp_path), number=7).failure
    assert isinstance(error, FatalError)
    assert str(tmp_path / "T1" / "7.md") in str(error)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("1.md", b"\xff"),
        ("1.json", b"{"),
        ("1.json", b"[]"),
        ("1.json", b'{"text": 1}'),
        ("1.json", b'{"text": "x", "finish": "odd"}'),
        ("1.json", b'{"text": "x", "tool_calls": 3}'),
        ("1.json", b'{"text": "x", "tool_calls": [{"odd": 1}]}'),
    ],
)
def test_an_unreadable_answer_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    write(tmp_path, name, content)
    error = ask(replaying(tmp_path)).failure
    assert isinstance(error, FatalError)
    assert name in str(error)


def test_an_empty_answer_is_no_success(tmp_path: Path) -> None:
    write(tmp_path, "1.md", b"\n")
    assert ask(replaying(tmp_path)).answer.finish is Finish.EMPTY


def test_a_replayed_call_can_be_cancelled(tmp_path: Path) -> None:
    async def cancelled() -> bool:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await ask_with(ReplayClient(replaying(tmp_path)))
        return scope.cancelled_caught

    assert run(cancelled)


@given(st.text(st.characters(codec="utf-8")), st.sampled_from(Finish))
def test_what_is_encoded_is_decoded(text: str, finish: Finish) -> None:
    response = AgentResponse(text, finish, detail=text, service={"k": text})
    assert decode(encode(response)) == response


def test_a_recorded_run_replays_without_key_or_network(tmp_path: Path) -> None:
    async def recorded(profile: Profile) -> AgentResponse:
        client = make_client(profile, StillClock())
        answer = (await ask_with(client)).answer
        Recorder(tmp_path).save(request_for(), answer)
        await client.aclose()
        return answer

    spoken = dialects.ANTHROPIC
    with serving(stream(*spoken.events(("naïve\r\n", "🧵"), spoken.complete))) as server:
        live = run(lambda: recorded(profile_for("anthropic", server.url)))
    assert ask(replaying(tmp_path)).answer == live
    assert [path.name for path in (tmp_path / "T1").iterdir()] == ["1.json"]


LEAKING = AgentResponse(
    f"text {KEY} text sk-not-ours-but-shaped-like-one",
    detail=KEY,
    tool_calls=(ToolCall("1", f"n{KEY}", f'{{"k": "{KEY}"}}'),),
    service={KEY: [KEY]},
    edits=(KEY,),
    logs=(KEY,),
    request_id=f"req-{KEY}",
)


def test_a_clean_answer_holds_no_known_key_and_changes_nothing_else(tmp_path: Path) -> None:
    Recorder(tmp_path).save(request_for(), clean_response(LEAKING, Redactor([KEY])))
    raw = (tmp_path / "T1" / "1.json").read_text()
    assert KEY not in raw
    assert decode(raw).text == "text [redacted] text sk-not-ours-but-shaped-like-one"
    assert decode(raw).redacted, "or a mark in it would be written for the key"
    assert clean_response(LEAKING, Redactor()) == LEAKING


def test_a_clean_error_is_the_same_error_without_the_key() -> None:
    error = RateLimitedError(f"no {KEY}", fix=f"not {KEY}", retry_after=3.0, request_id=KEY)
    assert clean_error(error, Redactor([KEY])) is error
    assert KEY not in f"{error} {error.fix} {error.request_id}"
    assert error.retry_after == 3.0


def test_a_recording_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "T1").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be recorded"):
        Recorder(tmp_path).save(request_for(), LEAKING)


def test_a_check_of_replay_counts_its_answers(tmp_path: Path) -> None:
    write(tmp_path, "1.md", b"x")
    assert run(lambda: probe(replaying(tmp_path), StillClock())).ok
    missing = run(lambda: probe(replaying(tmp_path / "none"), StillClock()))
    assert not missing.ok
    assert "none" in missing.text


def test_calls_written_by_hand_need_no_more_than_their_names(tmp_path: Path) -> None:
    calls = b'[{"name": "read_file", "arguments": {"path": "\xc3\xbc"}}, {"name": "search"}]'
    write(tmp_path, "1.json", b'{"text": "", "tool_calls": %b}' % calls)
    assert ask(replaying(tmp_path)).answer.tool_calls == (
        ToolCall("call0", "read_file", '{"path": "ü"}'),
        ToolCall("call1", "search", "{}"),
    )


@pytest.mark.parametrize(
    ("files", "own", "tools", "edits"),
    [
        ({"1.md": b"words"}, {}, ToolUse.TEXT, EditFormat.BLOCKS),
        ({"1.json": b'{"text": "x", "tool_calls": []}'}, {}, ToolUse.TEXT, EditFormat.BLOCKS),
        (
            {"1.md": b"x", "2.json": b'{"text": "", "tool_calls": [{"name": "edit_file"}]}'},
            {},
            ToolUse.NATIVE,
            EditFormat.REPLACE,
        ),
        (
            {
                "1.json": b'{"text": "", "tool_calls": [{"name": "read_file"}]}',
                "2.json": b'{"text": "", "tool_calls": [{"name": "apply_patch"}]}',
            },
            {},
            ToolUse.NATIVE,
            EditFormat.PATCH,
        ),
        (
            {"1.json": b'{"text": "", "tool_calls": [{"name": "search"}]}'},
            {"tools": ToolUse.TEXT},
            ToolUse.TEXT,
            EditFormat.BLOCKS,
        ),
        (
            {
                "1.json": b'{"text": "", "tool_calls": [{"name": "search"}]}',
                "2.json": b'"tool_calls"',
            },
            {"edit_format": EditFormat.WHOLE},
            ToolUse.NATIVE,
            EditFormat.WHOLE,
        ),
    ],
)
def test_tools_are_offered_where_recorded_answers_call_some(
    tmp_path: Path, files: dict[str, bytes], own: Any, tools: ToolUse, edits: EditFormat
) -> None:
    for name, content in files.items():
        write(tmp_path, name, content)
    settings = Settings(providers={"replay": ProviderSettings(replies=tmp_path, **own)})
    profile = resolve("replay", settings, {})
    assert (profile.tools, profile.edit_format) == (tools, edits)
    client = make_client(profile, StillClock())
    assert client.capabilities.tools is profile.offers_tools


@pytest.mark.parametrize("protocol", ["anthropic", "responses", "chat"])
def test_a_recorded_conversation_is_replayed_as_it_went(tmp_path: Path, protocol: str) -> None:
    turns = iter(TALK)
    strict, prompt, asked = StrictServer(lambda body: next(turns)), FIRST, []
    with serving(strict) as server:
        for number, _ in enumerate(TALK, 1):
            request = attrs.evolve(request_for(number=number), prompt=prompt)
            asked.append(say(prompt, profile_for(protocol, server.url)).answer)
            Recorder(tmp_path).save(request, asked[-1])
            prompt = with_reply(prompt, asked[-1], answered(asked[-1]))
    again = [ask(replaying(tmp_path), number=n + 1).answer for n in range(len(TALK))]
    assert again == asked
    assert all(reply.raw for reply in again)
    assert replaying(tmp_path).offers_tools
