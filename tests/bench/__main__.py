"""Runs the benchmarks and makes docs/performance.md of their rows.

`python -m tests.bench FOLDER [NAME ...] [--docs]`: all, or those named (`tasks peers`). Into FOLDER
go `performance.json` and `performance.md`; `--docs` renews the table in the docs. The exit code is
1 if one of them failed or was past a bound. Peers are installed into FOLDER; one that cannot be had
is said and left out.
"""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.bench_peers import PACKAGES
from tests.bench.projects import outside_of_repositories
from tests.bench.rows import FILE

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- bench:begin -->\n", "<!-- bench:end -->\n"


def main() -> int:
    """Run them one after the other and show the table."""
    folder, names = Path(sys.argv[1]).absolute(), [n for n in sys.argv[2:] if n != "--docs"]
    folder.mkdir(parents=True, exist_ok=True)
    known = [script.stem.removeprefix("bench_") for script in sorted(HERE.glob("bench_*.py"))]
    chosen = names or known
    if unknown := set(chosen) - set(known):
        sys.exit(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}")
    file = folder / "rows"
    file.write_text("")
    env = {**os.environ, FILE: str(file), "TMPDIR": str(outside_of_repositories())}
    if "peers" in chosen:
        env["BENCH_PEERS"] = peers(folder / "peers")
    failed = []
    for name in chosen:
        print(f"\n{name}", flush=True)
        command = [sys.executable, "-m", f"tests.bench.bench_{name}"]
        if subprocess.run(command, env=env, cwd=HERE.parents[1], check=False).returncode:
            failed.append(name)
    write([json.loads(line) for line in file.read_text().splitlines()], folder)
    if failed:
        print(f"failed, or past a bound: {', '.join(failed)}")
    return 1 if failed else 0


def peers(folder: Path) -> str:
    """An environment with the tools to compare with, apart from ours; its Python."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    for packages in PACKAGES:
        command = [python, "-m", "pip", "install", "--quiet", *packages.split()]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            print(f"{packages}: cannot be had here")
    return python


def write(rows: list[dict[str, Any]], folder: Path) -> None:
    """The rows as JSON and as Markdown, in the docs if that was asked for."""
    about = machine()
    (folder / "performance.json").write_text(json.dumps({**about, "rows": rows}, indent=2) + "\n")
    text = table(rows, about)
    (folder / "performance.md").write_text(text)
    print(f"\n{text}")
    if "--docs" in sys.argv:
        page = DOCS.read_text()
        before, _, rest = page.partition(BEGIN)
        DOCS.write_text(f"{before}{BEGIN}{text}{END}{rest.partition(END)[2]}")


def machine() -> dict[str, Any]:
    """When and on what it was measured; no names of hosts, no paths."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=False).stdout
    load = os.getloadavg()[2] if hasattr(os, "getloadavg") else 0.0
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "processor": processor(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "git": git.removeprefix("git version ").strip() or "none",
        "load": round(load, 1),
    }


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def table(rows: list[dict[str, Any]], about: dict[str, Any]) -> str:
    """The rows in Markdown, under a sentence on the machine."""
    text = (
        f"Measured on {about['date']}: {about['cores']} cores ({about['processor']}), "
        f"{about['system']}, {about['python']}, git {about['git']}; "
        f"average load in the last quarter of an hour: {about['load']}.\n\n"
        "| what | figure | aim | |\n|---|---|---|---|\n"
    )
    for row in rows:
        aim = "" if row["bound"] is None else f"at most {row['bound']:g}"
        aim += "" if row["holds"] else ", missed"
        text += (
            f"| {row['what']} | {figure(row['value'])} {row['unit']} | {aim} | {row['note']} |\n"
        )
    return text


def figure(value: float) -> str:
    """Three digits are all that such figures are worth."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
