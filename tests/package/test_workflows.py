"""The workflows name sessions and Pythons that there are, and their own steps do what they say."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from agent_runner import __version__

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="not in the source archive")


def jobs(name: str) -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe", pure=True).load((FOLDER / name).read_text())["jobs"]
    return document


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in jobs(name).values() for step in job["steps"]]


def run(name: str, words: str, ref: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the step of the release whose name holds these words, for a tag."""
    (script,) = (step["run"] for step in steps(name) if words in step.get("name", ""))
    return subprocess.run(
        ["bash", "-ec", script.replace("> notes.md", f"> {folder}/notes.md")],
        cwd=ROOT,
        env={"GITHUB_REF_NAME": ref, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_session_that_is_run_is_one() -> None:
    defined = set(re.findall(r"^def (\w+)", (ROOT / "noxfile.py").read_text(), re.MULTILINE))
    assert set(jobs("ci.yml")["checks"]["strategy"]["matrix"]["session"]) <= defined
    named = re.findall(r"nox -s ([\w ]+)", (FOLDER / "release.yml").read_text())
    assert {each for names in named for each in names.split()} <= defined


def test_the_tests_run_on_every_python_and_system_that_is_promised() -> None:
    promised = re.findall(r'Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text())
    matrix = jobs("ci.yml")["tests"]["strategy"]["matrix"]
    assert matrix["python"] == promised
    assert matrix["os"] == ["ubuntu-latest", "macos-latest"]


@pytest.mark.parametrize(("ref", "right"), [(f"v{__version__}", True), ("v9.9.9", False)])
def test_a_tag_that_is_not_the_version_is_refused(ref: str, right: bool, tmp_path: Path) -> None:
    done = run("release.yml", "tag is the version", ref, tmp_path)
    assert (done.returncode == 0) is right


def test_the_release_notes_say_what_it_cannot_do(tmp_path: Path) -> None:
    done = run("release.yml", "release notes", f"v{__version__}", tmp_path)
    assert done.returncode == 0, done.stderr
    notes = (tmp_path / "notes.md").read_text()
    assert "### What it cannot do\n" in notes
    assert not re.search(r"^## ", notes, re.MULTILINE)


def test_only_what_publishes_is_given_an_identity() -> None:
    for name in sorted(path.name for path in FOLDER.iterdir()):
        for job, about in jobs(name).items():
            identity = about.get("permissions", {}).get("id-token") == "write"
            assert identity == (job in {"publish", "deploy"}), (name, job)
    (publish,) = (s for s in steps("release.yml") if "pypi-publish" in s.get("uses", ""))
    assert publish["with"] == {"attestations": True}
