"""Edits by tools: they fit or say what is there, are seen by every look, and come to one plan."""

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agent_runner.edits.edit import Reply
from agent_runner.edits.parse import parse_reply
from agent_runner.edits.plan import Planned, plan
from agent_runner.edits.rejection import Rejection
from agent_runner.files.rules import Rules
from agent_runner.looking.drafts import drafting, with_drafts
from agent_runner.looking.repeats import Shown
from agent_runner.looking.toolbox import Answered, ToolState
from agent_runner.looking.tools import Offer
from agent_runner.model.agent import ToolCall
from agent_runner.model.settings import EditFormat
from tests.looking.scene import Scene, call

PATCH = Offer(EditFormat.PATCH)


def planned(scene: Scene, state: ToolState, reply: Reply | None = None) -> dict[str, str | None]:
    """What the drafts, and the text of a last reply, come to."""
    outcome = plan(with_drafts(reply or Reply(), state.drafts), scene.root, scene.toolbox.rules)
    assert isinstance(outcome, Planned), outcome.text
    return {
        change.path: outcome.blobs[change.after.sha256].decode() if change.after.sha256 else None
        for change in outcome.change_set.changes
    }


def test_a_draft_is_seen_by_every_look_and_written_nowhere(scene: Scene) -> None:
    scene.write({"a.py": "one\ntwo\n", "gone.py": "x\n", "old.py": "y\n"})
    answered = scene.answered(
        call("edit_file", path="a.py", old_text="two", new_text="zwei\ndrei"),
        call("edit_file", path="new/b.py", old_text="", new_text="fresh\n"),
        call("delete_file", path="gone.py"),
        call("move_file", path="old.py", to="now.py"),
        call("read_file", path="a.py"),
        call("list_files"),
        call("search", pattern="drei|fresh|x|y"),
        call("read_file", path="gone.py"),
    )
    texts = [answer.text for answer in answered.answers]
    assert texts[:4] == [
        "fits: lines 2-3 of a.py.",
        "fits: new file new/b.py (1 line).",
        "fits: gone.py deleted.",
        "fits: old.py moved to now.py.",
    ]
    assert texts[4] == "a.py (with your drafts) lines 1-3 of 3\none\nzwei\ndrei\n"
    assert texts[5].splitlines()[1:] == [
        "a.py  14 (drafted)",
        "new/b.py  6 (drafted)",
        "now.py  2 (drafted)",
    ]
    assert texts[6].startswith('"drei|fresh|x|y": 3 matches in 3 files')
    assert "you deleted or moved it" in texts[7]
    assert (scene.root / "a.py").read_text() == "one\ntwo\n"
    assert planned(scene, answered.state) == {
        "a.py": "one\nzwei\ndrei\n",
        "new/b.py": "fresh\n",
        "gone.py": None,
        "old.py": None,
        "now.py": "y\n",
    }


def test_drafts_go_on_in_the_next_turn_and_meet_the_blocks_of_the_last_reply(scene: Scene) -> None:
    scene.write({"a.py": "one\ntwo\n"})
    first = scene.answered(call("edit_file", path="a.py", old_text="one", new_text="uno"))
    second = scene.toolbox.answer(
        [call("edit_file", path="a.py", old_text="uno", new_text="eins")], first.state
    )
    assert second.answers[0].text == "fits: line 1 of a.py."
    block = "a.py\n```\n<<<<<<< SEARCH\neins\ntwo\n=======\neins\ndue\n>>>>>>> REPLACE\n```\n"
    assert planned(scene, second.state, parse_reply(block)) == {"a.py": "eins\ndue\n"}


def test_a_misfit_shows_the_closest_lines_and_drafts_nothing(scene: Scene) -> None:
    scene.write({"a.py": "def total(items):\n    return len(items)\n"})
    answered = scene.answered(
        call("edit_file", path="a.py", old_text="def totals(items):\n    return 1", new_text="")
    )
    assert answered.answers[0].is_error
    assert "The closest lines are 1-2:" in answered.answers[0].text
    assert "     1 | def total(items):" in answered.answers[0].text
    assert answered.state.drafts == ()
    scene.write({"b.py": "x\nx\n"})
    assert "found 2 times" in scene.error("edit_file", path="b.py", old_text="x", new_text="y")


