"""Runs commands in the sandboxes that this machine has."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from attrs import frozen

from agent_runner.sandbox.confinement import Confinement, Tier, Wrapped
from agent_runner.sandbox.sandbox import Sandbox
from tests.support.sandboxes import had, home, lasting, sandbox

__all__ = ["home", "lasting", "sandbox"]


@frozen
class Ran:
    """What a confined command came to."""

    code: int
    output: str


@pytest.fixture
def overlays() -> Sandbox:
    return had(Tier.BWRAP_OVERLAY)


@pytest.fixture
def landlock() -> Sandbox:
    return had(Tier.LANDLOCK)


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
