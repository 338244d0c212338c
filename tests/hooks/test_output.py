"""Any output goes to the log as it is, and neither memory nor prompt nor screen suffers from it."""

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from agent_runner.hooks.excerpt import LIMIT, excerpt
from agent_runner.model.errors import StorageError
from agent_runner.model.hooks import HookOutcome

Stage = Any  # the fixture's class stands in conftest, which importlib mode does not import

_LIMIT = 32 * 1024 * 1024  # more than other files have that the tests write meanwhile

PRINT = "import sys; sys.stdout.buffer.write({})"


def printing(expression: str) -> tuple[str, ...]:
    return (sys.executable, "-c", PRINT.format(expression))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("expression", "output"),
    [
        ("bytes(range(256)) * 1000", bytes(range(256)) * 1000),
        ("b'x' * 5_000_000", b"x" * 5_000_000),
        ("bytes(3_000_000)", bytes(3_000_000)),
        ("'\\u00e9\\u4e2d'.encode() * 9_999", "\u00e9\u4e2d".encode() * 9_999),
        ("b''", b""),
    ],
    ids=["every byte", "one endless line", "NULs", "UTF-8", "nothing"],
)
async def test_the_log_has_every_byte(stage: Stage, expression: str, output: bytes) -> None:
    result = await stage.run(printing(expression))
    assert result.outcome is HookOutcome.PASSED
    assert stage.log()[result.offset :][: result.length] == output
    assert bytes(stage.seen) == output
    assert len(result.excerpt) <= LIMIT
    result.excerpt.encode()  # raises for a lone surrogate
    assert not any(char < " " and char not in "\n\t" for char in result.excerpt)


@pytest.mark.anyio
async def test_errors_and_output_keep_their_order(stage: Stage) -> None:
    result = await stage.run("echo 1; echo 2 >&2; echo 3; echo 4 >&2")
    assert result.excerpt == "1\n2\n3\n4\n"


@pytest.mark.anyio
async def test_head_and_tail_are_kept(stage: Stage) -> None:
    result = await stage.run("echo first; seq 100000; echo last; exit 1")
    assert result.excerpt.startswith("first\n1\n")
    assert result.excerpt.endswith("100000\nlast\n[exit code 1]")
    assert f"\n... {result.length - 3800} bytes left out ...\n" in result.excerpt


@pytest.mark.anyio
async def test_a_log_that_cannot_be_written_is_an_error_and_ends_the_hook(stage: Stage) -> None:
    log = stage.runner.state_dir / "logs" / "T1" / "post.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(bytes(_LIMIT))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LIMIT, before[1]))
    try:
        with pytest.raises(StorageError, match=r"post\.log: the file size limit is reached"):
            await stage.run("sleep 60")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.anyio
async def test_a_log_that_is_a_link_is_not_written_through(stage: Stage, tmp_path: Path) -> None:
    log = stage.runner.state_dir / "logs" / "T1" / "post.log"
    log.parent.mkdir(parents=True)
    log.symlink_to(tmp_path / "victim")
    (tmp_path / "victim").write_text("precious")
    with pytest.raises(StorageError, match="it is a symbolic link, not a file"):
        await stage.run("true")
    assert (tmp_path / "victim").read_text() == "precious"


@pytest.mark.anyio
async def test_a_log_folder_that_is_a_file_is_an_error(stage: Stage) -> None:
    stage.runner.state_dir.write_text("in the way")
    with pytest.raises(StorageError, match="cannot write"):
        await stage.run("true")
    assert stage.started == []


@pytest.mark.anyio
async def test_a_hook_that_removes_its_log_takes_nothing_from_the_run(stage: Stage) -> None:
    command = f"echo before; rm -r {stage.runner.state_dir}; echo after; exit 1"
    result = await stage.run(command)
    assert result.excerpt == "before\nafter\n[exit code 1]"


FLOOD = """
import resource, sys, tempfile
from pathlib import Path
import anyio
from agent_runner.ground.clock import SystemClock
from agent_runner.hooks.runner import HookRunner
from agent_runner.model.hooks import Hook, Phase
from agent_runner.model.task import Task

async def main(folder):
    runner = HookRunner(SystemClock(), folder / "state", {"PATH": "/usr/bin:/bin"})
    task = Task("T1", "t", "", folder)
    async def run(command):
        return await runner.run(
            Hook("h", command=command), phase=Phase.POST, task=task, attempt=1, run_id="r",
            changed=tuple, on_start=lambda *_: None, on_output=lambda _: None,
        )
    await run("echo warm; exit 1")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = await run(sys.argv[2])
    assert result.length >= 64_000_000, result
    assert len(result.fingerprint) == 16, result
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)

anyio.run(main, Path(sys.argv[1]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        "head -c 64000000 /dev/zero; exit 1",
        "yes 'FAILED 0x12 of 34 in /tmp/x' | head -c 64000000; exit 1",
    ],
    ids=["one endless line", "lines"],
)
def test_memory_is_flat_for_64_megabytes(tmp_path: Path, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FLOOD, str(tmp_path), command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    (tmp_path / "state/logs/T1/post.log").unlink()
    assert done.returncode == 0, done.stderr
    kilobytes = int(done.stdout) // (1024 if sys.platform == "darwin" else 1)
    assert kilobytes < 8_000


@given(st.binary(max_size=9_000), st.text(max_size=200))
def test_an_excerpt_is_short_and_clean_whatever_the_bytes(raw: bytes, closing: str) -> None:
    text = excerpt(lambda at, size: raw[at : at + size], len(raw), closing)
    assert len(text) <= LIMIT
    text.encode()  # raises for a lone surrogate
    assert "\x1b" not in text.replace(closing, "")
    assert "\0" not in text.replace(closing, "")


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=900))
def test_a_short_clean_output_is_shown_as_it_is(text: str) -> None:
    raw = text.encode()
    assert excerpt(lambda at, size: raw[at : at + size], len(raw)) == text


def test_colours_titles_and_carriage_returns_are_no_part_of_an_excerpt() -> None:
    raw = b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07plain\r\n10%\r20%\x08\n"
    shown = excerpt(lambda at, size: raw[at : at + size], len(raw))
    assert shown == "red plain\n10%\n20%\ufffd\n"
