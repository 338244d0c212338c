"""A command that is forked ends as one that is started does."""

import subprocess
import sys

import pytest

from tests.cli.scene import Scene, environment
from tests.support.forks import run_forked

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "words",
    [("--version",), ("status",), ("status", "--json"), ("nonsense",), ("run", "other.yml")],
    ids=" ".join,
)
def test_a_forked_command_is_like_a_started_one(scene: Scene, words: tuple[str, ...]) -> None:
    scene.config({})
    scene.tasks({"id": "T1"})
    env = environment(scene.home)
    started = subprocess.run(
        (sys.executable, "-m", "agent_runner", *words),
        cwd=scene.project,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    forked = run_forked(words, cwd=scene.project, env=env, timeout=30)
    assert (forked.returncode, forked.stdout, forked.stderr) == (
        started.returncode,
        started.stdout,
        started.stderr,
    )


def test_a_killed_one_says_so_and_one_that_hangs_is_killed(scene: Scene) -> None:
    scene.config(
        {"hooks": {"judge": {"command": "kill -9 $PPID"}, "slow": {"command": "sleep 60"}}}
    )
    scene.tasks({"id": "T1", "pre_hooks": ["judge"]})
    env = environment(scene.home)
    assert run_forked(("run",), cwd=scene.project, env=env, timeout=30).returncode == -9
    scene.tasks({"id": "T1", "pre_hooks": ["slow"]})
    words = ("run", "--state-dir", "another")
    with pytest.raises(subprocess.TimeoutExpired):
        run_forked(words, cwd=scene.project, env=env, timeout=1.5)
