"""The words and figures that all screens share, and other people's text made safe to show."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from agent_runner.model.states import STEPS, TaskState

if TYPE_CHECKING:  # `status` uses these words and needs no events
    from agent_runner.model.record import TaskRecord
    from agent_runner.model.standing import Standing


def state_word(state: TaskState) -> str:
    """What a state is called on screen: `failed` is escalated, until a person decides."""
    if state in STEPS:
        return "running"
    return "failed" if state is TaskState.ESCALATED else state.value


PASSED = {
    "passed": "has passed",
    "passed (not committed)": "has passed, but git did not take all that it changed",
    "passed (nothing changed)": "has passed, although nothing was changed",
    "passed (tests changed)": "has passed, but not with the tests of before",
    "passed (unchecked)": "has passed, although no hook judged it",
}
"""Every word that a passed task may have on screen (`record_word`), and the same in a sentence."""


def record_word(record: TaskRecord | Standing) -> str:
    """The state's word; for a passed task one of `PASSED`."""
    word = state_word(record.state)
    if record.state is not TaskState.PASSED:
        return word
    if record.change.commit_problem:
        return f"{word} (not committed)"
    if record.judgement.nothing_changed:
        return f"{word} (nothing changed)"
    before = record.judgement.as_before
    if before is not None and before.outcome != "green":
        return f"{word} (tests changed)"
    return word if record.judgement.checked_by_hook else f"{word} (unchecked)"


_MARKS = {
    "passed": ("\u2713", "+"),
    "failed": ("\u2717", "x"),
    "skipped": ("\u00bb", "-"),
    "running": ("\u25b8", ">"),
    "stopped": ("\u25a0", "="),
    "pending": ("\u00b7", "."),
    "warning": ("!", "!"),
}
"""A shape a state, in Unicode and in ASCII: it stands beside the word and needs no colour."""


def mark(word: str, *, unicode: bool) -> str:
    """The shape of a state's word, such as `passed (unchecked)`; a space for other words."""
    return _MARKS.get(word.partition(" ")[0], (" ", " "))[0 if unicode else 1]


def duration(seconds: float) -> str:
    """`0.3s`, `12s`, `1m05s`, `2h03m`, `3d04h`; less than nothing is `0.0s`."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:  # tenths, as long as they are not rounded to 10.0s
        return f"{seconds:.1f}s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d{hours:02}h"
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def ticking(seconds: float) -> str:
    """A duration that is shown while it grows: whole seconds, so that it does not flicker."""
    whole = int(max(0.0, seconds))
    return f"{whole}s" if whole < 10 else duration(whole)  # no tenths


def count(tokens: int) -> str:
    """`0`, `999`, `1.2k`, `12.3k`, `123k`, `1.2M`."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if tokens >= size - size // 2000:  # 999,500 is shown as 1.0M, not as 1000k
            scaled = tokens / size
            return f"{scaled:.0f}{unit}" if scaled >= 99.95 else f"{scaled:.1f}{unit}"  # 3 digits
    return str(tokens)


def tokens_used(tokens: int, *, at_least: bool) -> str:
    """`12.3k tokens`; `at least 12.3k tokens` where an agent left some of them out."""
    return f"{'at least ' if at_least else ''}{count(tokens)} tokens"


def money(dollars: float) -> str:
    """`$0.0042`, `$0.12`, `$12.30`; `-` for nothing, or where prices are not known."""
    if dollars <= 0:
        return "-"
    return f"${dollars:.4f}" if dollars < 0.1 else f"${dollars:.2f}"


