"""Checks that the agent asks for: on drafts, in a sandbox, with the task's files untouched."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import anyio
import pytest
from attrs import evolve

from agent_runner.engine.checking import Checking
from agent_runner.engine.work import Work
from agent_runner.model.errors import InvariantError
from agent_runner.model.hooks import HookOutcome, HookResult
from agent_runner.sandbox.confinement import Tier
from agent_runner.sandbox.sandbox import Sandbox
from tests.engine.scene import Scene
from tests.support.sandboxes import lasting, sandbox

__all__ = ["lasting", "sandbox"]

KEY = "sk-ant-api03-0123456789abcdefghijkl"

CHECKS = {
    "judge": {"command": "sh check.sh", "agent": True},
    "plain": {"command": "true"},
    "below": {"command": ["sh", "../check.sh"], "cwd": "src", "agent": True, "timeout": "1s"},
}


class Checked:
    """One task's checks in a sandbox."""

    def __init__(self, scene: Scene, sandbox: Sandbox) -> None:
        self.scene, self.sandbox = scene, sandbox

    def run(self, name: str, drafts: Mapping[str, bytes | None]) -> HookResult:
        """Run the check with a store that is open for it."""
        store = self.scene.open()
        try:
            wiring = self.scene.wired(store)
            task = wiring.project.tasks.get("T1")
            assert task
            assert wiring.runner.confining
            runner = wiring.runner
            runner.confining = evolve(wiring.runner.confining, find=lambda: self.sandbox)
            checking: Checking = wiring.checking
            work = Work(
                task,
                store.state.record("T1"),
                wiring.project.settings,
                "run-1",
                journal=lambda _fact: None,
                latest=lambda: store.state.record("T1"),
                signal=self.scene.watcher.signal,
            )

            async def run() -> HookResult:
                return await checking.run(work, name, drafts)

            return anyio.run(run)
        finally:
            store.close()


@pytest.fixture
def checked(sandbox: Sandbox, lasting: Path) -> Checked:
    folder = lasting / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src/a.txt").write_text("before\n")
    (folder / "check.sh").write_text('grep -q after "$(dirname "$0")/src/a.txt" || exit 3\n')
    (folder / ".env").write_text("PRIVATE\n")
    (folder / ".gitignore").write_text(".env\nnode_modules\n")
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    tasks = [{"id": "T1", "post_hooks": list(CHECKS)}]
    return Checked(Scene(folder, tasks, {"hooks": CHECKS}), sandbox)


def tree(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        inside = str(path.relative_to(folder))
        if path.is_file() and not inside.startswith((".agent-runner", ".git/")):
            yield inside, path.read_bytes()


def test_judges_the_drafts_and_leaves_the_files_alone(checked: Checked) -> None:
    before = list(tree(checked.scene.folder))
    red = checked.run("judge", {})
    assert (red.outcome, red.exit_code) == (HookOutcome.FAILED, 3)
    green = checked.run("judge", {"src/a.txt": b"after\n"})
    assert green.outcome is HookOutcome.PASSED, green
    assert green.seconds > 0
    assert list(tree(checked.scene.folder)) == before


def test_new_files_and_deleted_ones(checked: Checked) -> None:
    script = b"ls -A . src new/deep; rm -r src; echo x > left"
    drafts = {"check.sh": script, "src/a.txt": None, "new/deep/b.txt": b"b"}
    result = checked.run("judge", drafts)
    assert "b.txt" in result.excerpt
    assert "a.txt" not in result.excerpt
    assert (checked.scene.folder / "src/a.txt").exists()
    assert not (checked.scene.folder / "left").exists()


def test_runs_in_its_folder_and_is_ended_in_time(checked: Checked) -> None:
    assert checked.run("below", {"src/a.txt": b"after\n"}).outcome is HookOutcome.PASSED
    late = checked.run("below", {"check.sh": b"echo early; sleep 60"})
    assert late.outcome is HookOutcome.TIMED_OUT
    assert "early" in late.excerpt


def test_says_no_secret(checked: Checked) -> None:
    home = checked.scene.folder.parent / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh/id").write_text("PRIVATE\n")
    script = f"cat .env; cat {checked.scene.folder}/.env; cat {home}/.ssh/id; echo {KEY}; exit 1"
    result = checked.run("judge", {"check.sh": script.encode()})
    assert "PRIVATE" not in result.excerpt
    assert KEY not in result.excerpt


def test_installed_dependencies_are_there_and_stay_as_they_are(checked: Checked) -> None:
    package = checked.scene.folder / "node_modules/pkg"
    package.mkdir(parents=True)
    (package / "index.js").write_text("one")
    script = b"cat node_modules/pkg/index.js; echo two > node_modules/pkg/index.js"
    result = checked.run("judge", {"check.sh": script})
    assert result.excerpt.startswith("one")
    assert (package / "index.js").read_text() == "one"


def test_the_whole_output_is_in_a_log(checked: Checked) -> None:
    script = b"i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; exit 1"
    result = checked.run("judge", {"check.sh": script})
    assert "line 0\n" in result.excerpt
    assert "line 4999" in result.excerpt
    assert len(result.excerpt) <= 4_000
    assert b"line 2500\n" in (checked.scene.state_dir / result.log).read_bytes()


@pytest.mark.parametrize("path", ["../outside", "/etc/x", "src/../../x"])
def test_a_draft_outside_of_the_folder_is_a_bug(checked: Checked, path: str) -> None:
    with pytest.raises(InvariantError):
        checked.run("judge", {path: b""})


@pytest.mark.parametrize("name", ["plain", "no-such-hook"])
def test_only_what_is_offered_is_run(checked: Checked, name: str) -> None:
    with pytest.raises(InvariantError):
        checked.run(name, {})


def test_nothing_is_offered_without_a_sandbox(checked: Checked) -> None:
    checked.sandbox = Sandbox(Tier.NONE, why="no bwrap")
    with pytest.raises(InvariantError):
        checked.run("judge", {})
