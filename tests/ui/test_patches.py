"""Patches for people: every line's kind, and figures by file, as git counts them."""

import subprocess
from pathlib import Path

from hypothesis import given, strategies as st

from agent_runner.ui.patches import FileStat, LineKind, classified, file_stat, stat_lines

PATCH = """\
diff --git a/a.sql b/a.sql
--- a/a.sql
+++ b/a.sql
@@ -1,2 +1,2 @@
 select 1;
--- an old comment
+++ a new one
\\ No newline at end of file
@@ -9 +9,0 @@
-gone
diff --git a/b.bin b/b.bin
Binary files a/b.bin and b/b.bin differ
"""


def test_a_removed_comment_is_no_head() -> None:
    kinds = [kind for kind, _ in classified(PATCH.splitlines())]
    head, hunk = LineKind.HEAD, LineKind.HUNK
    assert kinds == [
        *(head, head, head),
        *(hunk, LineKind.CONTEXT, LineKind.REMOVED, LineKind.ADDED, LineKind.CONTEXT),
        *(hunk, LineKind.REMOVED),
        *(head, head),
    ]


def test_the_figures_are_those_of_git(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("".join(f"-- {n}\n" for n in range(40)))
    new.write_text("".join(f"-- {n}\n" for n in range(3, 60) if n % 7))
    words = ("git", "diff", "--no-index", "--patch", str(old), str(new))
    patch = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    words = ("git", "diff", "--no-index", "--numstat", str(old), str(new))
    said = subprocess.run(words, capture_output=True, text=True, check=False).stdout.split()
    found = file_stat("new", patch)
    assert [found.added, found.removed] == [int(said[0]), int(said[1])]


@given(
    st.lists(
        st.builds(
            FileStat,
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80),
            st.integers(0, 99_999),
            st.integers(0, 99_999),
            st.booleans(),
        ),
        max_size=5,
    ),
    st.integers(40, 200),
)
def test_bars_fit_and_every_change_shows(files: list[FileStat], width: int) -> None:
    *rows, sums = stat_lines(files, width)
    assert len(rows) == len(files)
    for one, row in zip(files, rows, strict=True):
        bar = row.rpartition("|")[2]
        assert len(bar) + row.count("|") < width
        if one.binary:
            assert bar == " binary"
        else:
            assert ("+" in bar, "-" in bar) == (one.added > 0, one.removed > 0)
    assert sums.strip().startswith(f"{len(files)} file")
