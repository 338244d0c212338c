"""Keys on a real terminal: they arrive at once, and the terminal is given back whatever happens."""

import shlex
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from hypothesis import given, strategies as st

from agent_runner.ui.keyboard import KEYS, key_help, keys_in

ROOT = Path(__file__).parents[2]
CHILD = [sys.executable, "-m", "tests.ui.child_keyboard"]


def spawn(command: list[str]) -> pexpect.spawn:
    return pexpect.spawn(command[0], command[1:], cwd=str(ROOT), timeout=20, encoding="utf-8")


def modes(child: pexpect.spawn) -> tuple[bool, bool]:
    """Whether lines are edited, and whether typing is shown."""
    flags = termios.tcgetattr(child.child_fd)[3]
    return bool(flags & termios.ICANON), bool(flags & termios.ECHO)


@pytest.fixture
def shell() -> Iterator[pexpect.spawn]:
    """A shell with job control, since a program alone on a terminal cannot be stopped by Ctrl+Z."""
    started = pexpect.spawn(
        "sh", ["-i"], cwd=str(ROOT), timeout=20, encoding="utf-8", env={"PS1": "PROMPT> "}
    )
    started.expect("PROMPT> ")
    yield started
    started.close(force=True)


def test_each_key_arrives_at_once() -> None:
    child = spawn([*CHILD, "plain"])
    child.expect("<ready>")
    for key in "pSv r?":
        child.send(key)
        if key != " ":
            child.expect_exact(f"<{key.lower()}>")
    assert modes(child) == (False, False)
    child.send("q")
    child.expect("<done>")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_keys_work_while_a_hook_runs_hot() -> None:
    child = spawn([*CHILD, "hook"])
    child.expect("<ready>")
    child.send("v")
    child.expect("<v>")
    child.send("q")
    child.expect("<done>")
    child.close(force=True)


@pytest.mark.parametrize(("ending", "key"), [("plain", "q"), ("raise", "s"), ("os_exit", "s")])
def test_the_terminal_is_given_back(shell: pexpect.spawn, ending: str, key: str) -> None:
    before = modes(shell)
    shell.sendline(f"{shlex.join(CHILD)} {ending}")
    shell.expect("<ready>")
    shell.send("v")
    shell.expect("<v>")
    shell.send(key)
    shell.expect("PROMPT> ")
    assert modes(shell) == before


def test_stopped_by_ctrl_z_the_shell_has_its_terminal_and_fg_takes_the_keys_again(
    shell: pexpect.spawn,
) -> None:
    before = modes(shell)
    shell.sendline(f"{shlex.join(CHILD)} plain")
    shell.expect("<ready>")
    shell.send("v")
    shell.expect("<v>")
    for _ in range(2):
        shell.sendcontrol("z")
        shell.expect("PROMPT> ")
        assert modes(shell) == before
        shell.sendline("echo q$((40 + 2))")
        shell.expect("q42")
        shell.expect("PROMPT> ")
        shell.sendline("fg")
        shell.expect("child_keyboard plain")
        shell.send("p")
        shell.expect("<p>")
    shell.send("q")
    shell.expect("<done>")


def test_in_the_background_the_terminal_is_left_alone(shell: pexpect.spawn) -> None:
    shell.sendline(f"{shlex.join(CHILD)} plain &")
    shell.expect("<ready>")
    shell.sendline("echo p$((40 + 2))")
    shell.expect("p42")
    shell.expect("PROMPT> ")
    shell.sendline("fg")
    shell.expect("child_keyboard plain")
    shell.send("s")
    shell.expect("<s>")
    shell.send("q")
    shell.expect("<done>")


def test_released_keys_are_not_read_and_lines_are_edited() -> None:
    child = spawn([*CHILD, "release"])
    child.expect("<released>")
    assert modes(child) == (True, True)
    child.sendline("sq")
    child.expect("<line sq>")
    child.expect("<ready>")
    child.send("q")
    child.expect("<done>")
    child.close(force=True)


def test_a_closed_terminal_ends_the_reading() -> None:
    child = spawn([*CHILD, "plain"])
    child.expect("<ready>")
    child.close()
    assert not child.isalive()


def test_without_a_terminal_it_returns_at_once() -> None:
    ended = subprocess.run(
        [*CHILD, "no_terminal"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
        timeout=20,
        check=True,
    )
    assert ended.stdout == b"<returned>\n"


@pytest.mark.parametrize(
    ("received", "keys"),
    [
        (b"q", ["q"]),
        (b"P", ["p"]),
        (b"sq", ["s", "q"]),
        (b"\x1b[A\x1b[1;5D", []),
        (b"\x1bOq", []),
        (b"\x1bq", []),
        (b"\x1b", []),
        (b"please stop the queue", []),
        ("äq".encode(), ["q"]),
        (b"\x04\n ", []),
    ],
)
def test_only_keys_are_keys(received: bytes, keys: list[str]) -> None:
    assert keys_in(received) == keys


@given(st.binary())
def test_whatever_arrives_brings_known_keys_only(received: bytes) -> None:
    assert set(keys_in(received)) <= set(KEYS)


def test_every_key_is_explained() -> None:
    assert [line[0] for line in key_help()] == list("psqvr?")