@pytest.mark.parametrize(
    "path", ["judge.sh", ".travis.yml", ".git/config", "../x", "a/.git/hooks/x"]
)
def test_what_may_not_be_changed_is_refused_in_the_words_of_apply(
    tmp_path: Path, path: str
) -> None:
    scene = Scene.of(tmp_path / "root", rules=Rules(protect=("judge.sh",)))
    scene.write({"judge.sh": "true\n", ".travis.yml": "a: 1\n"})
    text = scene.error("edit_file", path=path, old_text="", new_text="new\n")
    block = f"{path}\n```\n<<<<<<< SEARCH\n=======\nnew\n>>>>>>> REPLACE\n```\n"
    rejected = plan(parse_reply(block), scene.root, scene.toolbox.rules)
    assert isinstance(rejected, Rejection)
    if "outside" in text:
        return
    reason = text.partition("not allowed: ")[2]
    assert reason
    assert reason in rejected.text


def test_a_patch_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    scene = Scene.of(tmp_path / "root", offer=PATCH)
    scene.write({"a.py": "one\ntwo\n", "b.py": "x\n"})
    good = "*** Update File: a.py\n@@\n one\n-two\n+due\n"
    bad = "*** Update File: b.py\n@@\n-nothing\n+y\n"
    new = "*** Add File: c.py\n+fresh\n*** Update File: c.py\n@@\n-fresh\n+fresher\n"
    text = scene.error("apply_patch", patch=f"*** Begin Patch\n{good}{bad}*** End Patch\n")
    assert text.startswith("does not fit: b.py: not found.")
    answered = scene.answered(
        call("apply_patch", input=f"*** Begin Patch\n{good}{new}*** End Patch\n")
    )
    assert answered.answers[0].text == (
        "fits: line 2 of a.py; new file c.py (1 line); line 1 of c.py."
    )
    assert planned(scene, answered.state) == {"a.py": "one\ndue\n", "c.py": "fresher\n"}
    assert "there is no change in it" in scene.error("apply_patch", patch="hello")
    assert answered.looks[0].brief == "a.py, c.py, c.py"


def test_a_freeform_patch_is_its_text(tmp_path: Path) -> None:
    scene = Scene.of(tmp_path / "root", offer=PATCH)
    scene.write({"a.py": "one\n"})
    text = "*** Begin Patch\n*** Delete File: a.py\n*** End Patch"
    answered = scene.answered(ToolCall("c", "apply_patch", text, freeform=True))
    assert answered.answers[0].text == "fits: a.py deleted."
    spec = next(spec for spec in scene.toolbox.specs if spec.name == "apply_patch")
    assert spec.grammar.startswith("start: begin_patch")


def test_a_draft_that_fits_no_more_is_dropped_and_said(scene: Scene) -> None:
    scene.write({"a.py": "one\n"})
    first = scene.answered(call("edit_file", path="a.py", old_text="one", new_text="uno"))
    scene.write({"a.py": "somebody else\n"})
    second = scene.toolbox.answer([call("read_file", path="a.py")], first.state)
    assert second.answers[0].text.startswith("a.py lines 1-1 of 1\nsomebody else\n")
    assert "[some of your drafts fit no more, and are dropped; make them again:" in (
        second.answers[0].text
    )
    assert second.state.drafts == ()


def test_what_is_shown_again_is_shown_whole_with_a_line_and_at_last_no_more(scene: Scene) -> None:
    scene.write({"a.py": "one\n", "b.py": "x\n"})
    read = call("read_file", path="a.py")
    first = scene.answered(read)
    second = scene.toolbox.answer([call("read_file", file_path="./a.py")], first.state)
    same = scene.toolbox.answer([read], first.state)
    assert same.answers[0].text.startswith("a.py lines 1-1 of 1\none\n[you have been shown this")
    assert not any(answered.last_look for answered in (first, second, same))
    third = scene.toolbox.answer([read], same.state)
    assert third.last_look
    edit = call("edit_file", path="a.py", old_text="one", new_text="uno")
    assert not scene.toolbox.answer([edit, read], same.state).last_look


def test_a_cycle_three_times_round_is_the_last_look(scene: Scene) -> None:
    scene.write({f"{name}.py": f"{name}\n" for name in "abcde"})
    cycle = [call("read_file", path=f"{name}.py") for name in "abcde"]
    state = ToolState()
    last: list[bool] = []
    for _ in range(3):
        answered = scene.toolbox.answer(cycle, state)
        state = answered.state
        last.append(answered.last_look)
    assert last == [False, False, True]


def test_an_impatient_toolbox_gives_no_more_looks_at_the_first_repeat(tmp_path: Path) -> None:
    scene = Scene.of(tmp_path / "root", patience=1)
    scene.write({"a.py": "one\n"})
    read = call("read_file", path="a.py")
    assert scene.answered(read, read).last_look


