"""`config validate` and `run` examine the same: what one finds the other refuses or mentions."""

import os
import subprocess

import pytest

from tests.cli.scene import COMMAND, Scene, environment, reply

LOCAL = "provider: local\nproviders:\n  local:\n    base_url: http://localhost:9/v1\n"
REPLAY = "provider: replay\nproviders: {replay: {replies: ./replies}}\n"


def listed(scene: Scene, config: str, task: str = "") -> None:
    scene.write("agent-runner.yml", config)
    scene.write("tasks.yml", f"- id: T1\n  title: a\n  description: b\n{task}")
    (scene.project / "replies").mkdir(exist_ok=True)


REFUSED = [
    ("no scheme", LOCAL.replace("http://", "") + "    model: m\n", "", "agent-runner.yml:4:15: "),
    ("no model", LOCAL, "", 'agent-runner.yml:4:15: provider "local" has no model'),
    ("no address", LOCAL.replace("base_url: http://localhost:9/v1", "model: m"), "", ":4:12: "),
    ("endpoint", LOCAL.replace("/v1", "/v1/responses") + "    model: m\n", "", "is an endpoint"),
    (
        "ca_file",
        LOCAL + "    model: m\n    ca_file: ./no.pem\n",
        "",
        "yml:6:14: the certificates",
    ),
    ("no PEM", LOCAL + "    model: m\n    ca_file: ./tasks.yml\n", "", "agent-runner.yml:6:14: "),
    ("header", LOCAL + "    model: m\n    headers: {'a b': c}\n", "", "agent-runner.yml:6:14: "),
    ("header value", LOCAL + "    model: m\n    headers: {a: \u0436}\n", "", "yml:6:14: "),
    ("CA folder", LOCAL + "    model: m\n    ca_file: .\n", "", "agent-runner.yml:6:14: "),
    ("CA pipe", LOCAL + "    model: m\n    ca_file: ./pipe\n", "", "agent-runner.yml:6:14: "),
    ("replies", REPLAY.replace("./replies", "./none"), "", "agent-runner.yml:2:31: the folder"),
    ("replies a file", REPLAY.replace("./replies", "./tasks.yml"), "", "is not a folder"),
    ("no replies", "provider: replay\n", "", "agent-runner.yml:1:11: provider"),
    ("background", LOCAL + "    model: m\n    background: true\n", "", "agent-runner.yml:6:17: "),
    ("task's model", REPLAY, "  provider: claude\n  model: gpt-4\n", "tasks.yml:5:10: "),
    ("task's provider", REPLAY, "  provider: azure\n  model: m\n", "tasks.yml:4:13: "),
    ("template", REPLAY + "template: t.md\n", "", "t.md:1:4: "),
    ("task's template", REPLAY, "  template: t.md\n", "t.md:1:4: "),
    (
        "fallback",
        LOCAL + "    model: m\n    fallback: [replay]\n",
        "",
        "in providers.local.fallback",
    ),
    ("price", REPLAY + "budget: {max_cost_run: 1}\n", "", "agent-runner.yml:3:24: max_cost_run"),
    ("unclear", "providers: {a: {model: m}, b: {model: m}}\n", "", "not clear which provider"),
]


@pytest.mark.parametrize(
    ("config", "task", "said"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED]
)
def test_what_run_refuses_is_a_mistake_with_its_place(
    scene: Scene, config: str, task: str, said: str
) -> None:
    scene.write("t.md", "Do {{ nothing }}.\n")
    os.mkfifo(scene.project / "pipe")
    listed(scene, config, task)
    judged, refused = scene.run("config", "validate"), scene.run("run")
    assert (judged.code, refused.code) == (2, 2)
    assert said in judged.err
    assert said in refused.err
    assert judged.err.count(said) == refused.err.count(said) == 1


def test_all_mistakes_are_told_at_once_and_each_once(scene: Scene) -> None:
    listed(scene, LOCAL + "    protocol: chatt\n", "  files: ['*.pyx']\n  provider: nobody\n")
    judged = scene.run("config", "validate")
    lines = [line for line in judged.err.splitlines() if not line.startswith("warning")]
    assert [line.partition(" (")[0] for line in lines] == [
        'agent-runner.yml:5:15: there is no protocol "chatt"',
        'tasks.yml:5:13: there is no provider "nobody"',
        "2 mistakes",
    ]


@pytest.mark.parametrize(
    ("env", "config"),
    [({}, "provider: claude\n"), ({"ANTHROPIC_API_KEY": "a b"}, "provider: claude\n")],
)
def test_a_key_that_is_missing_here_is_no_mistake_in_the_files(
    scene: Scene, env: dict[str, str], config: str
) -> None:
    listed(scene, config)
    scene.env = env
    judged, refused = scene.run("config", "validate"), scene.run("run")
    assert judged.code == 0
    assert refused.code == 2
    assert "not ready: agent-runner.yml:1:11: " in judged.err
    assert "ANTHROPIC_API_KEY" in judged.err
    assert "no run would begin" in judged.out
    assert judged.err.splitlines()[0].removeprefix("not ready: ") in refused.err


def test_a_dry_run_says_that_no_run_would_begin(scene: Scene) -> None:
    listed(scene, REPLAY.replace("./replies", "./none"))
    ended = scene.run("run", "--dry-run")
    assert ended.code == 0
    assert "But no run would begin: agent-runner.yml:2:31: the folder of recorded" in ended.out
    listed(scene, REPLAY)
    assert "no run would begin" not in scene.run("run", "--dry-run").out


