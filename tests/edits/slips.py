"""Slips of the pen in replies: what models leave out, lose, mix up and add."""

import random
import re
from collections.abc import Callable

from attrs import evolve

from agent_runner.ground.lookalikes import plain
from tests.edits.real_changes import Case, indent_of

_HEADER = re.compile(r"^@@ -(\d+)(,\d+)? \+(\d+)(,\d+)? @@", re.MULTILINE)
_BLOCK = re.compile(r"^<<<<<<< SEARCH\n.*?^>>>>>>> REPLACE$", re.DOTALL | re.MULTILINE)
_LAZY = ("# ... existing code ...", "# rest unchanged", "...", "// ...", "# (other lines omitted)")

Slip = Callable[[random.Random, Case], Case]


def _each(case: Case, change: Callable[[str], str]) -> Case:
    return evolve(case, reply="\n".join(map(change, case.reply.split("\n"))))


def no_slip(_rng: random.Random, case: Case) -> Case:
    return case


def trailing_blanks_lost(_rng: random.Random, case: Case) -> Case:
    return _each(case, str.rstrip)


def _in_blocks(case: Case) -> bool:
    return case.slips[0] == "as_blocks"


def _is_signed(case: Case) -> bool:
    return case.slips[0] in {"as_diff", "as_envelope"} and "in_a_list" not in case.slips


def indentation_lost(_rng: random.Random, case: Case) -> Case:
    """The common indentation of each SEARCH/REPLACE block is gone."""

    def stripped(found: re.Match[str]) -> str:
        lines = found[0].split("\n")
        deep = min(
            (len(indent_of(s)) for s in lines if s.strip() and not re.match(r"[<=>]{7}", s)),
            default=0,
        )
        return "\n".join(s if re.match(r"[<=>]{7}", s) else s[deep:] for s in lines)

    return evolve(case, reply=_BLOCK.sub(stripped, case.reply) if _in_blocks(case) else case.reply)


def all_indentation_lost(_rng: random.Random, case: Case) -> Case:
    """All lines of blocks that were indented begin at the left."""

    def stripped(found: re.Match[str]) -> str:
        lines = found[0].split("\n")
        return "\n".join(map(str.lstrip, lines)) if lines[1][:1] == " " else found[0]

    return evolve(case, reply=_BLOCK.sub(stripped, case.reply) if _in_blocks(case) else case.reply)


def no_break_spaces(_rng: random.Random, case: Case) -> Case:
    return _each(
        case, lambda s: re.sub(r"^([-+ ]?)( {2,})", lambda m: m[1] + "\u00a0" * len(m[2]), s)
    )


def ascii_only(_rng: random.Random, case: Case) -> Case:
    return evolve(case, reply=plain(case.reply))


def crlf_reply(_rng: random.Random, case: Case) -> Case:
    return evolve(case, reply=case.reply.replace("\r", "").replace("\n", "\r\n"))


def crlf_file(_rng: random.Random, case: Case) -> Case:
    if "\r" in case.before:
        return case
    crlf = (case.before.replace("\n", "\r\n"), case.after.replace("\n", "\r\n"))
    return evolve(case, before=crlf[0], after=crlf[1])


def _with_headers(case: Case, number: Callable[[re.Match[str]], str], *, more: str = "") -> Case:
    """The headers of a diff's hunks; those that a whole file holds are its text."""
    if case.slips[0] != "as_diff":
        return case
    header = re.compile(f"{_HEADER.pattern}{more}", re.MULTILINE)
    return evolve(case, reply=header.sub(number, case.reply))


def wrong_numbers(rng: random.Random, case: Case) -> Case:
    def number(found: re.Match[str]) -> str:
        off = rng.randint(-9, 30)
        old, new = (max(1, int(found[group]) + off) for group in (1, 3))
        return f"@@ -{old},{rng.randint(1, 9)} +{new},{rng.randint(1, 9)} @@"

    return _with_headers(case, number)


def shifted_numbers(rng: random.Random, case: Case) -> Case:
    off = rng.randint(1, 30)

    def number(found: re.Match[str]) -> str:
        return (
            f"@@ -{int(found[1]) + off}{found[2] or ''} +{int(found[3]) + off}{found[4] or ''} @@"
        )

    return _with_headers(case, number)


def no_numbers(_rng: random.Random, case: Case) -> Case:
    return _with_headers(case, lambda _found: "@@", more=".*")


def mark_lost(rng: random.Random, case: Case) -> Case:
    lines = case.reply.split("\n")
    signed = [at for at, line in enumerate(lines) if re.match(r"[-+ ]\s*[^-+\s]", line)]
    if "mark_lost" not in case.slips and signed and _is_signed(case):
        at = rng.choice(signed)
        lines[at] = lines[at][1:]
    return evolve(case, reply="\n".join(lines))


def line_lost(rng: random.Random, case: Case) -> Case:
    """A line of context is missing that does not stand beside a change."""
    lines = case.reply.split("\n")
    signed = [
        at
        for at, line in enumerate(lines[:-1])
        if re.match(r" \s*\S", line) and all(lines[n][:1] == " " for n in (at - 1, at + 1))
    ]
    if signed and _is_signed(case):
        del lines[rng.choice(signed)]
    return evolve(case, reply="\n".join(lines))


def blank_context_lost_its_space(_rng: random.Random, case: Case) -> Case:
    return _each(case, lambda s: "" if s == " " else s)


def in_a_list(_rng: random.Random, case: Case) -> Case:
    lines = [f"   {line}" if line else line for line in case.reply.split("\n")]
    return evolve(case, reply="1. So:\n\n" + "\n".join(lines))


