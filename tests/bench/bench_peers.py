"""A task of three commands that do nothing, by us and by tools that run such lists.

What each makes durable differs: doit, nox and luigi keep that a task is done, or nothing; DBOS and
LangGraph each step. We ask an agent, too, write its change, and keep every fact. The peers are
those of the Python that BENCH_PEERS names (`nox -s bench` makes one); one that is not there is
said and left out. In processor time, the least of several tries taken in turn: with that, a busy
machine changes little.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.projects import Project, each, processor_seconds
from tests.bench.rows import row

FEW, MANY = 2, 52
TRIES = 4
PACKAGES = ("doit", "nox", "luigi", "langgraph langgraph-checkpoint-sqlite", "dbos")

_DOIT = """
def task_all():
    for n in range({tasks}):
        yield {{"name": f"T{{n}}", "actions": ["true", "true", "true"]}}
"""
_NOX = """
import nox
for n in range({tasks}):
    def hooks(session):
        for _ in range(3):
            session.run("true", external=True, silent=True)
    nox.session(hooks, name=f"T{{n}}", python=False)
"""
_LUIGI = """
import subprocess
import luigi
class T(luigi.Task):
    n = luigi.IntParameter()
    def output(self):
        return luigi.LocalTarget(f"out/{{self.n}}")
    def run(self):
        for _ in range(3):
            subprocess.run(["true"], check=True)
        with self.output().open("w") as file:
            file.write("done")
luigi.build([T(n=n) for n in range({tasks})], local_scheduler=True, log_level="ERROR")
"""
_LANGGRAPH = """
import subprocess
from typing import TypedDict
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
class State(TypedDict, total=False):
    n: int
def hook(state):
    subprocess.run(["true"], check=True)
    return {{"n": state.get("n", 0) + 1}}
graph, names = StateGraph(State), ["one", "two", "three"]
for name in names:
    graph.add_node(name, hook)
for edge in zip([START, *names], [*names, END]):
    graph.add_edge(*edge)
with SqliteSaver.from_conn_string("state.db") as saver:
    app = graph.compile(checkpointer=saver)
    for n in range({tasks}):
        app.invoke({{"n": 0}}, {{"configurable": {{"thread_id": f"T{{n}}"}}}}, durability="sync")
"""
_DBOS = """
import subprocess
from dbos import DBOS
url = "sqlite:///dbos.sqlite"
DBOS(config={{"name": "bench", "system_database_url": url, "log_level": "ERROR",
              "run_admin_server": False}})
@DBOS.step()
def hook():
    subprocess.run(["true"], check=True)
@DBOS.workflow()
def task(n):
    for _ in range(3):
        hook()
DBOS.launch()
for n in range({tasks}):
    task(n)
DBOS.destroy()
"""
PEERS = {
    "doit": ("doit", _DOIT, ["-m", "doit", "-f", "list.py"]),
    "nox": ("nox", _NOX, ["-m", "nox", "-f", "list.py"]),
    "luigi": ("luigi", _LUIGI, ["list.py"]),
    "LangGraph with SQLite": ("langgraph.checkpoint.sqlite", _LANGGRAPH, ["list.py"]),
    "DBOS with SQLite": ("dbos", _DBOS, ["list.py"]),
}
"""The module that has to be there, the list for so many tasks, and the words after `python`."""


def main() -> None:
    """Print a line for us and for each peer that is there."""
    python = os.environ.get("BENCH_PEERS", sys.executable)
    there = {name: peer for name, peer in PEERS.items() if has(python, peer[0])}
    for name in PEERS.keys() - there.keys():
        print(f"{name} is not installed here and left out")
    with tempfile.TemporaryDirectory() as folder:
        ours = Project(Path(folder, "ours"), in_git=False)
        seconds: dict[str, dict[int, float]] = {}
        for tasks in (FEW, MANY) * TRIES:
            began = processor_seconds()
            ours.seconds(tasks)
            keep(seconds, "agent-runner", tasks, processor_seconds() - began)
            for name, (_, text, words) in there.items():
                keep(seconds, name, tasks, peer_seconds(python, text.format(tasks=tasks), words))
    for name, times in seconds.items():
        start = times[FEW] - FEW * each(times)
        note = f"and {start * 1e3:.0f} ms to start and end"
        row(
            f"a task of three commands, {name}",
            each(times) * 1e3,
            "ms of processor time",
            note=note,
        )


def has(python: str, module: str) -> bool:
    """Whether that Python can import the module."""
    return (
        subprocess.run(
            [python, "-c", f"import {module}"], capture_output=True, check=False
        ).returncode
        == 0
    )


def keep(seconds: dict[str, dict[int, float]], name: str, tasks: int, found: float) -> None:
    """Take note of the least time."""
    times = seconds.setdefault(name, {})
    times[tasks] = min(times.get(tasks, found), found)


def peer_seconds(python: str, text: str, words: list[str]) -> float:
    """Processor time of a peer's run in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "list.py").write_text(text)
        began = processor_seconds()
        subprocess.run([python, *words], cwd=folder, check=True, capture_output=True)
        return processor_seconds() - began


if __name__ == "__main__":
    main()
