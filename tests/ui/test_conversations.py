"""How far a conversation has come: on the live line, in each attempt, in what was used."""

from pathlib import Path

from agent_runner.app.forecast import forecast, plan_object
from agent_runner.limits.report import By, usage_rows
from agent_runner.model import events as e, signals as s
from agent_runner.model.agent import AgentResponse
from agent_runner.model.fold import Entry
from agent_runner.model.looks import Look
from agent_runner.model.spending import Spending
from agent_runner.model.states import TaskState
from agent_runner.model.usage import Usage
from agent_runner.store.store import read_state
from agent_runner.ui.activity import Activity
from agent_runner.ui.attempts import history
from agent_runner.ui.tables import usage_table
from tests.engine.scene import Scene
from tests.support.clocks import FakeClock

READING = Look("read_file", "src/a.py 1-400", "400 of 912 lines", 9000)
SEARCH = Look("search", '"def main"', "3 matches in 2 files", 300)


def started(turn: int) -> e.CallStarted:
    return e.CallStarted(f"T1/call-{turn:02}", 1, turn, turn, "claude", "m", 100, 10)


def entries(*events: e.Event) -> list[Entry]:
    return [Entry(seq=n, at=1.0, task="T1", event=event) for n, event in enumerate(events, 1)]


def test_the_live_line_says_turn_looks_and_what_was_looked_at_last() -> None:
    activity = Activity(FakeClock())

    def line(*events: e.Event) -> str:
        for entry in entries(*events):
            activity.entry(entry, None)
        return activity.now(TaskState.AGENT)[0]

    assert line(started(1)) == "asking claude"
    assert line(e.Consulted("T1/call-01", (), (SEARCH, READING))) == (
        'search "def main": 3 matches in 2 files; reading src/a.py 1-400'
    )
    assert line(started(2)) == (
        'asking claude, turn 2, 2 looks: search "def main": 3 matches in 2 files;'
        " reading src/a.py 1-400"
    )
    activity.signal(s.Receiving("T1", "T1/call-02", 120))
    assert activity.now(TaskState.AGENT)[0].startswith("receiving 120 tokens, turn 2, 2 looks: ")
    line(e.Consulted("T1/call-02", ("a.txt",)))
    assert line(started(3)) == "asking claude, turn 3, 3 looks: reading a.txt"
    assert line(started(1)) == "asking claude", "the next attempt begins anew"


def test_an_attempt_says_its_looks_and_what_came_from_the_cache() -> None:
    used = Usage(10_000, 200, cached=8_200)
    past = history(
        "T1",
        entries(
            started(1),
            e.CallSettled("T1/call-01", "answered", "claude", usage=Usage(2_000, 100)),
            e.Consulted("T1/call-01", (), (SEARCH, READING)),
            started(2),
            e.CallSettled("T1/call-02", "answered", "claude", usage=used, cost=0.12),
        ),
    )
    assert past.attempts[0].line == (
        "attempt 1: changed nothing; not judged"
        " (2 calls, 2 looks, 12.3k tokens (68% of the input cached), $0.12)"
    )


def test_usage_shows_the_share_that_was_cached() -> None:
    spending = Spending()
    spending.take(1.0, "T1", started(1))
    spending.take(
        1.0, "T1", e.CallSettled("T1/call-01", "answered", "claude", Usage(1000, 5, cached=850))
    )
    (row,) = usage_rows(spending, By.TASK)
    assert row.cached_share == 0.85
    (cells,) = usage_table("task", [row]).rows
    assert "850 (85%)" in cells


def test_a_task_with_tools_is_expected_to_take_eight_turns_until_one_has_shown(
    tmp_path: Path,
) -> None:
    served = {"protocol": "chat", "base_url": "http://127.0.0.1:9/v1", "model": "m"}
    tasks = [{"id": f"T{n}", "post_hooks": []} for n in range(3)]
    settings = {"provider": "mine", "providers": {"mine": served}}
    scene = Scene(tmp_path / "p", tasks, settings, [AgentResponse("NO CHANGE NEEDED: x")] * 9)

    def ahead() -> tuple[str, dict[str, object]]:
        told = forecast(scene.project, read_state(scene.state_dir)[0], scene.clock)
        return told.expected, plan_object(told)

    text, plain = ahead()
    assert text.startswith("Expected: 24 calls (about 8 turns a task, a guess), ")
    assert (plain["turns_a_task"], plain["turns_known"], plain["calls"]) == (8, False, 24)
    scene.settings = {**settings, "budget": {"max_calls_run": 1}, "nothing_changed": "pass"}
    scene.write()
    scene.run()
    assert scene.states()["T0"] == "passed"
    text, plain = ahead()
    assert text.startswith("Expected: 2 calls, ")
    assert (plain["turns_a_task"], plain["turns_known"]) == (1, True)
