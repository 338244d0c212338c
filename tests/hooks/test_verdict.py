"""Failing checks have names, and two runs that failed the same way have one fingerprint."""

import shlex
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, strategies as st

from agent_runner.hooks.checks import MOST, KnownRunners, without_escapes
from agent_runner.hooks.fingerprint import Fingerprint
from agent_runner.hooks.regex import ByRegex
from agent_runner.hooks.verdict import LONGEST_LINE, READ, LineBlocks
from agent_runner.model.hooks import Failures, HookOutcome

Stage = Any  # the fixture's class stands in conftest, which importlib mode does not import

TESTS = """
import unittest, pytest

def test_plain():
    assert 1 == 2

@pytest.mark.parametrize("value", ["a b", "a - b", "[x]"])
def test_cases(value):
    assert value == 0

@pytest.fixture
def bad():
    raise ValueError("no - way")

def test_error(bad): pass

def test_good(): pass

class TestUnit(unittest.TestCase):
    def test_unit(self):
        for i in range(2):
            with self.subTest(i=i):
                self.assertEqual(i, 5)
"""

NAMES = (
    "test_it.py::TestUnit::test_unit",
    "test_it.py::test_cases[[x]]",
    "test_it.py::test_cases[a - b]",
    "test_it.py::test_cases[a b]",
    "test_it.py::test_error",
    "test_it.py::test_plain",
)

PYTHON = shlex.quote(sys.executable)
PYTEST = f"{PYTHON} -m pytest -p no:cacheprovider"


@pytest.mark.anyio
@pytest.mark.parametrize("flags", ["", "-q", "-v --color=yes", "-q --tb=no"])
async def test_pytest_is_recognised(stage: Stage, flags: str) -> None:
    (stage.task.root / "test_it.py").write_text(TESTS)
    result = await stage.run(f"{PYTEST} {flags}")
    assert result.outcome is HookOutcome.FAILED
    assert result.failing == NAMES
    again = await stage.run(f"{PYTEST} {flags}")
    assert again.fingerprint == result.fingerprint
    (stage.task.root / "test_it.py").write_text(TESTS.replace("1 == 2", "1 == 1"))
    better = await stage.run(f"{PYTEST} {flags}")
    assert better.failing == NAMES[:-1]
    assert better.fingerprint != result.fingerprint


@pytest.mark.anyio
async def test_a_file_that_cannot_be_collected_is_named(stage: Stage) -> None:
    (stage.task.root / "test_broken.py").write_text("import nowhere_to_be_found")
    result = await stage.run(f"{PYTEST} -q")
    assert result.failing == ("test_broken.py",)


@pytest.mark.anyio
async def test_unittest_is_recognised(stage: Stage) -> None:
    (stage.task.root / "test_it.py").write_text(TESTS)
    result = await stage.run(f"{PYTHON} -m unittest test_it")
    assert result.failing == ("test_it.TestUnit.test_unit",)


def read(reader: KnownRunners, text: str) -> tuple[str, ...]:
    reader.feed(without_escapes(text.encode()))
    return reader.names.sorted()


def test_other_runners_are_recognised() -> None:
    text = (
        "--- FAIL: TestSum (0.00s)\n    --- FAIL: TestSum/negative (0.00s)\n"
        "test tests::it_works ... FAILED\ntest tests::fine ... ok\n"
        "FAIL: test_old (tests.test_x.T)\n"
    )
    found = read(KnownRunners(), text)
    assert found == ("TestSum", "TestSum/negative", "tests.test_x.T.test_old", "tests::it_works")


def test_log_lines_that_look_like_failures_are_none() -> None:
    text = "ERROR root:app.py:12 no route\nFAILED to connect\nERROR in line 3\n"
    assert read(KnownRunners(), text) == ()


def test_a_summary_split_between_blocks_is_read() -> None:
    reader = KnownRunners()
    read(reader, "====== short test summary info ======\n")
    assert read(reader, "FAILED a.py::b - x\n=== 1 failed in 0.1s ===\nERROR c.py::d\n") == (
        "a.py::b",
    )


