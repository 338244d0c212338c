"""What each command imports, so that it starts quickly and stays so."""

import subprocess
import sys

import pytest

from tests.cli.scene import Scene, environment, reply

pytestmark = pytest.mark.slow

LOADED = """
import sys
from agent_runner.__main__ import main
sys.argv = ["agent-runner", *sys.argv[1:]]
try:
    main()
finally:
    print(*sys.modules, sep="\\n", file=sys.stderr)
"""

PARSER = {"typer", "shellingham", "annotated_doc"}
VALUES = {"attr", "attrs", "cattrs", "typing_extensions", "annotationlib"}
YAML = {"ruamel", "_ruamel_yaml", "cython_runtime"}  # the last comes with the parser in C
LOCKS = {"filelock"}
WAITING = {"anyio", "sniffio", "idna", "exceptiongroup"}
MACHINE = {"transitions", "six", *WAITING}

SHOWING = {"app", "cli", "ground", "limits", "model", "store", "ui"}
CONFIGURED = {
    *(
        "app",
        "cli",
        "config",
        "documents",
        "engine",
        "ground",
        "limits",
        "model",
        "prompts",
        "providers",
    ),
    *("store", "tasks", "ui"),
}
RUNNING = {"hooks", "sandbox", "workspace"}
ALL = {*CONFIGURED, *RUNNING, "edits", "engine", "files", "looking", "plugin"}

COMMANDS = [
    ("--version", set(), set()),
    ("-V", set(), set()),
    ("--help", PARSER, {"cli", "model"}),
    ("run --help", PARSER, {"cli", "model"}),
    ("why --help", PARSER, {"cli", "model"}),
    ("help why", PARSER, {"cli", "model"}),
    ("list", PARSER, SHOWING),
    ("completion bash", PARSER, {"app", "cli", "ground", "model", "store", "ui"}),
    ("completion bash -- ru", PARSER, {"app", "cli", "ground", "model", "store", "ui"}),
    ("completion bash -- why T", PARSER, SHOWING),
    ("status", PARSER, SHOWING),
    ("status --json", PARSER, SHOWING),
    ("usage", PARSER | VALUES, SHOWING),
    ("why T1", PARSER | VALUES | LOCKS, SHOWING),
    ("debug state", PARSER | VALUES | LOCKS, SHOWING),
    ("diff T1", PARSER | VALUES | LOCKS, SHOWING | {"edits"}),
    ("debug machine", PARSER | VALUES, {"cli", "engine", "model"}),
    ("config validate", PARSER | VALUES | YAML | WAITING, {*CONFIGURED, *RUNNING}),
    ("config show", PARSER | VALUES | YAML | WAITING, CONFIGURED),
    ("providers", PARSER | VALUES | YAML | WAITING, CONFIGURED | {"sandbox"}),
    ("plan", PARSER | VALUES | YAML | LOCKS | MACHINE, ALL),
    ("run --dry-run", PARSER | VALUES | YAML | LOCKS | MACHINE, ALL),
    ("reset T1", PARSER | VALUES | YAML | LOCKS | MACHINE, ALL),
]
"""A command, the packages of others that it may import, and our own rooms."""

STATUS = {
    *("app", "app.list_cache", "app.overview", "app.place"),
    *("cli", "cli.commands", "cli.options", "cli.output", "cli.parser", "cli.project", "cli.show"),
    *("ground", "ground.clock", "ground.config_files", "ground.invocation", "ground.plain_files"),
    *("ground.presence", "ground.timings"),
    *("limits", "limits.waiting"),
    *("model", "model.errors", "model.exit_codes", "model.standing", "model.states"),
    *("store", "store.layout", "store.outline", "store.sealed"),
    *("ui", "ui.output", "ui.status", "ui.tables", "ui.tally", "ui.words"),
}
"""All of ours that `status` may import where there is no limit: a millisecond or two each."""


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A list of one task that has passed."""
    scene = Scene(tmp_path_factory.mktemp("imports"))
    scene.config({})
    scene.tasks({"id": "T1"})
    scene.reply("T1", 1, reply(a__txt="x"))
    assert scene.run("run").code == 0
    return scene


def loaded(scene: Scene, words: str) -> set[str]:
    """Everything that is imported when the command ends."""
    env = environment(scene.home, {"PYTHONNOUSERSITE": "1"})
    command = [sys.executable, "-c", LOADED, *words.split()]
    ended = subprocess.run(
        command, cwd=scene.project, env=env, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return set(ended.stderr.split())


@pytest.mark.parametrize(("words", "others", "rooms"), COMMANDS, ids=[one[0] for one in COMMANDS])
def test_a_command_imports_no_more_than_it_needs(
    passed: Scene, words: str, others: set[str], rooms: set[str]
) -> None:
    modules = loaded(passed, words)
    packages = {name.partition(".")[0] for name in modules if not name.startswith("_")}
    foreign = packages - set(sys.stdlib_module_names) - {"agent_runner"} - AT_EVERY_START
    assert foreign <= others
    ours = {name.split(".")[1] for name in modules if name.startswith("agent_runner.")}
    assert ours - {"__main__"} <= rooms


def test_status_imports_a_short_list_of_files(passed: Scene) -> None:
    ours = {name for name in loaded(passed, "status") if name.startswith("agent_runner.")}
    assert {name.removeprefix("agent_runner.") for name in ours} - {"__main__"} <= STATUS


AT_EVERY_START = {
    name.partition(".")[0]
    for name in subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
}
"""What Python's own start brings along: finders of editable installs, coverage, ..."""
