"""What whole runs share: a fresh project whose environment holds the server's key."""

from pathlib import Path

import pytest

from tests.cli.scene import Scene
from tests.e2e.wire import with_key


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A project and a home, both new, and the key that the server asks for."""
    return with_key(tmp_path)
