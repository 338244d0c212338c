"""Keys planted everywhere, servers that say them back: nothing that leaves the room holds one."""

import logging
import traceback
from pathlib import Path
from typing import Any

import pytest

from agent_runner.ground.redaction import MARK, Redactor
from agent_runner.model.errors import AgentRunnerError
from agent_runner.model.settings import ProviderSettings, Settings
from agent_runner.providers.client import clean_response
from agent_runner.providers.keys import known_keys
from agent_runner.providers.listing import rows
from agent_runner.providers.probe import probe
from agent_runner.providers.profiles import Profile, resolve
from agent_runner.providers.registry import make_client
from agent_runner.providers.replay import Recorder
from tests.providers import dialects
from tests.providers.dialects import Spoken
from tests.providers.one_call import Asked, StillClock, ask_with, request_for, run
from tests.providers.server import Script, answer, serving, stream

each = pytest.mark.parametrize("spoken", dialects.ALL, ids=lambda spoken: spoken.protocol)

IN_VARIABLE, IN_SETTINGS, IN_HEADER, IN_CUSTOM = (
    "planted-variable-4f9a",
    "planted-settings-8b7c",
    "planted-header-6d5e",
    "planted-custom-3c2b",
)
ENV = {"PLANTED": IN_VARIABLE, "ANTHROPIC_CUSTOM_HEADERS": f"X-Api-Key: {IN_CUSTOM}"}


def planted(spoken: Spoken, url: str) -> list[Settings]:
    """One provider for each place in which a key may stand."""
    places: list[dict[str, Any]] = [
        {"api_key_env": "PLANTED"},
        {"api_key": IN_SETTINGS},
        {"headers": {"Authorization": f"Bearer {IN_HEADER}"}},
    ]
    return [
        Settings(
            providers={
                "server": ProviderSettings(
                    protocol=spoken.protocol, base_url=url, model="m", timeout=0.5, **place
                )
            }
        )
        for place in places
    ]


def echoing(spoken: Spoken, key: str) -> list[Script]:
    """A server that says the key back in every way it can."""
    events = spoken.events((f"a {key[:9]}", f"{key[9:]} b"), spoken.complete)
    whole = b"".join(events)
    cut = whole.index(key[:9].encode()) + 4
    nested = {"error": {"message": f"bad key {key}", "type": key, "code": key}}
    return [
        stream(*events),
        stream(whole[:cut], whole[cut:]),
        stream(*spoken.events((f"all of {key}",), spoken.complete)[:-1]),
        stream(dialects.data_only({"type": "error", **nested})),
        answer(nested, status=401),
        answer({"detail": key}, status=500),
        answer(f"<title>{key}</title>".encode(), status=502),
        answer(b"", status=302, headers={"location": f"http://h/?key={key}"}),
    ]


def everything(asked: Asked) -> str:
    """All that a call leaves behind, as text."""
    told = [repr(asked), asked.kept.decode("utf-8", "replace")]
    if asked.error is not None:
        told += [str(asked.error), asked.error.fix, repr(vars(asked.error))]
        told += traceback.format_exception(asked.error)
    return "\n".join(told)


@each
@pytest.mark.parametrize("place", [0, 1, 2], ids=["variable", "settings", "header"])
def test_nothing_that_a_call_leaves_behind_holds_a_key(
    spoken: Spoken, place: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    key = (IN_VARIABLE, IN_SETTINGS, IN_HEADER)[place]
    scripts = echoing(spoken, key)
    told: list[str] = []

    async def calls(profile: Profile, settings: Settings) -> None:
        redactor = Redactor(known_keys(settings, ENV))
        client = make_client(profile, StillClock())
        for number in range(1, len(scripts) + 1):
            asked = await ask_with(client, number=number)
            told.append(everything(asked))
            if asked.reply is not None:
                recorded = clean_response(asked.reply, redactor)
                Recorder(tmp_path).save(request_for(number=number), recorded)
        told.extend([repr(client), repr(redactor), repr(profile)])
        await client.aclose()
        told.append(repr(await probe(profile, StillClock())))

    with serving(*scripts) as server:
        settings = planted(spoken, server.url)[place]
        profile = resolve("server", settings, ENV)
        run(lambda: calls(profile, settings))
        told.append(repr(rows(settings, ENV)))
    assert any(key in str(request.headers) for request in server.requests), "the key was not sent"
    told += [path.read_text() for path in tmp_path.rglob("*.json")]
    told.append(caplog.text)
    shown = "\n".join(told)
    assert shown.count(MARK) > 4, "the server's echo was not met"
    for planted_key in (IN_VARIABLE, IN_SETTINGS, IN_HEADER, IN_CUSTOM):
        assert planted_key not in shown


@pytest.mark.parametrize("headers", [{"x-bad": "a\nplanted-header-6d5e"}, {"x-ä": "b"}])
def test_a_header_that_cannot_be_sent_is_told_without_its_value(headers: dict[str, str]) -> None:
    own = ProviderSettings(base_url="http://127.0.0.1:9/v1", model="m", headers=headers)
    profile = resolve("server", Settings(providers={"server": own}), {})
    with pytest.raises(AgentRunnerError) as caught:
        run(lambda: ask_with(make_client(profile, StillClock())))
    assert "headers" in str(caught.value)
    assert IN_HEADER not in "".join(traceback.format_exception(caught.value))
