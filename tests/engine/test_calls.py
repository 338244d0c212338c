"""Calls: what is asked, what comes of the answer, and that nothing paid for is lost."""

import os
import signal
from pathlib import Path

import anyio
import pytest

from agent_runner.app.call_wiring import CallWiring
from agent_runner.app.wiring import Choices
from agent_runner.engine.commands import Ask
from agent_runner.ground.disk import Disk
from agent_runner.ground.tokens import Ruler
from agent_runner.model import events as e
from agent_runner.model.agent import AgentResponse, Finish, Prompt
from agent_runner.model.errors import (
    AuthError,
    BudgetError,
    CallTooLargeError,
    FatalError,
    RateLimitedError,
    StorageError,
    TransientError,
    UnknownOutcomeError,
    UsageError,
)
from agent_runner.model.fold import Entry
from agent_runner.model.signals import HookOutput, Signal, Waiting
from agent_runner.model.usage import ReportedLimit, Usage
from agent_runner.providers.client import IN_PLACE, WORDS, CallContext, Capabilities
from tests.engine.scene import DyingDisk, PowerOut, Scene, dying_at, hooks
from tests.engine.scripted import Line, Said, ScriptedClient, replacing, showing, whole

T1 = {"id": "T1", "post_hooks": []}
GOOD = whole("a.txt", "one\n")


def scene_of(folder: Path, *script: Line, **settings: object) -> Scene:
    return Scene(folder / "p", [T1], settings, script)


def said(scene: Scene, call: int) -> list[tuple[str, str]]:
    return [(m.role, m.text) for m in scene.client.asked[call].prompt.messages]


def test_a_look_at_files_goes_on_with_the_same_conversation(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, showing("b.txt"), GOOD)
    (scene.folder / "b.txt").write_text("what b says\n")
    assert scene.run().exit_code == 0
    first, second = said(scene, 0), said(scene, 1)
    assert second[:-2] == first
    assert second[-2] == ("assistant", showing("b.txt"))
    assert second[-1][0] == "user"
    assert "what b says" in second[-1][1]
    requests = scene.client.asked
    assert [(r.call, r.attempt, r.turn, r.number) for r in requests] == [
        ("T1/call-01", 1, 1, 1),
        ("T1/call-02", 1, 2, 2),
    ]
    assert requests[0].prompt.system == requests[1].prompt.system


def test_looks_have_an_end(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, *[showing("b.txt")] * 5, prompt={"max_turns": 1})
    assert scene.run().reason == "held"
    assert len(scene.client.asked) == 1 + 3
    assert scene.record().last_error.startswith("the model went on looking")


def test_a_rejected_reply_is_corrected_within_the_attempt(tmp_path: Path) -> None:
    wrong = replacing("b.txt", "no such line\n", "x\n")
    scene = scene_of(tmp_path, wrong, replacing("b.txt", "old\n", "new\n"))
    (scene.folder / "b.txt").write_text("old\n")
    assert scene.run().exit_code == 0
    first, second = said(scene, 0), said(scene, 1)
    assert second[:-2] == first
    assert second[-2] == ("assistant", wrong)
    assert second[-1][1].startswith("Your reply could not be applied.")
    assert "b.txt" in second[-1][1]
    assert scene.record().counts.attempts == 1
    assert (scene.folder / "b.txt").read_text() == "new\n"


def test_a_look_and_then_a_rejection_keep_all_turns(tmp_path: Path) -> None:
    wrong = replacing("b.txt", "no such line\n", "x\n")
    scene = scene_of(tmp_path, showing("b.txt"), wrong, GOOD)
    (scene.folder / "b.txt").write_text("old\n")
    assert scene.run().exit_code == 0
    assert [role for role, _ in said(scene, 2)] == ["user", "assistant"] * 2 + ["user"]
    assert said(scene, 2)[:-2] == said(scene, 1)


def test_corrections_that_are_used_up_begin_a_new_attempt_with_a_new_conversation(
    tmp_path: Path,
) -> None:
    wrong = replacing("b.txt", "no such line\n", "x\n")
    scene = scene_of(tmp_path, wrong, wrong, GOOD, max_edit_retries=1)
    (scene.folder / "b.txt").write_text("old\n")
    assert scene.run().exit_code == 0
    assert [r.attempt for r in scene.client.asked] == [1, 1, 2]
    assert [role for role, _ in said(scene, 2)] == ["user"]
    assert "Nothing was applied" in said(scene, 2)[0][1]


