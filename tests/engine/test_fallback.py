"""Fallbacks: who is asked while a provider is down or at a limit for long, and who afterwards."""

from collections.abc import Callable, Mapping
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from agent_runner.model import events as e
from agent_runner.model.agent import AgentResponse
from agent_runner.model.errors import (
    AuthError,
    CallTooLargeError,
    RateLimitedError,
    TransientError,
    UnknownOutcomeError,
    UsageError,
)
from agent_runner.model.fold import Entry
from agent_runner.model.signals import Signal
from agent_runner.model.usage import Usage
from agent_runner.providers.client import CallContext
from tests.engine.scene import DyingDisk, PowerOut, Scene
from tests.engine.scripted import Line, Said, showing, whole

DOWN = TransientError("overloaded")
LATER = RateLimitedError("used up", retry_after=4000)
TASKS = [{"id": f"T{number}", "post_hooks": []} for number in (1, 2, 3)]
WAIT = 300.0
"""`retry.max_wait`, in seconds."""


class World:
    """Providers that say one thing until they are told another; `asked`: who was, in turn."""

    def __init__(self, **says: Line) -> None:
        self.says: dict[str, Line] = {**says}
        self.asked: list[str] = []

    def __call__(self, context: CallContext) -> Said:
        name = context.request.provider
        self.asked.append(name)
        line = self.says.get(name, answer)
        said = line(context) if callable(line) else line
        assert isinstance(said, (str, AgentResponse, Exception))
        return said


def answer(context: CallContext) -> Said:
    """A reply that gives the task a file of its own, and its price in tokens."""
    return AgentResponse(whole(f"{context.request.task}.txt", "one\n"), usage=Usage(100, 10))


def scene_of(
    folder: Path,
    world: Callable[[CallContext], Said],
    chains: Mapping[str, list[str]],
    *,
    tasks: int = 1,
    **settings: Any,
) -> Scene:
    """A run whose provider is `a`; `chains`: the fallbacks of each provider."""
    names = {*chains, *(name for chain in chains.values() for name in chain)}
    providers = {
        name: {"protocol": "replay", "replies": ".", "model": f"model-{name}"} for name in names
    }
    for name, chain in chains.items():
        providers[name]["fallback"] = chain  # type: ignore[assignment]  # one value is a list
    all_settings = {
        "provider": "a",
        "providers": providers,
        "retry": {"max_tries": 2, "max_wait": WAIT},
        **settings,
    }
    return Scene(folder / "p", TASKS[:tasks], all_settings, repeat(world))


def asides(scene: Scene) -> list[tuple[str, str, str]]:
    return [(one.provider, one.instead, one.cause) for one in scene.events(e.SetAside)]


def test_an_outage_hands_over_to_the_fallback_for_all_tasks_of_the_provider(tmp_path: Path) -> None:
    world = World(a=DOWN)
    scene = scene_of(tmp_path, world, {"a": ["b"]}, tasks=3)
    assert scene.run().exit_code == 0
    assert world.asked == ["a", "a", "b", "b", "b"]
    (aside,) = scene.events(e.SetAside)
    assert (aside.provider, aside.instead, aside.cause) == ("a", "b", "outage")
    assert "overloaded" in aside.reason
    assert aside.until == pytest.approx(scene.clock.at + WAIT, abs=10)
    assert [s.provider for s in scene.events(e.CallSettled) if s.outcome == "answered"] == ["b"] * 3
    assert scene.record().counts.attempts == 1
    assert scene.state.spending.set_aside == {"a": aside}


def test_a_provider_that_is_back_is_asked_first_again(tmp_path: Path) -> None:
    world = World(a=DOWN)
    scene = scene_of(tmp_path, world, {"a": ["b"]}, tasks=3)

    def react(seen: Entry | Signal) -> None:
        if isinstance(seen, Entry) and isinstance(seen.event, e.Started) and seen.task != "T1":
            scene.clock.at += WAIT + 1
        if isinstance(seen, Entry) and isinstance(seen.event, e.Started) and seen.task == "T3":
            world.says["a"] = answer

    scene.watcher.react = react
    assert scene.run().exit_code == 0
    assert world.asked == ["a", "a", "b", "a", "a", "b", "a"]
    assert scene.state.spending.set_aside == {}


def test_a_long_wait_that_was_told_hands_over_until_its_time(tmp_path: Path) -> None:
    world = World(a=LATER)
    scene = scene_of(tmp_path, world, {"a": ["b"]}, tasks=2)
    assert scene.run().exit_code == 0
    assert world.asked == ["a", "b", "b"]
    assert asides(scene) == [("a", "b", "told")]
    (aside,) = scene.events(e.SetAside)
    assert aside.until == pytest.approx(scene.clock.at + 4000, abs=10)
    assert scene.events(e.Deferred) == []


