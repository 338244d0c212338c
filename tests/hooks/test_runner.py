"""What a hook is given, and what its end means."""

import re
from typing import Any

import pytest

from agent_runner.model.hooks import HookOutcome, Phase, When

pytestmark = pytest.mark.anyio

Stage = Any  # the fixture's class stands in conftest, which importlib mode does not import


async def test_a_string_is_run_by_a_shell_and_a_tuple_directly(stage: Stage) -> None:
    shell = await stage.run("echo $((1 + 1))")
    direct = await stage.run(("echo", "$((1 + 1))", "a b"))
    assert shell.outcome is direct.outcome is HookOutcome.PASSED
    assert (shell.excerpt, direct.excerpt) == ("2\n", "$((1 + 1)) a b\n")
    assert (shell.exit_code, shell.reason) == (0, "")


@pytest.mark.parametrize(
    ("command", "outcome", "code", "reason"),
    [
        ("exit 0", HookOutcome.PASSED, 0, ""),
        ("exit 3", HookOutcome.FAILED, 3, "exit code 3"),
        ("kill -9 $$", HookOutcome.FAILED, -9, "killed by SIGKILL"),
        ("sh -c 'kill -11 $$'; exit 139", HookOutcome.FAILED, 139, "SIGSEGV"),
        ("no-such-program", HookOutcome.BROKEN, 127, "not found"),
        ("exit 126", HookOutcome.BROKEN, 126, "not executable"),
        (("no-such-program", "x"), HookOutcome.BROKEN, None, "cannot start no-such-program"),
        (("./plain.txt",), HookOutcome.BROKEN, None, "Permission denied"),
        (("./odd",), HookOutcome.BROKEN, 126, "not executable"),
        (("echo", "a\0b"), HookOutcome.BROKEN, None, "null byte"),
    ],
)
async def test_the_end_of_a_command_has_one_meaning(
    stage: Stage,
    command: str | tuple[str, ...],
    outcome: HookOutcome,
    code: int | None,
    reason: str,
) -> None:
    (stage.task.root / "plain.txt").write_text("x")
    (stage.task.root / "odd").write_bytes(b"\x00\x01")
    (stage.task.root / "odd").chmod(0o755)
    result = await stage.run(command)
    assert (result.outcome, result.exit_code) == (outcome, code)
    assert reason in result.reason
    assert result.reason in result.excerpt
    assert result.reason.encode() in stage.log()


async def test_a_missing_folder_is_a_broken_hook(stage: Stage) -> None:
    result = await stage.run("true", cwd="not-there")
    assert result.outcome is HookOutcome.BROKEN
    assert str(stage.task.root / "not-there") in result.reason
    assert stage.started == []


async def test_a_regex_that_is_none_is_a_broken_hook(stage: Stage) -> None:
    from agent_runner.model.hooks import Failures

    result = await stage.run("true", failures=Failures(regex="("))
    assert result.outcome is HookOutcome.BROKEN
    assert "failures.regex" in result.reason


async def test_it_runs_below_the_task_with_its_own_environment_and_nothing_to_read(
    stage: Stage,
) -> None:
    (stage.task.root / "back end").mkdir()
    result = await stage.run(
        "pwd; cat; echo $AGENT_RUNNER_TASK $AGENT_RUNNER_ATTEMPT $AGENT_RUNNER_RUN_ID $CI $HOME",
        cwd="back end",
        env={"CI": "yes", "AGENT_RUNNER_TASK": "ours stands"},
    )
    assert result.excerpt == f"{stage.task.root}/back end\nT1 2 run-7 yes /nowhere\n"


async def test_keys_are_not_handed_down_unless_the_hook_asks(stage: Stage) -> None:
    show = "echo ${PLANTED_KEY:+given} ${AGENT_RUNNER_PROVIDERS__X__API_KEY:+given too}; env"
    without = await stage.run(show)
    asked = await stage.run(show, pass_keys=True)
    assert without.excerpt.startswith("\n")
    assert asked.excerpt.startswith("given given too\n")
    assert "PLANTED_KEY=[redacted]" in asked.excerpt
    assert b"sk-planted" not in stage.log()
    assert b"sk-planted" not in stage.seen


