"""Commands of the program run to their end, forked from a process that has imported it already.

Importing is most of what a short command costs, and the tests run hundreds. A forked command is as
real as one that was started: a process and session of its own, its own arguments, environment,
folder, streams and end. What a start alone sets (the encoding, the warnings) it has from here.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from tests.support.kill_at import follow, fork_followed

SOURCE = Path(__file__).parents[2]
AT_START = ("PYTHON", "LC_", "LANG", "LD_")
"""Variables that begin so are read when Python starts; each set of them has its own process."""

LATE = ("anyio._backends._asyncio", "httpx", "rich.live", "rich.markup", "rich.table")
"""What the program imports only when it comes to it."""


def run_forked(
    words: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: str | None = None,
    merged: bool = False,
    kill_at: tuple[int, Path] | None = None,
    timeout: float,
) -> "subprocess.CompletedProcess[str]":
    """`subprocess.run` for `agent-runner WORDS`, text captured; `merged`: stderr is in stdout.

    `kill_at`: number and file as `tests.support.kill_at` has them.

    Raises subprocess.TimeoutExpired, with the command killed.
    """
    channel = _server(frozenset((k, v) for k, v in env.items() if k.startswith(AT_START)))
    with contextlib.ExitStack() as stack:
        given, out, err = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        given.write((stdin or "").encode())
        given.seek(0)
        reader, writer = os.pipe()
        stack.callback(os.close, reader)
        try:
            about = {"words": list(words), "cwd": str(cwd), "env": dict(env), "kill_at": kill_at}
            request = json.dumps(about, default=str).encode()
            streams = [given.fileno(), out.fileno(), (out if merged else err).fileno(), writer]
            socket.send_fds(channel, [len(request).to_bytes(4, "big")], streams)
            channel.sendall(request)
        finally:
            os.close(writer)
        code = _wait(reader, timeout, words)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode())
    return subprocess.CompletedProcess(words, code, *texts)


def _wait(reader: int, timeout: float, words: Sequence[str]) -> int:
    """The exit code, which comes after the process's number."""
    said, end = b"", time.monotonic() + timeout
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            os.killpg(int(said.split()[0]), signal.SIGKILL)
            raise subprocess.TimeoutExpired(words, timeout)
        piece = os.read(reader, 100)
        said += piece
        if not piece:
            return int(said.split()[1])


@functools.cache
def _server(at_start: frozenset[tuple[str, str]]) -> socket.socket:
    """The way to a process with these variables that forks commands until this one ends."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(theirs.fileno())],
        cwd=SOURCE,
        env={**dict(at_start), "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        start_new_session=True,
    )
    theirs.close()

    @atexit.register
    def leave() -> None:
        ours.close()
        process.wait()

    return ours


def _serve(channel: socket.socket) -> dict[str, Any]:
    """Fork for every request; what returns, with its request, is the process of a command."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers are nobody's to wait for
    while True:
        size, streams, _, _ = socket.recv_fds(channel, 4, 4)
        if not size:
            sys.exit()
        with channel.makefile("rb") as file:
            request: dict[str, Any] = json.loads(file.read(int.from_bytes(size, "big")))
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            status = streams.pop()
            kill_at = request["kill_at"]
            number = fork_followed() if kill_at else os.fork()
            if number:
                _keep(number, status, kill_at)
            for place, stream in enumerate(streams):
                os.dup2(stream, place)
            os.closerange(3, max(*streams, status, channel.fileno()) + 1)
            return request
        for stream in streams:
            os.close(stream)


def _keep(number: int, status: int, kill_at: tuple[int, str] | None) -> NoReturn:
    """Wait for the command, and hand on how it ended."""
    os.write(status, f"{number} ".encode())
    if kill_at:
        code = follow(number, kill_at[0], Path(kill_at[1]))
    else:
        code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    os.write(status, str(code).encode())
    os._exit(0)


def _become(request: dict[str, Any]) -> None:
    """The command's surroundings in place of ours."""
    os.setsid()
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    sys.argv[1:] = request["words"]
    sys.path[0] = request["cwd"]
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # for as long as it lives
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, errors="backslashreplace", closefd=False)  # noqa: SIM115


def _import_all() -> None:
    import agent_runner

    for module in pkgutil.walk_packages(agent_runner.__path__, "agent_runner."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in LATE:
        importlib.import_module(name)
    gc.freeze()  # nothing of this is garbage: forked processes need not look, nor copy it


if __name__ == "__main__":
    _import_all()
    _become(_serve(socket.socket(fileno=int(sys.argv[1]))))
    runpy.run_module("agent_runner", run_name="__main__", alter_sys=True)
