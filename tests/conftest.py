"""What all tests share: hypothesis profiles, temporary folders in memory, shares of long tests."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.exploring import USUAL, Share

# What users and CI run tries the same examples every time: a failure is one that others see too.
# `explore` draws others, and more of them; what it finds is kept as an `@example`, so that it takes
# no luck to see it again. Half as many as hypothesis would try: the same ones every time are soon
# worth little, and whoever waits for the tests waits for all of them. Shared machines stall: a
# deadline would fail a test for one slow moment.
settings.register_profile(
    "dev",
    deadline=None,
    derandomize=True,
    max_examples=USUAL // 2,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("ci", settings.get_profile("dev"))
settings.register_profile(
    "explore",
    settings.get_profile("dev"),
    derandomize=False,
    max_examples=USUAL * int(os.environ.get("EXPLORE_TIMES", "10")),
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


MEMORY = Path("/dev/shm")
"""The file system in memory that Linux has."""

ROOM = 1 << 30
"""Bytes that it must have left: all tests together leave about a seventh of that."""


def pytest_configure() -> None:
    """Keep temporary files in memory, since the tests wait for a disk thousands of times.

    Not where TMPDIR says otherwise, and not where it is small or runs no programs (in a container).
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    about = os.statvfs(MEMORY)
    if not about.f_flag & os.ST_NOEXEC and about.f_bavail * about.f_frsize > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)  # for programs, and where it is known


@pytest.hookimpl(optionalhook=True)  # xdist's: the tests run without it as well
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores, since tests often wait for processes, clocks and servers."""
    return (os.cpu_count() or 1) + 1


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that CI's rotating part is made with."""
    parser.addoption(
        "--share",
        type=Share.parse,
        default=Share(),
        metavar="NUMBER/PARTS",
        help="run one of so many equal parts of the tests; any number, which goes round",
    )


@pytest.hookimpl(trylast=True)  # after -m and -k, so that the shares of what they leave are equal
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the share that is asked for; tests that enumerate within themselves take their own."""
    share: Share = config.getoption("share")
    dealt = [item for item in items if "share" not in getattr(item, "fixturenames", ())]
    kept = set(share.of(dealt)) | (set(items) - set(dealt))
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


@pytest.fixture
def share(request: pytest.FixtureRequest) -> Share:
    """The share that this run was asked for; the whole where it was not."""
    share: Share = request.config.getoption("share")
    return share
