"""Loading a long YAML list, with positions and all checks, against ruamel's own loader.

In processor time, the least of several tries. `python -m tests.bench.bench_load [TASKS]` (1,000);
it grows with their number. The bound holds with the extra `fast`; without it, that is said.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

from ruamel.yaml import YAML

from agent_runner.app.place import Surroundings, find
from agent_runner.app.project import load
from agent_runner.documents import has_c_parser
from tests.bench.rows import row

TASKS, TRIES = 1_000, 3
MOST = 0.2


def main() -> int:
    """Measure; the exit code says whether the bound holds."""
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else TASKS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "tasks.yml"
        file.write_text("tasks:\n" + "".join(map(entry, range(tasks))))
        (folder / "home").mkdir()
        here = Surroundings({}, folder / "home", folder)
        ours = least(lambda: load(find(None, None, here), here))
        yaml = YAML(typ="safe", pure=True)
        plain = least(lambda: yaml.load(file.read_text()))
    how, bound = ("with", MOST) if has_c_parser() else ("without", None)
    what = f"loading {tasks:,} tasks {how} the C parser"
    note = f"{ours:.2f} and {plain:.2f} s of processor time"
    return 0 if row(what, ours / plain, "x ruamel's safe loader in Python", bound, note) else 1


def entry(number: int) -> str:
    """One task, of about half a kilobyte."""
    lines = "".join(
        f"      Line {line} of what has to be done in module {number}.\n" for line in range(6)
    )
    return (
        f"  - id: T{number}\n"
        f"    title: Do thing number {number}\n"
        f"    files: [src/module{number}.py, 'tests/test_{number}.py']\n"
        f"    depends_on: [{f'T{number - 1}' if number else ''}]\n"
        f"    description: |\n{lines}"
    )


def least(what: Callable[[], object]) -> float:
    """Seconds of processor time, the least of several tries."""
    seconds = []
    for _ in range(TRIES):
        began = process_time()
        what()
        seconds.append(process_time() - began)
    return min(seconds)


if __name__ == "__main__":
    sys.exit(main())
