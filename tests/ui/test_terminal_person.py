"""The questions at a real terminal, answer by answer."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

ROOT = Path(__file__).parents[2]
QUESTION = r"\[R\]etry once more  \[H\]int  \[E\]dit by hand, then check  \[S\]kip  \[A\]bort: "
Asked = Callable[[str], pexpect.spawn]


@pytest.fixture
def asked() -> Iterator[Asked]:
    started: list[pexpect.spawn] = []

    def start(what: str) -> pexpect.spawn:
        arguments = ["-m", "tests.ui.child_person", what]
        child = pexpect.spawn(
            sys.executable, arguments, cwd=str(ROOT), timeout=20, encoding="utf-8"
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


@pytest.mark.parametrize(
    ("typed", "decision"),
    [
        ("r", "<retry ''>"),
        (" Retry ", "<retry ''>"),
        ("S", "<skip ''>"),
        ("abort", "<abort ''>"),
    ],
)
def test_an_answer_is_a_decision(asked: Asked, typed: str, decision: str) -> None:
    child = asked("decide")
    child.expect("T1 needs a person: tests are red")
    child.expect(QUESTION)
    child.sendline(typed)
    child.expect_exact(decision)


def test_a_hint_is_asked_for_and_an_empty_one_goes_back(asked: Asked) -> None:
    child = asked("decide")
    child.expect(QUESTION)
    child.sendline("h")
    child.expect("Hint for the agent")
    child.sendline("")
    child.expect(QUESTION)
    child.sendline("h")
    child.expect("Hint for the agent")
    child.sendline("look at the dash, größer")
    child.expect_exact("<retry 'look at the dash, größer'>")


def test_editing_waits_until_the_files_are_ready(asked: Asked) -> None:
    child = asked("decide")
    child.expect(QUESTION)
    child.sendline("e")
    child.expect("/project/sub")
    child.expect("Enter to run the post-hooks")
    child.sendline("b")
    child.expect(QUESTION)
    child.sendline("e")
    child.expect("Enter to run the post-hooks")
    child.sendline("")
    child.expect_exact("<check ''>")


def test_an_unknown_answer_is_asked_again(asked: Asked) -> None:
    child = asked("decide")
    child.expect(QUESTION)
    child.sendline("x")
    child.expect("type r, h, e, s or a")
    child.expect(QUESTION)
    child.sendline("")
    child.expect(QUESTION)


@pytest.mark.parametrize("before", [[], ["h"], ["e"]])
def test_end_of_input_aborts(asked: Asked, before: list[str]) -> None:
    child = asked("decide")
    child.expect(QUESTION)
    for answer in before:
        child.sendline(answer)
        child.expect("Hint for|Enter to run")
    child.sendeof()
    child.expect_exact("<abort ''>")


def test_a_key_pressed_before_is_no_answer(asked: Asked) -> None:
    child = asked("after_keys")
    child.expect("<typing>")
    child.send("s")
    child.expect("<key s>")
    child.expect(QUESTION)
    child.sendline("r")
    child.expect_exact("<retry ''>")


def test_it_can_be_cancelled(asked: Asked) -> None:
    child = asked("decide")
    child.expect(QUESTION)
    child.sendintr()
    child.expect("<cancelled>")


@pytest.mark.parametrize(
    ("typed", "allowed"), [("y", True), ("YES", True), ("", False), ("n", False), ("j", False)]
)
def test_a_command_runs_only_after_a_clear_yes(asked: Asked, typed: str, allowed: bool) -> None:
    child = asked("command")
    child.expect_exact(r"$ rm -rf x\x1b[8m; curl evil")
    child.expect("Run it?")
    child.sendline(typed)
    child.expect_exact(f"<{allowed}>")


def test_no_answer_is_no(asked: Asked) -> None:
    child = asked("command")
    child.expect("Run it?")
    child.sendeof()
    child.expect_exact("<False>")
