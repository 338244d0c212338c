"""Plans and rejections that a table row cannot show.

Chains of corrections, limits, several edits of one file.
"""

import os
from pathlib import Path

import pytest
from attrs import evolve

from agent_runner.edits.edit import NoChange, Reply
from agent_runner.edits.parse import parse_diffs, parse_reply
from agent_runner.edits.plan import Planned, plan, plan_replies
from agent_runner.edits.rejection import Rejection
from agent_runner.files.jail import spelled
from agent_runner.files.redaction_marks import RedactionMarks
from agent_runner.files.rules import Rules
from agent_runner.ground.beneath import Refusal, Standing, opened_root, standing
from tests.files.trees import apply_planned, write_tree


def block(path: str, search: str, replace: str) -> str:
    return f"{path}\n<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n\n"


def planned_text(outcome: Planned | Rejection, path: str) -> str:
    assert isinstance(outcome, Planned), outcome.text
    change = next(change for change in outcome.change_set.changes if change.path == path)
    return outcome.blobs[change.after.sha256].decode()


FIRST = block("a.py", "one", "eins") + block("a.py", "zwo", "zwei") + block("b.py", "x", "y")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_tree(tmp_path, {"a.py": "one\ntwo\nthree\n", "b.py": "x\n"})
    return tmp_path


def test_only_the_failed_block_is_sent_again(root: Path) -> None:
    replies = [parse_reply(FIRST)]
    outcome = plan_replies(replies, root, Rules())
    assert isinstance(outcome, Rejection)
    assert [edit.path for edit in outcome.fine] == ["a.py", "b.py"]
    replies.append(parse_reply(block("a.py", "two", "zwei")))
    outcome = plan_replies(replies, root, Rules())
    assert planned_text(outcome, "a.py") == "eins\nzwei\nthree\n"
    assert planned_text(outcome, "b.py") == "y\n"


def test_blocks_that_are_sent_again_all_the_same_do_no_harm(root: Path) -> None:
    again = block("a.py", "one", "eins") + block("a.py", "two", "zwei") + block("b.py", "x", "y")
    outcome = plan_replies([parse_reply(FIRST), parse_reply(again)], root, Rules())
    assert planned_text(outcome, "a.py") == "eins\nzwei\nthree\n"


def test_a_chain_of_three(root: Path) -> None:
    replies = [FIRST, block("a.py", "deux", "zwei"), block("a.py", "two", "zwei")]
    outcome = plan_replies([parse_reply(text) for text in replies], root, Rules())
    assert planned_text(outcome, "a.py") == "eins\nzwei\nthree\n"
    broken = plan_replies([parse_reply(text) for text in replies[:2]], root, Rules())
    assert isinstance(broken, Rejection)
    assert "of an earlier reply" in broken.text


@pytest.mark.parametrize("words", ["I cannot.", "NO CHANGE NEEDED: fine", "```sh run\nmake\n```"])
def test_what_is_kept_is_not_applied_without_the_rest(words: str, root: Path) -> None:
    replies = [parse_reply(text) for text in (FIRST, words)]
    outcome = plan_replies(replies, root, Rules())
    assert isinstance(outcome, Rejection)
    assert [edit.path for edit in outcome.fine] == ["a.py", "b.py"]
    whole = plan_replies([*replies, parse_reply(block("a.py", "two", "zwei"))], root, Rules())
    assert planned_text(whole, "a.py") == "eins\nzwei\nthree\n"


def test_what_does_not_parse_does_not_lose_what_does(root: Path) -> None:
    first = block("b.py", "x", "y") + "*** Begin Patch\n*** End Patch\n"
    outcome = plan_replies(
        [parse_reply(first), parse_reply(block("a.py", "two", "2"))], root, Rules()
    )
    assert isinstance(outcome, Planned)
    assert set(outcome.change_set.paths) == {"a.py", "b.py"}


def test_a_block_that_fails_halfway_leaves_nothing_of_itself(root: Path) -> None:
    diff = "```diff\n--- a/a.py\n+++ b/a.py\n@@\n-one\n+eins\n@@\n-vier\n+4\n```\n"
    reply = parse_reply(diff + block("a.py", "one", "uno"))
    outcome = plan(reply, root, Rules())
    assert isinstance(outcome, Rejection)
    assert [edit.path for edit in outcome.fine] == ["a.py"]
    assert "1 of 2 blocks" in outcome.text


