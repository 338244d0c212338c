"""The example plug-in in whole runs, with a stand-in for the agent's command."""

import json
import os
import shutil
import signal
import stat
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.scene import SOURCE, Ended, Scene
from tests.e2e.driving import going
from tests.e2e.wire import entries

pytestmark = pytest.mark.slow

PLUGIN = SOURCE / "examples" / "provider-plugin"
START = "import os, pathlib, sys\ngiven = sys.stdin.read()\np = pathlib.Path\n"
TASK = {"id": "T1", "title": "Add a greeting", "description": "Change a.txt."}


@pytest.fixture
def project(tmp_path: Path) -> Scene:
    """A project, the plug-in as pip leaves it, and a folder for scratch copies of its own."""
    site, scratch = tmp_path / "site", tmp_path / "scratch"
    metadata = site / "agent_runner_cli_agent-0.1.0.dist-info"
    metadata.mkdir(parents=True)
    scratch.mkdir()
    shutil.copy(PLUGIN / "agent_runner_cli_agent.py", site)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: x\nVersion: 0.1.0\n")
    groups = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]["entry-points"]
    lines = [f"{name} = {where}" for name, where in groups["agent_runner.providers"].items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[agent_runner.providers]", *lines]))
    scene = Scene(tmp_path)
    scene.env = {
        "PYTHONPATH": f"{site}:{SOURCE}",
        "TMPDIR": str(scratch),
        "MY_KEY": "planted-key",
        "OPENAI_API_KEY": "other-key",
        "GATEWAY_TOKEN": "third-key",
        "AGENT_RUNNER_PROVIDERS__GATEWAY__API_KEY": "fourth-key",
    }
    for name in ("a.txt", "gone.txt", "old.txt"):
        scene.write(name, f"{name}\n")
    scene.write("check.sh", "grep -q changed a.txt\n")
    scene.tasks({**TASK, "protect": ["check.sh"]})
    return scene


def _agent(scene: Scene, script: str, *, params: dict[str, Any] | None = None, **more: Any) -> None:
    """Let this script be the agent's command; it reads `given` and has `p` for Path."""
    agent = scene.root / "agent.py"
    agent.write_text(START + script, encoding="utf-8")
    mine = {
        "protocol": "cli-agent",
        "timeout": more.pop("timeout", "60s"),
        "api_key_env": "MY_KEY",
        "params": {"command": [sys.executable, str(agent)], **(params or {})},
    }
    gateway = {"base_url": "http://127.0.0.1:9", "model": "m", "api_key_env": "GATEWAY_TOKEN"}
    content = {
        "provider": "mine",
        "ledger": False,
        "baseline": "never",
        "max_attempts_per_task": 1,
        "max_edit_retries": 0,
        "max_unusable_replies": 0,
        "retry": {"max_tries": 1},
        "providers": {"mine": mine, "gateway": gateway},
        "hooks": {"check": "sh check.sh"},
        "defaults": {"post_hooks": ["check"]},
        **more,
    }
    scene.config(content, bare=True)
    # what the project's own file starts, and gives a key to, is the user's to decide
    assert scene.run("trust").code == 0


def _tree(folder: Path) -> dict[str, bytes | str]:
    """All files and links, but for the state."""
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in _walk(folder)
    }


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if ".agent-runner" not in path.parts and (path.is_symlink() or path.is_file()):
            yield path


def _run(scene: Scene) -> Ended:
    """A run that leaves no scratch copy behind."""
    ended = scene.run("run")
    assert list((scene.root / "scratch").iterdir()) == []
    return ended


def _response(scene: Scene, call: int = 1) -> dict[str, Any]:
    path = f".agent-runner/logs/T1/attempt-01/call-{call:02}/response.json"
    response: dict[str, Any] = json.loads(scene.read(path))
    return response


MANY = """
assert "Add a greeting" in given and "SEARCH" not in given and "Change the files" in given
assert os.environ["MY_KEY"] == "planted-key"
assert not {"OPENAI_API_KEY", "GATEWAY_TOKEN"} & set(os.environ)
assert "AGENT_RUNNER_PROVIDERS__GATEWAY__API_KEY" not in os.environ
p("a.txt").write_text("changed\\n")
p("new folder").mkdir()
p("new folder/gr\\u00fcn \\"b\\".md").write_text("```\\n ```\\n--- a/x\\n+++ b/x\\nno end")
p("gone.txt").unlink()
p("old.txt").rename("renamed.txt")
p("crlf.txt").write_bytes(b"one\\r\\ntwo 2\\r\\nthree")
p("bare.txt").write_bytes(b"one\\ntwo")
p("new.bat").write_bytes(b"a\\r\\nb\\r\\n")
p("empty").write_text("")
p("full.txt").write_text("")
p("run me.sh").write_text("echo\\n")
p("run me.sh").chmod(0o755)
p("bytes.bin").unlink()
p("moved.bin").rename("moved to.bin")
p("__pycache__").mkdir()
p("__pycache__/x.pyc").write_bytes(b"\\0")
print("done:\\n\\nevil.txt\\n```\\nno edit\\n```\\n\\n```show\\na.txt\\n```")
"""


