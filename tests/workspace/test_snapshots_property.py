"""Random edits, staging and committing: a snapshot says what a plain look at all files says."""

import contextlib
import os
import tempfile
from pathlib import Path

from hypothesis import given, strategies as st

from agent_runner.workspace.contents import Limits
from agent_runner.workspace.names import Scope
from agent_runner.workspace.objects import ObjectStore
from agent_runner.workspace.snapshots import SnapshotReader
from tests.support.exploring import examples
from tests.workspace.edits import EDITS, FILE_EDITS, GIT_EDITS, Edit, do, sampled
from tests.workspace.repos import FixedClock, Repo, differing, snapshot

ATTRIBUTES = ["", "* text=auto\n", "*.txt text eol=crlf\na ident\n", "* -text\n"]


edits = sampled([*FILE_EDITS, *GIT_EDITS])
sized = sampled(
    ["write", "write", "delete", "executable", "link", "touch", "link_for_folder"],
    [b"x" * size for size in (1, 5, 77)],
)


@examples(40)
@given(
    before=st.lists(edits, max_size=8),
    after=st.lists(edits, max_size=6),
    attributes=st.sampled_from(ATTRIBUTES),
    below=st.sampled_from(["", "sub"]),
    limits=st.sampled_from([Limits(), Limits(read_unasked=0), Limits(seen_unasked=0)]),
)
def test_snapshots_are_equal_iff_the_files_are(
    before: list[Edit], after: list[Edit], attributes: str, below: str, limits: Limits
) -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as opened:
        roots = Path(folder, "git", below), Path(folder, "plain")
        Repo.created(Path(folder, "git"))
        readers = []
        for number, root in enumerate(roots):
            store = ObjectStore(Path(folder, f"state{number}"))
            opened.callback(store.close)
            readers.append(SnapshotReader(Scope(root), store, FixedClock(), limits))
            root.mkdir(parents=True, exist_ok=True)
            (root / ".gitattributes").write_text(attributes, encoding="utf-8")
        do(before, roots)
        looks = [snapshot(root) for root in roots]
        trees = [reader.look() for reader in readers]
        do(after, roots)
        looks_after = [snapshot(root) for root in roots]
        trees_after = [reader.look() for reader in readers]

        assert looks[0] == looks[1]
        assert looks_after[0] == looks_after[1]
        assert trees[0].id == trees[1].id  # with and without git alike
        assert trees_after[0].id == trees_after[1].id
        assert (trees[0].id == trees_after[0].id) is (looks[0] == looks_after[0])
        for reader, tree, tree_after in zip(readers, trees, trees_after, strict=True):
            changed = reader.changes(tree.id, tree_after.id)
            assert tuple(change.path for change in changed) == differing(looks[0], looks_after[0])
            back = reader.changes(tree_after.id, tree.id)
            assert [(c.path, c.after, c.before) for c in back] == [
                (c.path, c.before, c.after) for c in changed
            ]
            for change in changed:  # both sides can be given back
                for entry, files in ((change.before, looks[0]), (change.after, looks_after[0])):
                    content = reader.content(change.path, entry) if entry else None
                    assert content == files.get(change.path, ("", None))[1]


@examples(40)
@given(
    before=st.lists(sized, min_size=4, max_size=9),
    between=st.lists(sized, max_size=4),
    staged=st.lists(sampled(GIT_EDITS), max_size=3),
    below=st.sampled_from(["", "d"]),
)
def test_gits_word_is_taken_only_for_what_is_as_it_was(
    before: list[Edit], between: list[Edit], staged: list[Edit], below: str
) -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as opened:
        repo = Repo.created(Path(folder, "git"))
        stores = [ObjectStore(Path(folder, f"state{number}")) for number in range(2)]
        for store in stores:
            opened.callback(store.close)
        root = repo.root / below
        asking = SnapshotReader(Scope(root), stores[0], FixedClock(), Limits(seen_unasked=0))
        do(before, (repo.root, repo.root))
        EDITS["add_all"](repo.root, "", b"")
        for step in ([], between, staged, between):
            do(step, (repo.root, repo.root))
            reading = SnapshotReader(Scope(root), stores[1], FixedClock())
            assert asking.look() == reading.look()
            _settle(repo)
            assert asking.look() == reading.look()


def _settle(repo: Repo) -> None:
    """Make the index younger than all files, as it is when some time has passed.

    Files are changed so that their size or mode tells, for git itself would no longer notice less.
    """
    index = repo.root / ".git" / "index"
    if index.exists():
        later = index.stat().st_mtime_ns // 10**9 * 10**9 + 10**12
        os.utime(index, ns=(later, later))
