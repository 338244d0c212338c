"""What was changed in the tree and a commit would run: found by folder, by name, over others."""

from pathlib import Path

import pytest

from agent_runner.workspace.git import Repository
from agent_runner.workspace.programs import run_by_a_commit
from tests.workspace.repos import Repo


def led(repo: Repo, *changed: str) -> tuple[str, ...]:
    repository = Repository.find(repo.root)
    assert repository is not None
    return run_by_a_commit(repository, changed)


def pre_commit(repo: Repo, script: str, folder: str = ".git/hooks") -> None:
    repo.write(f"{folder}/pre-commit", f"#!/bin/sh\n{script}\n").chmod(0o755)


@pytest.mark.parametrize("path", [".gitattributes", "sub/.gitattributes", "sub/.GitAttributes"])
def test_attributes_say_what_filters_run(path: str, repo: Repo) -> None:
    repo.write(path, "* filter=x\n")
    assert led(repo, path, "a.py") == (path,)


@pytest.mark.parametrize(
    ("hooks", "path"),
    [
        (".husky", ".husky/pre-commit"),
        (".husky/_", ".husky/commit-msg"),
        ("tools/hooks", "tools/hooks/lib/all.sh"),
    ],
)
def test_hooks_that_lie_in_the_tree(hooks: str, path: str, repo: Repo) -> None:
    repo.git("config", "core.hooksPath", hooks)
    repo.write(path).chmod(0o755)
    repo.write("other.sh").chmod(0o755)
    assert led(repo, path, "other.sh") == (path,)


@pytest.mark.parametrize(
    "script",
    [
        "exec tools/check.sh",
        '"$(git rev-parse --show-toplevel)/tools/check.sh" --all',
        "cd tools && ./check.sh",
        "sh ./tools/../tools/check.sh",
        ". {root}/tools/check.sh",
        "sh tools/outer.sh",
        "python -m tools.outer",
    ],
)
def test_programs_that_a_hook_names(script: str, repo: Repo) -> None:
    """At once, or over a program that was not changed."""
    pre_commit(repo, script.format(root=repo.root))
    repo.write("tools/outer.sh", '"$(dirname "$0")/check.sh"\n')
    repo.write("tools/outer.py", "import subprocess; subprocess.run(['tools/check.sh'])\n")
    repo.write("tools/check.sh", "true\n")
    repo.write("tools/data.txt", "check.sh\n")
    assert led(repo, "tools/check.sh", "tools/data.txt", "app/views.py") == ("tools/check.sh",)


def test_programs_that_a_filter_names(repo: Repo) -> None:
    repo.git("config", "filter.fmt.clean", "sh tools/fmt.sh %f")
    repo.write("tools/fmt.sh", "cat\n")
    repo.write("lib/fmt.py", "x = 1\n")
    assert led(repo, "tools/fmt.sh", "lib/fmt.py") == ("tools/fmt.sh",)


@pytest.mark.parametrize(
    ("script", "path"),
    [
        ("exec pre-commit run", ".pre-commit-config.yaml"),
        ("make lint", "Makefile"),
        ("npx --no-install lint-staged", "package.json"),
    ],
)
def test_files_that_lead_well_known_programs(script: str, path: str, repo: Repo) -> None:
    repo.write(path)
    assert led(repo, path) == ()
    pre_commit(repo, script)
    assert led(repo, path) == (path,)


def test_data_that_a_hook_names_is_no_program(repo: Repo) -> None:
    pre_commit(repo, "sed -i s/a/b/ notes.txt; echo line too long")
    repo.write("notes.txt")
    repo.write("line.py")
    assert led(repo, "notes.txt", "line.py") == ()


def test_what_the_user_has_committed_is_the_user_s(repo: Repo) -> None:
    repo.write(".gitattributes", "* filter=x\n")
    repo.write("tools/check.sh", "true\n")
    pre_commit(repo, "sh tools/check.sh")
    assert led(repo, ".gitattributes", "tools/check.sh") == (".gitattributes", "tools/check.sh")
    repo.git("add", "-A")
    repo.git("commit", "-q", "--no-verify", "-m", "looked at")
    assert led(repo, ".gitattributes", "tools/check.sh") == ()


def test_hooks_elsewhere_and_samples_are_nothing_to_the_tree(repo: Repo, tmp_path: Path) -> None:
    repo.write("tools/check.sh", "true\n")
    repo.write(".git/hooks/pre-commit.sample", "tools/check.sh\n").chmod(0o755)
    assert led(repo, "tools/check.sh") == ()
    repo.git("config", "core.hooksPath", str(tmp_path / "mine"))
    assert led(repo, "tools/check.sh") == ()
