"""Entries as lines for people."""

import pytest

from agent_runner.model import events as e
from agent_runner.model.changes import ABSENT, ChangeSet, FileChange
from agent_runner.model.hooks import HookOutcome, HookResult, Phase
from agent_runner.model.states import TaskState as S
from agent_runner.model.usage import Usage
from agent_runner.ui.narration import Line, Tone, narrate
from tests.ui.scenario import Teller, result

PLANNED = ChangeSet("c", (FileChange("a.py", ABSENT, ABSENT),))

TOLD: list[tuple[e.Event, str]] = [
    (e.BaselineTaken(green=True), "before the first call: checks are green"),
    (
        e.BaselineTaken(green=False, failing=("a", "b")),
        "before the first call: checks are already red, 2 failing",
    ),
    (e.CallStarted("c", 2, 3, 4, "local", ""), "attempt 2, turn 3: asking local"),
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
    (e.Consulted("c", ("a.py", "b.py")), "the agent looks at a.py, b.py"),
    (e.Unusable("c", "cut short"), "no usable answer: cut short"),
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
    (e.CommandStarted("npm i", 1), "running the proposed command: npm i"),
    (
        e.CommandFinished(1, result("npm i", 1)),
        "proposed command 1: failed, exit 1, 2.1s",
    ),
    (e.Committed("abcdef123", ("a", "b")), "committed 2 files as abcdef1"),
    (e.RollbackPlanned(PLANNED, "skipped"), "taking back 1 file: skipped"),
    (e.Undone(("a.py",)), "taken back by you: a.py"),
    (e.Retried("try b"), "you decided: retry, with the hint: try b"),
    (e.Checked(), "you changed the files: judging them without a call"),
    (e.Skipped("by a key"), "skipped: by a key"),
    (e.Reset(), "starts from nothing again"),
    (e.Aborted(), "you decided: abort the run"),
]


def lines_of(event: e.Event, to: S | None = None) -> tuple[Line, ...]:
    teller = Teller()
    teller.tell("T1", event, to)
    return narrate(teller.entries[-1], teller.record("T1"))


@pytest.mark.parametrize(("event", "text"), TOLD, ids=lambda v: type(v).__name__)
def test_what_happened_in_a_line(event: e.Event, text: str) -> None:
    assert lines_of(event)[0].text.startswith(text)


def test_what_was_left_out_of_a_commit_is_a_warning() -> None:
    _, left = lines_of(e.Committed("abcdef123", ("a",), ("mine.py",)))
    assert left == Line("left out, you had modified them before: mine.py", Tone.WARN)


def test_a_rejected_reply_that_is_asked_again_says_so() -> None:
    assert lines_of(e.Rejected("not found\nmore"), S.AGENT) == (
        Line("the reply does not apply: not found; asking again", Tone.WARN),
    )


def test_a_flaky_hook_is_told_apart() -> None:
    flaky = HookResult("tests", HookOutcome.PASSED, 0, 1.0, flaky=1)
    (line,) = lines_of(e.HookFinished(Phase.POST, 1, flaky))
    assert line.tone is Tone.WARN
    assert "flaky" in line.text


def test_passing_without_a_judge_is_no_good_news() -> None:
    first, cost = lines_of(e.PostHooksPassed(), S.PASSED)
    assert first == Line("passed (unchecked): no hook judged it", Tone.WARN)
    assert cost.text.startswith("0 attempts, 0 calls, 0 tokens")


def test_already_green_is_good_news() -> None:
    first, _ = lines_of(e.AlreadyGreen("aaaa1111bbbb"), S.PASSED)
    assert first == Line("passed: already green, no call made; saw tree aaaa111", Tone.GOOD)


def test_the_runs_own_entries_have_no_line_here() -> None:
    teller = Teller()
    teller.tell("", e.RunStarted("r", 1, "0", "l"))
    assert narrate(teller.entries[0], None) == ()
