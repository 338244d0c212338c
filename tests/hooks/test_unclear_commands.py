"""What judges where a hook's command does not say itself which script it runs: all it may be."""

from pathlib import Path

import pytest

from agent_runner.hooks.scripts import Judges, judges_of
from agent_runner.model.hooks import Hook

SHELL = {"a.sh", "b.sh", "s/y.sh", "src/run.sh"}
STARTED_AS_ONE = {"s/x", "bin/tool"}
LOOSE = SHELL | STARTED_AS_ONE
DATA = {"list", "s/data.txt", "main.c", "LICENSE", "package.json"}
OTHERS = {"app.py", "src/app.py", "src/app.js", "tools/check.py", "tests/test_a.py", "tests/run.sh"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in LOOSE | DATA | OTHERS:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n" if name in STARTED_AS_ONE else "")
        path.chmod(0o755 if name in STARTED_AS_ONE else 0o644)
    return tmp_path


def judges(root: Path, hook: Hook) -> Judges:
    files = sorted(x for x in root.rglob("*") if x.is_file())
    return judges_of([hook], root, lambda: [x.relative_to(root).as_posix() for x in files])


CLEAR_ENOUGH = {
    "sh $(ls a.sh)": {"a.sh"},
    'sh "$(ls s/y.sh)"': {"s/y.sh"},
    "bash <(cat a.sh)": {"a.sh"},
    "sh {a,b}.sh": SHELL | {"tests/run.sh"},
    "for f in s/*.sh; do sh $f; done": {"s/y.sh"},
    'for f in s/*; do "$f" || exit 1; done': {"s/x", "s/y.sh", "s/data.txt"},
    "for f in $(ls s); do\n  . s/$f\ndone": {"s/x", "s/y.sh", "s/data.txt"},
    "find s -name '*.sh' -exec sh {} \\;": {"s/y.sh"},
    "find s \\( -name x -o -name 'y*' \\) -exec {} \\;": {"s/x", "s/y.sh"},
    "find tools -type f -exec env python {} +": {"tools/check.py"},
    "find . -name check.py | xargs python": {"tools/check.py"},
    "ls s | xargs sh": {"s/x", "s/y.sh"},
    "parallel sh ::: a.sh b.sh": {"a.sh", "b.sh"},
    "run-parts s": {"s"},
    "env -C s ./x": {"s/x"},
    "env --chdir=s sh y.sh": {"s/y.sh"},
    "(cd s && ./x)": {"s/x"},
    "pushd s && ./x": {"s/x"},
    'cd "$D" && ./x': {"s/x"},
    '"$D"/check.py': {"tools/check.py"},
    "$RUN a.sh": {"a.sh"},
    '"$PYTHON" app.py': {"app.py"},
    "F=tools/check.py; python $F": {"tools/check.py"},
    "F=a.sh sh -c '\"$F\"'": {"a.sh"},
    "sh -c 'for f; do sh \"$f\"; done' _ s/*.sh": {"s/y.sh"},
    'if [ -f a.sh ]; then bash "$_"; fi': {"a.sh"},
    "sh <<EOF\n. ./a.sh\nEOF": {"a.sh"},
    "bash -s <<'E'\nfor f in s/*.sh; do source $f; done\nE": {"s/y.sh"},
    "PATH=s:$PATH x": {"s/x"},
    'export PATH="$PWD/bin:$PATH"; tool': {"bin/tool"},
    "# don't\nsh a.sh  # it's fine": {"a.sh"},
    "echo 'never closed; ./a.sh": {"a.sh"},
    '. "$(dirname "$0")/a.sh"': {"a.sh"},
    "true $((1 + 2)) && sh 'a.sh'": {"a.sh"},
    "env -S 'sh a.sh'": {"a.sh"},
    "trap 'sh a.sh' EXIT": {"a.sh"},
    "time -p ./a.sh": {"a.sh"},
    'script -qec "./a.sh" log': {"a.sh"},
    "docker run --rm -v $PWD:/w image sh a.sh": {"a.sh"},
    "sh <<< '. ./a.sh'": {"a.sh"},
    "builtin source a.sh": {"a.sh"},
    "PYTHONPATH=tools python -m check": {"tools/check.py"},
    "coverage run --source=src tools/check.py": {"tools/check.py"},
    "git ls-files '*.sh' | while read f; do sh $f; done": SHELL | {"tests/run.sh"},
}


@pytest.mark.parametrize("command", CLEAR_ENOUGH)
def test_what_the_words_may_come_to_judges(root: Path, command: str) -> None:
    assert judges(root, Hook("h", command)) == Judges(frozenset(CLEAR_ENOUGH[command]))


@pytest.mark.parametrize(
    "command",
    [
        'cat list | while read f; do sh "$f"; done',
        'while read -r f; do "./$f"; done < list',
        "xargs -a list sh",
        "xargs -I% sh % < list",
        "cat list | parallel bash",
        "$(cat list)",
        'eval "$(cat list)"',
    ],
)
def test_where_a_list_names_the_scripts_all_judge_and_the_list(root: Path, command: str) -> None:
    """Not what is a test by its name: that may be changed, and the hooks run as before, too."""
    assert judges(root, Hook("h", command)) == Judges(frozenset(LOOSE | {"list"}))


@pytest.mark.parametrize(
    "command",
    [
        'sh "$X"',
        "$X",
        'run() { sh "$1"; }; run a.sh',
        'function t { sh "$1"; }; t a.sh',
        "wget -qO- http://here.is/it | sh",
    ],
)
def test_where_nothing_is_named_all_scripts_of_shells_judge(root: Path, command: str) -> None:
    assert judges(root, Hook("h", command)) == Judges(frozenset(LOOSE))


def test_the_variables_of_a_hook_count(root: Path) -> None:
    hook = Hook("h", "python $CHECK", env={"CHECK": "tools/check.py"})
    assert judges(root, hook) == Judges(frozenset({"tools/check.py"}))
    assert judges(root, Hook("h", ("env", "-C", "s", "./x"))) == Judges(frozenset({"s/x"}))


@pytest.mark.parametrize(
    "command",
    [
        "python -c 'import app'",
        "python -m pkg",
        "uv run python -c 'import app' src/app.py",
        "python - <<'EOF'\nimport app\nassert app.f(['x']) == {1: f'{2}'}, \"don't\"\nEOF",
        "node -e 'require(\"./src/app\")'",
        "perl -lane 'print $F[0]' main.c",
        "cat src/app.py | python -c 'import sys; sys.exit(0)'",
        "npm test",
        "make check",
        "uv run pytest",
        "bash -lc 'pytest -q'",
        '"$PYTHON" -m mypy src',
        '"${PYTHON:-python}" -m mypy src',
        "$(which python3) -m mypy src",
        '"$VENV/bin/pytest" -q',
        "$(npm bin)/eslint src",
        "$CC -o app main.c && ./app",
        "$GRADLE test --info",
        '. "$HOME/.cargo/env" && cargo test',
        "source $(conda info --base)/etc/profile.d/conda.sh; pytest",
        'for f in s/*.sh; do bash -n "$f"; done',
        "for d in src lib; do python -m compileall $d; done",
        "find . -name '*.py' -exec python -m py_compile {} +",
        "find . -name '*.php' -exec php -l {} \\;",
        "find src -name '*.py' | xargs ruff check",
        "git ls-files '*.py' | xargs grep -L TODO",
        "go build ./src",
        "go vet $(go list ./...)",
        "go test $(go list ./... | grep -v vendor)",
        "python --version && command -v node >/dev/null",
        "case $X in a) pytest;; *) ruff check src;; esac",
        "[[ $X == [ab]* ]] && pytest",
        "grep -q '# TODO' src/app.py",
        'test "$(grep -c x src/app.py)" = 1',
        "python -m http.server > a.sh",
        "which bash && pytest",
        "apk add bash git && pytest",
        "docker run --rm -v $PWD:/w image pytest -q",
        "echo 'now sh a.sh'",
        "diff <(sort list) <(sort s/data.txt)",
    ],
)
def test_what_only_reads_or_holds_its_code_itself_judges_nothing(root: Path, command: str) -> None:
    (root / "list").unlink()
    assert judges(root, Hook("h", command)) == Judges()
