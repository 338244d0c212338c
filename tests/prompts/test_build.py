"""Prompts: what is in them, that they fit, and that nothing breaks out of its fence."""

import re
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from agent_runner.edits.parse import parse_reply
from agent_runner.ground.tokens import Ruler
from agent_runner.model.agent import Prompt
from agent_runner.model.events import BaselineTaken
from agent_runner.model.record import Judgement, TaskRecord
from agent_runner.model.settings import EditFormat
from agent_runner.model.shown_files import FileText, Listing, NotShown
from agent_runner.prompts.build import (
    DROPPED,
    answer_to_show,
    build_prompt,
    load_template,
    room_left,
)
from agent_runner.prompts.situation import GitLines, Situation
from agent_runner.prompts.values import GROUPS, PLACEHOLDERS, files_text
from tests.prompts.situations import BARE, FULL, with_conversation

ROOMY = 60_000
DOCS = Path(__file__).parents[2] / "docs" / "prompt-templates.md"


def first(situation: Situation, max_tokens: int = ROOMY) -> str:
    return build_prompt(situation, max_tokens).messages[0].text


def size(prompt: Prompt) -> int:
    return Ruler().prompt(prompt)


@pytest.mark.parametrize(
    "part",
    [
        "# Task T1: Add totals",
        "Sum up the prices.",
        "- `pip install -e .` (hook env)",
        "- `pytest -q` (hook unit; in sub)",
        "- `npm test` (hook web; only if files like these change: web/**; may fail)",
        "Git branch `main`, last commit 0123456789ab.",
        " M shop.py\n?? new\\nline\n... and 4 more\n",
        "shop.py\n```\nprice = 1\n```",
        "big.py (lines 10-14)\n```\nx\n",
        ".env: it looks like a secret",
        "web/ (12 files)",
        "tests/**",
        "+price = 1\n",
        "FAILED test_total - assert 1 == 2",
        "Mind the rounding.",
        "This is attempt 2.",
        "or ask to see files first.",
    ],
)
def test_the_default_prompt_says_all_there_is(part: str) -> None:
    assert part in first(FULL)


def test_what_is_not_there_leaves_no_trace() -> None:
    text = first(BARE)
    for word in ("Git", "status", "attempt", "changed so far", "hint", "Files", "globs", "None"):
        assert word not in text
    assert "No command checks this task" in text
    assert "\n\n\n" not in text
    assert "\n\n\n" not in first(FULL)


def test_a_repository_without_a_commit_is_told() -> None:
    assert "branch `main`, no commit yet." in first(evolve(BARE, git=GitLines("main")))
    assert "branch (detached), last" in first(evolve(BARE, git=GitLines(None, "abc")))


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        (BaselineTaken(green=True), "All of them succeeded before"),
        (BaselineTaken(green=False), "Some of them failed before"),
        (
            BaselineTaken(green=False, failing=("test_a", "test_b")),
            "failed:\n\n```\ntest_a\ntest_b",
        ),
    ],
)
def test_the_baseline_is_told(baseline: BaselineTaken, expected: str) -> None:
    assert expected in first(
        evolve(BARE, record=TaskRecord("T1", judgement=Judgement(baseline=baseline)))
    )


def test_the_system_text_offers_only_what_is_allowed() -> None:
    offered = build_prompt(FULL, ROOMY).system
    assert "```show" in offered
    assert "```sh run" in offered
    plain = build_prompt(BARE, ROOMY).system
    assert "```show" not in plain
    assert "sh run" not in plain


def test_the_forms_it_describes_are_those_that_are_read() -> None:
    reply = parse_reply(build_prompt(FULL, ROOMY).system)
    assert reply.problems == ()
    assert [edit.path for edit in reply.edits] == ["shop.py"]
    assert reply.asks == ("shop.py",)
    assert reply.commands == ("the command",)


@pytest.mark.parametrize("edits", list(EditFormat))
@pytest.mark.parametrize("tools", [True, False])
def test_no_example_names_a_file_that_the_task_has_not(edits: EditFormat, tools: bool) -> None:
    """Small models write to the path of an example."""
    for situation in (FULL, BARE):
        system = build_prompt(evolve(situation, edit_format=edits, tools=tools), ROOMY).system
        named = set(re.findall(r"[\w/<>-]+\.(?:py|txt|js)\b", system))
        assert named <= {"shop.py"}