def test_a_conversation_whose_files_are_gone_begins_anew(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, showing("b.txt"), GOOD)
    scene.watcher.react = dying_at(e.Consulted)
    assert scene.killed()
    scene.lose_answers()
    assert scene.again().exit_code == 0
    assert [role for role, _ in said(scene, 1)] == ["user"]


PROVIDERS_TROUBLE = {"cut_short", "failed"}


@pytest.mark.parametrize(
    "finish", [f for f in Finish if f not in {"complete", "refused", *PROVIDERS_TROUBLE}]
)
def test_an_unusable_answer_is_asked_for_again(tmp_path: Path, finish: Finish) -> None:
    scene = scene_of(tmp_path, AgentResponse("half", finish, detail="why"), GOOD)
    assert scene.run().exit_code == 0
    (unusable,) = scene.events(e.Unusable)
    assert unusable.reason.endswith(": why")
    assert len(scene.client.asked) == 2


@pytest.mark.parametrize("finish", [Finish.CUT, Finish.FAILED])
def test_an_answer_that_broke_off_is_the_providers_trouble(tmp_path: Path, finish: Finish) -> None:
    broken = AgentResponse("half", finish, detail="why")
    scene = scene_of(tmp_path, *[broken] * 5, GOOD)
    assert scene.run().exit_code == 0
    assert scene.events(e.Unusable) == []
    assert [event.outcome for event in scene.events(e.CallSettled)] == ["lost"] * 5 + ["answered"]
    assert scene.record().spent.possibly_billed == 5
    assert not list(scene.state_dir.rglob("call-01/response.json"))


def test_answers_that_break_off_for_ever_end_as_an_outage(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, *[AgentResponse("half", Finish.CUT)] * 9)
    stopped = scene.run()
    assert (stopped.reason, stopped.exit_code) == ("outage", 75)
    assert stopped.not_before is not None
    assert scene.states() == {"T1": "agent"}


def test_an_answer_cut_off_at_its_cap_is_asked_for_differently(tmp_path: Path) -> None:
    cut = AgentResponse("Let me think", Finish.TRUNCATED)
    scene = scene_of(tmp_path, cut, cut, cut)
    assert scene.run().reason == "held"
    first, second, third = (said(scene, n)[-1][1] for n in range(3))
    assert second.startswith(first)
    assert "cut off at 16000 output tokens" in second
    assert "SEARCH/REPLACE" in second
    assert len({first, second, third}) == 3
    assert "max_output_tokens" in scene.record().last_error


def test_a_good_answer_ends_the_note_on_a_bad_one(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, "", showing("b.txt"), GOOD)
    assert scene.run().exit_code == 0
    assert "it held no text" in said(scene, 1)[-1][1]
    assert "it held no text" not in said(scene, 2)[-1][1]


def test_an_error_text_in_place_of_an_answer_is_waited_for(tmp_path: Path) -> None:
    busy = AgentResponse("API Error: 529 Overloaded", usage=Usage(100, 10))
    scene = scene_of(tmp_path, busy, GOOD)
    assert scene.run().exit_code == 0
    failed, _answered = scene.events(e.CallSettled)
    assert (failed.outcome, failed.usage) == ("failed", Usage(100, 10))
    assert failed.not_before is not None


def test_unusable_answers_have_an_end(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, "", " \n", "", GOOD)
    assert scene.run().reason == "held"
    assert scene.record().last_error == "the answer is empty"
    assert len(scene.client.asked) == 3


def test_a_refusal_is_a_persons_to_decide(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, AgentResponse("I would rather not", Finish.REFUSED))
    assert scene.run().reason == "held"
    assert scene.record().last_error == "the model declined: I would rather not"


def test_the_usage_of_every_answer_is_counted(tmp_path: Path) -> None:
    answers = [AgentResponse(showing("b"), usage=Usage(100, 10)), AgentResponse(GOOD)]
    scene = scene_of(tmp_path, *answers, prices={"replay": {"input": 1.0, "output": 2.0}})
    scene.run()
    record = scene.record()
    assert (record.spent.usage.input, record.spent.usage.output, record.counts.calls_answered) == (
        100,
        10,
        2,
    )