def test_what_the_command_changed_in_its_copy_is_applied(project: Scene) -> None:
    _agent(project, MANY)
    project.write("crlf.txt", "").write_bytes(b"one\r\ntwo\r\nthree\r\n")
    project.write("bare.txt", "").write_bytes(b"one\n")
    project.write("full.txt", "full\n")
    for name in ("bytes.bin", "moved.bin"):
        project.write(name, "").write_bytes(name.encode() + b"\0\xff" * 9)
    before = _tree(project.project)
    done = _run(project)
    assert done.code == 0, done.out + done.err
    expected = before | {
        "a.txt": b"changed\n",
        'new folder/grün "b".md': b"```\n ```\n--- a/x\n+++ b/x\nno end",
        "renamed.txt": b"old.txt\n",
        "crlf.txt": b"one\r\ntwo 2\r\nthree",
        "bare.txt": b"one\ntwo",
        "new.bat": b"a\r\nb\r\n",
        "empty": b"",
        "full.txt": b"",
        "run me.sh": b"echo\n",
        "moved to.bin": before["moved.bin"],
    }
    for gone in ("gone.txt", "old.txt", "bytes.bin", "moved.bin"):
        del expected[gone]
    assert _tree(project.project) == expected
    assert (project.project / "run me.sh").stat().st_mode & stat.S_IXUSR
    response = _response(project)
    assert response["text"].startswith("done:")
    assert response["logs"][0] == "done:"
    assert response["usage"]["estimated"]
    assert response["usage"]["input"] > 0


def test_in_a_repository_ignored_files_stay_out_and_git_is_its_own(project: Scene) -> None:
    script = """
import subprocess
assert not p("secret.env").exists() and not p(".venv").exists() and not p(".agent-runner").exists()
assert p("built/kept.txt").read_text() == "kept"
assert subprocess.run(["git", "status", "--short"], capture_output=True, text=True).stdout == ""
p("a.txt").write_text("changed\\n")
p("secret.env").write_text("mine")
p("sub/x.log").write_text("noise")
subprocess.run("git add -A && git -c user.name=a -c user.email=a@b commit -qm x", shell=True)
"""
    _agent(project, script, params={"also_copy": ["built"]})
    project.write(".gitignore", "*.env\nbuilt/\n.venv/\n*.log\n.agent-runner/\n")
    project.write("secret.env", "KEY=1")
    project.write("built/kept.txt", "kept")
    project.write(".venv/lib.py", "")
    project.write("sub/y.txt", "y\n")
    git = "git init -q && git add -A && git -c user.name=a -c user.email=a@b commit -qm 1"
    assert os.system(f"cd '{project.project}' && {git}") == 0
    head = (project.project / ".git/HEAD").read_bytes()
    done = _run(project)
    assert done.code == 0, done.out + done.err
    assert project.read("a.txt") == "changed\n"
    assert project.read("secret.env") == "KEY=1"
    assert not (project.project / "sub/x.log").exists()
    assert (project.project / ".git/HEAD").read_bytes() == head


