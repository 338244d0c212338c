"""Real git repositories, the same on every machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workspace.repos import Repo


@pytest.fixture(autouse=True)
def plain_git() -> Iterator[None]:
    """No configuration but the repository's own, and a name to commit under."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        for who in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{who}_NAME", "A Tester")
            patch.setenv(f"GIT_{who}_EMAIL", "tester@example.org")
        yield


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """An empty repository on branch main."""
    return Repo.created(tmp_path / "repo")