def test_a_short_wait_is_sat_out(tmp_path: Path) -> None:
    said = iter([RateLimitedError("slow down", retry_after=20)])
    world = World(a=lambda context: next(said, None) or answer(context))
    scene = scene_of(tmp_path, world, {"a": ["b"]})
    assert scene.run().exit_code == 0
    assert world.asked == ["a", "a"]
    assert asides(scene) == []


@pytest.mark.parametrize("error", [AuthError("wrong key"), CallTooLargeError("too long")])
def test_what_no_wait_mends_asks_nobody_else(tmp_path: Path, error: Exception) -> None:
    world = World(a=error)
    scene = scene_of(tmp_path, world, {"a": ["b"]})
    assert scene.run().reason in {"auth", "held"}
    assert world.asked == ["a"]


def test_without_fallbacks_nothing_changes(tmp_path: Path) -> None:
    world = World(a=DOWN)
    scene = scene_of(tmp_path, world, {"a": [], "b": []})
    assert scene.run().reason == "outage"
    assert asides(scene) == []
    world.says["a"] = LATER
    assert scene.again().reason == "limit"
    assert asides(scene) == []
    assert set(world.asked) == {"a"}


def test_all_down_stops_as_an_outage_with_the_earliest_time(tmp_path: Path) -> None:
    world = World(a=DOWN, b=UnknownOutcomeError("silence"))
    scene = scene_of(tmp_path, world, {"a": ["b"], "b": ["a"]})
    stopped = scene.run()
    assert world.asked == ["a", "a", "b", "b"]
    assert (stopped.reason, stopped.exit_code) == ("outage", 75)
    (aside,) = scene.events(e.SetAside)
    assert stopped.not_before == aside.until
    world.says["b"] = answer
    assert scene.again().exit_code == 0  # whoever resumes may know that the line is back
    assert world.asked[4:] == ["b"]


def test_all_deferred_stops_until_the_first_opens_and_a_resume_asks_that_one(
    tmp_path: Path,
) -> None:
    world = World(a=LATER, b=RateLimitedError("used up too", retry_after=9000))
    scene = scene_of(tmp_path, world, {"a": ["b"]})
    stopped = scene.run()
    assert (stopped.reason, stopped.exit_code) == ("limit", 75)
    assert asides(scene) == [("a", "b", "told"), ("b", "", "told")]
    first = scene.events(e.SetAside)[0]
    assert stopped.not_before == first.until
    early = scene.again()
    assert (early.reason, early.not_before) == ("limit", first.until)
    assert world.asked == ["a", "b"]
    scene.clock.at = first.until
    world.says["a"] = answer
    assert scene.again().exit_code == 0
    assert world.asked == ["a", "b", "a"]


def test_all_deferred_is_waited_for_where_that_was_asked(tmp_path: Path) -> None:
    said = iter([LATER])
    world = World(
        a=RateLimitedError("used up", retry_after=9000),
        b=lambda context: next(said, None) or answer(context),
    )
    scene = scene_of(tmp_path, world, {"a": ["b"]}, tasks=2)
    scene.wait = 5000.0
    assert scene.run().exit_code == 0
    assert world.asked == ["a", "b", "b", "b"]


def test_a_slow_outage_of_all_does_not_go_round(tmp_path: Path) -> None:
    scene: Scene

    def slow(_context: CallContext) -> Said:
        scene.clock.at += 2 * WAIT
        return UnknownOutcomeError("silence")

    world = World(a=slow, b=slow, c=slow)
    scene = scene_of(tmp_path, world, {"a": ["b"], "b": ["c"], "c": ["a"]})
    stopped = scene.run()
    assert world.asked == ["a", "a", "b", "b", "c", "c"]
    assert stopped.reason == "outage"
    assert stopped.not_before is not None
    assert stopped.not_before > scene.clock.at - 1
    assert scene.record().spent.possibly_billed == 6


def test_chains_are_followed_the_own_fallbacks_first(tmp_path: Path) -> None:
    world = World(a=LATER, b=LATER, c=LATER)
    chains = {"a": ["b", "c"], "b": ["a", "d", "c"], "d": ["a"]}
    scene = scene_of(tmp_path, world, chains)
    assert scene.run().exit_code == 0
    assert world.asked == ["a", "b", "c", "d"]
    assert asides(scene) == [("a", "b", "told"), ("b", "c", "told"), ("c", "d", "told")]