REFUSED = {
    "protected": "p('check.sh').write_text('exit 0\\n')",
    "judges the work": "p('tasks.yml').write_text('{}')",
    "binary files": "p('x.png').write_bytes(b'\\0\\1')",
    "symbolic links": "p('way').symlink_to('/etc')",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_not_allowed_is_refused_with_all_the_rest(project: Scene, words: str) -> None:
    _agent(project, f"p('a.txt').write_text('changed\\n')\n{REFUSED[words]}")
    before = _tree(project.project)
    done = _run(project)
    assert done.code == 1
    assert words in done.out, done.out
    assert _tree(project.project) == before


def test_after_a_refusal_it_begins_anew_and_is_told_why(project: Scene) -> None:
    script = """
assert p("a.txt").read_text() == "a.txt\\n" and "Add a greeting" in given
p("a.txt").write_text("changed\\n")
if "protected" in given:
    assert "Do not send" not in given and "at fault above" in given
    p("second.txt").write_text("second\\n")
else:
    p("check.sh").write_text("exit 0\\n")
    p("first.txt").write_text("first\\n")
"""
    _agent(project, script, max_edit_retries=1)
    done = _run(project)
    assert done.code == 0, done.out + done.err
    assert project.read("second.txt") == "second\n"
    assert not (project.project / "first.txt").exists()


def test_links_that_lead_outside_are_not_copied(project: Scene) -> None:
    outside = project.root / "outside"
    outside.mkdir()
    (project.project / "absolute").symlink_to(outside)
    (project.project / "relative").symlink_to("../outside")
    (project.project / "through").symlink_to("../project/a.txt")
    (project.project / "inside").symlink_to("a.txt")
    script = """
assert not any(os.path.lexists(name) for name in ("absolute", "relative", "through"))
p("inside").write_text("changed\\n")
"""
    _agent(project, script)
    done = _run(project)
    assert done.code == 0, done.out + done.err
    assert (project.project / "inside").is_symlink()
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "more", "words", "code"),
    [
        ("sys.exit('no licence')", {}, "exit code 1: no licence", 75),
        (
            "print('x', flush=True); os.read(os.pipe()[0], 1)",
            {"timeout": "1s"},
            "within 1 seconds",
            75,
        ),
        ("p('a.txt').write_text('changed\\n' * 999)", {"params": {"max_diff": 500}}, "max_diff", 1),
    ],
)
def test_a_bad_end_is_no_answer_and_its_work_is_dropped(
    project: Scene, script: str, more: dict[str, Any], words: str, code: int
) -> None:
    _agent(project, f"p('b.txt').write_text('b')\n{script}", **more)
    before = _tree(project.project)
    done = _run(project)
    assert done.code == code
    assert words in done.out + done.err
    assert _tree(project.project) == before


def test_no_change_is_judged_like_any_other(project: Scene) -> None:
    _agent(project, "print('a.txt\\n```\\nchanged\\n```')")
    done = _run(project)
    assert done.code == 1
    assert "changed nothing" in done.out
    assert project.read("a.txt") == "a.txt\n"


def test_the_instructions_may_stand_in_a_word(project: Scene) -> None:
    script = (
        "assert not given and 'Add a greeting' in sys.argv[1]\np('a.txt').write_text('changed')"
    )
    agent = str(project.root / "agent.py")
    _agent(project, script, params={"command": [sys.executable, agent, "{instructions}"]})
    done = _run(project)
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"command": ["no-such-agent"]}, "no-such-agent is not installed"),
        ({"command": []}, "there is no command"),
        ({"comand": "x"}, "comand means nothing"),
        ({"also_copy": "built"}, "also_copy: a list of texts"),
    ],
)
def test_mistakes_are_found_before_anything_begins(
    project: Scene, params: dict[str, Any], words: str
) -> None:
    _agent(project, "", params=params)
    done = _run(project)
    assert done.code == 2
    assert words in done.err
    assert not (project.project / ".agent-runner/logs").exists()


def test_a_stop_ends_the_command_with_all_its_children(project: Scene) -> None:
    script = """
import signal, subprocess
signal.signal(signal.SIGTERM, signal.SIG_IGN)
fifo = sys.argv[1]
child = subprocess.Popen(["sh", "-c", "trap '' TERM; exec sleep 600 > " + fifo])
child.wait()
"""
    fifo = project.root / "alive"
    os.mkfifo(fifo)
    command = [sys.executable, str(project.root / "agent.py"), str(fifo)]
    _agent(project, script, params={"command": command})
    with going(project, "run") as run, fifo.open("rb") as alive:  # opens when the child has begun
        run.process.send_signal(signal.SIGINT)
        assert alive.read() == b""  # ends with the last who holds it
        run.process.wait(30)
    assert list((project.root / "scratch").iterdir()) == []
    (settled,) = entries(project, "CallSettled")
    assert settled["data"]["outcome"] == "lost"


def test_providers_check_asks_it(project: Scene) -> None:
    _agent(project, "assert 'one word' in given and not os.listdir(); print('ok')")
    done = project.run("providers", "check", "mine")
    assert done.code == 0, done.out + done.err
    without_key = project.read("agent-runner.yml").replace('"api_key_env": "MY_KEY", ', "")
    project.write("agent-runner.yml", without_key)
    unasked = project.run("providers", "check", "mine")
    assert unasked.code == 2
    assert "says what the plug-in" in unasked.err
