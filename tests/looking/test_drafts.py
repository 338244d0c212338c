"""Edits by tools: each fits what those before it left, or says what is there instead."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agent_runner.edits.parse import parse_reply
from agent_runner.edits.plan import Planned, plan
from agent_runner.files.rules import Rules
from agent_runner.looking.drafts import Drafts, Fits, Misfit, drafting, with_drafts
from tests.files.trees import apply_planned, read_tree, write_tree

PY = "import os\n\n\ndef a():\n    return 1\n\n\ndef b():\n    return 1\n"


@pytest.fixture(name="drafts")
def _drafts(tmp_path: Path) -> Iterator[Drafts]:
    write_tree(tmp_path, {"a.py": PY, "b.txt": "one\ntwo\nthree\n", "judge.sh": "true\n"})
    with drafting(tmp_path, Rules(protect=("judge.sh",))) as drafts:
        yield drafts


def texts(drafts: Drafts) -> dict[str, str | None]:
    changed = drafts.changed()
    return {path: None if raw is None else raw.decode() for path, raw in changed.items()}


def test_an_edit_says_which_lines_it_changed_as_they_are_numbered_now(drafts: Drafts) -> None:
    assert drafts.replace("b.txt", "two", "2a\n2b") == Fits("lines 2-3 of b.txt", ("b.txt",))
    assert drafts.replace("b.txt", "three", "3") == Fits("line 4 of b.txt", ("b.txt",))
    assert drafts.replace("b.txt", "one\n", "") == Fits(
        "what stood after line 0 of b.txt", ("b.txt",)
    )
    assert texts(drafts) == {"b.txt": "2a\n2b\n3\n"}


@pytest.mark.parametrize(
    ("old", "new", "fits"),
    [
        ("#first", "# first", True),
        ("#\n", "# x\n", True),
        ("x = 1\n", "# x = 1\n", True),
        ("x = 1\n", "# as it was\n", False),
        ("#define A 1\n", "# as it was\n", False),
    ],
)
def test_a_comment_that_is_worded_anew_stands_for_no_lines(
    tmp_path: Path, old: str, new: str, fits: bool
) -> None:
    text = "#first\n\ny = 0\n\n#\n\nz = 0\n\nx = 1\n\n#define A 1\n\nw = 0\n"
    write_tree(tmp_path, {"c.py": text})
    with drafting(tmp_path, Rules()) as drafts:
        said = drafts.replace("c.py", old, new)
    assert isinstance(said, Fits) is fits, said


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        ("two", "2", "one\n2\nthree\n"),
        ("two\n", "2\n", "one\n2\nthree\n"),
        ("two\n", "2", "one\n2\nthree\n"),
        ("two", "2\n", "one\n2\nthree\n"),
        ("two", "", "one\nthree\n"),
        ("two\n", "", "one\nthree\n"),
        ("one\ntwo\nthree\n", "", ""),
        ("w", "ww", "one\ntwwo\nthree\n"),
        ("wo\nth", "-", "one\nt-ree\n"),
        ("o\n", "", "one\ntw\nthree\n"),
        ("e\n", "", None),
        ("wo\n", "", "one\nt\nthree\n"),
        ("e\nt", "E\nT", "onE\nTwo\nthree\n"),
        ("two\r\n", "2\r\n", "one\n2\nthree\n"),
    ],
)
def test_a_text_that_stands_once_is_replaced(
    drafts: Drafts, old: str, new: str, result: str | None
) -> None:
    said = drafts.replace("b.txt", old, new)
    if result is None:
        assert isinstance(said, Misfit)
        assert "found 2 times" in said.text
    assert texts(drafts).get("b.txt") == result


def test_what_does_not_fit_changes_nothing_and_shows_what_is_there(drafts: Drafts) -> None:
    twice = drafts.replace("a.py", "    return 1", "    return 2")
    assert isinstance(twice, Misfit)
    assert "lines 5, 9" in twice.text
    missing = drafts.replace("a.py", "def a(x):\n    return 1", "def a():\n    return 2")
    assert isinstance(missing, Misfit)
    assert "The closest lines are 4-5" in missing.text
    assert "SEARCH" not in twice.text + missing.text, "no other form is spoken of"
    gone = drafts.replace("A.txt", "one", "1")
    assert isinstance(gone, Misfit)
    assert "does not exist" in gone.text
    assert not drafts.changed()
    assert not drafts.edits


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("def a():\n    # ... rest of the code unchanged\n", "left out"),
        ("<<<<<<< SEARCH\ndef a():\n>>>>>>> REPLACE\n", "as an edit has"),
    ],
)
def test_new_text_that_is_perhaps_not_meant_is_refused(drafts: Drafts, new: str, why: str) -> None:
    said = drafts.replace("a.py", "def a():\n    return 1\n", new)
    assert isinstance(said, Misfit)
    assert why in said.text
    assert "Write" not in said.text, "how to write a reply is no help with a tool"


@pytest.mark.parametrize("path", ["judge.sh", "../x", ".git/config", "/etc/passwd"])
def test_the_jail_holds_for_every_tool(drafts: Drafts, path: str) -> None:
    said = (
        *(
            drafts.replace(path, "true", "false"),
            drafts.replace(path, "", "x"),
            drafts.delete(path),
        ),
        *(drafts.move("b.txt", path), drafts.move(path, "c.txt")),
        drafts.patch(f"*** Begin Patch\n*** Delete File: {path}\n*** End Patch"),
    )
    assert all(isinstance(one, Misfit) for one in said), said
    assert not drafts.changed()


def test_a_patch_is_drafted_as_a_whole_or_not_at_all(drafts: Drafts) -> None:
    good = "*** Update File: b.txt\n@@\n-two\n+2\n"
    bad = "*** Update File: a.py\n@@\n-no such line\n+x\n"
    said = drafts.patch(f"*** Begin Patch\n{good}{bad}*** End Patch\n")
    assert isinstance(said, Misfit)
    assert said.text.startswith("a.py: not found.")
    assert not drafts.changed()
    assert drafts.patch(f"*** Begin Patch\n{good}*** End Patch\n") == Fits(
        "line 2 of b.txt", ("b.txt",)
    )
    assert isinstance(drafts.patch("Nothing."), Misfit)


def test_files_are_made_moved_and_deleted_in_memory(drafts: Drafts, tmp_path: Path) -> None:
    before = read_tree(tmp_path)
    assert drafts.replace("new/c.py", "", "x = 1") == Fits(
        "new file new/c.py (1 line)", ("new/c.py",)
    )
    assert isinstance(drafts.replace("a.py", "", "x = 1"), Misfit), "it exists"
    assert drafts.move("b.txt", "d.txt") == Fits("b.txt moved to d.txt", ("b.txt", "d.txt"))
    assert drafts.replace("d.txt", "two", "2") == Fits("line 2 of d.txt", ("d.txt",))
    assert drafts.delete("a.py") == Fits("a.py deleted", ("a.py",))
    assert texts(drafts) == {
        "new/c.py": "x = 1\n",
        "b.txt": None,
        "d.txt": "one\n2\nthree\n",
        "a.py": None,
    }
    assert read_tree(tmp_path) == before


def test_drafts_and_the_last_reply_are_planned_as_one(drafts: Drafts, tmp_path: Path) -> None:
    drafts.replace("b.txt", "two", "2")
    drafts.replace("b.txt", "2", "two")
    drafts.replace("b.txt", "two", "zwei")
    last = "a.py\n<<<<<<< SEARCH\nimport os\n=======\nimport sys\n>>>>>>> REPLACE\n"
    planned = plan(with_drafts(parse_reply(last), drafts.edits), tmp_path, Rules())
    assert isinstance(planned, Planned)
    apply_planned(planned, tmp_path)
    assert (tmp_path / "b.txt").read_text() == "one\nzwei\nthree\n"
    assert (tmp_path / "a.py").read_text() == PY.replace("os", "sys")


def test_drafts_alone_are_a_change(drafts: Drafts, tmp_path: Path) -> None:
    drafts.delete("b.txt")
    planned = plan(with_drafts(parse_reply("Done."), drafts.edits), tmp_path, Rules())
    assert isinstance(planned, Planned)
    assert planned.change_set.paths == ("b.txt",)


LINES = st.lists(st.sampled_from(["a", "  a", "b", "    b", "x = 1", ""]), min_size=1, max_size=8)


@given(lines=LINES, data=st.data())
def test_replacing_is_what_replacing_text_would_be_and_comes_out_the_same_when_planned(
    lines: list[str], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root, text = tmp_path_factory.mktemp("root"), "".join(f"{line}\n" for line in lines)
    write_tree(root, {"f.txt": text})
    low = data.draw(st.integers(0, len(text) - 1))
    high = data.draw(st.integers(low + 1, len(text)))
    old, new = text[low:high], data.draw(st.sampled_from(["new", "new\n", "n1\nn2", "  a\n"]))
    with drafting(root, Rules()) as drafts:
        said = drafts.replace("f.txt", old, new)
        made = drafts.changed().get("f.txt", text.encode())
        if isinstance(said, Misfit) or old == "\n":
            return
        assert text.count(old) == 1
        # as written, or as whole lines, of which the last may come without its end on either side
        ways = ((old, new), (old.removesuffix("\n") + "\n", new.removesuffix("\n") + "\n"))
        right = [text.replace(*way).rstrip("\n") for way in ways if text.count(way[0]) == 1]
        assert made is not None
        assert made.decode().rstrip("\n") in right
        planned = plan(with_drafts(parse_reply(""), drafts.edits), root, Rules())
    assert isinstance(planned, Planned)
    apply_planned(planned, root)
    assert (root / "f.txt").read_bytes() == made


def test_a_text_whose_lines_begin_with_numbers_is_meant_so(drafts: Drafts) -> None:
    outcome = drafts.replace("b.txt", "two\n", "1 two\n2 and a half\n")
    assert isinstance(outcome, Fits), outcome
    outcome = drafts.replace("a.py", "import os\n", "1: import os\n2: import sys\n")
    assert isinstance(outcome, Fits), outcome
    outcome = drafts.replace("a.py", "def b():", "<<<<<<< HEAD\ndef b():")
    assert isinstance(outcome, Misfit), outcome
