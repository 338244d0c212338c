"""Whatever a user's machine brings about ends with words and a code, and is never called a bug."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.scene import COMMAND, Scene, environment, reply

pytestmark = pytest.mark.slow


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """One task that would pass."""
    scene = Scene(tmp_path)
    scene.config({})
    scene.tasks({"id": "T1"})
    scene.reply("T1", 1, reply(a__txt="x"))
    return scene


def with_stdout(scene: Scene, path: str, *words: str) -> tuple[int, str]:
    """Exit code and stderr of a command whose output goes to that file."""
    with open(path, "w") as stdout:  # noqa: PTH123  # a device
        done = subprocess.run(
            [*COMMAND, *words],
            cwd=scene.project,
            env=environment(scene.home),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    return done.returncode, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("words", ["status", "status --json", "plan", "config show", "debug state"])
def test_a_result_that_is_lost_is_no_success(scene: Scene, words: str) -> None:
    code, said = with_stdout(scene, "/dev/full", *words.split())
    assert code == 74
    assert said == "error: the output cannot be written: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_run_whose_output_is_lost_stops_and_goes_on_later(scene: Scene) -> None:
    code, said = with_stdout(scene, "/dev/full", "run", "--json")
    assert code == 74
    assert "Traceback" not in said
    assert scene.run("resume").code == 0
    assert scene.states() == {"T1": "passed"}


def test_odd_things_in_the_state_folder_are_refused_by_every_command(scene: Scene) -> None:
    (scene.project / ".agent-runner/journal.jsonl").mkdir(parents=True)
    for words in ("run", "run --fresh", "resume", "status", "plan", "usage", "why T1", "diff T1"):
        done = scene.run(*words.split())
        assert done.code == 3, (words, done)
        assert "journal.jsonl is a folder, not a file" in done.err


def test_an_unreadable_place_is_named(scene: Scene) -> None:
    (scene.home / ".agent-runner").write_text("a file in place of the folder")
    done = scene.run("run")
    assert done.code in {0, 2, 3}, done
    scene.env["HOME"] = "/dev/null"
    done = scene.run("status")
    assert done.code in {0, 2, 3}, done


def test_a_pipe_in_place_of_a_recorded_answer_is_refused(scene: Scene) -> None:
    (scene.project / "replies/T1/1.md").unlink()
    os.mkfifo(scene.project / "replies/T1/1.md")
    done = scene.run("run")
    assert done.code == 1, done
    assert "it is a named pipe, not a file" in done.out + done.err


def test_lost_contents_are_said_with_a_next_step(scene: Scene) -> None:
    scene.write("a.txt", "before\n")
    assert scene.run("run").code == 0
    (scene.project / ".agent-runner/blobs/pack").unlink()
    for words in ("diff T1", "undo T1"):
        done = scene.run(*words.split())
        assert done.code == 3
        assert "  type: agent-runner doctor" in done.err
    assert scene.read("a.txt") == "x\n"
    assert scene.run("resume").code == 0


def test_recordings_are_as_private_as_the_state(scene: Scene) -> None:
    assert scene.run("run", "--record", "rec").code == 0
    made = [scene.project / "rec", *(scene.project / "rec").rglob("*")]
    assert len(made) == 3
    assert not any(path.stat().st_mode & 0o077 for path in made)


def test_a_character_that_the_output_cannot_take_is_written_out(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "\xfc")
    scene.config({})
    scene.tasks({"id": "T1", "title": "\u2192"})
    for words in (("config", "show"), ("status",), ("doctor",), ("report",)):
        env = environment(scene.home, {"PYTHONIOENCODING": "ascii"})
        done = subprocess.run(
            [*COMMAND, *words], cwd=scene.project, env=env, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, b""), words
        assert b"\\" in done.stdout


INTERRUPTED_AT = """
import os, signal, sys
from agent_runner.__main__ import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == wanted:
            os.kill(os.getpid(), signal.SIGINT)

sys.argv, wanted = ["agent-runner", "status"], sys.argv[1]
sys.meta_path.insert(0, Interrupting())
main()
"""


@pytest.mark.parametrize(
    ("module", "code"), [("typer", -signal.SIGINT), ("agent_runner.app.overview", 130)]
)
def test_ctrl_c_during_imports_leaves_no_traceback(scene: Scene, module: str, code: int) -> None:
    """Before a command begins the process ends by the signal itself, later with its code."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT, module],
        cwd=scene.project,
        env=environment(scene.home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")
