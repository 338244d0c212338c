"""Makes each mistake in a copy of the program and runs the few tests that have to notice it.

`python -m tests.mutants [WORD...]`: only the mutants with such a word in their title. Exit code 1
where a mutant lives, does not apply any more, or a test fails without one.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.mutants.seeded import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
_COPIED = ("agent_runner", "tests", "pyproject.toml", "README.md", "docs", "examples")
_TESTS_FAILED = 1  # pytest's exit code; any other says that they did not even run


def main(words: list[str]) -> int:
    """Try all, or those that are named; say what became of each."""
    chosen = [one for one in MUTANTS if not words or any(word in one.title for word in words)]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in _COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        ended = _pytest(copy, sorted({test for one in chosen for test in one.tests}))
        if ended.returncode:
            print(ended.stdout, "\nthese tests fail without any mutant", sep="")
            return 1
        lived = [one for one in chosen if not _is_caught(one, copy)]
    print(f"{len(chosen) - len(lived)} of {len(chosen)} mutants are caught")
    return 1 if lived else 0


def _is_caught(mutant: Mutant, copy: Path) -> bool:
    file = copy / mutant.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutant.good) != 1:
        print(f"OUTDATED  {mutant.title}: its text stands {text.count(mutant.good)} times")
        return False
    file.write_text(text.replace(mutant.good, mutant.bad), encoding="utf-8")
    try:
        ended = _pytest(copy, mutant.tests)
    finally:
        file.write_text(text, encoding="utf-8")
    caught = ended.returncode == _TESTS_FAILED
    print(f"{'caught ' if caught else 'LIVES  '}  {mutant.title}", flush=True)
    return caught


def _pytest(copy: Path, tests: Iterable[str]) -> subprocess.CompletedProcess[str]:
    """The tests in the copy, whose own program comes before the installed one."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(copy)}
    return subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
