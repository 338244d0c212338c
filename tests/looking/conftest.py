"""What the tests of this room share."""

from pathlib import Path

import pytest

from tests.looking.scene import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A toolbox on an empty folder without git."""
    root = tmp_path / "root"
    root.mkdir()
    return Scene.of(root)
