"""Every event in words, on a screen and in the history that `why` shows."""

import re

import attrs
import pytest
from attrs import frozen

from agent_runner.ground.clock import local
from agent_runner.model import events as e
from agent_runner.model.changes import ABSENT, ChangeSet, FileChange
from agent_runner.model.hooks import HookOutcome, HookResult, Phase
from agent_runner.model.states import TaskState as S
from agent_runner.model.usage import Usage
from agent_runner.store.codec import KINDS
from agent_runner.ui.event_lines import WITHOUT_A_LINE, LogLine, Tone, line_of
from agent_runner.ui.narration import screen_lines, why_lines
from tests.ui.scenario import PYTEST, START, Script, result, whole_run

PLANNED = ChangeSet("c", (FileChange("a.py", ABSENT, ABSENT),))

LINES: list[tuple[e.Event, str]] = [
    (e.BaselineTaken(green=True), "baseline: the post-hooks are green before the first call"),
    (
        e.BaselineTaken(green=False, failing=("a", "b")),
        "baseline: the post-hooks are red before the first call, 2 failing",
    ),
    (e.CallStarted("c", 2, 3, 4, "local", ""), "attempt 2, turn 3: asked local"),
    (
        e.CallSettled("c", "throttled", reason="slow down", not_before=1_800_000_000.0),
        "attempt 0: throttled: slow down; next try 20",
    ),
    (e.CallSettled("c", "lost", reason="reset"), "attempt 0: no answer (possibly billed): reset"),
    (e.CallSettled("c", "refused", reason="401"), "attempt 0: refused by the provider: 401"),
    (
        e.CallSettled("c", "answered", usage=Usage(2000, 10, cached=1500, estimated=True)),
        "attempt 0: answered: about 2.0k tokens in, 10 out, 1.5k cached",
    ),
    (e.CallSettled("c", "answered", adopted=True), "attempt 0: answer found on disk"),
    (e.Consulted("c", ("a.py", "b.py")), "the agent asked to see a.py, b.py"),
    (e.Unusable("c", "cut short"), "the answer was unusable: cut short"),
    (
        e.Deferred("claude", "tokens_hour", 1_800_000_000.0, "100000 used"),
        "limit reached, claude: tokens_hour (100000 used); no call before 20",
    ),
    (
        e.Deferred("claude", "", 1_800_000_000.0, "come back later", from_provider=True),
        "limit reached, claude: come back later; no call before 20",
    ),
    (e.Deferred("claude", "", 1_800_000_000.0), "limit reached, claude; no call before 20"),
    (
        e.SetAside("claude", "openai", "529", 1_800_000_000.0, "outage"),
        "claude is set aside until 20",
    ),
    (e.Applied(), "attempt 0: changed nothing"),
    (e.Applied(("a",), summary="1 file, +3 -1"), "attempt 0: changed a (1 file, +3 -1)"),
    (e.CommandStarted("npm i", 1), "ran proposed command 1: npm i"),
    (
        e.CommandFinished(1, result("npm i", 1)),
        "proposed command 1: failed, exit 1, 2.1s",
    ),
    (e.Committed("abcdef123", ("a", "b")), "committed 2 files as abcdef1"),
    (
        e.NotCommitted(("a", "b"), "lint:\nbad style"),
        "not committed (2 files), nothing is lost: lint: bad style",
    ),
    (e.NotCommitted(), "what it changed stays uncommitted"),
    (e.RollbackPlanned(PLANNED, "skipped"), "rolled back 1 file: skipped"),
    (e.Undone(("a.py",)), "undone by a person: a.py"),
    (e.Undone(("a.py",), PLANNED, reason="taken back first"), "taken back first: a.py"),
    (e.TakenBack(PLANNED), "undone by a person: a.py"),
    (e.PutBack(PLANNED), "put back a.py"),
    (e.Retried("try b"), "a person asked for another try, with the hint: try b"),
    (e.Checked(), "a person asked to check the files as they are"),
    (e.Skipped("skipped by a key"), "skipped by a key"),
    (e.Skipped("too hard"), "skipped: too hard"),
    (e.Reset(), "reset"),
    (e.Aborted(), "a person aborted the run"),
]


def lines_of(event: e.Event, to: S | None = None) -> tuple[LogLine, ...]:
    script = Script()
    script.add("T1", event, to)
    return screen_lines(script.entries[-1], script.record("T1"))


