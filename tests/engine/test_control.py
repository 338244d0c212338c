"""Keys and signals while something waits, decisions out of turn, and the script's own contract."""

from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from agent_runner.engine import decisions
from agent_runner.engine.control import Control
from agent_runner.engine.waiting import Waiter
from agent_runner.engine.work import Halt
from agent_runner.model import events as e
from agent_runner.model.agent import AgentRequest, AgentResponse, Message, Prompt
from agent_runner.model.errors import FatalError, IllegalEventError
from agent_runner.model.fold import Entry
from agent_runner.model.settings import ProviderSettings, Settings
from agent_runner.model.signals import Signal, Waiting
from agent_runner.providers.client import AgentClient, CallContext
from agent_runner.providers.profiles import resolve
from agent_runner.providers.replay import ReplayClient
from tests.engine.scene import Scene, hooks
from tests.engine.scripted import ScriptedClient, whole
from tests.support.clocks import FakeClock

GOOD = whole("a.txt", "one\n")


def waited(
    seconds: float, longest: float | None, press: str = "", *, reported: bool = False
) -> tuple[Halt | None, float, list[Signal]]:
    """Wait that long for a limit with a key pressed at the third tick."""
    clock, control, seen = FakeClock(), Control(), list[Signal]()
    keys = {"q": lambda: control.stop("quit", 130), "s": control.skip, "r": control.retry_now}

    def signal(one: Signal) -> None:
        seen.append(one)
        if len(seen) == 3 and press:
            keys[press]()

    deferred = e.Deferred("p", "hour", clock.at + seconds, "the hour is full", reported=reported)
    began = clock.at
    waiter = Waiter(clock, signal, longest, sits_out=30.0)
    halt = anyio.run(waiter.wait_or_halt, deferred, "T1", control)
    return halt, clock.at - began, seen


def test_nobody_asked_to_wait() -> None:
    halt, passed, seen = waited(100, None)
    assert halt is not None
    assert (halt.reason, halt.detail) == ("limit", "the hour is full")
    assert passed < 1
    assert seen == []


@pytest.mark.parametrize(("seconds", "sat_out"), [(3, True), (30, True), (31, False)])
def test_a_short_wait_that_the_provider_announced_is_sat_out(seconds: float, sat_out: bool) -> None:
    halt, passed, _ = waited(seconds, None, reported=True)
    assert (halt is None) is sat_out
    assert (passed >= seconds) is sat_out


def test_longer_than_was_to_be_waited() -> None:
    halt, _, _ = waited(100, 50)
    assert halt is not None
    assert halt.not_before is not None


def test_the_wait_is_sat_out_with_a_countdown() -> None:
    halt, passed, seen = waited(100, 200)
    assert halt is None
    assert passed >= 100
    assert {type(one) for one in seen} == {Waiting}
    assert len(seen) > 90


@pytest.mark.parametrize("press", ["q", "s", "r"])
def test_a_key_ends_the_wait(press: str) -> None:
    halt, passed, _ = waited(1000, 2000, press)
    assert passed < 10
    assert halt == (Halt("quit", Control().detail) if press == "q" else None)


def test_a_skip_while_a_limit_is_waited_for_skips_the_task(tmp_path: Path) -> None:
    tasks = [{"id": "T1", "post_hooks": []}, {"id": "T2", "post_hooks": []}]
    settings = {"rate_limits": {"replay": {"max_requests_hour": 1}}}
    scene = Scene(tmp_path / "p", tasks, settings, [GOOD])
    scene.wait = 10_000.0

    def react(seen: Entry | Signal) -> None:
        if isinstance(seen, Waiting):
            scene.control.skip()

    scene.watcher.react = react
    assert scene.run().exit_code == 0
    assert scene.states() == {"T1": "passed", "T2": "skipped"}
    assert "T2 skipped" in scene.watcher.said


def test_a_pause_ends_with_a_stop() -> None:
    control = Control()

    async def pause() -> None:
        control.toggle_pause()
        async with anyio.create_task_group() as group:
            group.start_soon(Waiter(FakeClock(), lambda _signal: None).pause, control)
            await anyio.lowlevel.checkpoint()
            control.stop("quit", 130)

    anyio.run(pause)
    assert control.pause_requested


