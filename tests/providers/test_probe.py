"""`providers check`: one small call, and an honest word on it."""

import pytest

from agent_runner.providers.probe import CAP, probe
from tests.providers import dialects
from tests.providers.dialects import Spoken
from tests.providers.one_call import StillClock, profile_for, run
from tests.providers.server import answer, serving, stream

each = pytest.mark.parametrize("spoken", dialects.ALL, ids=lambda spoken: spoken.protocol)


@each
def test_a_working_provider(spoken: Spoken) -> None:
    with serving(stream(*spoken.events(("ok",), spoken.complete))) as server:
        result = run(lambda: probe(profile_for(spoken.protocol, server.url), StillClock()))
    assert (result.ok, result.model) == (True, dialects.MODEL)
    body = server.requests[0].body
    assert CAP in (body.get(name) for name in ("max_tokens", "max_output_tokens"))


@each
def test_a_model_that_thinks_through_the_whole_cap_works_too(spoken: Spoken) -> None:
    with serving(stream(*spoken.events((), spoken.truncated))) as server:
        assert run(lambda: probe(profile_for(spoken.protocol, server.url), StillClock())).ok


@each
def test_a_refused_key(spoken: Spoken) -> None:
    with serving(answer(spoken.error("authentication_error", "no"), status=401)) as server:
        result = run(lambda: probe(profile_for(spoken.protocol, server.url), StillClock()))
    assert not result.ok
    assert "401" in result.text
    assert "TEST_KEY" in result.fix


@each
def test_an_answer_that_breaks_off(spoken: Spoken) -> None:
    with serving(stream(*spoken.events(("o",), spoken.complete)[:-1])) as server:
        result = run(lambda: probe(profile_for(spoken.protocol, server.url), StillClock()))
    assert not result.ok
    assert "no whole answer" in result.text