STOPS: list[tuple[Exception, str, int, str]] = [
    (AuthError("wrong key", fix="set it"), "auth", 1, "set it"),
    (BudgetError("no credit"), "budget", 1, ""),
    (FatalError("no such model"), "fatal", 1, ""),
]


@pytest.mark.parametrize(("error", "reason", "code", "fix"), STOPS, ids=lambda v: str(v)[:12])
def test_what_is_no_fault_of_the_task_stops_the_run(
    tmp_path: Path, error: Exception, reason: str, code: int, fix: str
) -> None:
    scene = scene_of(tmp_path, error, GOOD)
    stopped = scene.run()
    assert (stopped.reason, stopped.exit_code, stopped.fix) == (reason, code, fix)
    assert scene.states() == {"T1": "agent"}
    assert scene.again().exit_code == 0
    assert scene.record().counts.attempts == 1


def test_a_call_that_can_never_fit_is_the_tasks_own(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, CallTooLargeError("too long"))
    assert scene.run().reason == "held"
    assert "too long" in scene.record().last_error


def test_a_throttled_call_is_sat_out_and_sent_again(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, RateLimitedError("slow down", retry_after=20), GOOD)
    began = scene.clock.at
    assert scene.run().exit_code == 0
    assert scene.clock.at - began > 20
    waits = [s for s in scene.watcher.signals if isinstance(s, Waiting)]
    assert waits
    assert waits[0].why == "slow down"
    assert scene.record().counts.attempts == 1


def test_an_outage_stops_the_run_for_later(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, *[TransientError("down")] * 6, retry={"max_tries": 3})
    stopped = scene.run()
    assert (stopped.reason, stopped.exit_code) == ("outage", 75)
    assert len(scene.client.asked) == 3
    assert stopped.not_before is not None


def test_a_long_wait_that_was_told_is_kept_over_runs(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, RateLimitedError("tomorrow", retry_after=4000), GOOD)
    first = scene.run()
    assert (first.reason, first.exit_code) == ("limit", 75)
    again = scene.again()
    assert (again.reason, again.not_before) == ("limit", first.not_before)
    assert len(scene.client.asked) == 1
    assert first.not_before is not None
    scene.clock.at = first.not_before
    assert scene.again().exit_code == 0


def test_an_impatient_person_tries_at_once(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, RateLimitedError("tomorrow", retry_after=4000), GOOD)
    scene.run()
    scene.choices = type(scene.choices)(impatient=lambda: True)
    assert scene.again().exit_code == 0


def test_a_full_limit_defers_and_then_goes_on(tmp_path: Path) -> None:
    limits = {"replay": {"max_requests_hour": 1}}
    scene = Scene(
        tmp_path / "p",
        [T1, {"id": "T2", "post_hooks": []}],
        {"rate_limits": limits},
        [GOOD, whole("b.txt", "two\n")],
    )
    stopped = scene.run()
    assert (stopped.reason, stopped.exit_code) == ("limit", 75)
    assert scene.states() == {"T1": "passed", "T2": "agent"}
    assert stopped.not_before is not None
    scene.wait = 2 * 3600.0
    assert scene.again().exit_code == 0
    assert scene.clock.at >= stopped.not_before


def test_a_call_larger_than_its_limit_is_refused(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD, rate_limits={"replay": {"max_tokens_hour": 100}})
    assert scene.run().reason == "held"
    assert scene.client.asked == []
    assert "100" in scene.record().last_error


def test_the_runs_budget_stops_the_run_and_the_tasks_the_task(tmp_path: Path) -> None:
    tasks = [T1, {"id": "T2", "post_hooks": []}]
    scene = Scene(tmp_path / "a", tasks, {"budget": {"max_calls_run": 1}}, [GOOD])
    stopped = scene.run()
    assert (stopped.reason, stopped.exit_code) == ("budget", 1)
    assert scene.states() == {"T1": "passed", "T2": "agent"}
    budget = {"max_calls_task": 1}
    scene = Scene(tmp_path / "b", [T1], {"budget": budget}, [showing("b")])
    assert scene.run().reason == "held"
    assert scene.states() == {"T1": "escalated"}