def test_too_many_names_are_counted() -> None:
    lines = "".join(f"FAILED a.py::test_{n:04}\n" for n in range(MOST + 57))
    found = read(KnownRunners(), f"=== short test summary info ===\n{lines}")
    assert len(found) == MOST + 1
    assert found[-1] == "... and 57 more"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("regex", "names"),
    [
        (r"^not ok \d+ - (.*)$", ("two", "three \ufffd")),
        (r"^not ok \d+", ("not ok 2", "not ok 3")),
        (r"^not ok (\d+)( - t.o)?", ("2", "3")),
        ("nothing", ()),
    ],
)
async def test_a_regex_names_the_failures(regex: str, names: tuple[str, ...]) -> None:
    reader = ByRegex(regex)
    reader.feed(b"ok 1 - one\nnot ok 2 - two\nnot ok 3 - three \xff\n")
    assert (await reader.search()).sorted() == tuple(sorted(names))


@pytest.mark.anyio
async def test_too_many_names_that_a_regex_finds_are_counted() -> None:
    reader = ByRegex(r"^bad (\d+)$")
    reader.feed(b"".join(b"bad %d\n" % number for number in range(MOST + 57)))
    found = (await reader.search()).sorted()
    assert len(found) == MOST + 1
    assert found[-1] == "... and 57 more"


@pytest.mark.anyio
async def test_a_regex_that_never_ends_is_given_up_and_named() -> None:
    reader = ByRegex("(a+)+$", limit=0.5)
    reader.feed(b"a" * 40 + b"!\n")
    (name,) = (await reader.search()).sorted()
    assert name == "failures.regex did not come to an end within 0.5 s"


@pytest.mark.anyio
async def test_a_search_is_stopped_as_any_other_wait() -> None:
    reader = ByRegex("(a+)+$", limit=60)
    reader.feed(b"a" * 40 + b"!\n")
    with anyio.move_on_after(0.3) as stopped, anyio.fail_after(10):
        await reader.search()
    assert stopped.cancelled_caught


@pytest.mark.anyio
@pytest.mark.parametrize("regex", ["(", "a{9999999999999}", "(" * 6000 + ")" * 6000])
async def test_what_is_no_regex_is_said_before_the_hook_runs(stage: Stage, regex: str) -> None:
    result = await stage.run("touch ran; exit 1", failures=Failures(regex=regex))
    assert result.outcome is HookOutcome.BROKEN
    assert "is not a regular expression" in result.reason
    assert not (stage.task.root / "ran").exists()


@pytest.mark.anyio
async def test_a_hooks_regex_is_used_instead_of_what_is_known(stage: Stage) -> None:
    command = "echo 'not ok 1 - sum'; echo '--- FAIL: TestSum (0.0s)'; exit 1"
    result = await stage.run(command, failures=Failures(regex="not ok [0-9]+ - (.*)"))
    assert result.failing == ("sum",)


REPORT = (
    '<testsuite><testcase classname="t" name="a"/>'
    '<testcase classname="t" name="b"><failure message="x">why</failure></testcase>'
    '<testcase name="c"><system-out/><error/></testcase>'
    '<testcase classname="t" name="d"><skipped/></testcase></testsuite>'
)


@pytest.mark.anyio
async def test_a_report_names_the_failures(stage: Stage) -> None:
    (stage.task.root / "sub").mkdir()
    (stage.task.root / "sub" / "new.xml").write_text(REPORT)
    failures = Failures(junit="out/report.xml")
    command = "mkdir -p out; cp new.xml out/report.xml; exit 1"
    result = await stage.run(command, cwd="sub", failures=failures)
    assert result.failing == ("c", "t.b")
    again = await stage.run(command, cwd="sub", failures=failures)
    assert again.failing == ("c", "t.b")


@pytest.mark.anyio
async def test_pytests_own_report_is_read(stage: Stage) -> None:
    (stage.task.root / "test_it.py").write_text(TESTS)
    result = await stage.run(f"{PYTEST} --junitxml=r.xml", failures=Failures(junit="r.xml"))
    assert "test_it.test_cases[a - b]" in result.failing
    assert "test_it.test_good" not in result.failing


