"""Source archive and wheel hold what they should, nothing else, and are the same each time."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from attrs import frozen

from agent_runner import __version__

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NOT_IN_THE_SOURCES = {".github/", ".pre-commit-config.yaml"}
"""What only the repository's own machinery reads."""

DATA = {
    "docs/agent-runner.1": "share/man/man1/agent-runner.1",
    "docs/tasks.schema.json": "share/agent-runner/tasks.schema.json",
    "docs/config.schema.json": "share/agent-runner/config.schema.json",
    "docs/events.schema.json": "share/agent-runner/events.schema.json",
}
"""What the wheel installs beside the package, and where."""


@frozen
class Archives:
    """Both archives, as they were built."""

    sdist: Path
    wheel: Path

    def sources(self) -> set[str]:
        with tarfile.open(self.sdist) as archive:
            top = f"agent_runner-{__version__}/"
            return {name.removeprefix(top) for name in archive.getnames()}

    def installed(self) -> set[str]:
        with zipfile.ZipFile(self.wheel) as archive:
            return set(archive.namelist())


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return listed.stdout.decode().strip("\0").split("\0")


def build(sources: Path, made: Path) -> Archives:
    """Both archives of these sources, dated as the newest commit would have it."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(made)],
        cwd=sources,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1764115200"},
        capture_output=True,
        check=True,
    )
    (sdist,), (wheel,) = made.glob("*.tar.gz"), made.glob("*.whl")
    return Archives(sdist, wheel)


def copy(folder: Path) -> Path:
    """The checkout's tracked files, as another machine would have them."""
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)  # the time of change is that of the copy
    return folder


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """Built from a copy in which tools have left their litter."""
    sources = copy(tmp_path_factory.mktemp("sources"))
    for litter in (
        *(".venv/lib/x.py", ".nox/x", "examples/monorepo/.agent-runner/journal.jsonl"),
        *("agent_runner/model/__pycache__/x.pyc", "dist/old.whl", ".mypy_cache/x"),
    ):
        (sources / litter).parent.mkdir(parents=True, exist_ok=True)
        (sources / litter).write_text("x")
    return build(sources, tmp_path_factory.mktemp("made"))


def test_the_source_archive_holds_the_tracked_files(archives: Archives) -> None:
    left_out = tuple(NOT_IN_THE_SOURCES)
    expected = {name for name in tracked() if not name.startswith(left_out)}
    assert archives.sources() == expected | {"PKG-INFO"}


def test_the_wheel_holds_the_package_the_examples_and_their_data(archives: Archives) -> None:
    parts = {name: name for name in tracked() if name.startswith("agent_runner/")}
    parts |= {n: f"agent_runner/{n}" for n in tracked() if n.startswith("examples/")}
    data = {f"agent_runner-{__version__}.data/data/{there}" for there in DATA.values()}
    about = {
        f"agent_runner-{__version__}.dist-info/{name}"
        for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    }
    assert archives.installed() == {*parts.values(), *data, *about}


def test_what_is_installed_beside_it_is_what_the_docs_hold(archives: Archives) -> None:
    with zipfile.ZipFile(archives.wheel) as wheel:
        for here, there in DATA.items():
            name = f"agent_runner-{__version__}.data/data/{there}"
            assert wheel.read(name) == (ROOT / here).read_bytes()


def test_two_builds_give_the_same_bytes(archives: Archives, tmp_path: Path) -> None:
    other = build(copy(tmp_path / "a longer path" / "sources"), tmp_path / "made")
    assert other.sdist.read_bytes() == archives.sdist.read_bytes()
    assert other.wheel.read_bytes() == archives.wheel.read_bytes()


def test_the_wheel_of_the_source_archive_is_that_of_the_checkout(
    archives: Archives, tmp_path: Path
) -> None:
    with tarfile.open(archives.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    again = build(tmp_path / f"agent_runner-{__version__}", tmp_path / "made")
    assert again.wheel.read_bytes() == archives.wheel.read_bytes()
