"""A misspelt field in `model/evolve` is found by the type checker, not by a lost count."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2]


def problems_in(file: Path, cache: Path) -> list[str]:
    """What mypy says of one file, with the settings of the project."""
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(cache), str(file)]
    done = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr or done.stdout
    return [line for line in done.stdout.splitlines() if ": error: " in line]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.parametrize(
    ("module", "field", "written", "said"),
    [
        ("hooks", "consecutive_failures=", "consecutive_failure=", "did you mean"),
        ("calls", "rejections=0", 'rejections="0"', "has incompatible type"),
        ("changes", "planned=None,", "planed=None,", "did you mean"),
    ],
)
def test_mypy_finds_a_misspelt_or_mistyped_field(
    tmp_path: Path, cache: Path, module: str, field: str, written: str, said: str
) -> None:
    text = (SOURCE / "agent_runner/model/evolve" / f"{module}.py").read_text(encoding="utf-8")
    file = tmp_path / f"{module}.py"
    file.write_text(text, encoding="utf-8")
    assert problems_in(file, cache) == []
    wrong = re.sub(rf"\b{re.escape(field)}", written, text, count=1)
    assert wrong != text
    file.write_text(wrong, encoding="utf-8")
    (problem,) = problems_in(file, cache)
    assert said in problem
