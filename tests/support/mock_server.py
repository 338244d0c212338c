"""An independent server of all protocols (llmock, from its own package), and its verdict on us."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest


@contextlib.contextmanager
def mock_server(*options: str) -> Iterator[str]:
    """The server's address until the block ends; skips the test where it is not installed."""
    program = Path(sys.executable).with_name("llmock")
    if not program.exists():
        pytest.skip("llmock is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(program), "serve", "--host", "127.0.0.1", "--port", str(port), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        assert server.stdout is not None
        for line in server.stdout:
            if b"running on" in line:
                break
        # what it goes on to say must not fill the pipe
        drain = threading.Thread(target=server.stdout.read, daemon=True)
        drain.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(10)
            drain.join(10)


def scenario(mock: str, *behaviors: dict[str, Any]) -> None:
    """Forget what was, and behave like this from now on."""
    httpx.post(f"{mock}/_llmock/reset").raise_for_status()
    if behaviors:
        scripted = httpx.post(f"{mock}/_llmock/scenario", json={"behaviors": behaviors})
        scripted.raise_for_status()


def findings(mock: str) -> list[str]:
    """What the server has to say against its client."""
    verdict = httpx.get(f"{mock}/_llmock/verdict").json()
    assert verdict["calls"] > 0
    return [json.dumps(finding) for finding in verdict["findings"]]


def requests(mock: str) -> list[dict[str, Any]]:
    """Every request that it served, the oldest first."""
    served: list[dict[str, Any]] = httpx.get(f"{mock}/_llmock/requests").json()["requests"]
    return served
