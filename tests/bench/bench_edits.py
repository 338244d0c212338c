"""What edits cost: planning and applying against plain durable writing, and the worst search.

`python -m tests.bench.bench_edits [ROUNDS]` (5)
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agent_runner.edits.parse import parse_reply
from agent_runner.edits.plan import Planned, plan
from agent_runner.edits.rejection import Rejection
from agent_runner.files.apply import apply
from agent_runner.files.rules import Rules
from tests.bench.rows import row

FILES, LINES, EDITS = 200, 2_000, 500
MOST, LONGEST_SEARCH = 2, 2  # times plain writing; seconds


class Memory:
    """Blobs held in memory: storing them durably is the store's own cost."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self.contents = contents

    def get(self, name: str) -> bytes:
        return self.contents[name]


def content(number: int) -> list[str]:
    """A file of code-like lines, each once."""
    return [
        f"    value_{number}_{line} = compute({line}, other)  # a line" for line in range(LINES)
    ]


def write(root: Path) -> None:
    for number in range(FILES):
        file = root / f"pkg{number % 20}" / f"m{number}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join(content(number)) + "\n")


def reply() -> str:
    """Edits spread over all files, two or three a file."""
    blocks: list[str] = []
    for edit in range(EDITS):
        number, line = edit % FILES, 37 + 631 * (edit // FILES)
        lines = content(number)[line : line + 5]
        changed = [*lines[:2], f"    changed_{edit} = True", *lines[3:]]
        path = f"pkg{number % 20}/m{number}.py"
        blocks += [path, "<<<<<<< SEARCH", *lines, "=======", *changed, ">>>>>>> REPLACE", ""]
    return "\n".join(blocks)


def plain(root: Path, planned: Planned) -> None:
    """The same files by temporary file, fsync and rename, and nothing else."""
    for change in planned.change_set.changes:
        path = root / change.path
        temp = path.with_name(change.temp)
        with temp.open("wb") as file:
            file.write(planned.blobs[change.after.sha256])
            file.flush()
            os.fsync(file.fileno())
        temp.replace(path)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def one_round(text: str, root: Path) -> tuple[float, float, float, float]:
    """Seconds for parsing, planning, applying, and plain writing."""
    outcome: list[Planned | Rejection] = []
    write(root)
    edits = parse_reply(text)
    parsing = timed(lambda: parse_reply(text))
    planning = timed(lambda: outcome.append(plan(edits, root, Rules())))
    planned = outcome[0]
    if not isinstance(planned, Planned):
        raise SystemExit(planned.text)
    blobs = Memory(dict(planned.blobs))
    os.sync()
    applying = timed(lambda: apply(planned.change_set, root, blobs))
    write(root)
    os.sync()
    return parsing, planning, applying, timed(lambda: plain(root, planned))


def many_edits(rounds: int) -> bool:
    """Medians over the rounds, against plain writing of the same files."""
    figures: list[tuple[float, ...]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            figures.append(one_round(reply(), Path(folder)))
    parsed, planned, applied, written = map(statistics.median, zip(*figures, strict=True))
    note = f"parse {parsed:.2f}, plan {planned:.2f}, apply {applied:.2f}, plain {written:.2f} s"
    what = f"{EDITS} edits in {FILES} files: parse, plan and apply"
    return row(what, (parsed + planned + applied) / written, "x plain writing", MOST, note)


def worst_search() -> bool:
    """Refusing 1,000 lines that are not in a file of 5 MB."""
    lines = [f"line {number} of a large file, with some words in it" for number in range(100_000)]
    needle = [*lines[40_000:40_999], "this one is not there"]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "big.txt").write_text("\n".join(lines) + "\n")
        block = ["big.txt", "<<<<<<< SEARCH", *needle, "=======", "x", ">>>>>>> REPLACE"]
        edits = parse_reply("\n".join(block))
        seconds = timed(lambda: plan(edits, root, Rules()))
    what = f"refusing 1,000 lines that are not in a file of {len(lines):,}"
    return row(what, seconds, "s", LONGEST_SEARCH)


def main() -> int:
    """Measure; the exit code says whether the bounds hold."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    holds = [worst_search(), many_edits(rounds)]
    return 0 if all(holds) else 1


if __name__ == "__main__":
    sys.exit(main())
