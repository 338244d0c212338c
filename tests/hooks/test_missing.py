"""A tool that is not installed is known by its exit code, or by an output that says only that."""

import shlex
import sys
from typing import Any

import pytest

from agent_runner.hooks.missing import absent_program, missing_program
from agent_runner.model.hooks import HookOutcome, Phase

Stage = Any  # the fixture's class stands in conftest, which importlib mode does not import

MAKE = "ptest -q\n/bin/sh: 1: ptest: not found\nmake: *** [Makefile:2: test] Error 127\n"
NPM = "\n> app@1.0.0 test\n> jest --ci\n\nsh: 1: jest: not found\n"


@pytest.mark.parametrize(
    ("output", "name"),
    [
        ("sh: 1: ptest: not found\n", "ptest"),
        ("/bin/sh: 1: ptest: not found", "ptest"),
        ("./check.sh: 3: ptest: not found", "ptest"),
        ("bash: line 1: ptest: command not found", "ptest"),
        ("./check.sh: line 12: ptest: command not found", "ptest"),
        ("-bash: ptest: command not found", "ptest"),
        ("zsh:1: command not found: ptest", "ptest"),
        ("sh: ptest: not found", "ptest"),
        ("ksh: ptest: not found [No such file or directory]", "ptest"),
        ("ptest: Command not found.", "ptest"),
        ("env: \u2018ptest\u2019: No such file or directory", "ptest"),
        ("timeout: failed to run command \u2018ptest\u2019: No such file or directory", "ptest"),
        ("sudo: ptest: command not found", "ptest"),
        ("pyenv: ptest: command not found", "ptest"),
        ("/usr/bin/python3: No module named pytest", "pytest"),
        ("No module named 'pytest'", "pytest"),
        (
            "python: No module named a.__main__; 'a' is a package and cannot be directly executed",
            "a.__main__",
        ),
        ("Command not found: ptest", "ptest"),
        (
            "bundler: command not found: rspec\nInstall missing gem executables with `x`",
            "rspec",
        ),
        (
            "error: Failed to spawn: `ptest`\n  Caused by: No such file or directory (os error 2)",
            "ptest",
        ),
        ("error: no such command: `nextest`\n\nhelp: view all with `cargo --list`", "nextest"),
        (MAKE, "ptest"),
        ("make: ptest: No such file or directory\nmake: *** [Makefile:2: test] Error 127", "ptest"),
        (NPM, "jest"),
        (
            "$ jest\n/bin/sh: jest: command not found\nerror Command failed with exit code 127.",
            "jest",
        ),
    ],
)
def test_an_output_that_only_says_that_a_program_is_not_there(output: str, name: str) -> None:
    assert missing_program(output) == name


@pytest.mark.parametrize(
    "output",
    [
        "",
        "all good\n",
        "1 failed\nsh: 1: ptest: not found\n",
        "a.txt: not found\n",
        "check.sh: a.txt: not found\n",
        "cat: a.txt: No such file or directory\n",
        "grep: a.txt: No such file or directory\n",
        "bash: line 1: a.txt: No such file or directory\n",
        "Traceback (most recent call last):\nModuleNotFoundError: No module named 'app'\n",
        "ModuleNotFoundError: No module named 'app'\n",
        "expected exit code 0, got exit code 127\n",
        "the page was not found\n",
        "FAILED test_a.py::test_command_not_found - AssertionError: command not found: x\n",
        "> app@1.0.0 test\n> jest --ci\n",
        "make: *** [Makefile:2: test] Error 1\n",
        "sh: 1: x: not found\n" * 1_000,
    ],
)
def test_a_judge_that_says_more_has_judged(output: str) -> None:
    assert missing_program(output) == ""


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("no-such-tool -q", "no-such-tool"),
        ("no-such-tool -q || exit 1", "no-such-tool"),
        ("bash -c 'no-such-tool' || false", "no-such-tool"),
        ("no-such-tool | tail -5", "no-such-tool"),
        (f"{shlex.quote(sys.executable)} -m no_such_module", "no_such_module"),
        ("env no-such-tool; exit 3", "no-such-tool"),
    ],
)
async def test_a_judge_without_its_tool_has_judged_nothing(
    stage: Stage, command: str, name: str
) -> None:
    result = await stage.run(command, retries=2, allow_failure=True)
    assert result.could_not_start
    assert not result.green
    assert result.missing == name
    assert stage.log().count(b"=== $") == 1


@pytest.mark.anyio
async def test_a_pre_hook_may_try_what_is_not_there(stage: Stage) -> None:
    result = await stage.run("no-such-tool || true", phase=Phase.PRE)
    assert (result.outcome, result.missing) == (HookOutcome.PASSED, "")


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("no-such-tool -q", "no-such-tool"),
        (("no-such-tool", "-q"), "no-such-tool"),
        ("cd src && no-such-tool", "no-such-tool"),
        ("sh -c true && no-such-tool", ""),
        ("no-such-tool -q | tail", ""),
        ("./check.sh", ""),
        ("build/app --check", ""),
        ("test -f a.txt", ""),
        ("[ -f a.txt ]", ""),
        ("cd src", ""),
        ("", ""),
        ("'", ""),
    ],
)
def test_a_look_at_the_path_finds_what_certainly_is_not_there(
    command: str | tuple[str, ...], name: str
) -> None:
    assert absent_program(command, {"PATH": "/usr/bin:/bin"}) == name


@pytest.mark.anyio
async def test_a_hook_without_a_time_out_is_mentioned_once(stage: Stage) -> None:
    stage.runner.graces = stage.runner.graces.__class__(unbounded=0.1)
    calls: list[str] = []
    await stage.run("sleep 0.5", timeout=None, on_long=lambda: calls.append("long"))
    assert calls == ["long"]
    await stage.run("sleep 0.5", timeout=30.0, on_long=lambda: calls.append("bounded"))
    await stage.run("true", timeout=None, on_long=lambda: calls.append("short"))
    assert calls == ["long"]
