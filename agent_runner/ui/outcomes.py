"""How hooks, replies and changes turned out, in phrases that several screens and lines share."""

import re
from collections.abc import Iterable

from agent_runner.ground.clock import local
from agent_runner.model import events as e
from agent_runner.model.hooks import HookOutcome, HookResult, Phase
from agent_runner.model.record import TaskRecord
from agent_runner.model.standing import Proof, Standing
from agent_runner.model.states import TaskState
from agent_runner.ui.words import clean, duration, first_line, listed, plural, short, some


def hook_title(phase: Phase, hook: str, state: TaskState) -> str:
    """`pre-hook env`, `post-hook tests`, or `baseline tests` for a post-hook before the work."""
    if phase is Phase.AS_BEFORE:
        return f"with the tests of before, post-hook {hook}"
    baseline = phase is Phase.POST and state is TaskState.PRE_HOOKS
    return f"{'baseline' if baseline else f'{phase.value}-hook'} {hook}"


def outcome_words(result: HookResult) -> str:
    """How a hook ended: `passed, exit 0, 2.1s` or `failed, exit 1, 2.1s; 2 failing: a, b`."""
    verdict = {
        HookOutcome.TIMED_OUT: "timed out",
        HookOutcome.BROKEN: "could not start",
        HookOutcome.ALLOWED: "failed (allowed)",
        HookOutcome.SKIPPED: "not needed",
    }.get(result.outcome, result.outcome.value)
    if result.outcome is HookOutcome.SKIPPED:
        return verdict
    facts = [verdict]
    if result.exit_code is not None:
        facts.append(exit_words(result.exit_code))
    facts.append(duration(result.seconds))
    if result.flaky:
        facts.append(f"flaky: failed {plural(result.flaky, 'time')} first")
    ended = ", ".join(facts)
    if result.failing:
        return f"{ended}; {len(result.failing)} failing: {some(result.failing)}"
    return ended


def decisive(excerpt: str, most: int = 6) -> tuple[str, ...]:
    """The lines of a hook's output that say what is wrong, in their order and each once.

    At most `most`: those that name an error, or the last ones where none does.
    """
    lines = [_unframed(clean(line)) for line in excerpt.split("\n")]
    lines = [x for x in dict.fromkeys(lines) if x.strip() and not _OUR_OWN.fullmatch(x)]
    errors = [line for line in lines if _NAMES_AN_ERROR.search(line)]
    if len(errors) <= most:
        return tuple(errors or lines[-most:])
    first = (most + 1) // 2  # the first errors cause the rest; the last lines sum them up
    return (*errors[:first], *errors[len(errors) - (most - first) :])


def proof_line(record: TaskRecord | Standing) -> str:
    """Why a passed task counts as done: the hooks that judged it, and which tree and commit."""
    proof, why = record.judgement.proof, first_line(record.change.no_change)
    said = f"; the model says: {why}" if why else ""
    if record.judgement.nothing_changed:
        return f"passed (nothing changed): {judged(proof) or 'no hook judged it'}{said}"
    if not record.judgement.checked_by_hook:
        return "passed (unchecked): no hook judged it"
    by = f"passed: {judged(proof)}" if proof else "passed: already green, no call made"
    digests = (("tree", record.judgement.tree), ("commit", record.change.commit))
    what = ", ".join(f"{name} {short(digest)}" for name, digest in digests if digest)
    before = record.judgement.as_before
    by += f"; {first_line(before.summary)}" if before else ""
    return f"{by}; judged {what}" if what else by


def judged(proof: Iterable[e.Judged | Proof]) -> str:
    """The hooks that judged a task: `unit-tests exit 0 in 2.1s, lint exit 0 in 0.3s`."""
    return ", ".join(
        f"{one.hook} {exit_words(one.exit_code)} in {duration(one.seconds)}" for one in proof
    )


def exit_words(code: int | None) -> str:
    """`exit 1`, `signal 9`, `no exit code`."""
    if code is None:
        return "no exit code"
    return f"signal {-code}" if code < 0 else f"exit {code}"


def changed(event: e.Applied) -> str:
    """`changed a.py, b.py (2 files, +10 -2)`: which files, then the step's own summary."""
    if event.no_change:
        return f"changed nothing, as nothing has to be changed: {first_line(event.no_change)}"
    if not event.paths:
        return "changed nothing"
    size = clean(event.summary) or plural(len(event.paths), "file")
    return f"changed {listed(event.paths)} ({size})"


def not_applied(event: e.Rejected) -> str:
    """`the reply could not be applied: no match in a.py`."""
    reason = event.summary or event.problems
    if event.reason == e.NO_CHANGE:
        return first_line(reason)
    return f"the reply could not be applied: {first_line(reason)}"


def set_aside_words(event: e.SetAside) -> str:
    """`claude is set aside until TIME, openai is asked instead: overloaded`."""
    until = local(event.until, seconds=True)
    instead = f"{event.instead} is asked instead" if event.instead else "no fallback is available"
    return f"{event.provider} is set aside until {until}, {instead}: {clean(event.reason)}"


_NAMES_AN_ERROR = re.compile(
    r"^E\s{2,}\S"  # pytest's own marks
    r"|^(FAILED|ERROR)\s"
    r"|\b[A-Z]\w*(Error|Exception)\b:"
    r"|\b(error|fatal|panic|failed|failure|assert\w*)\b",
    re.IGNORECASE,
)

_OUR_OWN = re.compile(r"\[exit code -?\d+[^]]*\]")
"""What the hook runner writes under an output; the line on the hook has said it already."""


def _unframed(line: str) -> str:
    """`==== 1 failed in 0.03s ====` without its frame."""
    return line.strip("= ") if line.startswith("===") else line.rstrip()
