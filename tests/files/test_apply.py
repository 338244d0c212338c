"""Applying for real.

Order of writes, kill -9, conflicts, links, full disks, modes, and diffs that git takes.
"""

import os
import pickle
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent_runner.edits.parse import parse_reply
from agent_runner.edits.plan import Planned, plan
from agent_runner.files.apply import Conflict, apply, remove_temps
from agent_runner.files.images import Stands, judge
from agent_runner.files.rules import Rules
from agent_runner.ground.diff import diff
from agent_runner.model.changes import ABSENT, ChangeSet, FileChange, Image, Kind
from agent_runner.model.errors import StorageError
from tests.files.trees import MemoryBlobs, apply_planned, read_tree, undo, write_tree

BEFORE = {"a.py": "one\ntwo\n", "sub/b.txt": "x\ny\n", "gone.txt": "g\n", "old.sh": "echo\n"}
REPLY = """\
a.py
<<<<<<< SEARCH
two
=======
zwei
>>>>>>> REPLACE

src/deep/new.py
```python
x = 1
```

*** Begin Patch
*** Delete File: gone.txt
*** Update File: old.sh
*** Move to: bin/new.sh
*** Update File: sub/b.txt
-y
+z
*** End Patch
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    write_tree(folder, BEFORE)
    (folder / "old.sh").chmod(0o755)
    return folder


def planned(root: Path, reply: str = REPLY) -> Planned:
    parsed = parse_reply(reply)
    outcome = plan(parsed, root, Rules())
    assert isinstance(outcome, Planned), outcome.text
    return outcome


def steps_of(outcome: Planned, root: Path) -> list[tuple[str, str]]:
    steps: list[tuple[str, str]] = []
    assert apply_planned(outcome, root, lambda step, path: steps.append((step, path))) is None
    return steps


def test_a_moved_file_keeps_its_bits_and_the_summary_counts(root: Path) -> None:
    outcome = planned(root)
    assert outcome.summary == "6 files, 2 new, 2 deleted, +3 -3"
    assert apply_planned(outcome, root) is None
    tree = read_tree(root)
    assert tree["bin/new.sh"] == (b"echo\n", 0o755)
    assert "old.sh" not in tree


def test_contents_are_synced_before_any_rename_and_folders_after_all(root: Path) -> None:
    outcome = planned(root)
    steps = steps_of(outcome, root)
    words = [word for word, _ in steps]
    first, last = words.index("rename"), len(words) - words[::-1].index("delete") - 1
    written = {path for word, path in steps[:first] if word == "temp"}
    assert {path for word, path in steps[:first] if word == "sync"} == written
    assert {path for word, path in steps if word == "rename"} == written
    synced = [path for word, path in steps[last + 1 :] if word == "sync"]
    assert sorted(synced) == ["", "bin", "src", "src/deep", "sub"], "each folder once"


def test_applying_twice_writes_nothing_the_second_time(root: Path) -> None:
    outcome = planned(root)
    assert apply_planned(outcome, root) is None
    words = {word for word, _ in steps_of(outcome, root)}
    assert words <= {"folder", "sync"}


@pytest.mark.crash
@pytest.mark.parametrize("way", ["apply", "undo"])
def test_killed_at_every_step_and_applied_again(root: Path, way: str, tmp_path: Path) -> None:
    outcome = planned(root)
    before = read_tree(root)
    count = len(steps_of(outcome, root))
    after = read_tree(root)
    change_set, begin, end = outcome.change_set, before, after
    if way == "undo":
        change_set, begin, end = outcome.change_set.inverted("back"), after, before
    kept = tmp_path / "kept"
    if way == "apply":
        assert undo(outcome.change_set, outcome, root) is None
    shutil.copytree(root, kept)
    file = tmp_path / "plan"
    file.write_bytes(pickle.dumps((change_set, dict(outcome.blobs))))
    killed = 0
    for step in range(count + 1):
        shutil.rmtree(root)
        shutil.copytree(kept, root)
        assert read_tree(root) == begin
        command = [sys.executable, "-m", "tests.files.killed", str(file), str(root), str(step)]
        done = subprocess.run(command, check=False, cwd=Path(__file__).parents[2])
        killed += done.returncode == -signal.SIGKILL
        remove_temps(change_set, root)
        assert not [path for path in read_tree(root) if path.endswith(".tmp")]
        assert apply(change_set, root, MemoryBlobs(outcome.blobs)) is None
        assert read_tree(root) == end
    assert killed > 5


@pytest.mark.parametrize(
    ("path", "words"),
    [("a.py", "it was edited"), ("gone.txt", "it was edited"), ("src/deep/new.py", "it appeared")],
)
def test_a_users_edit_is_a_conflict_and_nothing_is_touched(
    root: Path, path: str, words: str
) -> None:
    outcome = planned(root)
    write_tree(root, {path: "the user's own\n"})
    before = read_tree(root)
    conflict = apply_planned(outcome, root)
    assert isinstance(conflict, Conflict)
    assert conflict.path == path
    assert words in conflict.reason
    assert read_tree(root) == before


def test_an_edit_while_contents_are_written_is_noticed_before_the_first_rename(root: Path) -> None:
    outcome = planned(root)

    def meddle(step: str, path: str) -> None:
        if step == "temp" and path == "sub/b.txt":
            (root / "a.py").write_text("meanwhile\n")

    conflict = apply_planned(outcome, root, meddle)
    assert conflict is not None
    assert conflict.path == "a.py"
    tree = read_tree(root)
    assert tree.pop("a.py")[0] == b"meanwhile\n"
    assert set(tree) == {"sub/", "sub/b.txt", "gone.txt", "old.sh"}


def test_a_users_edit_of_another_file_or_of_bits_is_no_conflict(root: Path) -> None:
    outcome = planned(root)
    write_tree(root, {"other.txt": "mine\n"})
    (root / "a.py").chmod(0o600)
    assert apply_planned(outcome, root) is None
    assert read_tree(root)["a.py"] == (b"one\nzwei\n", 0o600)


def test_undo_leaves_folders_that_hold_something_of_the_users(root: Path) -> None:
    outcome = planned(root)
    assert apply_planned(outcome, root) is None
    write_tree(root, {"src/mine.txt": "m"})
    assert undo(outcome.change_set, outcome, root) is None
    tree = read_tree(root)
    assert "src/mine.txt" in tree
    assert "src/deep/" not in tree
    assert "bin/" not in tree


def test_judging_says_which_image_stands_and_touches_nothing(root: Path) -> None:
    outcome = planned(root)
    assert {judgement.stands for judgement in judge(outcome.change_set, root)} == {Stands.BEFORE}
    assert apply_planned(outcome, root) is None
    write_tree(root, {"a.py": "edited\n"})
    stands = {j.change.path: j.stands for j in judge(outcome.change_set, root)}
    assert stands.pop("a.py") is Stands.NEITHER
    assert set(stands.values()) == {Stands.AFTER}


def test_a_link_planted_after_planning_is_not_followed(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write_tree(outside, {"b.txt": "x\ny\n"})
    outcome = planned(root)
    shutil.rmtree(root / "sub")
    (root / "sub").symlink_to(outside)
    conflict = apply_planned(outcome, root)
    assert conflict is not None
    assert "symbolic link" in conflict.reason
    assert read_tree(outside)["b.txt"][0] == b"x\ny\n"
    assert (root / "a.py").read_text() == "one\ntwo\n"


def test_a_link_in_place_of_a_temporary_file_is_replaced_not_followed(
    root: Path, tmp_path: Path
) -> None:
    outcome = planned(root)
    target = tmp_path / "target"
    target.write_text("untouched")
    change = next(c for c in outcome.change_set.changes if c.path == "a.py")
    (root / change.temp).symlink_to(target)
    assert apply_planned(outcome, root) is None
    assert target.read_text() == "untouched"
    assert not (root / "a.py").is_symlink()


def test_a_disk_that_refuses_leaves_the_tree_as_it_was(root: Path) -> None:
    """The limit on file sizes stands in for a full disk: the second content is too long."""
    big = "y" * 100_000
    reply = f"a.py\n```\nsmall\n```\n\nnew/big.txt\n```\n{big}\n```\n"
    outcome = planned(root, reply)
    before = read_tree(root)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(StorageError, match=r"big\.txt"):
            apply_planned(outcome, root)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    assert read_tree(root) == before
    assert apply_planned(outcome, root) is None
    assert (root / "new/big.txt").read_text() == big + "\n"


def test_a_root_that_is_gone_is_a_storage_error(root: Path) -> None:
    outcome = planned(root)
    shutil.rmtree(root)
    with pytest.raises(StorageError, match="No such file"):
        apply_planned(outcome, root)


def test_a_hard_link_keeps_the_old_content(root: Path, tmp_path: Path) -> None:
    os.link(root / "a.py", tmp_path / "linked.py")
    assert apply_planned(planned(root), root) is None
    assert (tmp_path / "linked.py").read_text() == "one\ntwo\n"


def test_git_takes_the_diff(root: Path, tmp_path: Path) -> None:
    write_tree(root, {'\u00e9 "q".txt': "a\nb", "crlf.txt": "a\r\nb\r\n"})
    reply = REPLY + (
        '\n\nFile: `\u00e9 "q".txt`\n<<<<<<< SEARCH\na\n=======\nA\n>>>>>>> REPLACE\n'
        "\ncrlf.txt\n<<<<<<< SEARCH\nb\n=======\nB\n>>>>>>> REPLACE\n"
        "\n```diff\ndiff --git a/a.py b/a.py\nold mode 100644\nnew mode 100755\n```\n"
    )
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    outcome = planned(root, reply)
    text = diff(outcome.change_set, MemoryBlobs(outcome.blobs))
    assert apply_planned(outcome, root) is None
    subprocess.run(["git", "init", "-q"], cwd=copy, check=True)
    subprocess.run(["git", "apply", "--whitespace=nowarn"], cwd=copy, check=True, input=text)
    shutil.rmtree(copy / ".git")
    assert read_tree(copy) == read_tree(root)


def test_binary_contents_are_named_in_the_diff() -> None:
    image = Image(Kind.FILE, 0o644, "h")
    change_set = ChangeSet("x", (FileChange("a.bin", image, ABSENT),))
    text = diff(change_set, MemoryBlobs({"h": b"\0\1"}))
    assert b"Binary files a/a.bin and /dev/null differ" in text