@pytest.mark.anyio
@pytest.mark.parametrize(
    "report",
    [
        "not xml at all",
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><testsuite/>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>',
        "",
    ],
    ids=["no XML", "entities", "external", "empty"],
)
async def test_a_report_that_is_none_falls_back_to_the_output(stage: Stage, report: str) -> None:
    (stage.task.root / "new.xml").write_text(report)
    command = "cp new.xml r.xml; echo '--- FAIL: TestSum (0.0s)'; exit 1"
    result = await stage.run(command, failures=Failures(junit="r.xml"))
    assert result.failing == ("TestSum",) if report else result.failing == ()


@pytest.mark.anyio
async def test_an_old_report_says_nothing(stage: Stage) -> None:
    (stage.task.root / "r.xml").write_text(REPORT)
    result = await stage.run(
        "echo '--- FAIL: TestSum (0.0s)'; exit 1", failures=Failures(junit="r.xml")
    )
    assert result.failing == ("TestSum",)


@pytest.mark.anyio
async def test_a_report_cut_short_or_a_fifo_does_not_hang(stage: Stage) -> None:
    (stage.task.root / "new.xml").write_text(REPORT[:-30])
    cut = await stage.run("cp new.xml r.xml; exit 1", failures=Failures(junit="r.xml"))
    assert cut.failing == ("c", "t.b")
    fifo = await stage.run("mkfifo f.xml; exit 1", failures=Failures(junit="f.xml"))
    assert fifo.failing == ()


# --- fingerprints ---


def printed(text: str, root: str = "/home/me/project") -> str:
    prints = Fingerprint(Path(root))
    lines = LineBlocks()
    for block in (*lines.feed(text.encode()), *lines.end()):
        prints.feed(without_escapes(block))
    return prints.digest((), "exit code 1")