async def test_a_key_split_between_two_writes_is_taken_out(stage: Stage) -> None:
    cut = "printf 'a %s' sk-planted; sleep 0.05; printf '%s b' -0123456789"
    result = await stage.run(cut)
    assert result.excerpt == "a [redacted] b"
    assert bytes(stage.seen) == b"a [redacted] b"


async def test_a_failure_may_be_allowed_but_not_a_hook_that_cannot_start(stage: Stage) -> None:
    failed = await stage.run("exit 2", allow_failure=True)
    late = await stage.run("sleep 60", allow_failure=True, timeout=0.1)
    broken = await stage.run("no-such-program", allow_failure=True)
    assert (failed.outcome, failed.exit_code, failed.green) == (HookOutcome.ALLOWED, 2, True)
    assert late.outcome is HookOutcome.ALLOWED
    assert broken.outcome is HookOutcome.BROKEN


async def test_a_flaky_hook_passes_and_is_counted(stage: Stage) -> None:
    third = "echo x >> tries; test $(wc -l < tries) -ge 3"
    result = await stage.run(third, retries=5)
    assert (result.outcome, result.flaky, result.length) == (HookOutcome.PASSED, 2, 0)
    assert len(stage.started) == 3
    assert b"attempt 2, try 3," in stage.log()


async def test_a_red_hook_is_tried_as_often_as_it_may(stage: Stage) -> None:
    result = await stage.run("echo x >> tries; exit 1", retries=2)
    assert (result.outcome, result.flaky) == (HookOutcome.FAILED, 0)
    assert (stage.task.root / "tries").read_text() == "x\nx\nx\n"


async def test_a_hook_that_cannot_start_is_not_tried_again(stage: Stage) -> None:
    await stage.run("exit 127", retries=5)
    assert len(stage.started) == 1


@pytest.mark.parametrize(
    ("globs", "changed", "runs"),
    [
        (("src/**",), ["src/a/b.py"], True),
        (("src/**/*.py", "docs/*"), ["docs/x.md"], True),
        (("src/**",), ["docs/src.py"], False),
        (("*.py",), ["deep/below/x.py"], True),
        (("src/**",), [], False),
        ((), [], True),
    ],
)
async def test_a_hook_runs_only_if_what_it_looks_at_changed(
    stage: Stage, globs: tuple[str, ...], changed: list[str], *, runs: bool
) -> None:
    stage.changed = changed
    result = await stage.run("true", when=When(changed=globs))
    assert result.outcome is (HookOutcome.PASSED if runs else HookOutcome.SKIPPED)
    assert bool(stage.started) is runs
    assert result.green


async def test_the_log_has_a_header_the_bytes_and_a_trailer_for_each_hook(stage: Stage) -> None:
    first = await stage.run("printf 'no newline'")
    second = await stage.run("printf '\\377\\000\\n'; exit 4")
    log = stage.log()
    lines = log.split(b"\n")
    stamp = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    assert re.fullmatch(rb"=== hook h, attempt 2, " + stamp, lines[0])
    assert lines[1] == b"=== $ printf 'no newline'"
    assert lines[2] == b"no newline"
    assert re.fullmatch(rb"=== exit code 0 after \d+\.\d\d s", lines[3])
    assert re.fullmatch(rb"=== exit code 4 after \d+\.\d\d s", lines[-2])
    for result, output in ((first, b"no newline"), (second, b"\xff\x00\n")):
        assert result.log == "logs/T1/post.log"
        assert log[result.offset : result.offset + result.length] == output
    assert (stage.runner.state_dir / first.log).stat().st_mode & 0o777 == 0o600


async def test_a_phase_has_its_log_and_a_proposed_command_may_have_its_own(stage: Stage) -> None:
    await stage.run("echo before", phase=Phase.PRE)
    result = await stage.run("echo proposed", log_name="commands")
    assert b"before" in stage.log("pre")
    assert b"proposed" in stage.log("commands")
    assert result.log == "logs/T1/commands.log"