@pytest.mark.parametrize(("event", "text"), LINES, ids=lambda v: type(v).__name__)
def test_what_happened_in_a_line(event: e.Event, text: str) -> None:
    assert lines_of(event)[0].text.startswith(text)


def example(kind: type[e.Event]) -> e.Event:
    """An event of this kind with something in each field that needs a value."""
    values: dict[str, object] = {
        **{name: name for name in ("hook", "reason", "call", "path", "problems", "step", "run")},
        **{name: name for name in ("provider", "window", "model", "instead", "cause", "command")},
        **{name: name for name in ("version", "list_id", "response_id", "commit")},
        "outcome": "answered",
        "phase": Phase.POST,
        "green": True,
        "result": result("tests"),
        "change_set": "c1" if kind is e.RollbackDone else PLANNED,
    }
    needed = (a.name for a in attrs.fields(kind) if a.default is attrs.NOTHING)
    return kind(**{name: values.get(name, 3) for name in needed})


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.__name__)
def test_every_event_has_a_line_or_a_reason_to_have_none(kind: type[e.Event]) -> None:
    line = line_of(example(kind), Script().record("T1"))
    assert (kind in line_of.registry) != (kind in WITHOUT_A_LINE)
    assert (line is None) == (kind in WITHOUT_A_LINE)
    if line is not None:
        assert line.text not in {"", kind.__name__}
        assert line.text.isprintable()
        assert not line.text.endswith(".")


MOVES = [kind for kind in KINDS.values() if issubclass(kind, e.TaskEvent) and kind is not e.Started]


@pytest.mark.parametrize("kind", MOVES, ids=lambda kind: kind.__name__)
def test_whatever_escalates_a_task_it_says_that_a_person_is_needed(kind: type[e.Event]) -> None:
    script = Script()
    script.add("T1", e.Started(), S.PRE_HOOKS)
    script.add("T1", example(kind), S.ESCALATED)
    lines = screen_lines(script.entries[-1], script.record("T1"))
    assert [x.text for x in lines].count("failed, needs a person") == 1, "why, the summary says"
    assert any("failed, needs a person: " in text for text in why_lines("T1", "", script.entries))


def test_what_was_left_out_of_a_commit_is_a_warning() -> None:
    (line,) = lines_of(e.Committed("abcdef123", ("a",), ("mine.py",)))
    assert line.text.endswith("(changed before the task began, or ignored by git): mine.py")
    assert line.tone is Tone.WARN


def test_a_rejected_reply_that_is_asked_again_says_so() -> None:
    assert lines_of(e.Rejected("not found\nmore"), S.AGENT) == (
        LogLine("the reply could not be applied: not found; asking again", Tone.WARN),
    )


def test_a_red_check_of_a_person_is_no_attempt_of_the_agent() -> None:
    script = Script()
    script.add("T1", e.Checked(), S.POST_HOOKS)
    script.add("T1", e.PostHooksFailed("tests", "red"), S.ESCALATED)
    line, *_ = screen_lines(script.entries[-1], script.record("T1"))
    assert line == LogLine("check failed: tests is red", Tone.WARN)


def test_a_red_hook_has_its_decisive_lines_under_it() -> None:
    (line,) = lines_of(e.HookFinished(Phase.POST, 1, result("tests", 1, excerpt=PYTEST)))
    assert line.text == "post-hook tests: failed, exit 1, 2.1s"
    assert line.details[-1] == "1 failed, 1 passed in 0.03s"


def test_a_flaky_hook_stands_out() -> None:
    flaky = HookResult("tests", HookOutcome.PASSED, 0, 1.0, flaky=1)
    (line,) = lines_of(e.HookFinished(Phase.POST, 1, flaky))
    assert line.tone is Tone.WARN
    assert "flaky" in line.text


def test_passing_without_a_judge_is_no_good_news() -> None:
    first, cost = lines_of(e.PostHooksPassed(), S.PASSED)
    assert first == LogLine("passed (unchecked): no hook judged it", Tone.WARN)
    assert cost.text.startswith("0 attempts, 0 calls, 0 tokens")


def test_already_green_is_good_news() -> None:
    first, _ = lines_of(e.AlreadyGreen("aaaa1111bbbb"), S.PASSED)
    assert first == LogLine("passed: already green, no call made; judged tree aaaa111", Tone.GOOD)


