"""Every means of confinement that this machine has: a test of one that it has not is skipped."""

import functools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_runner.sandbox.confinement import Tier
from agent_runner.sandbox.probe import probed
from agent_runner.sandbox.sandbox import Sandbox

REAL = (Tier.BWRAP_OVERLAY, Tier.BWRAP, Tier.LANDLOCK)


def had(tier: Tier) -> Sandbox:
    """The sandbox of that tier; skips the test where it does not work here."""
    sandbox = _probed(tier)
    if isinstance(sandbox, str):
        pytest.skip(f"{tier} is not to be had here: {sandbox}")
    return sandbox


@functools.cache
def _probed(tier: Tier) -> Sandbox | str:
    return probed(tier, os.environ)


@pytest.fixture(params=REAL, ids=lambda tier: tier.name.lower())
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """One after the other."""
    return had(request.param)


@pytest.fixture
def lasting(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder that is none of the temporary ones, as a command is given those empty."""
    cache = request.config.cache
    assert cache is not None
    with tempfile.TemporaryDirectory(dir=cache.mkdir("sandbox")) as name:
        yield Path(name)


@pytest.fixture
def home(lasting: Path) -> Path:
    """A home folder with keys and a project."""
    home = lasting / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_ed25519").write_text("PRIVATE")
    (home / ".netrc").write_text("PRIVATE")
    (home / "notes.txt").write_text("notes")
    project = home / "project"
    (project / "src").mkdir(parents=True)
    (project / "src" / "a.py").write_text("a = 1\n")
    (project / ".env").write_text("PRIVATE")
    return home
