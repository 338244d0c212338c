"""The examples are found, copied to new folders only, and complete."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import agent_runner
from agent_runner.demo import copy_example, example_folder, example_names, free_folder
from agent_runner.model.errors import UsageError


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_example_is_known() -> None:
    folders = {each.name for each in example_folder("small-project").parent.iterdir()}
    assert set(example_names()) == folders - {"provider-plugin"}  # which is no project


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(UsageError, match="'smal'") as raised:
        example_folder("smal")
    assert "small-project" in raised.value.fix


@pytest.mark.parametrize("name", example_names())
def test_a_copy_is_the_example(name: str, tmp_path: Path) -> None:
    copy = copy_example(name, tmp_path / "new" / "folder")
    assert copy == tmp_path / "new" / "folder"
    original = _tree(example_folder(name))
    copied = _tree(copy)
    assert copied.items() <= original.items()
    assert {"tasks.yml", "agent-runner.yml", "README.md"} <= copied.keys()


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    assert copy_example("monorepo", tmp_path).joinpath("tasks.yml").is_file()


def test_a_relative_destination_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert copy_example("monorepo", Path("here")) == tmp_path / "here"


@pytest.mark.parametrize("standing", ["file", "folder", "dangling link"])
def test_nothing_is_written_over(standing: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    match standing:
        case "file":
            target.write_text("mine")
        case "folder":
            target.mkdir()
            (target / "mine").write_text("mine")
        case _:
            target.symlink_to(tmp_path / "nowhere")
    before = _tree(tmp_path)
    with pytest.raises(UsageError, match="exists already"):
        copy_example("small-project", target)
    assert _tree(tmp_path) == before


def test_a_destination_under_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="cannot copy the example"):
        copy_example("small-project", tmp_path / "file" / "below")


def test_the_first_free_name_is_taken(tmp_path: Path) -> None:
    assert free_folder(tmp_path, "demo") == tmp_path / "demo"
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo-2").symlink_to("nowhere")
    assert free_folder(tmp_path, "demo") == tmp_path / "demo-3"


@pytest.mark.parametrize("place", ["examples", "agent_runner/examples"])
def test_found_in_a_checkout_and_in_a_wheel_without_what_a_run_left(
    place: str, tmp_path: Path
) -> None:
    """A package laid out as in a checkout and as from a wheel, its example run before."""
    package = Path(agent_runner.__file__).parent
    laid = tmp_path / "laid"
    shutil.copytree(package / "model", laid / "agent_runner" / "model")
    for part in ("__init__.py", "demo.py"):
        shutil.copy(package / part, laid / "agent_runner" / part)
    example = laid / place / "monorepo"
    shutil.copytree(example_folder("monorepo"), example)
    for left in (".agent-runner/journal.jsonl", "packages/slugs/__pycache__/slugs.pyc"):
        (example / left).parent.mkdir(exist_ok=True)
        (example / left).write_text("left")
    program = (
        "import pathlib, agent_runner.demo as d; d.copy_example('monorepo', pathlib.Path('c'))"
    )
    subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(laid)}, check=True
    )
    assert _tree(tmp_path / "c") == _tree(example_folder("monorepo"))