def test_one_that_edits_by_tools_is_not_told_of_blocks() -> None:
    system = build_prompt(evolve(FULL, tools=True, edit_format=EditFormat.REPLACE), ROOMY).system
    assert "edit_file" in system
    assert "SEARCH" not in system
    assert "```show" not in system
    patching = build_prompt(evolve(FULL, tools=True, edit_format=EditFormat.PATCH), ROOMY).system
    assert "apply_patch" in patching
    assert "edit_file" not in patching


def test_one_that_writes_whole_files_gets_a_short_text() -> None:
    system = build_prompt(evolve(BARE, edit_format=EditFormat.WHOLE), ROOMY).system
    assert len(system) < 500
    assert "SEARCH" not in system


HOSTILE = st.text(alphabet=st.sampled_from("`~\n\r #a{}/<>="), max_size=60)


@given(content=HOSTILE, feedback=HOSTILE, diff=HOSTILE, name=HOSTILE)
def test_nothing_breaks_out_of_its_fence(content: str, feedback: str, diff: str, name: str) -> None:
    situation = evolve(
        FULL,
        files=Listing((FileText("f.py", content),), (NotShown(name or "x", name),)),
        record=TaskRecord("T1", feedback=feedback),
        diff=diff,
        names=(name,),
        git=GitLines("main", "abc", (name,)),
    )
    outside = _outside_fences(first(situation))
    plain = evolve(
        situation,
        files=Listing((FileText("f.py", "\n" if content else ""),), (NotShown("x", ""),)),
        record=TaskRecord("T1", feedback="x" if feedback.strip() else ""),
        diff="x" if diff.strip() else "",
        names=("x",),
        git=GitLines("main", "abc", ("x",)),
    )
    note = " (no newline at its end)"
    assert [line.replace(note, "") for line in outside] == _outside_fences(first(plain))


def _outside_fences(text: str) -> list[str]:
    """The lines that Markdown does not take for the inside of a fence (CommonMark 4.5)."""
    outside, fence = [], ""
    for line in text.replace("\r", "\n").split("\n"):
        ticks = len(line) - len(line.lstrip("`"))
        if fence:
            if ticks >= len(fence) and not line.strip("` "):
                fence = ""
        elif ticks >= 3 and "`" not in line[ticks:]:
            fence = "`" * ticks
        else:
            outside.append(line)
    assert not fence, "a fence is left open"
    return outside


def test_templates_in_what_is_filled_in_stay_text() -> None:
    situation = evolve(BARE, files=Listing((FileText("t.md", "{{ id }} {{#if x}}\n"),)))
    assert "{{ id }} {{#if x}}" in first(situation)


@given(
    max_tokens=st.integers(2_500, 20_000),
    lines=st.integers(0, 4_000),
    alphabet=st.sampled_from(["x = 1\n", "äöü\n", "y" * 200 + "\n"]),
)
def test_a_prompt_fits(max_tokens: int, lines: int, alphabet: str) -> None:
    text = alphabet * lines
    situation = evolve(
        FULL,
        record=TaskRecord("T1", feedback=text),
        diff=text,
        names=tuple(f"name-{n}" for n in range(lines)),
        files=Listing(tuple(FileText(f"f{n}.py", text) for n in range(5))),
    )
    assert size(build_prompt(situation, max_tokens)) <= max_tokens + 100


def test_reasons_count_too() -> None:
    files = Listing(
        tuple(FileText(f"folder/file-{n}.py", "x\n" * 900) for n in range(200)),
        tuple(NotShown(f"secrets/{n}.pem", "it looks like a secret") for n in range(200)),
    )
    prompt = build_prompt(evolve(BARE, files=files), 6_000)
    assert size(prompt) <= 6_000
    assert "... and " in prompt.messages[0].text


