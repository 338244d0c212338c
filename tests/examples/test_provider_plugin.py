"""The example plug-in in whole runs, with a stand-in for the agent's command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "examples" / "provider-plugin"

EDITS = """
import os, pathlib, sys
assert "Add a greeting" in sys.stdin.read()
assert "OPENAI_API_KEY" not in os.environ and os.environ["ANTHROPIC_API_KEY"] == "planted"
pathlib.Path("a.txt").write_text("changed\\n")
pathlib.Path("new folder").mkdir()
pathlib.Path("new folder/gr\u00fcn b.md").write_text("```\\n ```\\nno end")
pathlib.Path("gone.txt").unlink()
pathlib.Path("old.txt").rename("renamed.txt")
print("done, see `a.txt`")
"""
PROTECTED = "import pathlib; pathlib.Path('check.sh').write_text('exit 0\\n')"
OUTSIDE = "import pathlib; pathlib.Path('link/x').write_text('escaped')"
FAILS = "import sys; sys.exit('no licence')"
HANGS = "import time; time.sleep(600)"
IDLE = "print('nothing to do')"


class Scene:
    """A small project whose one task is done by a stand-in command."""

    def __init__(self, folder: Path, script: str, *, timeout: str = "60s") -> None:
        self.folder, self.site = folder / "project", folder / "site"
        self.folder.mkdir()
        for name in ("a.txt", "gone.txt", "old.txt"):
            (self.folder / name).write_text(f"{name}\n")
        (self.folder / "check.sh").write_text("grep -q changed a.txt\n")
        (self.folder / "link").symlink_to(folder)
        agent = folder / "agent.py"
        agent.write_text(script, encoding="utf-8")
        self._write("tasks.yml", {"tasks": [TASK]})
        params = {"command": [sys.executable, str(agent)], "keys": ["ANTHROPIC_API_KEY"]}
        provider = {"protocol": "cli-agent", "timeout": timeout, "params": params}
        self._write(
            "agent-runner.yml",
            {
                "provider": "mine",
                "ledger": False,
                "max_attempts_per_task": 1,
                "max_edit_retries": 0,
                "retry": {"max_tries": 1},
                "providers": {"mine": provider},
                "hooks": {"check": "sh check.sh"},
                "defaults": {"post_hooks": ["check"]},
            },
        )
        self._install()

    def run(self) -> subprocess.CompletedProcess[str]:
        """One run of the list."""
        env = {
            **os.environ,
            "PYTHONPATH": f"{self.site}:{PLUGIN}:{ROOT}",
            "ANTHROPIC_API_KEY": "planted",
            "OPENAI_API_KEY": "other",
        }
        command = [sys.executable, "-m", "agent_runner", "run"]
        return subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, check=False
        )

    def _write(self, name: str, content: object) -> None:
        (self.folder / name).write_text(json.dumps(content))

    def _install(self) -> None:
        """What pip leaves behind, so that the entry point is found."""
        metadata = self.site / "agent_runner_cli_agent-0.1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: x\nVersion: 0.1.0\n")
        text = "[agent_runner.providers]\ncli-agent = agent_runner_cli_agent:CliAgent\n"
        (metadata / "entry_points.txt").write_text(text)


TASK = {
    "id": "T1",
    "title": "Add a greeting",
    "description": "Change a.txt.",
    "protect": ["check.sh"],
}


def test_what_the_command_changed_in_its_copy_is_applied(tmp_path: Path) -> None:
    scene = Scene(tmp_path, EDITS)
    done = scene.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert (scene.folder / "a.txt").read_text() == "changed\n"
    assert (scene.folder / "new folder/grün b.md").read_text() == "```\n ```\nno end"
    assert (scene.folder / "renamed.txt").read_text() == "old.txt\n"
    assert not (scene.folder / "gone.txt").exists()
    assert not (scene.folder / "old.txt").exists()


def test_what_is_protected_stays(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PROTECTED)
    done = scene.run()
    assert done.returncode == 1
    assert "protected" in done.stdout
    assert (scene.folder / "check.sh").read_text() == "grep -q changed a.txt\n"


def test_a_link_that_leads_outside_is_not_there(tmp_path: Path) -> None:
    done = Scene(tmp_path, OUTSIDE).run()
    assert done.returncode == 1
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("script", "timeout", "words", "code"),
    [(FAILS, "60s", "no licence", 1), (HANGS, "1s", "did not end within 1 seconds", 75)],
)
def test_a_command_that_fails_or_hangs_stops_the_run(
    tmp_path: Path, script: str, timeout: str, words: str, code: int
) -> None:
    done = Scene(tmp_path, script, timeout=timeout).run()
    assert words in done.stdout + done.stderr
    assert done.returncode == code


def test_no_change_is_judged_like_any_other(tmp_path: Path) -> None:
    done = Scene(tmp_path, IDLE).run()
    assert done.returncode == 1
    assert "changed nothing" in done.stdout


def test_a_missing_command_is_named(tmp_path: Path) -> None:
    scene = Scene(tmp_path, IDLE)
    config = json.loads((scene.folder / "agent-runner.yml").read_text())
    config["providers"]["mine"]["params"]["command"] = ["no-such-agent"]
    (scene.folder / "agent-runner.yml").write_text(json.dumps(config))
    done = scene.run()
    assert done.returncode == 1
    assert "no-such-agent cannot be started" in done.stdout + done.stderr
