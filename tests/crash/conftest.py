"""What an undisturbed run leaves, and the numbers that a sample is drawn with."""

import compileall
import os
import random
import time
from pathlib import Path

import pytest

from tests.support.crashing import ONE_TASK, ROOT, CrashProject, Reference


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    """Compile the program once: killed runs write no bytecode, so that all make the same calls."""
    compileall.compile_dir(ROOT / "agent_runner", quiet=1)


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """The run that every killed and resumed one must equal."""
    project = CrashProject.write(tmp_path_factory.mktemp("reference"))
    begun = time.monotonic()
    code, printed = project.run("run")
    seconds = time.monotonic() - begun
    assert code == 0, printed
    outcome = project.outcome()
    assert outcome.counts == {
        "T1": ("passed", 1, 0),
        "T2": ("passed", 2, 1),
        "T3": ("passed", 1, 0),
    }
    assert ("T1", "Consulted", "agent") in outcome.moves
    assert ("T3", "Rejected", "agent") in outcome.moves
    return Reference(outcome, seconds)


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """The same sample every time, unless `CRASH_SEED` asks for another."""
    seed = os.environ.get("CRASH_SEED", "")
    return random.Random(f"{seed} {request.node.nodeid}")


@pytest.fixture
def project(tmp_path: Path) -> CrashProject:
    """The project, new."""
    return CrashProject.write(tmp_path)


@pytest.fixture
def one_task(tmp_path: Path) -> CrashProject:
    """A project with the first task alone."""
    return CrashProject.write(tmp_path, files=ONE_TASK)