def test_an_answer_found_on_disk_is_adopted_and_never_asked_for_again(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD)
    scene.disk = DyingDisk(b'"kind":"CallSettled"', after=False)
    assert scene.killed()
    assert scene.record().call.started == "T1/call-01"
    assert scene.again().exit_code == 0
    assert len(scene.client.asked) == 1
    (settled,) = scene.events(e.CallSettled)
    assert settled.adopted
    assert scene.record().spent.possibly_billed == 0


def test_a_call_without_an_answer_on_disk_is_lost_and_said_so(tmp_path: Path) -> None:
    def die(_context: CallContext) -> str:
        raise PowerOut

    scene = scene_of(tmp_path, die, GOOD)
    assert scene.killed()
    assert scene.again().exit_code == 0
    lost, answered = scene.events(e.CallSettled)
    assert (lost.outcome, lost.caused_by_runner, answered.outcome) == ("lost", True, "answered")
    assert scene.record().spent.possibly_billed == 1
    assert "T1/call-01 may have been billed" in scene.watcher.said
    pack = scene.state_dir / "blobs/pack"
    assert pack.stat().st_size < 16_000, "the room of the lost call was given back"


def test_a_background_answer_is_fetched_after_a_crash(tmp_path: Path) -> None:
    def created(context: CallContext) -> str:
        context.created("resp_1")
        raise PowerOut

    scene = scene_of(tmp_path, created, GOOD)
    assert scene.killed()
    assert scene.record().call.response_id == "resp_1"
    assert scene.again().exit_code == 0
    assert (len(scene.client.asked), scene.client.fetched) == (1, ["resp_1"])
    assert scene.record().spent.possibly_billed == 0


@pytest.mark.parametrize("created", [False, True], ids=["plain", "background"])
def test_a_stop_while_a_call_is_in_flight(tmp_path: Path, created: bool) -> None:
    async def hanging(context: CallContext) -> str:
        if created:
            context.created("resp_1")
        scene.control.stop("quit", 130)
        await anyio.sleep_forever()
        return "never"

    scene = scene_of(tmp_path, hanging, GOOD)
    assert scene.run().exit_code == 130
    assert scene.record().spent.possibly_billed == (0 if created else 1)
    assert scene.record().call.response_id == ("resp_1" if created else None)
    assert scene.again().exit_code == 0
    assert scene.client.fetched == (["resp_1"] if created else [])


def test_a_lost_connection_counts_as_possibly_billed(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, UnknownOutcomeError("cut"), GOOD)
    assert scene.run().exit_code == 0
    assert scene.record().spent.possibly_billed == 1


def test_an_answer_whose_file_is_gone_is_asked_for_again(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD, GOOD)
    scene.watcher.react = dying_at(e.CallSettled)
    assert scene.killed()
    scene.lose_answers()
    assert scene.again().exit_code == 0
    (unusable,) = scene.events(e.Unusable)
    assert "gone" in unusable.reason


def test_no_room_for_an_answer_stops_before_anything_is_spent(tmp_path: Path) -> None:
    class Full(Disk):
        def reserve(self, descriptor: int, offset: int, size: int) -> None:
            raise OSError(28, "No space left on device")

    scene = scene_of(tmp_path, GOOD)
    scene.disk = Full()
    with pytest.raises(StorageError, match="disk is full"):
        scene.run()
    assert scene.client.asked == []
    assert scene.events(e.CallStarted) == []


def test_a_client_that_changes_files_hands_in_diffs(tmp_path: Path) -> None:
    scene = scene_of(tmp_path)
    patch = "--- /dev/null\n+++ b/n.txt\n@@ -0,0 +1 @@\n+new\n"
    scene.client = ScriptedClient([AgentResponse("done", edits=(patch,))], can=IN_PLACE)
    assert scene.run().exit_code == 0
    assert (scene.folder / "n.txt").read_text() == "new\n"


def test_clients_are_found_before_anything_is_spent_and_closed_once(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [T1, {"id": "T2", "post_hooks": []}], {}, [GOOD, GOOD])
    store = scene.open()
    wiring = scene.wired(store)
    wiring.clients.check(wiring.project.tasks.tasks)
    anyio.run(wiring.clients.aclose)
    assert scene.client.closed == 1
    store.abandon()
    scene.settings = {"provider": "openai"}
    scene.write()
    wiring = scene.wired(scene.open())
    with pytest.raises(UsageError, match="key"):
        wiring.clients.check(wiring.project.tasks.tasks)
    wiring.store.abandon()