def plural(number: int, word: str, many: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{number} {word if number == 1 else many or word + 's'}"


def short(digest: str) -> str:
    """The first seven digits of a hash, as git shows it; a name before a colon stays."""
    name, colon, digits = digest.rpartition(":")
    return f"{name}{colon}{digits[:7]}"


def listed(names: Iterable[str], most: int = 4) -> str:
    """`a, b, c and 5 more`: at most `most` names, made safe."""
    every = [clean(name) for name in names]
    shown = ", ".join(every[:most])
    return f"{shown} and {len(every) - most} more" if len(every) > most else shown


def some(names: Iterable[str], width: int = 90) -> str:
    """`a, b and 5 more`: as many long names, such as tests, as fit into `width` columns."""
    every = [cut(clean(name), width) for name in names]
    shown = every[:1]
    for name in every[1:]:
        if columns(", ".join([*shown, name])) > width:
            break
        shown.append(name)
    return listed(every, most=len(shown))


def columns(text: str) -> int:
    """How many columns of a terminal a clean text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # lazy: most text is ASCII

    # Vowel signs that stand beside their letter (Bengali, Tamil, Burmese, ...) are nothing to rich,
    # but one column each to terminals. To think a text too wide only cuts it early; to think it too
    # narrow breaks a line in two, and the live part of the screen with it.
    return cell_len(text) + sum(unicodedata.category(c) == "Mc" for c in text)


def fitting(text: str, width: int) -> int:
    """How many of a clean text's first characters fit into `width` columns."""
    most = min(len(text), _MOST_A_COLUMN * max(0, width))
    length = bisect_right(range(most + 1), width, key=lambda end: columns(text[:end])) - 1
    while 0 < length < len(text) and unicodedata.category(text[length]) in _ON_A_LETTER:
        length -= 1  # a letter without its marks would be another letter
    return max(0, length)


_ON_A_LETTER = frozenset({"Mn", "Mc", "Me"})

_MOST_A_COLUMN = 8
"""Characters that one column may hold; no language stacks more marks on a letter, mischief does."""


def cut(text: str, width: int) -> str:
    """A clean text in at most `width` columns; what was cut ends in `..`."""
    if columns(text) <= width:
        return text
    return f"{text[: fitting(text, width - 2)].rstrip()}.."


def broken(text: str, width: int) -> list[int]:
    """Where to break a clean text so that each line fits: at words, and inside of too long ones."""
    breaks, start = [], 0
    while columns(text[start:]) > width:
        end = start + max(1, fitting(text[start:], width))
        space = text.rfind(" ", start, end + 1)
        start = space + 1 if text[start : max(start, space)].strip() else end
        breaks.append(start)
    return breaks


@cache
def _sequences() -> re.Pattern[str]:
    """What a terminal obeys; compiled when a text first has something odd in it."""
    return re.compile(
        r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
        r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # OSC and other strings: titles, links
        r"|\x1b[ -/]*[0-~]"  # the short ones
        r"|\x9b[0-?]*[ -/]*[@-~]",  # CSI as one character
        re.DOTALL,
    )


_COMMAND = re.compile(r"##(vso)?\[", re.IGNORECASE)


def clean(text: str) -> str:
    """One line of somebody else's text, without anything that a terminal would obey.

    Escape sequences and other control and direction characters go; tabs and line ends become
    spaces. Of a progress bar only the last state stays: what a terminal would show after the last
    carriage return.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _sequences().sub("", text)
    text = text.rstrip("\r\n").rpartition("\r")[2].replace("\n", " ").replace("\t", "    ")
    return "".join(character for character in text if not _unseen(character))


def first_line(text: str) -> str:
    """The first line of somebody else's text, made safe: the short form of an error."""
    return clean(text.partition("\n")[0])


def visible(text: str) -> str:
    r"""Text in which nothing is hidden: what a terminal would obey is written out, as in `\x1b`.

    Line ends stay as they are.
    """
    return "".join(ascii(c)[1:-1] if c != "\n" and (_unseen(c) or c == "\t") else c for c in text)


def harmless(text: str) -> str:
    r"""Text of any length that may quote others, for a terminal: as `visible`, but tabs stay."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "\t".join(map(visible, text.split("\t")))


def no_command(line: str) -> str:
    """A line that no build server takes for a command of its own, whoever wrote what it quotes.

    GitHub Actions obeys a line that begins with `::`, and like Azure Pipelines `##[...]` and
    `##vso[...]` anywhere in one.
    """
    line = no_bracket_command(line)
    return f"| {line}" if line.lstrip().startswith("::") else line


def no_bracket_command(text: str) -> str:
    """The text without the older form of commands, which build servers obey anywhere in a line."""
    return _COMMAND.sub(lambda match: f"## {match[1] or ''}[", text)


def json_without_commands(text: str) -> str:
    r"""JSON that says the same and holds nothing that a terminal or a build server would obey.

    What matters stands in strings only, and there every character may be written as `\uXXXX`.
    """
    text = _COMMAND.sub(lambda match: f"#\\u0023{match[1] or ''}[", text)
    if text.isascii():
        return text
    import json  # lazy: most screens write none

    return "".join(json.dumps(c)[1:-1] if c != "\n" and _unseen(c) else c for c in text)


def shown(line: str) -> str:
    """A line that may quote others, such as one of a diff: as `visible`, with tabs as spaces."""
    return visible(line.rstrip("\r\n").expandtabs(4))


def _unseen(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
