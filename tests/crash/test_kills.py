"""`kill -9` at any moment, then `resume`: the same end as an undisturbed run."""

import random
import subprocess
from pathlib import Path

import pytest

from tests.support.crashing import CrashProject, Reference

pytestmark = pytest.mark.crash


def kill_after(project: CrashProject, command: str, seconds: float) -> bool:
    """Start the command and kill it then; whether it was still at work."""
    child = project.start(command)
    try:
        child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return True
    return False


def killed_and_resumed(
    project: CrashProject, reference: Reference, moments: tuple[float, ...]
) -> None:
    kills = 0
    for moment in moments:
        begun = any(True for _ in project.entries())
        kills += kill_after(project, "resume" if begun else "run", moment * reference.seconds)
    code, printed = project.go_on()
    assert code == 0, printed
    project.must_be_like(reference.outcome, kills)


@pytest.mark.parametrize("number", range(2))
def test_killed_once_or_twice(
    number: int, project: CrashProject, reference: Reference, dice: random.Random
) -> None:
    first = dice.uniform(0.1, 1.0)
    moments = (first, dice.uniform(0.1, 1.0)) if number % 2 else (first,)
    killed_and_resumed(project, reference, moments)


@pytest.mark.long
@pytest.mark.parametrize("number", range(40))
def test_killed_at_many_moments(number: int, tmp_path: Path, reference: Reference) -> None:
    """Evenly over the whole run, every fourth one killed again while it resumes."""
    moments = ((number + 0.5) / 40, 0.3) if number % 4 == 0 else ((number + 0.5) / 40,)
    killed_and_resumed(CrashProject.write(tmp_path), reference, moments)