def test_recalling_the_turns_comes_to_what_was_shown(scene: Scene) -> None:
    scene.write({"a.py": "one\ntwo\n", "b.py": "x\n"})
    turns = [
        [call("read_file", path="a.py"), call("nonsense")],
        [
            call("edit_file", path="a.py", old_text="one", new_text="uno"),
            call("read_file", path="a"),
        ],
        [call("edit_file", path="a.py", old_text="none", new_text="uno")],
        [call("read_file", path="b.py")] * 10,
    ]
    state, recalled = ToolState(), Shown()
    for calls in turns:
        answered: Answered = scene.toolbox.answer(calls, state)
        recalled = scene.toolbox.recall(recalled, calls, answered.answers)
        state = answered.state
        assert recalled == state.shown
    assert len(state.drafts) == 1


LINE = st.sampled_from(["alpha", "beta", "  gamma", "delta", ""])
LINES = st.lists(LINE, max_size=3).map("\n".join)
PATHS = st.sampled_from(["f", "g", "d/h", "new"])
CALL = st.one_of(
    st.tuples(PATHS, LINES, LINES).map(
        lambda x: call("edit_file", {"path": x[0], "old_text": x[1], "new_text": x[2]})
    ),
    PATHS.map(lambda path: call("delete_file", path=path)),
    st.tuples(PATHS, PATHS).map(lambda x: call("move_file", path=x[0], to=x[1])),
)


@given(
    texts=st.lists(LINES, min_size=3, max_size=3),
    turns=st.lists(st.lists(CALL, max_size=4), max_size=4),
)
def test_drafts_one_after_the_other_are_the_plan_of_all(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], turns: list[list[ToolCall]]
) -> None:
    scene = Scene.of(tmp_path_factory.mktemp("root"))
    before = {path: f"{text}\n" for path, text in zip(["f", "g", "d/h"], texts, strict=True)}
    scene.write(before)
    state = ToolState()
    for calls in turns:
        state = scene.toolbox.answer(calls, state).state
    with drafting(scene.root, scene.toolbox.rules) as drafts:
        assert drafts.again(state.drafts) == ()
        now = drafts.changed()
        seen = scene.toolbox.files(drafts)
        for path, content in now.items():
            assert seen.shows(path) == (content is not None)
            assert content is None or seen.text(path) == content.decode()
    made = planned(scene, state)
    assert made == {path: None if raw is None else raw.decode() for path, raw in now.items()}
    assert {path: (scene.root / path).read_text() for path in before} == before


EDIT_ONE = call("edit_file", path="a.py", old_text="one", new_text="uno")


def test_a_file_of_the_same_size_is_noticed_when_it_changed(scene: Scene) -> None:
    """Drafts are kept in memory between replies, for as long as the files stay as they were."""
    scene.write({"a.py": "one\n"})
    first = scene.answered(EDIT_ONE)
    replaced = scene.root / "replaced"
    replaced.write_text("two\n")
    replaced.rename(scene.root / "a.py")
    second = scene.toolbox.answer([call("read_file", path="a.py")], first.state)
    assert second.answers[0].text.startswith("a.py lines 1-1 of 1\ntwo\n")
    assert second.state.drafts == ()


def test_a_draft_of_an_earlier_reply_may_be_taken_up_more_than_once(scene: Scene) -> None:
    """As when a look is interrupted: what a later reply drafted does not reach the earlier one."""
    scene.write({"a.py": "one\ntwo\n"})
    first = scene.answered(EDIT_ONE)
    more = call("edit_file", path="a.py", old_text="two", new_text="due")
    for _ in range(2):
        second = scene.toolbox.answer([more, call("read_file", path="a.py")], first.state)
        assert not second.answers[0].is_error
        assert "\nuno\ndue\n" in second.answers[1].text


def test_names_that_pass_for_a_drafted_one_are_refused_in_later_replies_too(scene: Scene) -> None:
    new = call("edit_file", path="lib/New.py", old_text="", new_text="x = 1\n")
    first = scene.answered(new)
    other = call("edit_file", path="lib/new.py", old_text="", new_text="x = 2\n")
    second = scene.toolbox.answer([other], first.state)
    assert second.answers[0].is_error
    assert "its name differs from `lib/New.py` only in case" in second.answers[0].text


def test_a_repository_is_not_made_over_several_replies(scene: Scene) -> None:
    state = None
    for path in ("x/objects/a", "x/refs/a", "x/HEAD"):
        made = call("edit_file", path=path, old_text="", new_text="x\n")
        answered = scene.toolbox.answer([made], state)
        state = answered.state
    assert answered.answers[0].is_error
    assert "git takes `x` for a repository then" in answered.answers[0].text
