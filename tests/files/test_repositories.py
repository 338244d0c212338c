"""No reply writes what git would take for a repository, in whatever order, spelling and pieces."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agent_runner.edits.edit import Move, Origin, Reply, Write
from agent_runner.edits.plan import Planned, plan
from agent_runner.edits.rejection import Rejection
from agent_runner.files.jail import spelled
from agent_runner.files.rules import Rules
from tests.files.trees import apply_planned, write_tree
from tests.support.exploring import examples

SHAPES = (("HEAD", "objects/k", "refs/k"), ("HEAD", "commondir"))


def written(root: Path, *paths: str) -> Planned | Rejection:
    edits = [Write(path, Origin(n, n, "whole file"), "x\n") for n, path in enumerate(paths, 1)]
    return plan(Reply(edits=tuple(edits)), root, Rules())


def is_refused(outcome: Planned | Rejection) -> bool:
    return isinstance(outcome, Rejection) and "for a repository" in outcome.text


@pytest.mark.parametrize(
    "paths", [order for shape in SHAPES for order in itertools.permutations(shape)]
)
@pytest.mark.parametrize("folder", ["", "sub/", "a/b/c.git/"])
def test_its_pieces_are_refused_together(folder: str, paths: tuple[str, ...], root: Path) -> None:
    assert is_refused(written(root, *(folder + path for path in paths)))


@pytest.mark.parametrize("paths", [*itertools.permutations(SHAPES[0])])
def test_and_one_reply_after_the_other(paths: tuple[str, ...], root: Path) -> None:
    for path in paths[:-1]:
        outcome = written(root, path)
        assert isinstance(outcome, Planned)
        assert apply_planned(outcome, root) is None
    assert is_refused(written(root, paths[-1]))


@examples(60)
@given(data=st.data())
def test_in_any_spelling(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    def spelling(path: str) -> str:
        variants = [str.upper, str.lower, str.title, _wide, lambda text: text + "."]
        parts = path.split("/")
        parts[0] = data.draw(st.sampled_from(variants))(parts[0])
        return "./" * data.draw(st.integers(0, 1)) + "/".join(parts)

    shape = data.draw(st.sampled_from(SHAPES))
    assert is_refused(written(tmp_path_factory.mktemp("root"), *map(spelling, shape)))


def _wide(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if char != "." else char for char in text)


def test_by_a_move(root: Path) -> None:
    write_tree(root, {"objects/k": "", "refs/k": "", "harmless": "ref: refs/heads/main\n"})
    move = Move("harmless", Origin(1, 1, "diff"), "HEAD")
    assert is_refused(plan(Reply(edits=(move,)), root, Rules()))


def test_and_one_that_is_there_is_not_touched(root: Path) -> None:
    """Such as the folder to which a `.git` file points, or a bare repository for a test."""
    write_tree(root, {f"store/{path}": "" for path in SHAPES[0]} | {"store/config": "[core]\n"})
    for path in ("store/config", "store/hooks/pre-commit", "store/refs/heads/main"):
        assert is_refused(written(root, path))
    assert isinstance(written(root, "stored/config"), Planned)


def test_folders_of_these_names_alone_are_a_project_like_any_other(root: Path) -> None:
    write_tree(root, {"objects/sword.py": "", "objects/HEAD": "", "commondir": ""})
    assert isinstance(written(root, "refs/links.py", "objects/shield.py", "lib/head"), Planned)


@pytest.mark.parametrize(
    "path",
    [".gitmodules", ".GitModules", "sub/.gitmodules", "GITMOD~1", "sub/.git", ".git./config"],
)
def test_git_s_own_files_are_refused(path: str) -> None:
    assert not isinstance(spelled(path), str)


@pytest.mark.parametrize(
    "char", ["\u200b", "\u2060", "\ufeff", "\u034f", "\u3164", "\ufe0f", "\U000e0100", "\u00ad"]
)
def test_names_with_characters_that_nobody_sees_are_refused(char: str) -> None:
    assert not isinstance(spelled(f"te{char}sts/t.py"), str)
    assert isinstance(spelled("tests/t.py"), str)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path
