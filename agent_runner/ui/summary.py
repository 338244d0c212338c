"""What a person is shown when a task needs one: why, what was tried, the logs, what to type."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from agent_runner.ground.invocation import PLACEHOLDER, Invocation
from agent_runner.model import events as e
from agent_runner.model.flow import attempts_used_up, reason_to_ask
from agent_runner.model.fold import Entry
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import Settings
from agent_runner.ui import words
from agent_runner.ui.attempts import History, HookFailure, history
from agent_runner.ui.outcomes import decisive, outcome_words


def findings(
    record: TaskRecord, entries: Iterable[Entry], settings: Settings, state_dir: Path
) -> tuple[str, ...]:
    """The task's last failures and attempts, where the logs are, and why it needs a person.

    Ready lines of text, without the commands. The reason comes last: it stands right above the
    question or the commands, wherever the rest has scrolled to. `settings` are those that hold for
    the task: its guards have decided by them.
    """
    past = history(record.id, entries)
    lines: list[str] = []
    most = settings.summary_failures
    shown = past.failures[-most:]
    if shown:
        lines += [_heading("failure", len(shown), len(past.failures))]
        lines += [*(line for failure in shown for line in _failure_lines(failure)), ""]
    tried = past.attempts[-most:]
    if tried:
        lines += [_heading("attempt", len(tried), len(past.attempts))]
        lines += [*(f"  {attempt.line}" for attempt in tried), ""]
    lines += [*_logs(record.id, past, state_dir), "", *_evidence(record, past)]
    return (*lines, f"{record.id} needs a person: {why(record, past, settings)}")


def commands(record: TaskRecord, invocation: Invocation) -> tuple[str, ...]:
    """What can be typed, each explained."""
    task_id = record.id
    check = "run the post-hooks on the files as they are, without a call"
    if record.may_be_passed:
        check = "pass it as it is, if the post-hooks pass"
    explained = {
        ("retry", task_id, "--hint", PLACEHOLDER): "try once more; the prompt has the hint",
        ("check", task_id): check,
        ("skip", task_id): "leave it; tasks that depend on it stay pending",
        ("reset", task_id): "forget its attempts and start over; files stay as they are",
        ("resume",): "then continue the run",
    }
    typed = {invocation.command(*parts): text for parts, text in explained.items()}
    width = max(map(len, typed))
    return (
        "Type one of these:",
        *(f"  {command.ljust(width)}  {text}" for command, text in typed.items()),
    )


def why(record: TaskRecord, past: History, settings: Settings) -> str:
    """The rule by which the task was given to a person, in a few words."""
    event = past.escalated
    match event:
        case e.PostHooksFailed():
            rule = reason_to_ask(record, settings) or attempts_used_up(record)
        case e.Rejected(reason=e.NO_CHANGE):
            rule = words.first_line(event.summary or event.problems)
        case e.Rejected():
            reason = words.first_line(event.summary or event.problems)
            rule = f"the last reply could not be applied, and {attempts_used_up(record)}: {reason}"
        case e.Unusable():
            replies = record.counts.unusable_replies
            last = "last reply was" if replies == 1 else f"last {replies} replies were"
            rule = f"the {last} unusable"
        case e.PreHooksFailed():
            rule = f"pre-hook {event.hook} failed; the agent was not asked"
        case e.HookBroken():
            rule = f"hook {event.hook} could not start; that is the setup's fault, not the agent's"
        case e.Conflicted():
            rule = f"{words.clean(event.path)} was changed by somebody else; nothing was touched"
        case e.OutOfTime():
            rule = f"its {event.minutes:g} minutes were over, and step {event.step} was stopped"
        case e.Refused():
            rule = "the request was refused"
        case _:
            rule = words.clean(record.last_error) or "it was stopped"
    return rule


def _evidence(record: TaskRecord, past: History) -> Iterator[str]:
    """The facts under the rule: what was compared, and what was red before any change."""
    event = past.escalated
    if isinstance(event, e.PostHooksFailed) and record.counts.no_progress:
        if event.unchanged:
            yield "evidence: no file differs from before the attempt"
        elif event.tree and record.judgement.failed_trees.count(event.tree) > 1:
            yield f"evidence: tree {words.short(event.tree)} had failed before"
        elif event.fingerprint:
            same = words.short(event.fingerprint)
            yield f"evidence: it failed as before, apart from times and the like ({same})"
    by_tests_of_before = record.judgement.as_before
    if isinstance(event, e.PostHooksPassed) and by_tests_of_before is not None:
        for line in decisive(by_tests_of_before.reason):
            yield f"with the tests of before | {line}"
    if isinstance(event, (e.Unusable, e.Refused, e.Conflicted, e.HookBroken, e.PreHooksFailed)):
        yield f"evidence: {words.first_line(event.reason)}"
    baseline = record.judgement.baseline
    if baseline is not None:
        before = "green" if baseline.green else "already red"
        names = f": {words.some(baseline.failing)}" if baseline.failing else ""
        yield f"before the first call the post-hooks were {before}{names}"
    if record.spent.possibly_billed:
        calls = words.plural(record.spent.possibly_billed, "call")
        yield f"{calls} without an answer may have been billed"


def _heading(word: str, shown: int, there_are: int) -> str:
    if shown == there_are:
        return f"{words.plural(there_are, word).capitalize()}:"
    return f"Last {shown} of {words.plural(there_are, word)}:"


def _failure_lines(failure: HookFailure) -> Iterator[str]:
    when = f"after attempt {failure.attempt}" if failure.attempt else "before the first attempt"
    name = f"{failure.phase}-hook {failure.hook}"
    if failure.result is None:
        yield f"  {when}, {name}: {words.first_line(failure.reason)}"
        return
    yield f"  {when}, {name}: {outcome_words(failure.result)}"
    for line in decisive(failure.result.excerpt):
        yield f"    | {line}"


def _logs(task_id: str, past: History, state_dir: Path) -> Iterator[str]:
    folder = state_dir / "logs" / task_id
    yield f"Logs: {folder}/"
    last = next((f.result for f in reversed(past.failures) if f.result and f.result.length), None)
    if last is not None:
        where = state_dir / last.log
        yield f"  the last failure in full: {where} from byte {last.offset}, {last.length} bytes"
    if past.attempts:
        number = past.attempts[-1].number
        yield f"  the last attempt's prompt, reply and changes: {folder}/attempt-{number:02}/"
