"""What is found in a folder that is to become a project: its checks, its branch, who could answer.

Only names and a few small files are read; nothing of the project is run.
"""

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import frozen

from agent_runner.app.place import DEFAULT_NAMES, Surroundings
from agent_runner.config.json_schema import configuration_schema
from agent_runner.ground.config_files import PROJECT_FILES
from agent_runner.ground.disk import Disk, storage_errors
from agent_runner.ground.plain_files import read_plain
from agent_runner.ground.presence import is_file, may_be_there
from agent_runner.hooks.recipes import script_of
from agent_runner.model.errors import UsageError
from agent_runner.model.settings import Settings
from agent_runner.providers.listing import rows
from agent_runner.store.layout import FOLDER, Layout
from agent_runner.tasks.fields import task_list_schema
from agent_runner.workspace.git import Repository

TASKS = "tasks.yml"
CONFIG = "agent-runner.yml"

_LARGEST = 1024 * 1024  # bytes of a file that says how a project is tested


@frozen
class Check:
    """A command that judges a project, and the file that says so."""

    name: str
    command: str
    why: str


@frozen
class Start:
    """What there is to start from.

    Attributes:
        checks: Commands that judge, the project's own first.
        provider: Who could answer, "" where nothing is at hand.
        provider_why: Where its key or program was found.
        branch: The git branch; "" without a repository, or with a detached head.
        tasks, config: The task list and the configuration that are there already, if any.
    """

    checks: tuple[Check, ...]
    provider: str = ""
    provider_why: str = ""
    branch: str = ""
    tasks: Path | None = None
    config: Path | None = None


def look_around(folder: Path, here: Surroundings) -> Start:
    """Look at a folder, which may not exist yet."""
    ready = [row for row in rows(Settings(), here.env) if row.ready and row.key]
    return Start(
        checks=tuple(_checks(folder)),
        provider=ready[0].name if ready else "",
        provider_why=_why(ready[0].key) if ready else "",
        branch=_branch(folder),
        tasks=_first(folder, map(Path, DEFAULT_NAMES)),
        config=_first(folder, iter(PROJECT_FILES)),
    )


def _why(key: str) -> str:
    return key if key.startswith("logged in") else f"{key} is set"


def _first(folder: Path, names: Iterator[Path]) -> Path | None:
    return next((folder / name for name in names if may_be_there(folder / name)), None)


def _branch(folder: Path) -> str:
    try:
        repository = Repository.find(folder) if folder.is_dir() else None
    except UsageError:  # git refuses it; `run` says why
        return ""
    return (repository.branch or "") if repository else ""


def _checks(folder: Path) -> Iterator[Check]:
    """The test commands of the languages whose files lie here."""
    yield from _python(folder)
    yield from _node(folder)
    for file, name, command in _BY_FILE:
        if is_file(folder / file):
            yield Check(name, command, file)
    targets = set(_TARGET.findall(_text(folder / "Makefile")))
    for target in ("test", "check"):
        if target in targets:
            yield Check(f"make-{target}", f"make {target}", f"Makefile: {target}")
            break


_BY_FILE = (
    ("Cargo.toml", "cargo-test", "cargo test"),
    ("go.mod", "go-test", "go test ./..."),
    ("gradlew", "gradle-test", "./gradlew test"),
    ("pom.xml", "maven-test", "mvn -q test"),
    ("mix.exs", "mix-test", "mix test"),
    ("Package.swift", "swift-test", "swift test"),
    (".rspec", "rspec", "bundle exec rspec"),
    ("phpunit.xml", "phpunit", "vendor/bin/phpunit"),
)
"""A file at the top of a project, and what its language's own tool tests with."""

_TARGET = re.compile(r"^([A-Za-z][\w-]*)\s*:(?!=)", re.MULTILINE)


def _python(folder: Path) -> Iterator[Check]:
    """pytest where something names it, or where files are named as it wants them."""
    why = _pytest_named_in(folder)
    if not why:
        return
    command = "python3 -m pytest -q"
    if is_file(folder / "uv.lock"):
        command = "uv run pytest -q"
    elif is_file(folder / "poetry.lock"):
        command = "poetry run pytest -q"
    else:
        for name in (".venv", "venv"):
            if os.access(folder / name / "bin" / "python", os.X_OK):
                command = f"{name}/bin/python -m pytest -q"
                break
    yield Check("unit-tests", command, why)


def _pytest_named_in(folder: Path) -> str:
    if is_file(folder / "pytest.ini"):
        return "pytest.ini"
    for file, section in (("tox.ini", "[pytest]"), ("setup.cfg", "[tool:pytest]")):
        if section in _text(folder / file):
            return f"{file}: {section}"
    try:
        tool = tomllib.loads(_text(folder / "pyproject.toml")).get("tool", {})
    except (tomllib.TOMLDecodeError, RecursionError):
        tool = {}
    if isinstance(tool, dict) and "pytest" in tool:
        return "pyproject.toml: [tool.pytest]"
    for pattern in ("conftest.py", "test_*.py", "tests/conftest.py", "tests/test_*.py"):
        found = next(iter(sorted(folder.glob(pattern))), None)
        if found:
            return str(found.relative_to(folder))
    return ""