@pytest.fixture
def open_scene(tmp_path: Path) -> Scene:
    tasks = [{"id": "T1", "post_hooks": ["judge"]}, {"id": "T2", "post_hooks": []}]
    settings = {"hooks": hooks(judge="false"), "max_attempts_per_task": 1}
    return Scene(tmp_path / "p", tasks, settings, [GOOD] * 9)


def test_decisions_that_do_not_apply_say_what_does(open_scene: Scene) -> None:
    open_scene.run()
    store = open_scene.open()
    wiring = open_scene.wired(store)
    with pytest.raises(IllegalEventError, match="T2 is pending and cannot be retried") as raised:
        decisions.retry(wiring.core, "T2")
    assert raised.value.command == ("run",)
    decisions.skip(wiring.core, wiring.recovery, "T2", reason="later")
    with pytest.raises(IllegalEventError, match="cannot be skipped") as raised:
        decisions.skip(wiring.core, wiring.recovery, "T2", reason="later")
    assert raised.value.command == ("reset", "T2")
    store.close()


def test_a_retry_grants_an_attempt_only_where_none_is_left(open_scene: Scene) -> None:
    open_scene.run()
    store = open_scene.open()
    wiring = open_scene.wired(store)
    assert decisions.retry(wiring.core, "T1", hint="h").counts.extra_attempts == 1
    store.close()
    open_scene.again()
    store = open_scene.open()
    wiring = open_scene.wired(store)
    assert decisions.retry(wiring.core, "T1", attempts=3).counts.extra_attempts == 4
    store.close()


def test_a_task_in_a_step_says_how_to_go_on(open_scene: Scene) -> None:
    open_scene.client = ScriptedClient([])
    assert open_scene.run().reason == "fatal"
    store = open_scene.open()
    wiring = open_scene.wired(store)
    with pytest.raises(IllegalEventError) as raised:
        decisions.check(wiring.core, wiring.recovery, "T1")
    assert raised.value.command == ("resume",)
    decisions.reset(wiring.core, wiring.recovery, "gone", reason="no longer in the list")
    store.close()


def _asked(client: AgentClient, call: int) -> tuple[AgentResponse, list[int], bytes]:
    prompt = Prompt("be good", (Message("user", "do it"),))
    request = AgentRequest("T1/call-01", "T1", call, 1, 1, "p", "m", prompt, 1000)
    progress, kept = list[int](), bytearray()
    context = CallContext(request, progress.append, kept.extend)

    async def ask() -> AgentResponse:
        return await client.generate_completion(prompt, context)

    return anyio.run(ask), progress, bytes(kept)


@pytest.fixture(params=["replay", "scripted"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> AgentClient:
    """The same two answers, from files and from a script."""
    if request.param == "scripted":
        return ScriptedClient(["first words", ""], "m")
    (tmp_path / "T1").mkdir()
    (tmp_path / "T1/1.md").write_text("first words")
    providers = {"replay": ProviderSettings(replies=tmp_path, model="m")}
    return ReplayClient(resolve("replay", Settings(providers=providers), {}))


def test_the_script_keeps_the_contract_of_a_client(client: AgentClient) -> None:
    response, progress, kept = _asked(client, 1)
    assert response.text == "first words"
    assert response.usage.estimated
    assert response.usage.output > 0
    assert progress[0] == 0
    assert progress[-1] > 0
    assert kept == b"first words"
    if isinstance(client, ScriptedClient):
        _asked(client, 2)
    with pytest.raises(FatalError):
        _asked(client, 3)
    anyio.run(client.aclose)
    anyio.run(client.aclose)


def test_the_script_can_be_cancelled_like_a_client(client: AgentClient) -> None:
    async def cancelled() -> bool:
        with anyio.CancelScope() as scope:
            scope.cancel()
            prompt = Prompt("", (Message("user", ""),))
            request = AgentRequest("c", "T1", 1, 1, 1, "p", "m", prompt, 10)
            await client.generate_completion(prompt, CallContext(request))
        return scope.cancelled_caught

    assert anyio.run(cancelled)
