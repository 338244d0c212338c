"""Real git repositories, the same on every machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_runner.ground.clock import Clock
from agent_runner.workspace.contents import Limits
from tests.workspace.readers import LIMITS, NOTHING_SETTLED, MakeReader, Reader
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


@pytest.fixture
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeReader]:
    """Makes readers; each has a state folder outside the root."""
    made: list[Reader] = []

    def make(
        root: Path, *excluded: Path, clock: Clock = NOTHING_SETTLED, limits: Limits = LIMITS
    ) -> Reader:
        made.append(Reader(root, tmp_path_factory.mktemp("state"), clock, excluded, limits))
        return made[-1]

    yield make
    for one in made:
        one.store.close()
