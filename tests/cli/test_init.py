"""`agent-runner init` in folders as people have them: what it finds, writes and leaves alone."""

import json
import shutil
import stat

import pytest

from tests.cli.scene import SOURCE, Scene

pytestmark = pytest.mark.slow

CHECKS = [
    ({"pytest.ini": ""}, "python3 -m pytest -q"),
    ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, "python3 -m pytest -q"),
    ({"setup.cfg": "[tool:pytest]\n"}, "python3 -m pytest -q"),
    ({"tests/test_a.py": ""}, "python3 -m pytest -q"),
    ({"tests/test_a.py": "", "uv.lock": ""}, "uv run pytest -q"),
    ({"package.json": '{"scripts": {"test": "jest"}}'}, "npm test"),
    ({"package.json": '{"scripts": {"test": "jest"}}', "pnpm-lock.yaml": ""}, "pnpm test"),
    ({"Cargo.toml": ""}, "cargo test"),
    ({"go.mod": ""}, "go test ./..."),
    ({"Makefile": "all:\n\ttrue\ntest: all\n\ttrue\n"}, "make test"),
    ({"Makefile": "check:\n\ttrue\n"}, "make check"),
]


@pytest.mark.parametrize(("files", "command"), CHECKS, ids=[str(sorted(f)) for f, _ in CHECKS])
def test_the_command_that_tests_a_project_is_found(
    scene: Scene, files: dict[str, str], command: str
) -> None:
    for name, text in files.items():
        scene.write(name, text)
    told = scene.run("init").out
    assert f"judged by: {command} (" in told
    assert f'command: "{command}"' in scene.read("agent-runner.yml")


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'},
        {"package.json": '{"scripts": 5}'},
        {"package.json": "not JSON"},
        {"pyproject.toml": "[broken"},
        {"Makefile": "tests := 1\ntest := 2\n.PHONY: test\n"},
    ],
)
def test_where_no_command_is_found_that_is_said(scene: Scene, files: dict[str, str]) -> None:
    for name, text in files.items():
        scene.write(name, text)
    assert "no test command was found" in scene.run("init").out
    assert "post_hooks: []" in scene.read("agent-runner.yml")


def test_what_it_writes_is_valid_as_it_stands(scene: Scene) -> None:
    scene.env["ANTHROPIC_API_KEY"] = "sk-ant-made-up"
    for name, text in CHECKS[3][0].items() | CHECKS[5][0].items() | CHECKS[7][0].items():
        scene.write(name, text)
    told = scene.run("init").out
    assert "asked: claude (ANTHROPIC_API_KEY is set)" in told
    checked = scene.run("config", "validate")
    assert checked.code == 0, checked.err
    planned = scene.run("run", "--dry-run")
    assert planned.code == 0, planned.err
    assert "post-hook npm-test: npm test" in planned.out
    assert "sk-ant-made-up" not in scene.read("agent-runner.yml") + told


def test_only_what_is_missing_is_written(scene: Scene) -> None:
    scene.tasks({"id": "T1"}, file="tasks.json")
    before = scene.read("tasks.json")
    ended = scene.run("init")
    assert (ended.code, "kept tasks.json" in ended.out) == (0, True)
    assert "wrote agent-runner.yml" in ended.out
    assert not (scene.project / "tasks.yml").exists()
    assert scene.read("tasks.json") == before
    again = scene.run("init")
    assert (again.code, "wrote" in again.out) == (0, False)


def test_a_link_without_a_target_is_kept_as_well(scene: Scene) -> None:
    (scene.project / "tasks.yml").symlink_to("nowhere")
    assert "kept tasks.yml" in scene.run("init").out
    assert (scene.project / "tasks.yml").is_symlink()


def test_editors_find_the_schemas_that_both_files_name(scene: Scene) -> None:
    scene.run("init")
    for name, what in (("tasks.yml", "tasks"), ("agent-runner.yml", "config")):
        first = scene.read(name).partition("\n")[0]
        schema = scene.read(first.removeprefix("# yaml-language-server: $schema="))
        assert json.loads(schema) == json.loads(scene.run("schema", what).out)
    assert scene.run("schema", "events").code == 0
    assert "'lists' is not one of" in scene.run("schema", "lists").err
    assert scene.run("doctor").code in {0, 1}


def test_nothing_is_written_into_the_home_folder(scene: Scene) -> None:
    ended = scene.run("init", cwd=scene.home)
    assert (ended.code, "this is your home folder" in ended.err) == (2, True)
    assert not list(scene.home.iterdir())
    assert scene.run("init", str(scene.home / "." / "..") + "/home").code == 2


def test_another_folder_is_named_in_what_to_type_next(scene: Scene) -> None:
    ended = scene.run("init", "a b")
    assert "agent-runner -C 'a b' config validate" in ended.out
    assert {one.name for one in (scene.project / "a b").iterdir()} == {
        "tasks.yml",
        "agent-runner.yml",
        ".agent-runner",
    }


def test_a_folder_that_refuses_is_said(scene: Scene) -> None:
    scene.write("file", "")
    ended = scene.run("init", "file/below")
    assert (ended.code, "cannot write into file/below" in ended.err) == (2, True)


def test_the_branch_is_named_and_nothing_of_the_project_is_run(scene: Scene) -> None:
    for tool in ("npm", "make", "cargo"):
        program = scene.write(f"bin/{tool}", "#!/bin/sh\ntouch ran\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    git = shutil.which("git")
    assert git
    scene.env["PATH"] = f"{scene.project / 'bin'}:{git.rpartition('/')[0]}:/usr/bin:/bin"
    (scene.project / ".git").mkdir()
    for name in ("objects", "refs"):
        (scene.project / ".git" / name).mkdir()
    scene.write(".git/HEAD", "ref: refs/heads/main\n")
    scene.write("package.json", json.dumps({"scripts": {"test": "jest"}}))
    scene.write("Makefile", "test:\n\ttouch ran\n")
    scene.run("init")
    assert "on main" in scene.read("agent-runner.yml")
    assert not (scene.project / "ran").exists()


def test_the_readme_shows_what_it_writes(scene: Scene) -> None:
    scene.env["ANTHROPIC_API_KEY"] = "sk-ant-made-up"
    scene.write("pyproject.toml", "[tool.pytest]\n")
    scene.run("init")
    readme = (SOURCE / "README.md").read_text()
    for name in ("tasks.yml", "agent-runner.yml"):
        assert f"```yaml\n{scene.read(name)}```" in readme, name