SAME = [
    ("3 failed in 0.52s", "3 failed in 61.20s (0:01:01)"),
    ("==== 1 failed in 9.9s ====", "=== 1 failed in 10.1s ==="),
    ("took 1m 3s", "took 59s"),
    ("took 900 ms", "took 1.2 seconds"),
    ("<Foo at 0x7f12ab>", "<Foo at 0xdeadbeef0001>"),
    ("2026-11-24T13:00:00.1Z boom", "2027-01-02T03:04:05.678901Z boom"),
    ("Tue Nov 24 13:00:00 2026 boom", "Fri Jan  1 01:02:03 2027 boom"),
    ("at 10:00 AM", "at 9:30 PM"),
    ("id 0b1c2d3e-1111-2222-3333-444455556666", "id ffffffff-0000-1111-aaaa-bbbbccccdddd"),
    ("commit 3f2a9c1b8e", "commit 0a0b0c0d0e"),
    ("see /tmp/pytest-of-me/pytest-12/test_x0/out", "see /tmp/pytest-of-me/pytest-9/test_x1/o2"),
    ("see /var/folders/ab/c_d/T/tmp123", "see /var/folders/zz/y_x/T/tmpabc/deeper"),
    ("\x1b[31mred\x1b[0m", "red"),
    ("10%\r50%\r100% done", "3%\r100% done"),
    ("/home/me/project/a.py:3: boom", "./a.py:44: boom"),
    ("waiting 1\nwaiting 2\nwaiting 3\nboom", "waiting 7\nboom"),
    ("a    1  b", "a 100 b"),
    ("boom\r\n", "boom\n"),
    ("1.5 MB/s", "900 KiB/s"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_means_nothing_makes_no_difference(one: str, other: str) -> None:
    assert printed(one) == printed(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("KeyError: 'a'", "KeyError: 'b'"),
        ("a.py:3: boom", "b.py:3: boom"),
        ("/home/me/project/a.py", "/home/me/other/a.py"),
        ("one\ntwo", "two\none"),
        ("boom", "boom\nbang"),
        ("deface", "decade"),
        ("x is None", "x is not None"),
        ("see /tmp/x: denied", "see /tmp/x: not found"),
    ],
)
def test_another_failure_makes_a_difference(one: str, other: str) -> None:
    assert printed(one) != printed(other)


def test_the_names_and_the_ending_count() -> None:
    prints = Fingerprint()
    prints.feed(b"the same\n")
    digests = {
        prints.digest(("a", "b"), "exit code 1"),
        prints.digest(("a",), "exit code 1"),
        prints.digest(("a", "b"), "exit code 2"),
    }
    assert len(digests) == 3
    assert prints.digest(("b", "a"), "exit code 1") in digests


WORDS = st.lists(
    st.sampled_from(["alpha", "Error:", "assert", "in", "{n}", "{n}.{n}s", "0x{h}", "/tmp/{h}/f"]),
    min_size=1,
    max_size=8,
).map(" ".join)
TEMPLATE = st.lists(WORDS, min_size=1, max_size=30).map("\n".join)


def filled(template: str, seed: int) -> str:
    """The template with other numbers, names and addresses for each seed."""
    return template.replace("{n}", str(seed % 9973)).replace("{h}", f"{seed:x}f0")


@given(TEMPLATE, st.integers(0, 2**40), st.integers(0, 2**40))
def test_two_runs_that_fail_alike_are_alike(template: str, one: int, other: int) -> None:
    assert printed(filled(template, one)) == printed(filled(template, other))


@given(TEMPLATE, st.integers(0, 2**40), st.data())
def test_one_word_more_is_another_failure(template: str, seed: int, data: st.DataObject) -> None:
    lines = template.split("\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] += " unexpected"
    assert printed(filled(template, seed)) != printed(filled("\n".join(lines), seed))


@given(
    st.lists(st.sampled_from([b"word ", b"1" * 7, b"\n", b"x" * 30_000, b" ", b"\xff\0\r"])),
    st.lists(st.integers(1, 70_000), min_size=1, max_size=5),
)
def test_blocks_are_the_same_however_the_output_came(parts: list[bytes], sizes: list[int]) -> None:
    text = b"".join(parts)
    lines, at, turn = LineBlocks(), 0, 0
    blocks: list[bytes] = []
    while at < len(text):
        size = sizes[turn % len(sizes)]
        blocks += lines.feed(text[at : at + size])
        at, turn = at + size, turn + 1
    blocks += lines.end()
    assert b"".join(blocks) == text
    assert all(len(block) <= LONGEST_LINE + 70_000 for block in blocks)
    whole = LineBlocks()
    assert _cuts(blocks) == _cuts([*whole.feed(text), *whole.end()])


def _cuts(blocks: list[bytes]) -> list[bytes]:
    """What the blocks say about lines: each line, or part of a long one, for itself."""
    return [line for block in blocks for line in block.splitlines(keepends=True)]


@pytest.mark.slow
@pytest.mark.anyio
async def test_a_flood_is_judged_by_its_head_and_tail(stage: Stage) -> None:
    flood = "yes 'at 0x12 for 3 s' | head -n {lines}; echo '--- FAIL: {name} (1s)'; exit 1"
    lines = READ // 10
    one = await stage.run(flood.format(lines=lines, name="TestSum"))
    other = await stage.run(flood.format(lines=lines + 54_321, name="TestSum"))
    third = await stage.run(flood.format(lines=lines, name="TestSub"))
    assert one.length > READ
    assert one.failing == other.failing == ("TestSum",)
    assert one.fingerprint == other.fingerprint != third.fingerprint


@pytest.mark.anyio
async def test_the_report_of_a_passed_hook_is_not_read(stage: Stage) -> None:
    result = await stage.run("echo '--- FAIL: TestSum (0.0s)'")
    assert (result.failing, result.fingerprint) == ((), "")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "command",
    [
        "exit 1",
        "grep -q two a.txt",
        "printf '\\n \\n'; exit 1",
        "printf '\\033[31m\\033[0m'; exit 1",
        "printf '%s\\n' -----; exit 1",
        "echo 12:30:05; exit 1",
        "echo 'make: *** [Makefile:2: check] Error 1'; exit 2",
        "echo 'grep -q two a.txt'; echo 'make: *** [Makefile:2: check] Error 1'; exit 2",
        "printf '> app@1.0.0 test\\n> node check.js\\n'; exit 1",
    ],
)
async def test_a_judge_that_says_nothing_has_no_fingerprint(stage: Stage, command: str) -> None:
    (stage.task.root / "a.txt").write_text("one\n")
    result = await stage.run(command)
    assert result.outcome is HookOutcome.FAILED
    assert result.fingerprint == ""


@pytest.mark.anyio
@pytest.mark.parametrize("command", ["echo wrong; exit 1", "echo \u932f; exit 1"])
async def test_one_word_of_its_own_is_a_fingerprint(stage: Stage, command: str) -> None:
    assert (await stage.run(command)).fingerprint