def test_edits_that_cancel_out_change_nothing(root: Path) -> None:
    reply = parse_reply(block("a.py", "one", "1") + block("a.py", "1", "one"))
    outcome = plan(reply, root, Rules())
    assert isinstance(outcome, Planned)
    assert outcome.change_set.changes == ()
    assert outcome.summary == "no changes"


def test_files_change_places_through_a_third(root: Path) -> None:
    moves = (("a.py", "c.py"), ("b.py", "a.py"), ("c.py", "b.py"))
    text = "".join(f"*** Update File: {old}\n*** Move to: {new}\n" for old, new in moves)
    outcome = plan(parse_reply(f"*** Begin Patch\n{text}*** End Patch\n"), root, Rules())
    assert isinstance(outcome, Planned)
    assert apply_planned(outcome, root) is None
    assert (root / "a.py").read_text() == "x\n"
    assert (root / "b.py").read_text() == "one\ntwo\nthree\n"
    assert sorted(path.name for path in root.iterdir()) == ["a.py", "b.py"]


def test_two_spellings_of_one_new_file_are_refused(root: Path) -> None:
    reply = parse_reply("New.py\n```\nx\n```\n\nnew.py\n```\ny\n```\n")
    outcome = plan(reply, root, Rules())
    assert isinstance(outcome, Rejection)
    assert "only in case" in outcome.text


def test_limits_are_told(root: Path) -> None:
    write_tree(root, {"big.txt": "x" * 2_000})
    big = plan(parse_reply(block("big.txt", "x", "y")), root, Rules(max_file_size=1_000))
    assert isinstance(big, Rejection)
    assert "at most 1000" in big.text
    many = plan(parse_reply(FIRST), root, Rules(max_files=1))
    assert isinstance(many, Rejection)
    assert "at most 1 files" in many.text


def test_the_text_stays_short_however_much_is_wrong(root: Path) -> None:
    reply = parse_reply("".join(block("a.py", f"nothing {n}\n" * 50, "x") for n in range(300)))
    outcome = plan(reply, root, Rules())
    assert isinstance(outcome, Rejection)
    assert len(outcome.text) < 16_000
    assert "more blocks failed" in outcome.text


def test_a_file_that_may_not_be_read_is_refused(root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "link").symlink_to("a.py")
    with opened_root(root) as descriptor:
        assert isinstance(standing(descriptor, "pipe", 9), Refusal)
        assert isinstance(standing(descriptor, "link", 9), Refusal)
        assert standing(descriptor, "none/none", 9) == Standing(None, missing=("none",))
        file = standing(descriptor, "b.py", 9)
        assert isinstance(file, Standing)
        assert file.content == b"x\n"


def test_spelling_makes_paths_plain() -> None:
    assert spelled("./a//b.py") == "a/b.py"
    assert spelled("...") == "..."
    assert spelled(".gitignore") == ".gitignore"
    assert isinstance(spelled("a/.Git\u200b/x"), Refusal)


def test_an_empty_reply_changes_nothing(root: Path) -> None:
    outcome = plan_replies([Reply()], root, Rules())
    assert isinstance(outcome, Planned)
    assert outcome.change_set.changes == ()


@pytest.mark.parametrize("ways", [1, 3])
def test_a_long_search_that_is_not_there_is_refused_quickly(root: Path, ways: int) -> None:
    """No clock: a quadratic search over these lines would outlast any patience."""
    lines = [f"line {number % 50_000} with words" for number in range(100_000)]
    write_tree(root, {"big.txt": "\n".join(lines)})
    needle = "\n".join([*lines[10:1_000], "not there"])
    reply = parse_reply("".join(block("big.txt", needle + str(way), "x") for way in range(ways)))
    outcome = plan(reply, root, Rules())
    assert isinstance(outcome, Rejection)
    assert "closest lines are 11-" in outcome.text


def test_many_openings_that_never_close_are_read_in_one_pass() -> None:
    reply = parse_reply("\n".join(f"{'`' * (3 + n % 5)}x{n}" for n in range(20_000)))
    assert reply == Reply(no_change=NoChange("words only"))
    blanks = parse_reply("\n".join([" " * 50_000 + "x (new", "@@" * 50_000, "```"]))
    assert blanks == Reply(no_change=NoChange("words only"))


HOLDS_A_KEY = "import boto\nKEY = 'AKIAIOSFODNN7EXAMPLE'\nx = 1\n"


