"""What commands write over an overlay is found again: compared with what they did to a copy."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from agent_runner.sandbox import overlay_upper
from agent_runner.sandbox.confinement import Confinement, Overlay
from agent_runner.sandbox.overlay_upper import Written
from agent_runner.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import run

FILES = ("a", "d/b", "d/e/c", "f/g")


def fill(folder: Path) -> None:
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "link").symlink_to("a")
    (folder / "empty").mkdir()


@pytest.fixture
def original(lasting: Path) -> Path:
    folder = lasting / "original"
    folder.mkdir(mode=0o750)
    fill(folder)
    return folder


def found(sandbox: Sandbox, command: str, original: Path) -> dict[str, bool]:
    place = original.parent / "kept"
    overlay_upper.make(place, original)
    run(sandbox, command, Confinement(mount=Overlay(original, place)), original)
    try:
        return {one.path: one.deleted for one in overlay_upper.written(place, original)}
    finally:
        overlay_upper.remove(place)
        assert not place.exists()


CASES = {
    "echo x > a; echo y > new": {"a": False, "new": False},
    "rm a d/e/c": {"a": True, "d/e/c": True},
    "rm -r d": {"d/b": True, "d/e/c": True},
    "rm -r d; mkdir d; echo x > d/n": {"d/b": True, "d/e/c": True, "d/n": False},
    "rm -r d; mkdir -p d/e; echo x > d/e/n": {"d/b": True, "d/e/c": True, "d/e/n": False},
    "rm -r d; echo x > d": {"d/b": True, "d/e/c": True, "d": False},
    "rm a; mkdir a; echo x > a/n": {"a": True, "a/n": False},
    "mv d h": {"d/b": True, "d/e/c": True, "h/b": False, "h/e/c": False},
    "ln -sf b link; ln -s /etc/passwd out": {"link": False, "out": False},
    "mkdir x; mkfifo p; rmdir empty": {},
    "chmod 000 d; mkdir -m 000 locked": {},
    "true": {},
}


@pytest.mark.parametrize("command", CASES)
def test_finds_what_was_written(overlays: Sandbox, original: Path, command: str) -> None:
    assert found(overlays, command, original) == CASES[command]


PATHS = st.sampled_from(["a", "d", "d/b", "d/e", "d/e/c", "f", "f/g", "n", "n/m", "link"])
STEPS = st.one_of(
    st.builds("rm -rf {}".format, PATHS),
    st.builds("mkdir -p {}".format, PATHS),
    st.builds("echo x >> {}".format, PATHS),
    st.builds("mv -T {} {}".format, PATHS, PATHS),
    st.builds("ln -sfn x {}".format, PATHS),
)


def contents(folder: Path) -> dict[str, str]:
    known = {}
    for top, folders, files in os.walk(folder):
        for name in (*files, *(one for one in folders if Path(top, one).is_symlink())):
            path = Path(top, name)
            text = str(path.readlink()) if path.is_symlink() else path.read_text()
            known[str(path.relative_to(folder))] = text
    return known


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(STEPS, min_size=1, max_size=6))
def test_the_same_as_a_copy(overlays: Sandbox, lasting: Path, steps: list[str]) -> None:
    """Original and what was written make together what the same commands make of a copy."""
    original, copy, place = (lasting / name for name in ("o", "copy", "kept"))
    for folder in (original, copy):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        fill(folder)
    script = "; ".join(steps)
    subprocess.run(["sh", "-c", script], cwd=copy, check=False, stderr=subprocess.DEVNULL)
    overlay_upper.make(place, original)
    run(overlays, script, Confinement(mount=Overlay(original, place)), original)
    result = contents(original)
    for one in overlay_upper.written(place, original):
        if one.deleted:
            result.pop(one.path)
    over = contents_of(place / "upper", overlay_upper.written(place, original))
    assert {**result, **over} == contents(copy)


def contents_of(upper: Path, written: tuple[Written, ...]) -> dict[str, str]:
    paths = ((one.path, upper / one.path) for one in written if not one.deleted)
    return {name: str(p.readlink()) if p.is_symlink() else p.read_text() for name, p in paths}