def test_a_template_of_the_users_own_words_the_prompt(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD, template="mine.md")
    (scene.folder / "mine.md").write_text("Mine: {{ title }}\n")
    assert scene.run().exit_code == 0
    assert said(scene, 0) == [("user", "Mine: T1\n")]


def test_a_service_is_started_again_on_resume_and_outlives_a_throttled_call(
    tmp_path: Path,
) -> None:
    service = "sleep 300 > /dev/null 2>&1 & echo $! > ../pid"
    alive: list[bool] = []

    def look(_context: CallContext) -> Said:
        pid = (tmp_path / "pid").read_text().strip()
        alive.append((Path("/proc") / pid).exists())
        return TransientError("once") if len(alive) == 1 else GOOD

    def die(_context: CallContext) -> str:
        raise PowerOut

    task = {"id": "T1", "pre_hooks": ["serve"], "post_hooks": []}
    settings = {"hooks": {"serve": {"command": service, "rerun_on_resume": True}}}
    scene = Scene(tmp_path / "p", [task], settings, [die, look, look])
    try:
        assert scene.killed()
        first = (tmp_path / "pid").read_text()
        assert scene.again().exit_code == 0
        assert (tmp_path / "pid").read_text() != first
        assert alive == [True, True]
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_a_service_that_cannot_start_again_holds_the_run(tmp_path: Path) -> None:
    task = {"id": "T1", "pre_hooks": ["serve"], "post_hooks": ["judge"]}
    serve = {"command": "test ! -f ../broken", "rerun_on_resume": True}
    settings = {"hooks": {"serve": serve, **hooks(judge="touch ../broken; exit 1")}}
    scene = Scene(tmp_path / "p", [task], settings, [AuthError("no"), GOOD, AuthError("no")])
    assert scene.run().reason == "auth"
    (tmp_path / "broken").touch()
    stopped = scene.again()
    assert stopped.reason == "held"
    assert "hook serve should start a service again" in stopped.detail


def test_no_service_is_started_for_a_call_that_a_limit_still_forbids(tmp_path: Path) -> None:
    task = {"id": "T1", "pre_hooks": ["serve"], "post_hooks": []}
    serve = {"command": "echo x >> ../starts", "rerun_on_resume": True}
    settings = {"hooks": {"serve": serve}}
    scene = Scene(
        tmp_path / "p", [task], settings, [RateLimitedError("tomorrow", retry_after=4000), GOOD]
    )
    assert scene.run().reason == "limit"
    stopped = scene.again()
    assert stopped.reason == "limit"
    assert (tmp_path / "starts").read_text() == "x\n"
    assert stopped.not_before is not None
    scene.clock.at = stopped.not_before
    assert scene.again().exit_code == 0
    assert (tmp_path / "starts").read_text() == "x\nx\n"


def test_an_agent_that_changed_files_itself_begins_anew_when_it_is_corrected(
    tmp_path: Path,
) -> None:
    wrong = "--- a/b.txt\n+++ b/b.txt\n@@ -1 +1 @@\n-none\n+new\n"
    right = wrong.replace("none", "old")
    answers = [AgentResponse("did it", edits=(patch,)) for patch in (wrong, right)]
    scene = scene_of(tmp_path, *answers)
    (scene.folder / "b.txt").write_text("old\n")
    assert scene.run().exit_code == 0
    assert [role for role, _ in said(scene, 1)] == ["user"]
    assert (scene.folder / "b.txt").read_text() == "new\n"


def test_a_conversation_that_no_longer_fits_is_cut_to_the_room_there_is(tmp_path: Path) -> None:
    looks = [showing("long.txt")] * 3
    scene = scene_of(tmp_path, *looks, GOOD, prompt={"max_tokens": 3000})
    (scene.folder / "long.txt").write_text("words and more words\n" * 1500)
    assert scene.run().exit_code == 0
    sizes = [sum(len(text) for _, text in said(scene, call)) for call in range(4)]
    assert max(sizes) < 3000 * 6
    assert [role for role, _ in said(scene, 3)] == ["user", "assistant"] * 3 + ["user"]