def other_anchor(rng: random.Random, case: Case) -> Case:
    """`@@` names another function of the file, where the quoted lines leave no choice."""
    heads = [line for line in case.before.split("\n") if re.match(r"\s*(def|class) ", line)]
    hunks = re.split(r"^@@.*\n", case.reply, flags=re.MULTILINE)[1:]
    quoted = ["\n".join(re.findall(r"^[- ](.*)", hunk, re.MULTILINE)) for hunk in hunks]
    if not heads or "@@ " not in case.reply or any(case.before.count(q) != 1 for q in quoted):
        return case
    reply = re.sub(
        r"^(@@(?: -.* @@)?) .*$",
        lambda m: f"{m[1]} {rng.choice(heads)}",
        case.reply,
        flags=re.MULTILINE,
    )
    return evolve(case, reply=reply)


def left_out(rng: random.Random, case: Case) -> Case:
    """New text in which lines are replaced by one that stands for them."""
    lines = case.reply.split("\n")
    first = next((at for at, line in enumerate(lines) if line.startswith(("```", "~~~"))), None)
    if case.slips != ("as_whole_file",) or first is None:
        return case
    after = case.after.split("\n")
    low = rng.randrange(1, max(2, len(after) - 6))
    if all(line.strip() == "" for line in after[low : low + 5]) or case.path.endswith(".md"):
        return case
    at = first + 1 + low
    lines[at : at + rng.randint(4, 8)] = [rng.choice(_LAZY)]
    return evolve(case, reply="\n".join(lines), impossible=True)


def a_part(rng: random.Random, case: Case) -> Case:
    """A fence with a part of the file."""
    after = case.after.split("\n")
    filled = [at for at, line in enumerate(after) if line.strip()]
    size = min(len(filled), sum(bool(line.strip()) for line in case.before.split("\n"))) * 6 // 10
    if size < 2:
        return case
    low = rng.randrange(len(filled) - size)
    part = after[filled[low] : filled[low + size]]
    if any(line.lstrip().startswith("<<<<<<<") for line in part):
        return case  # the file is about edits, and this part of it is one
    return evolve(case, reply="\n".join([case.path, "````", *part, "````", ""]), impossible=True)


def _structure(case: Case) -> list[int]:
    """The lines of a reply that are no text of the file: markers, fences, headers, the label."""
    lines = case.reply.split("\n")
    marks = re.compile(r"<{7} |={7}$|>{7} |@@|--- a/|\+\+\+ b/|\*\*\* (?:Begin|Update|End) ")
    if any(marks.match(line.lstrip()) for line in case.before.split("\n")):
        return []  # a file about edits
    marked = [at for at, line in enumerate(lines) if marks.match(line)] or [1, len(lines) - 2]
    around = (*range(marked[0]), *range(marked[-1] + 1, len(lines)))
    return sorted({0, *marked, *(at for at in around if lines[at].startswith("```"))})


def structure_lost(rng: random.Random, case: Case) -> Case:
    lines, places = case.reply.split("\n"), _structure(case)
    if places:
        del lines[rng.choice(places)]
    return evolve(case, reply="\n".join(lines))


def structure_doubled(rng: random.Random, case: Case) -> Case:
    lines, places = case.reply.split("\n"), _structure(case)
    if places:
        at = rng.choice(places)
        lines.insert(at, lines[at])
    return evolve(case, reply="\n".join(lines))


def structure_moved(rng: random.Random, case: Case) -> Case:
    """Two lines of structure have changed places."""
    lines, places = case.reply.split("\n"), _structure(case)
    if places:
        one, other = rng.choice(places), rng.choice(places)
        lines[one], lines[other] = lines[other], lines[one]
    return evolve(case, reply="\n".join(lines))


def with_a_draft(rng: random.Random, case: Case) -> Case:
    draft = rng.choice(("draft.py\n```\nx\n```", "Hm.\n\n```python\nx", "src/x.py\n<<<<<<< SEARCH"))
    return evolve(case, reply=f"<think>\n{draft}\n</think>\n\n{case.reply}")


def with_prose(rng: random.Random, case: Case) -> Case:
    after = rng.choice(
        (
            "Output:\n```\n3 passed\n```",
            "### Before/After\n```\n1 -> 2\n```",
            "Usage:\n\n```python\nfrom x import y\n```",
            "Changed:\n- x.py\n\n```sh\npytest\n```",
            f"`{case.path}` is done. See https://example.com/a.py.",
        )
    )
    return evolve(case, reply=f"Here it is.\n\n{case.reply}\n{after}\n")


def label_with_words(rng: random.Random, case: Case) -> Case:
    words = rng.choice((" - likewise", ", lines 1-9", " (the new one)", " and others", ":12"))
    lines = case.reply.split("\n")
    if case.path in lines[0] and not lines[0].startswith(("---", "***")):
        lines[0] = f"{case.path}{words}"
    return evolve(case, reply="\n".join(lines))


SLIPS: tuple[Slip, ...] = (
    no_slip,
    no_slip,
    trailing_blanks_lost,
    indentation_lost,
    all_indentation_lost,
    no_break_spaces,
    ascii_only,
    crlf_reply,
    crlf_file,
    wrong_numbers,
    shifted_numbers,
    no_numbers,
    mark_lost,
    line_lost,
    blank_context_lost_its_space,
    in_a_list,
    other_anchor,
    left_out,
    a_part,
    structure_lost,
    structure_doubled,
    structure_moved,
    with_a_draft,
    with_prose,
    label_with_words,
)
