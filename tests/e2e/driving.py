"""Runs that are watched while they go, ended by force, or begun at another time of the clock."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest
from attrs import frozen

from tests.cli.scene import COMMAND, Ended, Scene, environment

LONGEST = 60.0
"""Seconds after which a run counts as hanging."""


@frozen
class Going:
    """A run that goes on; its output is read line by line."""

    process: subprocess.Popen[str]

    def until(self, words: str) -> str:
        """The first line of the output that holds `words`."""
        assert self.process.stdout is not None
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            if words in line:
                return line
        raise AssertionError(f"never said {words!r}:\n{''.join(seen)}")

    def kill(self) -> None:
        """End it as kill -9 does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(LONGEST)

    def end(self) -> Ended:
        """Its exit code and the rest of its output."""
        out, _ = self.process.communicate(timeout=LONGEST)
        return Ended(self.process.returncode, out, "")


@contextlib.contextmanager
def going(scene: Scene, *words: str) -> Iterator[Going]:
    """A command that runs until the block ends."""
    process = subprocess.Popen(
        (*COMMAND, *words),
        cwd=scene.project,
        env=environment(scene.home, {"PYTHONUNBUFFERED": "1", **scene.env}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield Going(process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def at(scene: Scene, time: str, *words: str) -> Ended:
    """Run a command at a time of the clock in UTC (`2026-11-24 13:59:30`), which then goes on."""
    program = shutil.which("faketime")
    if program is None:
        pytest.skip("faketime is not installed")
    done = subprocess.run(
        (program, "--exclude-monotonic", "-f", f"@{time}", *COMMAND, *words),
        cwd=scene.project,
        env=environment(scene.home, {"TZ": "UTC", **scene.env}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
        start_new_session=True,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
