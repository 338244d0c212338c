"""What holds for all edits.

Formats agree, noise does no harm, a crash anywhere is finished by applying again.
"""

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, strategies as st

from agent_runner.edits.parse import parse_reply
from agent_runner.edits.plan import Planned, plan
from agent_runner.edits.rejection import Rejection
from agent_runner.files.apply import remove_temps
from agent_runner.files.rules import Rules
from tests.edits.rendering import (
    LINES,
    Change,
    FileText,
    as_diff,
    as_envelope,
    as_whole_file,
    images,
    replies,
)
from tests.files.trees import apply_planned, read_tree, undo, write_tree
from tests.support.exploring import examples

RULES = Rules()


class Crashed(BaseException):
    """The process is gone at this point."""


def write_before(root: Path, changes: list[Change]) -> None:
    write_tree(root, {c.path: c.before.content for c in changes if c.before is not None})


INSERTED = Change("a.py", FileText(("",)), FileText(("x", "")))
"""A line before the one empty line of a file, which alone says where it belongs."""

ONE_MARKER_EACH = [
    Change("a.py", FileText(("<<<<<<< SEARCH",)), FileText(("", "<<<<<<< SEARCH"))),
    Change("b.txt", FileText((">>>>>>> REPLACE",)), FileText(("", ">>>>>>> REPLACE"))),
]
"""Two files of which one holds what begins a block, and the other what ends it."""


@given(replies())
@example(([INSERTED], as_envelope(INSERTED)))
@example((ONE_MARKER_EACH, "".join(map(as_whole_file, ONE_MARKER_EACH))))
@example((ONE_MARKER_EACH, as_whole_file(ONE_MARKER_EACH[0]) + as_diff(ONE_MARKER_EACH[1])))
@examples(300)
def test_edits_in_any_format_make_the_same_change_set(drawn: tuple[list[Change], str]) -> None:
    changes, text = drawn
    reply = parse_reply(text)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_before(root, changes)
        outcome = plan(reply, root, RULES)
        assert isinstance(outcome, Planned), outcome.text
        expected = {c.path: images(c) for c in changes if images(c)[0] != images(c)[1]}
        made = {c.path: (c.before, c.after) for c in outcome.change_set.changes}
        assert made == expected
        before = read_tree(root)
        assert apply_planned(outcome, root) is None
        after = read_tree(root)
        for change in changes:
            there = after.get(change.path)
            assert (there and there[0]) == (change.after and change.after.content)
        assert undo(outcome.change_set, outcome, root) is None
        assert read_tree(root) == before


@given(replies(), st.data())
@examples(30)
def test_a_crash_at_any_write_is_finished_by_applying_again(
    drawn: tuple[list[Change], str], data: st.DataObject
) -> None:
    changes, text = drawn
    reply = parse_reply(text)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_before(root, changes)
        outcome = plan(reply, root, RULES)
        assert isinstance(outcome, Planned)
        before = read_tree(root)
        steps = count_steps(outcome, root)
        after = read_tree(root)
        for crash in range(steps):
            assert undo(outcome.change_set, outcome, root) is None
            assert read_tree(root) == before
            crash_at(outcome, root, crash)
            if data.draw(st.booleans()):
                remove_temps(outcome.change_set, root)
            assert apply_planned(outcome, root) is None
            assert read_tree(root) == after


def count_steps(planned: Planned, root: Path) -> int:
    steps = 0

    def count(_step: str, _path: str) -> None:
        nonlocal steps
        steps += 1

    assert apply_planned(planned, root, count) is None
    return steps


def crash_at(planned: Planned, root: Path, crash: int) -> None:
    step = 0

    def stop(_step: str, _path: str) -> None:
        nonlocal step
        if step == crash:
            raise Crashed
        step += 1

    with pytest.raises(Crashed):
        apply_planned(planned, root, stop)


FRAGMENTS = st.sampled_from(
    [
        "a.py",
        "../up.py",
        "/etc/passwd",
        "~/x",
        "link/x.py",
        "l.py",
        ".git/config",
        "sub",
        "src/new.py",
        "pipe",
        "File: ../../x",
        "```",
        "```python",
        "```diff",
        "````",
        "~~~",
        "```sh run",
        "```show",
        "```python path=a.py",
        "<<<<<<< SEARCH",
        "=======",
        ">>>>>>> REPLACE",
        "<<<<< SEARCH",
        ">>>>> REPLACE",
        "one",
        "two",
        "three",
        "diff --git a/a.py b/a.py",
        "--- a/a.py",
        "+++ b/a.py",
        "--- /dev/null",
        "+++ b/../up.py",
        "+++ /dev/null",
        "@@ -1,2 +1,2 @@",
        "@@ -9999999999,1 +1 @@",
        "@@",
        "-one",
        "+uno",
        " two",
        "\\ No newline at end of file",
        "rename from a.py",
        "rename to link/b.py",
        "new mode 100755",
        "deleted file mode 100644",
        "*** Begin Patch",
        "*** End Patch",
        "*** Update File: a.py",
        "*** Add File: link/new.py",
        "+x",
        "*** Delete File: b.txt",
        "*** Move to: ../up.py",
        "*** Move to: sub",
        "*** End of File",
        "...",
        "\0",
        "\ud800",
    ]
)
NOISE = st.lists(FRAGMENTS | LINES | st.text(max_size=20), max_size=30).map("\n".join) | st.binary(
    max_size=200
).map(lambda raw: raw.decode("latin-1"))


def check_noise(text: str) -> None:
    """A rejection or a plan, never an exception; nothing outside, all or nothing inside."""
    reply = parse_reply(text)
    with tempfile.TemporaryDirectory() as folder:
        outside = Path(folder) / "outside"
        root = Path(folder) / "root"
        write_tree(outside, {"secret": "s"})
        write_tree(root, {"a.py": "one\ntwo\nthree\n", "b.txt": "x", "sub/c.bin": b"\0\1"})
        (root / "link").symlink_to(outside)
        (root / "l.py").symlink_to(outside / "secret")
        before, safe = read_tree(root), read_tree(Path(folder) / "outside")
        outcome = plan(reply, root, RULES)
        assert read_tree(root) == before
        if isinstance(outcome, Rejection):
            assert outcome.text
            assert outcome.summary
        else:
            assert apply_planned(outcome, root) is None
            after = read_tree(root)
            for change in outcome.change_set.changes:
                there = after.pop(change.path, None)
                wanted = outcome.blobs.get(change.after.sha256)
                assert (there and there[0]) == wanted
                before.pop(change.path, None)
            assert {p: f for p, f in after.items() if not p.endswith("/")} == {
                p: f for p, f in before.items() if not p.endswith("/")
            }
        assert read_tree(outside) == safe
        assert sorted(path.name for path in Path(folder).iterdir()) == ["outside", "root"]


@given(NOISE)
@examples(400)
def test_noise_is_rejected_or_planned_and_never_does_harm(text: str) -> None:
    check_noise(text)


@given(st.data())
@examples(200)
def test_a_damaged_reply_does_no_harm_either(data: st.DataObject) -> None:
    check_noise(damaged(data))


def damaged(data: st.DataObject) -> str:
    """A good reply with lines lost, doubled, swapped, and its end cut off."""
    _, reply = data.draw(replies())
    lines = reply.split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines)))
        lines[at : at + data.draw(st.integers(0, 2))] = data.draw(st.lists(FRAGMENTS, max_size=2))
    text = "\n".join(lines)
    return text[: data.draw(st.integers(0, len(text)))] if data.draw(st.booleans()) else text