def test_screens_mark_a_start_and_the_run_in_their_own_way() -> None:
    script = Script()
    script.add("", e.RunStarted("r", 1, "0", "l"))
    script.add("T1", e.Started(), S.PRE_HOOKS)
    run, started = script.entries
    assert screen_lines(run, None) == ()
    assert screen_lines(started, script.record("T1")) == ()


def test_the_history_of_a_task_that_passed() -> None:
    script = whole_run()
    script.add("T1", e.Committed("9f8e7d6c5b", ("slug/text.py",)))
    lines = list(why_lines("T1", "Make slugs", script.entries))
    day, started, *_ = lines
    date, _, zone = local(START, seconds=True).split()
    assert day == f"{date} ({zone})"
    assert re.fullmatch(r"\d\d:\d\d:\d\d  started", started)
    paragraphs = "\n".join(lines).split("\n\n")
    assert "  pre-hook test-env: passed, exit 0, 1.2s" in paragraphs[0]
    assert re.match(r"\S+  attempt 1: asked claude \(claude-sonnet-5-5\)\n", paragraphs[1])
    assert "  attempt 1: changed slug/text.py (1 file)\n" in paragraphs[1]
    assert "\n          | 1 failed, 1 passed in 0.03s\n" in paragraphs[1]
    assert paragraphs[1].endswith("  attempt 1 failed: unit-tests is red; asking again")
    assert re.match(r"\S+  attempt 2: asked", paragraphs[2])
    assert paragraphs[2].endswith("  committed 1 file as 9f8e7d6")
    assert lines[-1] == (
        "T1 (Make slugs) has passed. It took 2 attempts, 1 failure, 2 calls, 3.2k tokens, "
        "$0.0176, 17s."
    )


def test_the_history_of_a_task_that_git_did_not_commit() -> None:
    script = whole_run()
    script.add("T1", e.NotCommitted(("a.py",), "lint: bad style"), S.PASSED)
    last = list(why_lines("T1", "", script.entries))[-1]
    assert last.startswith("T1 has passed, but git did not take all that it changed. It took ")


def test_decisions_stops_and_crashes_are_part_of_the_history() -> None:
    script = whole_run()
    run = e.RunStarted("r2", 1, "0.1.0", "tasks")
    script.add("T3", e.Retried("use a dash", 1), S.AGENT)
    script.add("", run)
    script.add("", e.RunStopped("r2", "interrupted", 130))
    script.add("", run)
    script.add("", run)
    script.add("T3", e.Skipped("skipped by a key"), S.SKIPPED)
    lines = [re.sub(r"^[\d:]{8}", "", text) for text in why_lines("T3", "", script.entries)]
    at = lines.index("  a person asked for another try, with the hint: use a dash")
    assert lines[at - 1 :] == [
        "",
        "  a person asked for another try, with the hint: use a dash",
        "",
        "  a new run continued with step agent",
        "  the run stopped: interrupted",
        "",
        "  a new run continued with step agent",
        "",
        "  a new run continued with step agent",
        "          | the run before it ended uncleanly",
        "",
        "  skipped by a key",
        "",
        lines[-1],
    ]
    assert lines[-1].startswith("T3 was skipped. It took 2 attempts")


def test_each_day_of_a_history_has_its_date() -> None:
    script = Script()
    script.add("T1", e.Started(), S.PRE_HOOKS)
    script.add("T1", e.PreHooksPassed(), S.AGENT)
    script.add("T1", e.Refused("no"), S.ESCALATED, after=90_000)
    first, _, blank, second, *_ = why_lines("T1", "", script.entries)
    assert (first[:10], blank) == (local(START)[:10], "")
    assert second[:10] == local(START + 90_000)[:10]


def test_an_untouched_task_has_a_short_history() -> None:
    assert list(why_lines("T9", "New", whole_run().entries)) == [
        "T9 (New) is pending; nothing has happened yet."
    ]


@frozen
class Unforeseen(e.Fact):
    """A kind of event that nobody has given a line."""


def test_an_event_without_a_line_of_its_own_is_not_silent() -> None:
    line = line_of(Unforeseen(), Script().record("T1"))
    assert line == LogLine("Unforeseen", Tone.DIM)