def test_files_are_cut_after_a_line_and_said_to_be() -> None:
    text = "".join(f"line {n}\n" for n in range(1, 10_001))
    files = Listing((FileText("long.py", text), FileText("more.py", text)))
    shown = first(evolve(BARE, files=files), max_tokens=4_000)
    _, _, after = shown.partition("long.py (lines 1-")
    last = int(after.partition(")")[0])
    assert last > 300
    assert f"line {last}\n```" in shown
    assert f"long.py: no room for more than lines 1-{last}" in shown
    assert "more.py: no room for it" in shown


def test_a_file_that_was_cut_when_it_was_read_is_cut_further() -> None:
    """Reading keeps within the whole prompt, of which other parts take their share later."""
    lines = "".join(f"line {n}\n" for n in range(50, 2_050))
    listing = Listing(
        files=(FileText("long.py", lines, "50-2049"),),
        left_out=(NotShown("long.py", "no room for more; ask for long.py:2050-9999"),),
    )
    shown = files_text(listing, 1_000, Ruler())
    last = int(shown.partition("long.py (lines 50-")[2].partition(")")[0])
    assert f"line {last}\n```" in shown
    assert f"long.py: no room for more than lines 50-{last}" in shown
    assert shown.count("long.py") == 2


def test_feedback_keeps_its_head_and_its_end() -> None:
    feedback = "".join(f"out {n}\n" for n in range(10_000)) + "1 failed\n"
    shown = first(evolve(BARE, record=TaskRecord("T1", feedback=feedback)), max_tokens=5_000)
    assert "out 0\n" in shown
    assert "1 failed\n" in shown
    assert " lines left out ...]\n" in shown


def test_the_conversation_follows_and_its_oldest_files_go_first() -> None:
    long = "file\n" * 1_000
    situation = with_conversation("show a", long, "show b", long, "show c", long)
    whole = build_prompt(situation, ROOMY)
    assert [m.role for m in whole.messages] == ["user"] + ["assistant", "user"] * 3
    assert [m.text for m in whole.messages[1:]] == [m.text for m in situation.conversation]
    cut = build_prompt(situation, 6_000)
    assert [m.text == DROPPED for m in cut.messages[1:]] == [
        False,
        True,
        False,
        False,
        False,
        False,
    ]
    assert room_left(whole, ROOMY, Ruler()) > room_left(cut, 6_000, Ruler()) >= 0


def test_an_answer_shows_files_and_how_it_goes_on() -> None:
    listing = Listing((FileText("a.py", "a\n"),), (NotShown("b", "git ignores it"),))
    message = answer_to_show(listing, 2, 1_000, Ruler())
    assert message.role == "user"
    assert "a.py\n```\na\n```" in message.text
    assert "b: git ignores it" in message.text
    assert "You may ask 2 more times" in message.text
    assert "once more" in answer_to_show(listing, 1, 1_000, Ruler()).text
    assert "Now reply" in answer_to_show(Listing(), 0, 1_000, Ruler()).text


def test_a_template_of_ones_own_takes_the_place_of_the_first_message(tmp_path: Path) -> None:
    file = tmp_path / "mine.md"
    file.write_text("{{ title }} / {{ metadata.ticket }} / {{ metadata.size }}{{ metadata.no }}")
    prompt = build_prompt(FULL, ROOMY, load_template(file))
    assert prompt.messages[0].text == "Add totals / AB-7 / 3\n"
    assert "SEARCH" in prompt.system


def test_the_documented_names_are_those_there_are() -> None:
    text = DOCS.read_text(encoding="utf-8")
    table = text.partition("## Names")[2].partition("\n\nValues")[0]
    rows = [row for row in table.splitlines() if row.startswith("| `")]
    documented = {r.split("|")[1].strip(" `"): r.split("|")[2].strip() for r in rows}
    assert documented.pop("metadata.KEY")
    assert GROUPS == ("metadata",)
    assert documented == {name: placeholder.doc for name, placeholder in PLACEHOLDERS.items()}


def test_the_documented_example_is_a_right_template(tmp_path: Path) -> None:
    example = DOCS.read_text(encoding="utf-8").partition("```markdown\n")[2].partition("\n```")[0]
    file = tmp_path / "example.md"
    file.write_text(example)
    text = load_template(file).render({"title": "T", "metadata.ticket": "AB-7", "feedback": "F"})
    assert "The ticket is AB-7." in text
    assert "smallest change" not in text