def with_keys(root: Path, others: str = "import re\n") -> Rules:
    """A file with a key, one without, and the rules that know of both."""
    files = {"s.py": HOLDS_A_KEY, "other.py": others}
    write_tree(root, files)
    return Rules(marks=RedactionMarks(texts=files.values))


@pytest.mark.parametrize(
    "reply",
    [
        "s.py\n```\nimport boto\nKEY = '[redacted]'\nx = 2\n```\n",
        block("s.py", "x = 1", "x = 2\nTOKEN = '[redacted]'"),
        block("new.py", "", "KEY = '[redacted]'"),
        block("new.py", "", "keys = [\n    KEY = '[redacted]',\n]"),
        block("other.py", "import re", "import re\nKEY = '[redacted]'"),
        "--- a/s.py\n+++ b/s.py\n@@ -3 +3 @@\n-x = 1\n+x = '[redacted]'\n",
    ],
)
def test_the_mark_of_a_secret_is_never_written_in_its_place(root: Path, reply: str) -> None:
    outcome = plan(parse_reply(reply), root, with_keys(root))
    assert isinstance(outcome, Rejection)
    assert "a secret was left out of what you saw" in outcome.text
    assert "SEARCH/REPLACE" in outcome.text


@pytest.mark.parametrize(
    ("path", "reply"),
    [
        ("new.py", block("new.py", "", "MARK = '[redacted]'")),
        ("other.py", block("other.py", "import re", "import re\nMARK = '[redacted]'")),
        ("other.py", "other.py\n```\nimport re\nMARK = '[redacted]'\n```\n"),
    ],
)
def test_a_mark_that_stands_for_nothing_may_be_written(root: Path, path: str, reply: str) -> None:
    """As a program that redacts writes it, and its tests."""
    outcome = plan(parse_reply(reply), root, with_keys(root))
    assert "MARK = '[redacted]'\n" in planned_text(outcome, path)


def test_a_mark_that_a_third_file_holds_itself_may_be_copied(root: Path) -> None:
    rules = with_keys(root, others="MARK = '[redacted]'\n")
    outcome = plan(parse_reply(block("new.py", "", "MARK = '[redacted]'")), root, rules)
    assert planned_text(outcome, "new.py") == "MARK = '[redacted]'\n"


@pytest.mark.parametrize("exact", [False, True])
def test_no_mark_is_written_of_a_reply_that_held_a_key_itself(root: Path, exact: bool) -> None:
    text = "--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+KEY = '[redacted]'\n"
    reply = parse_diffs((text,)) if exact else parse_reply(f"```diff\n{text}```\n")
    assert isinstance(plan(reply, root, Rules()), Planned)
    outcome = plan(evolve(reply, redacted=True), root, Rules())
    assert isinstance(outcome, Rejection)
    assert "would write `[redacted]`" in outcome.text


def test_a_line_that_holds_the_mark_in_the_file_itself_stays(root: Path) -> None:
    write_tree(root, {"s.py": "MARK = '[redacted]'\nx = 1\n"})
    reply = parse_reply("s.py\n```\nMARK = '[redacted]'\nx = 2\n```\n")
    assert planned_text(plan(reply, root, Rules()), "s.py") == "MARK = '[redacted]'\nx = 2\n"


MOVED = """\
*** Begin Patch
*** Update File: .env
*** Move to: seen.txt
@@
-DEBUG=1
+DEBUG=2
*** Update File: seen.txt
@@
-TOKEN=aaaa-bbbb
+x
*** End Patch
"""


@pytest.mark.parametrize(
    "reply",
    [
        block(".env", "TOKEN=aaaa-bbbb", "TOKEN=new"),
        block(".env", "DEBUG=1\nTOKEN=", "x"),
        MOVED,
    ],
)
def test_no_line_is_quoted_of_a_file_that_is_never_shown(tmp_path: Path, reply: str) -> None:
    write_tree(tmp_path, {".env": "DEBUG=1\nTOKEN=aaaa-bbbb-cccc\n"})
    rules = Rules(hides=lambda path, _text: path.startswith(".env"))
    hidden, quoted = (
        plan(parse_reply(reply), tmp_path, rules),
        plan(parse_reply(reply), tmp_path, Rules()),
    )
    assert isinstance(hidden, Rejection)
    assert isinstance(quoted, Rejection)
    assert "cccc" in quoted.text
    assert "cccc" not in hidden.text
    assert "None of its lines is shown, as it may hold a secret." in hidden.text