def test_consent_that_is_missing_is_told(scene: Scene) -> None:
    listed(scene, "provider: claude\nproviders: {claude: {base_url: 'https://other.example'}}\n")
    scene.env = {"ANTHROPIC_API_KEY": "k-000000000000"}
    judged, refused = scene.run("config", "validate"), scene.run("run")
    assert (judged.code, refused.code) == (0, 2)
    for said in (judged.err, refused.err):
        assert "ANTHROPIC_API_KEY would be sent to https://other.example" in said
        assert "agent-runner trust" in said


def test_globs_that_match_nothing_are_mentioned_by_both(scene: Scene) -> None:
    listed(scene, REPLAY, "  files: [a.txt, 'source/**/*.pyx', '!b']\n")
    scene.write("a.txt", "x")
    scene.reply("T1", 1, reply(a__txt="y"))
    said = 'tasks.yml:4:18: files of T1: nothing matches "source/**/*.pyx"'
    for words in (("config", "validate"), ("run",)):
        ended = scene.run(*words)
        assert ended.code == 0
        assert (ended.out + ended.err).count("nothing matches") == 1
        assert said in ended.out + ended.err


@pytest.mark.parametrize("description", ["b", "Mend app.py."])
def test_a_program_that_the_task_is_about_and_a_hook_runs_is_mentioned(
    scene: Scene, description: str
) -> None:
    files = "  files: [app.py]\n" * (description == "b")
    for allowed in ("", "  may_change: [app.py]\n"):
        hooks = "hooks: {h: {command: python3 app.py --check, timeout: 9s}}\n"
        listed(scene, REPLAY + hooks, f"  post_hooks: [h]\n{files}{allowed}")
        text = scene.read("tasks.yml").replace("description: b", f"description: {description}")
        scene.write("tasks.yml", text)
        scene.write("app.py", "print(1)\n")
        judged = scene.run("config", "validate")
        assert judged.code == 0
        said = "T1 is about app.py, which the hook h runs: it judges, so a reply that changes it"
        assert (said in judged.err) is not bool(allowed)
        assert ("may_change: [app.py]" in judged.err) is not bool(allowed)


def test_a_script_that_judges_and_is_not_what_the_task_is_about_is_not_mentioned(
    scene: Scene,
) -> None:
    hooks = "hooks: {h: {command: sh check.sh, timeout: 9s}}\n"
    listed(scene, REPLAY + hooks, "  post_hooks: [h]\n  files: ['*', tools/check.sh]\n")
    scene.write("check.sh", "true\n")
    assert "it judges" not in scene.run("config", "validate").err


def test_a_tool_that_is_not_installed_is_mentioned(scene: Scene) -> None:
    listed(scene, REPLAY + "hooks: {h: {command: no-such-tool -q, timeout: 9s}}\n")
    judged = scene.run("config", "validate")
    assert judged.code == 0
    assert "agent-runner.yml:3:22: the hook h runs no-such-tool, which is not" in judged.err


def test_an_empty_folder_is_not_good(scene: Scene) -> None:
    judged = scene.run("config", "validate")
    assert judged.code == 2
    assert f"{scene.project}: there is no task list here" in judged.err
    assert "agent-runner init" in judged.err
    assert "good" not in judged.out


def test_looking_writes_nothing(scene: Scene) -> None:
    listed(scene, REPLAY, "  files: [a.txt]\n")
    before = scene.tree()
    assert scene.run("config", "validate").code == 0
    assert scene.tree() == before


COMMANDS = [("config", "validate"), ("run",), ("status",), ("plan",), ("resume",)]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("kind", ["folder", "pipe", "loop"])
@pytest.mark.parametrize("file", ["agent-runner.yml", "tasks.yml", ".agent-runner/config.yml"])
def test_what_is_no_file_is_named_and_never_waited_for(
    scene: Scene, words: tuple[str, ...], kind: str, file: str
) -> None:
    listed(scene, REPLAY)
    path = scene.project / file
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path.name)
    ended = scene.run(*words)
    assert ended.code == 2
    assert file in ended.err


def test_a_pipe_in_place_of_a_list_that_has_run_is_not_waited_for(scene: Scene) -> None:
    listed(scene, REPLAY)
    scene.reply("T1", 1, reply(a__txt="y"))
    assert scene.run("run").code == 0
    for file in ("agent-runner.yml", "tasks.yml"):
        (scene.project / file).unlink()
        os.mkfifo(scene.project / file)
        assert scene.run("status").code == 2


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("what", ["home", ".agent-runner", ".agent-runner/config.yml"])
def test_a_home_that_cannot_be_read_is_named(
    scene: Scene, words: tuple[str, ...], what: str
) -> None:
    listed(scene, REPLAY)
    (scene.home / ".agent-runner").mkdir()
    (scene.home / ".agent-runner/config.yml").write_text("max_attempts_per_task: 2\n")
    path = scene.home if what == "home" else scene.home / what
    path.chmod(0)
    try:
        code, said = unprivileged(scene, *words)
    finally:
        path.chmod(0o700)
    assert code == 2
    assert ".agent-runner/config.yml: the file cannot be read: Permission denied" in said


def unprivileged(scene: Scene, *words: str) -> tuple[int, str]:
    """Exit code and stderr of a command without root's right to read everything."""
    rights = "-dac_override,-dac_read_search"
    drop = ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}"]
    command = [*(drop if os.geteuid() == 0 else []), *COMMAND, *words]
    env = environment(scene.home)
    done = subprocess.run(
        command, cwd=scene.project, env=env, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr
