"""What a hook runs is read from its command: scripts, and what a test runner is given."""

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agent_runner.hooks.recipes import recipes_of, script_of
from agent_runner.hooks.scripts import judges_of
from agent_runner.model.hooks import Hook

MAKEFILE = """\
PY := python
.PHONY: check lint
all: build
check: lint
\t@sh b.sh
lint:
\t$(PY) tools/check.py \\
\t  --strict
run:
\tpython app.py
build: ; ./verify
"""
PACKAGE = {
    "scripts": {"pretest": "./x.sh", "test": "node check.js && jest", "start": "node app.js"}
}
CHECK = """\
#!/usr/bin/env bash
set -e
. "$(dirname "$0")/lib.sh"
python app.py | diff - want.txt
ci/more.sh
"""
FILES = {
    "Makefile": MAKEFILE,
    "web/package.json": json.dumps(PACKAGE),
    "ci/check.sh": CHECK,
    "ci/lib.sh": "",
    "ci/more.sh": "sh ci/last.sh; sh ci/check.sh",
    "ci/last.sh": "",
} | dict.fromkeys(
    (
        *("check.sh", "b.sh", "verify", "a.txt", "want.txt", "app.py", "x.js", "ci.mk"),
        *("tools/check.py", "tools/check.sh", "web/check.js", "web/x.sh", "web/app.js"),
        *("tests/test_a.py", "checks/all.py", "vendor/bin/phpunit", "jest.ci.js", "test/x.py"),
    ),
    "",
)


FOLDER = Path(__file__).parent


def names_below(root: Path) -> list[str]:
    return [x.relative_to(root).as_posix() for x in sorted(root.rglob("*")) if x.is_file()]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def found(root: Path, command: str | tuple[str, ...], cwd: str | None = None) -> tuple[str, str]:
    judges = judges_of([Hook("h", command, cwd=cwd)], root, lambda: names_below(root))
    return " ".join(sorted(judges.scripts)), " ".join(sorted(judges.tests))


@pytest.mark.parametrize(
    "command",
    [
        "./check.sh",
        "sh check.sh",
        "/bin/sh ./check.sh -q",
        "bash -x ./check.sh",
        "tools/../check.sh",
        "bash -c 'sh check.sh'",
        "bash -ec './check.sh && true'",
        "env X=1 ./check.sh",
        "X=1 ./check.sh",
        "timeout 10 ./check.sh",
        "exec ./check.sh",
        "! ./check.sh",
        "if ./check.sh; then exit 0; fi",
        "true && ./check.sh || exit 1",
        "true\n./check.sh",
        '[ "$(./check.sh)" = ok ]',
        "test `./check.sh` = ok",
        "$(pwd)/check.sh",
        '"$PWD/check.sh"',
        "${ROOT}/check.sh",
        ". ./check.sh",
        "source check.sh",
        "sh check*.sh",
        "sh chec**k*.sh",
        "bash ./ch?ck.sh",
        "eval ./check.sh",
        "sh < check.sh",
        "xargs ./check.sh < a.txt",
        "(./check.sh)",
        "./check.sh | tee log",
        "./check.sh 2>&1",
        "cd tools && ../check.sh",
    ],
)
def test_a_script_that_the_command_runs(root: Path, command: str) -> None:
    assert found(root, command) == ("check.sh", "")


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ("python3 tools/check.py --data a.txt", "tools/check.py"),
        ("python -u tools/check.py a.txt", "tools/check.py"),
        ("python -W error tools/check.py", "tools/check.py"),
        ("python -m tools.check", "tools/check.py"),
        ("uv run python tools/check.py", "tools/check.py"),
        ("coverage run tools/check.py", "tools/check.py"),
        ("python - < tools/check.py", "tools/check.py"),
        ("python app.py | grep -q ok", "app.py"),
        ("node -r ./x.js web/check.js", "web/check.js x.js"),
        ("go run ./tools", "tools"),
        ("make -f ci.mk", "ci.mk"),
        ("make --file=ci.mk check", "ci.mk"),
        ("awk -f ci.mk a.txt", "ci.mk"),
        ("cd tools && ./check.sh", "tools/check.sh"),
    ],
)
def test_a_script_that_an_interpreter_or_a_builder_is_given(
    root: Path, command: str, script: str
) -> None:
    assert found(root, command) == (script, "")


