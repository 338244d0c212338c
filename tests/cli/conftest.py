"""What the tests of the command line share: a fresh project."""

from pathlib import Path

import pytest

from tests.cli.scene import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A project and a home, both new."""
    return Scene(tmp_path)
