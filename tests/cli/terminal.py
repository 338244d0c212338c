"""A command at a real terminal of its own, and a provider that never answers."""

import os
import re
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pexpect
from attrs import define

from tests.cli.scene import COMMAND, Scene, environment

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def visible(text: str) -> str:
    """What was sent to a terminal without what it obeys."""
    return _CONTROL.sub("", text).replace("\r", "")


@define
class Seat:
    """Somebody in front of the command. `child` is pexpect's."""

    child: pexpect.spawn
    _before: list[object]

    def sees(self, text: str) -> str:
        """Wait until this is on the screen; what came before it, without control codes."""
        self.child.expect_exact(text)
        return visible(str(self.child.before))

    def types(self, text: str) -> None:
        """Press keys."""
        self.child.send(text)

    def ends(self) -> tuple[int, str]:
        """Exit code and the last output; the terminal must be as it was before."""
        self.child.expect(pexpect.EOF)
        told = str(self.child.before)
        assert termios.tcgetattr(self.child.child_fd) == self._before
        self.child.wait()
        status = self.child.exitstatus
        return (-self.child.signalstatus if status is None else status), told


@contextmanager
def seat(scene: Scene, *words: str, columns: int = 100, rows: int = 40) -> Iterator[Seat]:
    """The command at a new terminal; ended for sure at the end."""
    child = pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], *words],
        cwd=str(scene.project),
        env=environment(scene.home, scene.env),
        dimensions=(rows, columns),
        timeout=30,
        encoding="utf-8",
    )
    child.delaybeforesend = None
    try:
        yield Seat(child, termios.tcgetattr(child.child_fd))
    finally:
        if not child.closed:
            child.close(force=True)


class _Silent(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Take the question and think about it for good."""
        self.rfile.read(int(self.headers["content-length"]))
        self.server.leave.wait()  # type: ignore[attr-defined]  # set below

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its own word
        """Nothing."""


@contextmanager
def silent_provider() -> Iterator[str]:
    """The address of a chat provider that takes calls and answers none."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Silent)
    server.daemon_threads = True
    server.leave = threading.Event()  # type: ignore[attr-defined]  # for its handler
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.leave.set()  # type: ignore[attr-defined]  # as above
        server.shutdown()
        thread.join()
        server.server_close()


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie has)."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] == "Z"
    except ProcessLookupError:
        return True
    except OSError:  # no /proc here, or gone in between
        return Path("/proc/self").exists()


def until(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait for something in another process, looking often."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if holds():
            return True
        pause.wait(0.02)
    return holds()