@pytest.mark.parametrize(
    ("command", "tests"),
    [
        ("pytest -q tests/test_a.py", "tests/test_a.py"),
        ("pytest checks/all.py::test_b", "checks/all.py"),
        ("python -m pytest checks/all.py", "checks/all.py"),
        ("python3 -m unittest checks.all", "checks/all.py"),
        ("uv run pytest checks/all.py", "checks/all.py"),
        ("coverage run -m pytest checks/all.py", "checks/all.py"),
        ("node --test x.js", "x.js"),
        ("npx jest --config=jest.ci.js", "jest.ci.js"),
        ("npx jest --config jest.ci.js", "jest.ci.js"),
        ("./vendor/bin/phpunit tests/test_a.py", "tests/test_a.py"),
        ("make check", "b.sh tools/check.py"),
        ("make", "verify"),
        ("npm --prefix web test", "web/check.js web/x.sh"),
        ("cd web && npm run test", "web/check.js web/x.sh"),
    ],
)
def test_what_a_test_runner_is_given_is_a_test(root: Path, command: str, tests: str) -> None:
    assert found(root, command) == ("", tests)


@pytest.mark.parametrize(
    "command",
    [
        "grep -q two a.txt",
        "diff a.txt want.txt",
        "cat a.txt | grep -q two",
        "test -f a.txt",
        "verify",
        "pytest -q",
        "go test ./tools",
        "ruff check app.py",
        "python -c 'import app'",
        "./not-there.sh",
        "/usr/bin/env",
        "sh ../outside.sh",
        "",
        "'",
        "$(",
        "\0",
    ],
)
def test_what_is_only_read_or_not_there_is_no_script(root: Path, command: str) -> None:
    assert found(root, command) == ("", "")


def test_words_and_folders_of_a_hook_count(root: Path) -> None:
    assert found(root, ("python", "check.py"), cwd="tools") == ("tools/check.py", "")
    assert found(root, "sh ../check.sh", cwd="tools") == ("check.sh", "")


def test_a_shells_scripts_are_followed_to_others_of_a_shell(root: Path) -> None:
    """What else they run may well be the work."""
    assert found(root, "ci/check.sh") == ("ci/check.sh", "ci/last.sh ci/lib.sh ci/more.sh")


def test_a_link_and_what_it_leads_to_are_one_script(root: Path) -> None:
    (root / "link.sh").symlink_to("ci/last.sh")
    assert found(root, "./link.sh") == ("ci/last.sh link.sh", "")


def test_recipes_that_go_in_circles_or_are_none() -> None:
    assert recipes_of("a: b\n\techo a\nb: a\n\techo b\n", ["a"]) == "echo a\necho b"
    assert recipes_of("", ["a"]) == recipes_of("x = 1\n", []) == ""
    for package in ("", "[]", "{}", '{"scripts": 1}', '{"scripts": {"test": 1}}', "[" * 9_999):
        assert script_of(package, "test") == ""


@given(
    st.text(alphabet="sh./ck'\"`$(){}|&;<>=-!\\\n \t#~*?[]cde\0é", max_size=60)
    | st.lists(
        st.sampled_from(
            [
                "sh",
                "-c",
                "./check.sh",
                "$(",
                ")",
                "`",
                "'",
                '"',
                "|",
                "&&",
                "cd",
                "..",
                "eval",
                "make",
            ]
        ),
        max_size=12,
    ).map(" ".join)
)
def test_any_command_can_be_read(command: str) -> None:
    judges_of(
        [Hook("h", command), Hook("w", tuple(command.split()))], FOLDER, lambda: names_below(FOLDER)
    )


@pytest.mark.parametrize("command", ["$(" * 3_000 + "x" + ")" * 3_000, "eval " * 3_000 + "x"])
def test_a_command_of_many_layers_is_given_up(root: Path, command: str) -> None:
    assert found(root, command) == ("", "")
