"""The few lines of a hook's output that say what is wrong, instead of a wall."""

import re

from agent_runner.model.hooks import HookOutcome, HookResult
from agent_runner.ui import words

_TELLING = re.compile(
    r"^E\s{2,}\S"  # pytest's own marks
    r"|^(FAILED|ERROR)\s"
    r"|\b[A-Z]\w*(Error|Exception)\b:"
    r"|\b(error|fatal|panic|failed|failure|assert\w*)\b",
    re.IGNORECASE,
)

_OUR_OWN = re.compile(r"\[exit code -?\d+[^]]*\]")
"""What the hook runner writes under an output: the line before it says so already."""


def decisive(excerpt: str, most: int = 6) -> tuple[str, ...]:
    """At most `most` lines: those that name an error, else the last ones.

    In the order of the output, each once.
    """
    lines = [_unframed(words.clean(line)) for line in excerpt.split("\n")]
    lines = [x for x in dict.fromkeys(lines) if x.strip() and not _OUR_OWN.fullmatch(x)]
    telling = [line for line in lines if _TELLING.search(line)]
    if len(telling) <= most:
        return tuple(telling or lines[-most:])
    first = (most + 1) // 2  # the first errors cause the rest; the last lines sum them up
    return (*telling[:first], *telling[len(telling) - (most - first) :])


def outcome_words(result: HookResult) -> str:
    """`passed, exit 0, 2.1s`, `failed, exit 1, 2.1s: 2 failing: a, b`, `timed out, 10m00s`."""
    verdict = {
        HookOutcome.TIMED_OUT: "timed out",
        HookOutcome.BROKEN: "could not start",
        HookOutcome.ALLOWED: "failed, which is allowed",
        HookOutcome.SKIPPED: "not needed",
    }.get(result.outcome, result.outcome.value)
    if result.outcome is HookOutcome.SKIPPED:
        return verdict
    facts = [verdict]
    if result.exit_code is not None:
        facts.append(words.exit_words(result.exit_code))
    facts.append(words.duration(result.seconds))
    if result.flaky:
        facts.append(f"flaky: red {words.plural(result.flaky, 'time')} first")
    told = ", ".join(facts)
    if result.failing:
        return f"{told}: {len(result.failing)} failing: {words.some(result.failing)}"
    return told


def _unframed(line: str) -> str:
    """`==== 1 failed in 0.03s ====` without its frame."""
    return line.strip("= ") if line.startswith("===") else line.rstrip()
