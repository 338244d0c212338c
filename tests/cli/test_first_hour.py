"""The first hour, as in a container: a path with spaces and letters, `LANG=C`, an empty home."""

import json
import stat
import sys
from pathlib import Path

import pytest

from tests.cli.scene import Scene, reply

pytestmark = pytest.mark.slow


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A project in which pytest judges, in a place that few tests think of."""
    made = Scene(tmp_path / "Größe ünd 世界")
    made.env = {"LANG": "C", "LC_ALL": "C"}
    made.write("pyproject.toml", "[tool.pytest.ini_options]\n")
    made.write(
        "tests/test_greet.py",
        'from greet import greet\n\ndef test_it():\n    assert greet("Ada") == "Hello, Ada!"\n',
    )
    return made


def program(scene: Scene, name: str, script: str) -> None:
    """A program on the path, before all others."""
    file = scene.root / "bin" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    scene.env["PATH"] = f"{file.parent}:/usr/bin:/bin"


def test_from_nothing_to_a_first_task_of_one_s_own(scene: Scene) -> None:
    program(scene, "python3", f'exec "{sys.executable}" "$@"')
    began = scene.run("init")
    assert (began.code, began.err) == (0, "")
    assert "judged by: python3 -m pytest -q" in began.out
    config = scene.read("agent-runner.yml")
    replay = "provider: replay\nproviders:\n  replay: {replies: ./replies}\nledger: false\n"
    lines = [line for line in config.splitlines() if not line.startswith("provider:")]
    scene.write("agent-runner.yml", replay + "\n".join(lines))
    greet = 'def greet(name):\n    return f"Hello, {name}!"'
    scene.reply("T1", 1, reply(greet__py=greet))
    for words in (("config", "validate"), ("run", "--dry-run"), ("run",), ("resume",)):
        ended = scene.run(*words)
        assert ended.code == 0, (words, ended)
    assert scene.states() == {"T1": "passed"}
    assert "+def greet(name):" in scene.run("diff", "T1").out
    assert "has passed" in scene.run("why", "T1").out
    page = Path(scene.run("report").out.strip())
    assert page.is_relative_to(scene.project)
    below = scene.project / "src"
    below.mkdir()
    (scene.project / ".git").mkdir()  # as far up as a project is looked for
    assert scene.run("status", cwd=below).code == 0
    assert scene.run("-C", str(scene.project), "status", cwd=scene.root).code == 0


def test_what_is_not_installed_is_said_at_once(scene: Scene) -> None:
    program(scene, "python3", "exit 1")
    ended = scene.run("init")
    assert ended.code == 0
    assert "python3 has no pytest: install it, or write under hooks" in ended.err


def test_nothing_of_the_project_is_run_to_find_that_out(scene: Scene) -> None:
    scene.write(".venv/bin/python", "#!/bin/sh\ntouch ran\n").chmod(0o755)
    scene.write("sitecustomize.py", "open('ran', 'w')\n")
    scene.write("pytest.py", "open('ran', 'w')\n")
    assert "judged by: .venv/bin/python -m pytest -q" in scene.run("init").out
    (scene.project / ".venv").rename(scene.root / "gone")
    (scene.project / "agent-runner.yml").unlink()
    assert scene.run("init").code == 0
    assert not (scene.project / "ran").exists()


def test_the_home_folder_is_refused_before_anything_is_written(scene: Scene) -> None:
    before = scene.tree()
    ended = scene.run("init", cwd=scene.home)
    assert ended.code == 2
    assert "this is your home folder; nothing was written" in ended.err
    assert scene.tree() == before


def test_a_list_that_is_there_is_kept_and_can_be_run(scene: Scene) -> None:
    scene.tasks({"id": "A", "post_hooks": []})
    mine = scene.read("tasks.yml")
    assert scene.run("init").code == 0
    assert scene.read("tasks.yml") == mine
    scene.env["ANTHROPIC_API_KEY"] = "sk-ant-made-up"
    assert "A" in scene.run("run", "--dry-run").out
    assert json.loads(scene.run("status", "--json").out)["tasks"][0]["id"] == "A"
