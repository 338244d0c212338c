"""What programs do with their arguments, by the programs' names: run tests, a script, or others."""

import re

RUNNERS = frozenset(
    {"pytest", "py.test", "unittest", "nose2", "nosetests", "ward", "trial", "stestr", "behave"}
    | {"robot", "jest", "vitest", "mocha", "ava", "tap", "tape", "jasmine", "karma", "cypress"}
    | {"playwright", "testcafe", "qunit", "rspec", "cucumber", "minitest", "phpunit", "pest"}
    | {"codecept", "behat", "busted", "bats", "shellspec", "ctest", "prove", "tox", "nox"}
)
"""Test runners by the names of their programs, or of their modules (`python -m`)."""

RUNNERS_IN_TWO = frozenset(
    {"go", "cargo", "dotnet", "swift", "mix", "deno", "bun", "rails", "zig", "flutter", "dart"}
    | {"lein", "sbt", "gradle", "gradlew", "mvn", "mvnw", "stack", "cabal", "ng", "artisan"}
)
"""Programs whose first word after their options, `test` (or `nextest`), runs tests."""

WRAPPERS = frozenset(
    {"env", "exec", "time", "nice", "nohup", "timeout", "sudo", "command", "builtin", "stdbuf"}
    | {"setsid", "chronic", "unbuffer", "ionice", "eatmydata", "uv", "uvx", "poetry"}
    | {"pipenv", "pdm", "hatch", "rye", "conda", "bundle", "npx", "bunx", "pnpx", "pipx", "mise"}
    | {"direnv", "dotenv", "nix-shell", "xvfb-run", "doppler", "op", "faketime", "flock"}
    | {"busybox", "doas", "script", "strace", "su", "trap"}
)
"""Programs that run what comes after them."""

FEEDERS = frozenset({"xargs", "parallel", "entr"})
"""Programs that run what comes after them with arguments that they read."""

FINDERS = frozenset({"find", "fd", "fdfind"})
"""Programs that run what comes after an option with the files that they find."""

RUNS_FOUND = frozenset({"-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec"})
"""Options of `find` and `fd` that are followed by a program."""

RUN_BY_A_WORD = frozenset({"go", "deno", "coverage"})
"""Programs that run a file where their first argument is `run`."""

BUILDERS = frozenset(
    {"make", "gmake", "just", "ninja", "rake", "ant", "task", "invoke", "awk", "gawk", "sed"}
)
"""Programs that run what stands in a file, by its name or one that they are given."""

PACKAGERS = frozenset({"npm", "yarn", "pnpm"})
"""Programs that run what `package.json` says."""

_FILE_OPTION = re.compile(r"-[fb]|--(?:\w+-)?(?:file|\w+file)")
_FOLDER_OPTION = re.compile(r"-C|--(?:directory|prefix|cwd|dir)")

_SHELL = re.compile(r"(?:ba|da|z|k|mk|a)?sh")
_INTERPRETER = re.compile(
    rf"{_SHELL.pattern}|(?:fi|tc|c)sh|(?:python|pypy|ruby|perl|php|lua|node)[\d.]*"
    r"|nodejs|bun|java|run-parts|tsx|ts-node|Rscript|pwsh|julia|groovy|osascript|wish|tclsh"
)
_RUNS_NO_FILE = re.compile(
    r"\S+ (?:-[abBEilnOpsSuvw0]*[ce]|--(?:eval|print|check|version|help)|-[Vvh])"
    r"|php\S* -[lr]|node\S* -p"
)
_SHELL_RUNS_NO_FILE = re.compile(r"\S+ (?:-n|--version|--help)")


def name_of(word: str) -> str:
    """The name of the program that a word of a command stands for."""
    return word.rpartition("/")[2].removesuffix(".exe")


def is_shell(name: str) -> bool:
    """Whether the program is a shell whose language this package reads."""
    return bool(_SHELL.fullmatch(name))


def is_interpreter(name: str) -> bool:
    """Whether the program runs a script: its first argument, or what it reads."""
    return bool(_INTERPRETER.fullmatch(name))


def runs_no_file(name: str, option: str) -> bool:
    """Whether an interpreter runs no file with this option: the code follows, or is only read.

    `bash -n` and `php -l` look at the syntax.
    """
    pattern = _SHELL_RUNS_NO_FILE if is_shell(name) else _RUNS_NO_FILE
    return bool(pattern.fullmatch(f"{name} {option}"))


def is_known(word: str) -> bool:
    """Whether a word is the name of a program of which this file knows what it runs."""
    name = name_of(word)
    if word in {".", "source", "eval"}:
        return True
    known = RUNNERS | RUNNERS_IN_TWO | WRAPPERS | FEEDERS | FINDERS | BUILDERS
    return name in known | PACKAGERS | RUN_BY_A_WORD or is_interpreter(name)


def runs_tests(name: str, arguments: list[str]) -> bool:
    """Whether a program is a test runner when it is given these arguments."""
    if name in RUNNERS:
        return True
    first = next((word for word in arguments if word[:1] not in {"-", "+"}), "")
    if name in RUNNERS_IN_TWO:
        return first in {"test", "nextest", "t"}
    return name in {"node", "nodejs"} and any(word.startswith("--test") for word in arguments)


def file_option(arguments: list[str]) -> str:
    """The file that a builder is told to read (`make -f x`); "" for none."""
    return _after(arguments, _FILE_OPTION)


def folder_option(arguments: list[str]) -> str:
    """The folder that a builder or a packager is told to work in; "" for none."""
    return _after(arguments, _FOLDER_OPTION)


def _after(arguments: list[str], options: re.Pattern[str]) -> str:
    """The value of the first of these options; "" without any."""
    for at, word in enumerate(arguments):
        option, _, value = word.partition("=")
        if options.fullmatch(option):
            return value or "".join(arguments[at + 1 : at + 2])
    return ""