def test_a_full_limit_of_ours_hands_over_and_is_asked_anew(tmp_path: Path) -> None:
    world = World()
    limits = {"a": {"max_requests_week": 1}}
    scene = scene_of(tmp_path, world, {"a": ["b"]}, tasks=3, rate_limits=limits)
    assert scene.run().exit_code == 0
    assert world.asked == ["a", "b", "b"]
    assert asides(scene) == [("a", "b", "limit")]


def test_a_limit_that_was_raised_counts_at_once(tmp_path: Path) -> None:
    stops = iter(["go on"])

    def once_then_out(context: CallContext) -> Said:
        if next(stops, "") == "":
            raise PowerOut
        return answer(context)

    world = World(b=once_then_out)
    limits = {"a": {"max_requests_week": 1}}
    scene = scene_of(tmp_path, world, {"a": ["b"]}, tasks=3, rate_limits=limits)
    assert scene.killed()
    assert world.asked == ["a", "b", "b"]
    scene.settings = {**scene.settings, "rate_limits": {}}
    scene.write()
    assert scene.again().exit_code == 0
    assert world.asked == ["a", "b", "b", "a"]


def test_the_limits_of_the_fallback_hold_for_it(tmp_path: Path) -> None:
    world = World(a=LATER)
    limits = {"b": {"max_requests_week": 1}}
    scene = scene_of(tmp_path, world, {"a": ["b"]}, tasks=2, rate_limits=limits)
    stopped = scene.run()
    assert world.asked == ["a", "b"]
    assert stopped.reason == "limit"
    assert stopped.not_before == scene.events(e.SetAside)[0].until  # a opens first
    models = scene.state.spending.models
    assert (models["a"]["model-a"].calls, models["b"]["model-b"].calls) == (0, 1)


def test_a_fallback_that_can_never_take_the_call_is_no_reason_for_a_person(tmp_path: Path) -> None:
    world = World(a=LATER)
    limits = {"b": {"max_tokens_week": 10}}
    scene = scene_of(tmp_path, world, {"a": ["b"]}, rate_limits=limits)
    assert scene.run().reason == "limit"
    assert scene.states() == {"T1": "agent"}


def test_the_tasks_model_and_the_runs_are_for_their_own_provider(tmp_path: Path) -> None:
    world = World(a=LATER)
    scene = scene_of(tmp_path, world, {"a": ["b"]}, tasks=2, model="of-the-run")
    scene.tasks[0] = {**scene.tasks[0], "model": "of-the-task"}
    scene.write()
    assert scene.run().exit_code == 0
    asked = [(request.provider, request.model) for request in scene.client.asked]
    assert asked == [("a", "of-the-task"), ("b", "model-b"), ("b", "model-b")]


def test_prices_are_those_of_the_provider_that_answered(tmp_path: Path) -> None:
    prices = {"model-a": {"input": 1000.0}, "model-b": {"input": 10.0}}
    scene = scene_of(tmp_path, World(a=LATER), {"a": ["b"]}, prices=prices)
    assert scene.run().exit_code == 0
    assert scene.record().spent.cost == pytest.approx(100 * 10 / 1e6)


def test_tries_begin_anew_with_the_fallback_and_stay_with_it(tmp_path: Path) -> None:
    scene: Scene
    said: list[Said] = [DOWN]

    def once(context: CallContext) -> Said:
        if said:
            scene.clock.at += 2 * WAIT  # by now the first could be asked again
            return said.pop()
        return answer(context)

    world = World(a=DOWN, b=once)
    scene = scene_of(tmp_path, world, {"a": ["b"]})
    assert scene.run().exit_code == 0
    assert world.asked == ["a", "a", "b", "b"]


def test_turns_of_one_attempt_may_be_of_two_providers(tmp_path: Path) -> None:
    scene: Scene

    def look(_context: CallContext) -> Said:
        world.says["a"] = LATER
        return showing("b.txt")

    world = World(a=look)
    scene = scene_of(tmp_path, world, {"a": ["b"]})
    (scene.folder / "b.txt").write_text("what b says\n")
    assert scene.run().exit_code == 0
    assert [(r.provider, r.attempt, r.turn) for r in scene.client.asked] == [
        ("a", 1, 1),
        ("a", 1, 2),
        ("b", 1, 2),
    ]
    assert "what b says" in scene.client.asked[-1].prompt.messages[-1].text


