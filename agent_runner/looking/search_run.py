"""Runs the children of a search, gathers what they find, and kills them in time.

`(a+)+$` takes hours for forty letters, and nothing can stop it within a process.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from attrs import define, field

from agent_runner.looking.tool import check_cancelled

MOST_LINES = 50
MOST_FILES = 30
MOST_NEAR = 3
MOST_PARTS = 4
FILES_OF_A_PART = 4_000
"""Files for which one process is started; more are divided among several."""

_LOOK_UP = 0.2  # seconds after which it is asked whether anybody still waits
_CHILD = Path(__file__).with_name("search_child.py")

Request = dict[str, Any]
"""The fields of `search_child.Request`, but for `seconds`."""


@define
class Found:
    """What a search found. `files`: each with its count, and the lines that are shown of it."""

    files: list[dict[str, Any]] = field(factory=list)
    matches: int = 0
    in_files: int = 0
    searched: int = 0
    skipped: int = 0
    near: list[str] = field(factory=list)
    wrong: str = ""
    done: bool = True

    def take(self, records: Iterable[dict[str, Any]]) -> None:
        """All that one child had said when it ended, or was killed."""
        files: list[dict[str, Any]] = []
        counts: dict[str, Any] = {}
        for record in records:
            if "file" in record:
                files.append(record)
            else:
                counts = record
        self.wrong = self.wrong or counts.get("wrong", "")
        self.done &= counts.get("done", False)
        self.searched += counts.get("searched", 0)
        self.skipped += counts.get("skipped", 0)
        self.matches += max(counts.get("matches", 0), sum(one["count"] for one in files))
        self.in_files += max(counts.get("files", 0), len(files))
        self.near = list(dict.fromkeys([*self.near, *counts.get("near", ())]))[:MOST_NEAR]
        self._keep(files)

    def _keep(self, files: list[dict[str, Any]]) -> None:
        """Those that are within the limits of the whole search."""
        lines = sum(is_match for one in self.files for _, _, is_match in one.get("lines", ()))
        listed = sum("lines" not in one for one in self.files)
        for one in files:
            hits = sum(is_match for _, _, is_match in one.get("lines", ()))
            kept = dict(one)
            if lines + hits > MOST_LINES:
                kept.pop("lines", None)
            else:
                lines += hits
            listed += "lines" not in kept
            if listed <= MOST_FILES:
                self.files.append(kept)


def searched(request: Request, limit: float) -> Found:
    """What children find within `limit` seconds, then they are killed."""
    files = request["files"]
    parts = min(os.cpu_count() or 1, MOST_PARTS, 1 + len(files) // FILES_OF_A_PART)
    size = -(-len(files) // parts) or 1
    slices = [files[at : at + size] for at in range(0, len(files), size)] or [[]]
    children = [_started({**request, "files": part}, limit) for part in slices]
    timer = threading.Timer(limit, _kill, children)
    timer.start()
    found = Found()
    try:
        for child in children:  # one that has filled its pipe waits for its turn
            found.take(_records(child))
    finally:
        timer.cancel()
        _kill(*children)
        for child in children:
            if child.stdout:
                child.stdout.close()
            child.wait()
    return found


def _started(request: Request, limit: float) -> "subprocess.Popen[bytes]":
    with tempfile.TemporaryFile() as given:
        seconds = int(limit) + 1  # should we be killed meanwhile
        given.write(json.dumps({**request, "seconds": seconds}).encode())
        given.seek(0)
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_CHILD)],
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl+C at a terminal is ours to answer
            env={},
        )


def _records(child: "subprocess.Popen[bytes]") -> Iterator[dict[str, Any]]:
    """The records that are whole: the last one may be cut.

    Should the task be cancelled that waits for this thread, it is noticed here.
    """
    said = b""
    while child.stdout is not None:
        if not select.select([child.stdout], [], [], _LOOK_UP)[0]:
            check_cancelled()
            continue
        chunk = os.read(child.stdout.fileno(), 1 << 16)
        *lines, said = (said + chunk).split(b"\n")
        yield from map(json.loads, lines)
        if not chunk:
            return


def _kill(*processes: "subprocess.Popen[bytes]") -> None:
    for process in processes:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