def test_a_correction_that_does_not_fit_any_more_begins_with_a_shorter_message(
    tmp_path: Path,
) -> None:
    wrong = "Let me think. " * 300 + replacing("b.txt", "no such line\n", "x\n")
    task = {"id": "T1", "post_hooks": [], "files": ["b.txt"]}
    scene = Scene(tmp_path / "p", [task], {"prompt": {"max_tokens": 4000}}, [wrong, wrong, GOOD])
    (scene.folder / "b.txt").write_text("old lines\n" * 1000)
    assert scene.run().exit_code == 0
    assert said(scene, 1)[0] != said(scene, 0)[0], "there is less room for the files"
    assert [role for role, _ in said(scene, 2)] == ["user", "assistant"] * 2 + ["user"]


def test_a_kept_answer_waits_for_the_right_key(tmp_path: Path) -> None:
    def created(context: CallContext) -> str:
        context.created("resp_1")
        raise PowerOut

    scene = scene_of(tmp_path, created, AuthError("wrong key"), GOOD)
    assert scene.killed()
    assert scene.again().reason == "auth"
    assert scene.record().call.response_id == "resp_1"
    assert scene.again().exit_code == 0
    assert (len(scene.client.asked), scene.client.fetched) == (1, ["resp_1", "resp_1"])


def test_a_service_that_cannot_start_again_breaks_the_judging(tmp_path: Path) -> None:
    task = {"id": "T1", "pre_hooks": ["serve"], "post_hooks": ["judge"]}
    serve = {"command": "test ! -f ../broken", "rerun_on_resume": True}
    judge = "touch ../broken; echo now; test -f ../go || sleep 60"
    settings = {"hooks": {"serve": serve, **hooks(judge=judge)}}
    scene = Scene(tmp_path / "p", [task], settings, [GOOD])

    def react(seen: Entry | Signal) -> None:
        if isinstance(seen, HookOutput):
            scene.control.stop("quit", 130)

    scene.watcher.react = react
    assert scene.run().exit_code == 130
    assert scene.again().reason == "held"
    (broken,) = scene.events(e.HookBroken)
    assert broken.hook == "serve"


async def yes(_command: str) -> bool:
    return True


@pytest.mark.parametrize("can", [WORDS, IN_PLACE], ids=["words", "in place"])
@pytest.mark.parametrize("ask", [None, yes], ids=["alone", "with a person"])
def test_the_prompt_that_is_shown_beforehand_is_the_one_that_is_sent(
    tmp_path: Path, can: Capabilities, ask: Ask | None
) -> None:
    scene = scene_of(tmp_path)
    words = AgentResponse("NO CHANGE NEEDED: it is fine", edits=())
    script: list[Line] = [words] if can is IN_PLACE else [showing("b.txt"), words]
    scene.client = ScriptedClient(script, can=can)
    scene.choices = Choices(ask=ask)
    shown: list[Prompt] = []

    def look(seen: Entry | Signal) -> None:
        if isinstance(seen, Entry) and isinstance(seen.event, e.PreHooksPassed | e.Consulted):
            state = scene.state
            parts = CallWiring(
                scene.project, scene.clock, lambda: state.spending, can_ask=ask is not None
            )
            parts.make_client = lambda profile, clock: scene.client  # a factory
            question = parts.next_question(scene.project.tasks["T1"], scene.record())
            shown.append(question.request.prompt)

    scene.watcher.react = look
    scene.run()
    assert shown == [request.prompt for request in scene.client.asked]
    assert ("sh run" in shown[0].system) == (ask is not None and can is WORDS)


@pytest.mark.parametrize(("left", "waits"), [(600, False), (3, True)])
def test_what_the_cache_has_is_not_waited_for(tmp_path: Path, left: int, *, waits: bool) -> None:
    """A limit on input leaves out what was sent before: all but the newest turns."""
    scene = scene_of(tmp_path, GOOD)
    start = scene.clock.at
    limit = ReportedLimit("input-tokens", start, 9000, left, resets_at=start + 200)
    scene.client = ScriptedClient([AgentResponse(showing("b.txt"), limits=(limit,)), GOOD])
    (scene.folder / "b.txt").write_text("old\n")
    assert scene.run().exit_code == 0
    assert Ruler().prompt(scene.client.asked[1].prompt) > 600
    assert (scene.clock.at >= start + 200) is waits