def test_a_deferral_before_fallbacks_were_configured_is_got_around(tmp_path: Path) -> None:
    world = World(a=LATER)
    scene = scene_of(tmp_path, world, {"a": []})
    assert scene.run().reason == "limit"
    changed = scene_of(tmp_path, world, {"a": ["b"]})
    assert changed.run().exit_code == 0
    assert world.asked == ["a", "b"]
    assert asides(changed) == [("a", "b", "told")]


def test_an_impatient_person_tries_the_first_at_once(tmp_path: Path) -> None:
    world = World(a=LATER, b=LATER)
    scene = scene_of(tmp_path, world, {"a": ["b"]})
    assert scene.run().reason == "limit"
    world.says["a"] = answer
    scene.choices = type(scene.choices)(impatient=lambda: True)
    assert scene.again().exit_code == 0
    assert world.asked == ["a", "b", "a"]
    assert set(scene.state.spending.set_aside) == {"b"}


def dying(_context: CallContext) -> Said:
    raise PowerOut


def test_a_resume_keeps_to_the_fallback(tmp_path: Path) -> None:
    world = World(a=DOWN, b=dying)
    scene = scene_of(tmp_path, world, {"a": ["b"]})
    assert scene.killed()
    world.says["b"] = answer
    assert scene.again().exit_code == 0
    assert world.asked == ["a", "a", "b", "b"]
    lost = scene.events(e.CallSettled)[2]
    assert (lost.outcome, lost.provider, lost.caused_by_runner) == ("lost", "b", True)
    assert len(scene.events(e.SetAside)) == 1


def test_an_open_call_is_fetched_from_the_provider_that_it_was_sent_to(tmp_path: Path) -> None:
    fetched: list[str] = []

    def created(context: CallContext) -> Said:
        if context.resume_id is not None:
            fetched.append(context.request.provider)
            return answer(context)
        context.created("resp_1")
        raise PowerOut

    world = World(a=LATER, b=created)
    scene = scene_of(tmp_path, world, {"a": ["b"]})
    assert scene.killed()
    assert scene.record().call.provider == "b"
    scene.clock.at += 5000  # a could be asked again
    changed = {**scene.settings, "provider": "c"}  # and it is c that would be
    changed["providers"] = {**changed["providers"], "c": {"protocol": "replay", "replies": "."}}
    scene.settings = changed
    scene.write()
    assert scene.again().exit_code == 0
    assert fetched == ["b"]
    assert scene.events(e.CallSettled)[-1].provider == "b"
    assert scene.record().spent.possibly_billed == 0


@pytest.mark.parametrize("background", [False, True], ids=["plain", "background"])
def test_an_open_call_of_a_provider_that_is_gone(tmp_path: Path, background: bool) -> None:
    def created(context: CallContext) -> Said:
        if background:
            context.created("resp_1")
        raise PowerOut

    world = World(a=created)
    scene = scene_of(tmp_path, world, {"a": []})
    assert scene.killed()
    providers = {"b": {"protocol": "replay", "replies": "."}}
    scene.settings = {**scene.settings, "provider": "b", "providers": providers}
    scene.write()
    stopped = scene.again()
    if background:
        assert (stopped.reason, stopped.exit_code) == ("fatal", 1)
        assert "a keeps the answer to T1/call-01" in stopped.detail
        assert scene.record().call.started == "T1/call-01"
    else:
        assert stopped.exit_code == 0
        assert scene.events(e.CallSettled)[0].provider == "a"


def test_an_answer_on_disk_of_a_provider_that_is_gone_is_adopted(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, World(), {"a": []})
    scene.disk = DyingDisk(b'"kind":"CallSettled"', after=False)
    assert scene.killed()
    providers = {"b": {"protocol": "replay", "replies": "."}}
    scene.settings = {**scene.settings, "provider": "b", "providers": providers}
    scene.write()
    assert scene.again().exit_code == 0
    (settled,) = scene.events(e.CallSettled)
    assert (settled.provider, settled.adopted, settled.cost) == ("a", True, None)
    assert len(scene.client.asked) == 1


def test_what_cannot_be_asked_is_found_before_anything_is_spent(tmp_path: Path) -> None:
    world = World()
    scene = scene_of(tmp_path, world, {"a": ["openai"]})
    scene.settings = {**scene.settings, "providers": {"a": {**scene.settings["providers"]["a"]}}}
    scene.write()
    wiring = scene.wired(scene.open())
    with pytest.raises(UsageError, match=r"openai.*providers\.a\.fallback") as raised:
        wiring.clients.check(wiring.project.tasks.tasks)
    assert "OPENAI_API_KEY" in (raised.value.fix or "")
    wiring.store.abandon()
