"""The rows that benchmarks add to the table in docs/performance.md."""

import json
import os
from pathlib import Path

FILE = "BENCH_ROWS"
"""Variable that names the file to which rows are added, one JSON object a line; else only shown."""


def row(what: str, value: float, unit: str, bound: float | None = None, note: str = "") -> bool:
    """Show one figure and add it to the table; whether it is within its bound.

    `unit`: what `value` counts, such as `processes` or `x git status`. `bound`: the most that is
    right. `note`: what was compared, in a few words.
    """
    holds = bound is None or value <= bound
    most = "" if bound is None else f" (at most {bound:g}{'' if holds else ': PAST IT'})"
    print(f"{what}: {value:.3g} {unit}{most}{f'; {note}' if note else ''}", flush=True)
    if file := os.environ.get(FILE):
        fields = {"what": what, "value": value, "unit": unit, "bound": bound, "note": note}
        with Path(file).open("a") as rows:
            rows.write(json.dumps(fields | {"holds": holds}) + "\n")
    return holds
