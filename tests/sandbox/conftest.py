"""Every means of confinement that this machine has: a test of one that it has not is skipped."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from attrs import frozen

from agent_runner.sandbox.confinement import Confinement, Tier, Wrapped
from agent_runner.sandbox.probe import probed
from agent_runner.sandbox.sandbox import Sandbox

REAL = (Tier.BWRAP_OVERLAY, Tier.BWRAP, Tier.LANDLOCK)


@frozen
class Ran:
    """What a confined command came to."""

    code: int
    output: str


@pytest.fixture(scope="session")
def found() -> Mapping[Tier, Sandbox | str]:
    return {tier: probed(tier, os.environ) for tier in REAL}


@pytest.fixture(params=REAL, ids=lambda tier: tier.name.lower())
def sandbox(request: pytest.FixtureRequest, found: Mapping[Tier, Sandbox | str]) -> Sandbox:
    """One after the other."""
    return had(found, request.param)


@pytest.fixture
def overlays(found: Mapping[Tier, Sandbox | str]) -> Sandbox:
    return had(found, Tier.BWRAP_OVERLAY)


@pytest.fixture
def landlock(found: Mapping[Tier, Sandbox | str]) -> Sandbox:
    return had(found, Tier.LANDLOCK)


def had(found: Mapping[Tier, Sandbox | str], tier: Tier) -> Sandbox:
    sandbox = found[tier]
    if isinstance(sandbox, str):
        pytest.skip(f"{tier} is not to be had here: {sandbox}")
    return sandbox


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


def run(
    sandbox: Sandbox,
    command: str | Sequence[str],
    confinement: Confinement,
    cwd: Path,
    env: Mapping[str, str] | None = None,
) -> Ran:
    words = ("/bin/sh", "-c", command) if isinstance(command, str) else command
    wrapped = sandbox.wrapped(words, confinement, cwd=cwd)
    done = subprocess.run(
        wrapped.argv,
        cwd=wrapped.cwd,
        env=wrapped.environment(env or os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,
    )
    return Ran(done.returncode, done.stdout)


def started(wrapped: Wrapped) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        wrapped.argv,
        cwd=wrapped.cwd,
        env=wrapped.environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