def _node(folder: Path) -> Iterator[Check]:
    """`npm test`, by the package manager whose lock file is here; not npm's own placeholder."""
    text = _text(folder / "package.json")
    try:
        test = script_of(text, "test") if isinstance(json.loads(text or "0"), dict) else ""
    except (ValueError, RecursionError):
        test = ""
    if not test or "no test specified" in test:
        return
    managers = (("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun run"))
    manager = next((name for file, name in managers if is_file(folder / file)), "npm")
    yield Check("npm-test", f"{manager} test", "package.json: scripts.test")


def _text(file: Path) -> str:
    """The text of a small file; "" for anything else."""
    try:
        if not is_file(file) or file.stat().st_size > _LARGEST:
            return ""
        return read_plain(file).decode("utf-8", "replace")
    except OSError:
        return ""


_TASKS = """\
# yaml-language-server: $schema=.agent-runner/tasks.schema.json
# The tasks, done in this order. Fields: docs/tasks.md of agent-runner.
tasks:
  - id: T1 # names its folder of logs
    title: Greet by name
    description: >
      What is to be done, as you would tell a colleague who has never seen this code.
      Say what must hold in the end, and name the files if you know them.
    # path: .               # folder of the task, relative to this file: its hooks run there
    # files: [src/**/*.py]  # files to show the agent at once; it can ask for others
    # protect: [tests/]     # files that the agent may not change
    # pre_hooks: []         # replaces the default ones
    # post_hooks: [{hooks}]
    # depends_on: []        # ids of tasks that must have passed before
"""

_CONFIG = """\
# yaml-language-server: $schema=.agent-runner/config.schema.json
# How tasks are run. All options with their defaults: example.config.yml of agent-runner.
{provider}
# providers:
#   claude: {{model: claude-sonnet-5-5}} # in place of its default
#   local: {{protocol: chat, base_url: "http://localhost:11434/v1", model: qwen3-coder}}

hooks:
{hooks}
  # install: {{command: "python3 -m pip install -q -e ."}}

defaults:
  pre_hooks: [] # before the agent
  post_hooks: [{names}] # {judge}

# rate_limits:
#   claude: {{max_tokens_hour: 500000, max_tokens_week: 5000000}}
# max_attempts_per_task: 3
# apply: {{commands: ask, protect: [.github/]}}
# git: {{commit: task}} # commit each passed task{branch}
"""

_NO_CHECK = '  # unit-tests: {command: "python3 -m pytest -q", timeout: 10m}'


def lacking(check: Check, folder: Path, env: Mapping[str, str]) -> str:
    """What is not installed that a command needs, as far as can be told; "" if nothing is.

    Nothing of the project is run for it: only whether `python3` knows pytest is asked of it.
    """
    program, *options = check.command.split()
    found = shutil.which(program, path=env.get("PATH"))
    if "/" in program:
        return ""
    if found is None:
        return f"{program} is not on your PATH"
    if options[:2] != ["-m", "pytest"] or Path(found).absolute().is_relative_to(folder):
        return ""
    look = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pytest') is None)"
    asked = [found, "-I", "-c", look]
    try:
        done = subprocess.run(asked, capture_output=True, check=False, timeout=20, env=dict(env))
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return f"{program} has no pytest" if done.returncode == 1 else ""


def write_schemas(folder: Path) -> None:
    """Put the schemas that the first lines of both files name beside the state, for editors.

    Raises StateError where something else is in the state folder's place.
    """
    layout, disk = Layout(folder / FOLDER), Disk()
    layout.create(disk)
    for name, schema in (("tasks", task_list_schema()), ("config", configuration_schema())):
        with storage_errors(layout.folder):
            text = json.dumps(schema, indent=1).encode()
            disk.write_file(layout.folder / f"{name}.schema.json", text, durable=False)


def missing(start: Start) -> dict[str, str]:
    """The files that are still to be written, by name, each with its text."""
    texts = (
        (TASKS, start.tasks, task_list),
        (CONFIG, start.config, configuration),
    )
    return {name: text(start) for name, there, text in texts if there is None}


def task_list(start: Start) -> str:
    """The task list to start from."""
    return _TASKS.format(hooks=", ".join(check.name for check in start.checks) or "unit-tests")


def configuration(start: Start) -> str:
    """The configuration to start from, with what was found filled in."""
    why = start.provider_why or "needs ANTHROPIC_API_KEY; others: docs/providers.md"
    provider = f"provider: {start.provider or 'claude'} # {why}"
    found = [
        f"  {one.name}: {{command: {json.dumps(one.command)}, timeout: 10m}} # {one.why}"
        for one in start.checks
    ]
    return _CONFIG.format(
        provider=provider,
        hooks="\n".join(found or [_NO_CHECK]),
        names=", ".join(check.name for check in start.checks),
        judge="these judge: a task has passed when they have"
        if found
        else "no test command was found: write yours under hooks, and its name here",
        branch=f", on {start.branch}" if start.branch.isprintable() and start.branch else "",
    )
