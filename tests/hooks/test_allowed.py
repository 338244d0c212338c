"""A proposed command is allowed by its words, as the shell will read them, and by nothing else."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agent_runner.hooks.allowed import is_allowed, simple_commands
from tests.support.exploring import examples

PATTERNS = (
    "pytest",
    "pip install *",
    "npm run test:*",
    "cd *",
    "git commit -m *",
    "scripts/* --fast",
    "echo **",
    "'my tool' run",
)


@pytest.mark.parametrize(
    "command",
    [
        "pytest",
        "  pytest  ",
        "pip install requests 'rich>=13' -q",
        "pip install",
        'pip "install" requests',
        "npm run test:unit",
        "cd sub && pytest",
        "cd sub; pytest",
        "cd sub&&pytest;pytest",
        "git commit -m 'a; b && c | d > e $(f) `g`'",
        'git commit -m "it; is > fine"',
        "scripts/check.sh --fast",
        "echo",
        "echo --flag=1 page#2",
        "'my tool' run",
        "echo '*' '$HOME' '~'",
    ],
)
def test_what_the_patterns_say_is_allowed(command: str) -> None:
    assert is_allowed(command, PATTERNS)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "   ",
        ";",
        "pytest -q",
        "pytestx",
        "npm run build",
        "npm run test:unit --more",
        "rm -rf /",
        "pytest; rm x",
        "pytest && rm x",
        "pytest & rm x",
        "pytest | tee x",
        "pytest || rm x",
        "pytest\nrm x",
        "pytest\r\nrm x",
        "echo x > ~/.profile",
        "echo x >> f",
        "echo < f",
        "echo $(rm x)",
        "echo `rm x`",
        'echo "$(rm x)"',
        'echo "`rm x`"',
        "echo $HOME",
        'echo "$HOME"',
        "echo ${IFS}",
        "echo $'\\n'",
        "echo <(rm x)",
        "echo ~",
        "echo a=~",
        "echo *",
        "echo ?",
        "echo [ab]",
        "echo {a,b}",
        "echo a\\;b",
        "echo a\\\nb",
        'echo "a\\"b"',
        "echo !!",
        "echo # rm x",
        "(pytest)",
        "{ pytest; }",
        "PATH=/evil pytest",
        "A=1; pytest",
        "! pytest",
        "pytest &&",
        "&& pytest",
        "pytest;; pytest",
        "pytest;",
        "echo 'open",
        'echo "open',
        "echo a\0b",
        "echo\u00a0a",
        "echo a\x0bb",
        "scripts/../../bin/sh --fast",
        "scripts/.. --fast",
        "if pytest; then pytest; fi",
        "my tool run",
    ],
)
def test_what_they_do_not_say_is_not(command: str) -> None:
    assert not is_allowed(command, PATTERNS)


def test_a_star_alone_allows_every_simple_command_but_no_operator() -> None:
    assert is_allowed("anything at all && more", ("*",))
    for command in ("a | b", "a > b", "a $(b)", "A=1 b", "if a"):
        assert not is_allowed(command, ("*",))


def test_patterns_with_operators_or_open_quotes_cover_nothing() -> None:
    for pattern in ("cd * && pytest", "pytest | tee", "pytest; *", "'open", "", "# x && y"):
        assert not is_allowed("cd x && pytest", (pattern,))
        assert not is_allowed("pytest", (pattern,))
    assert not is_allowed("pytest", ())


PLAIN = ["a", "b.py", " ", "'", '"', "-x", "--f=", "..", "/", ":", "é", "1", ";echo ", " && echo "]
ODD = [*"&|><$()`\n\\*?[]{},~#!=\t^%\r", "$(id)", "if", "a;b", "<<", "2>", "\u00a0"]
PIECES = st.one_of(st.sampled_from(PLAIN), st.sampled_from(PLAIN), st.sampled_from(PLAIN + ODD))
COMMAND = st.lists(PIECES, max_size=10).map(lambda pieces: "echo " + "".join(pieces))
SHELLS = [shell for shell in ("/bin/sh", "/bin/bash", "/bin/zsh") if Path(shell).exists()]


@examples(300)
@given(COMMAND)
def test_every_shell_reads_an_allowed_command_word_for_word(command: str) -> None:
    """What is allowed as `echo **` runs echo, with the words that were judged, and nothing else."""
    if not is_allowed(command, ("echo **",)):
        return
    judged = "".join(
        "".join(f"<{word}>" for word in words[1:]) + "\n" for words in simple_commands(command)
    )
    for shell in SHELLS:
        echo = """echo() { for word; do printf '<%s>' "$word"; done; printf '\\n'; }\n"""
        run = subprocess.run(
            [shell, "-c", echo + command], capture_output=True, env={"PATH": ""}, check=False
        )
        assert (run.returncode, run.stdout.decode(), run.stderr) == (0, judged, b"")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=6)))
def test_quoted_words_are_matched_as_they_are(words: list[str]) -> None:
    quoted = " ".join(f"'{word}'" for word in words if "'" not in word)
    assert is_allowed(f"run {quoted}", ("run *",))
    assert not is_allowed(f"run {quoted}; rm x", ("run *",))


INJECTION = st.sampled_from(
    ["; {}", "&& {}", "| {}", "|| {}", "& {}", "\n{}", "$({})", "`{}`", "> {}", '"$({})"', "<({})"]
)


@given(INJECTION, st.sampled_from(["", " ", "a", "'q' ", '"d" ']), st.sampled_from(["", " ", " a"]))
def test_no_injection_gets_through(form: str, before: str, after: str) -> None:
    injected = f"pytest {before}{form.format('rm x')}{after}"
    assert not is_allowed(injected, ("pytest **", "pip install *"))
    assert not is_allowed(f"pip install {injected}", ("pytest **", "pip install *"))
