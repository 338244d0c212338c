"""What comes of a reply with slips: the file that was meant, a refusal, or something wrong.

Some slips leave nothing to read a change from (lines left out, a part of the file): then only a
refusal is right.
"""

import difflib
import random
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import evolve

from agent_runner.edits.parse import parse_reply
from agent_runner.edits.plan import plan
from agent_runner.edits.rejection import Rejection
from agent_runner.files.rules import Rules
from agent_runner.ground.lookalikes import plain
from tests.edits.real_changes import RENDERS, Case, changed
from tests.edits.slips import SLIPS, Slip


def random_case(
    rng: random.Random, files: list[tuple[str, str]], slips: Sequence[Slip] = ()
) -> Case | None:
    """A random change and a reply with these slips, or with random ones; None for no change."""
    path, text = rng.choice(files)
    before = text.removesuffix("\n").split("\n")
    if rng.random() < 0.5 and len(before) > 30:  # small files are where fragments deceive
        low = rng.randrange(len(before) - 20)
        before = before[low : low + rng.randint(8, 20)]
    if rng.random() < 0.2:
        before = _with_a_twin(rng, before)
    after = changed(rng, before) if any(map(str.strip, before)) else None
    if after is None:
        return None
    render = rng.choice(RENDERS)
    reply = render(rng, path, before, after)
    texts = ("\n".join(before) + "\n", "\n".join(after) + "\n")
    made = Case(path, *texts, reply, (render.__name__,))
    for slip in slips or rng.sample(SLIPS, k=rng.choice((1, 1, 2))):
        made = evolve(slip(rng, made), slips=(*made.slips, slip.__name__))
    return made


def _with_a_twin(rng: random.Random, lines: list[str]) -> list[str]:
    """The lines with some of them once more, deeper or less deep, perhaps with one word changed."""
    low = rng.randrange(len(lines))
    twin = lines[low : low + rng.randint(2, 8)]
    if rng.random() < 0.5:
        twin = [f"    {line}" if line.strip() else line for line in twin]
    else:
        twin = [line.removeprefix("    ") for line in twin]
    if rng.random() < 0.5:
        at = rng.randrange(len(twin))
        twin[at] = re.sub(r"\w+$", "other", twin[at])
    at = rng.randrange(len(lines) + 1)
    return [*lines[:at], *twin, *lines[at:]]


def outcome(one: Case) -> str:
    """`right`, `refused`, or what is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "src").mkdir()
        (root / one.path).write_bytes(one.before.encode())
        reply = parse_reply(one.reply)
        planned = plan(reply, root, Rules())
        if isinstance(planned, Rejection):
            return "refused"
        changes = {
            change.path: planned.blobs.get(change.after.sha256, b"").decode()
            for change in planned.change_set.changes
        }
    if not changes:
        asked = reply.no_change or reply.asks  # a request to be shown files is only answered
        nothing_said = asked and not reply.edits
        return "refused" if nothing_said or _same(one, one.before) else "wrong: nothing changed"
    if one.impossible:
        return f"wrong: taken for {changes}"
    if set(changes) != {one.path}:
        return f"wrong: other files, {sorted(changes)}"
    return (
        "right"
        if _same(one, changes[one.path])
        else f"wrong: {_difference(one, changes[one.path])}"
    )


def _same(one: Case, made: str) -> bool:
    """Whether the file came out as meant; where the reply lost characters, but for new lines."""
    if made == one.after:
        return True
    before = set(one.before.split("\n"))
    lines, meant = made.split("\n"), one.after.split("\n")
    forgiven: list[Callable[[str], str]] = []
    if "trailing_blanks_lost" in one.slips:
        forgiven.append(str.rstrip)
    if {"indentation_lost", "all_indentation_lost"} & set(one.slips):
        forgiven.append(lambda line: line.strip() and line)
    if "ascii_only" in one.slips:
        forgiven.append(plain)
    if len(lines) != len(meant) or not forgiven:
        return False
    for line, wanted in zip(lines, meant, strict=True):
        if line != wanted and (wanted in before or not any(f(line) == f(wanted) for f in forgiven)):
            return False
    return True


def _difference(one: Case, made: str) -> str:
    return "\n" + "\n".join(
        difflib.unified_diff(one.after.split("\n"), made.split("\n"), "meant", "made", lineterm="")
    )
