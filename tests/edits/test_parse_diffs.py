"""Diffs that a program made: read as they are, and the files they lead to are the ones it had."""

import tempfile
from pathlib import Path

from hypothesis import given, strategies as st

from agent_runner.edits.edit import Reply, Write
from agent_runner.edits.parse import parse_diffs
from agent_runner.edits.plan import Planned, plan_replies
from agent_runner.edits.rejection import Rejection
from agent_runner.files.rules import Rules
from tests.support.exploring import examples
from tests.support.git_diffs import git_diff

_LINES = (
    *(
        "",
        " ",
        "a",
        "b",
        "...",
        "```",
        " ```",
        "--- a/x",
        "+++ b/x",
        "@@ -1 +1 @@",
        "gr\u00fcn\u2028",
    ),
    *("diff --git a/x b/x", "\\ No newline at end of file", "<<<<<<< SEARCH", "*** Begin Patch"),
)
LINES = st.lists(st.sampled_from(_LINES), max_size=12)
NAMES = ["a.txt", "b c.md", "gr\u00fcn.py", 'q"uo"te', "sub dir/\u00e9.txt", "a.txt.orig"]


def _text(lines: list[str], ending: str, *, final: bool) -> bytes:
    text = "".join(f"{line}{ending}" for line in lines)
    return (text if final else text.removesuffix(ending)).encode()


@st.composite
def changes(draw: st.DrawFn) -> dict[str, tuple[bytes | None, bytes | None]]:
    """Files before and after; each has one kind of ending, as long as it is there."""
    made = {}
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=4)):
        ending = draw(st.sampled_from(["\n", "\r\n"]))
        one = st.builds(
            lambda lines, final, e=ending: _text(lines, e, final=final), LINES, st.booleans()
        )
        made[name] = (draw(st.none() | one), draw(st.none() | one))
    return made


@examples(60)
@given(changes())
def test_what_git_tells_leads_to_what_git_saw(
    files: dict[str, tuple[bytes | None, bytes | None]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        diff = git_diff(root, files)
        planned = plan_replies([parse_diffs([diff])], root, Rules())
        assert not isinstance(planned, Rejection), f"{planned.text}\n{diff}"
        assert _after(planned, files) == {name: after for name, (_, after) in files.items()}, diff


def _after(
    planned: Planned, files: dict[str, tuple[bytes | None, bytes | None]]
) -> dict[str, bytes | None]:
    found = {name: before for name, (before, _) in files.items()}
    for change in planned.change_set.changes:
        found[change.path] = planned.blobs.get(change.after.sha256)
    return found


def test_words_are_no_edits_and_nothing_at_all_is_no_problem() -> None:
    text = "x.py\n```\nno file\n```\n\n```show\na.txt\n```\n"
    reply = parse_diffs([text])
    assert (reply.edits, reply.asks) == (reply.problems, ())
    assert len(reply.problems) == 1
    assert parse_diffs([]) == parse_diffs([""]) == Reply(exact=True)


def test_several_diffs_follow_each_other_and_need_no_last_newline() -> None:
    one, other = (f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+{name}" for name in "ab")
    edits = parse_diffs([one, f"{other}\n"]).edits
    assert [(edit.path, edit.text) for edit in edits if isinstance(edit, Write)] == [
        ("a", "a\n"),
        ("b", "b\n"),
    ]


def test_what_is_binary_is_named() -> None:
    header = "diff --git a/x.png b/x.png\nnew file mode 100644\n"
    (problem,) = parse_diffs([f"{header}Binary files /dev/null and b/x.png differ\n"]).problems
    assert "(x.png)" in str(problem)
