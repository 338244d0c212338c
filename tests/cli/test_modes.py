"""What a run shows and leaves beside its files: JSON, JUnit, GitHub, notices, commits, previews."""

import json
import subprocess
import xml.etree.ElementTree as ET

import jsonschema
import pytest

from tests.cli.scene import COMMAND, SOURCE, Scene, environment, reply

pytestmark = pytest.mark.slow

RUN = "\n```sh run\n{}\n```\n"


def one_red_one_good(scene: Scene) -> None:
    scene.config({"hooks": {"post": {"command": "echo it is red; false"}}})
    scene.tasks({"id": "T1", "post_hooks": ["post"], "max_attempts": 1}, {"id": "T2"})
    for task in ("T1", "T2"):
        scene.reply(task, 1, reply(a__txt=task))


def test_json_lines_keep_to_the_schema_and_people_read_stderr(scene: Scene) -> None:
    one_red_one_good(scene)
    ended = scene.run("run", "--json", "--junit", "reports/junit.xml")
    assert ended.code == 1
    schema = json.loads((SOURCE / "docs/events.schema.json").read_text())
    events = [json.loads(line) for line in ended.lines]
    for event in events:
        jsonschema.validate(event, schema)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert (events[-1]["kind"], events[-1]["data"]["exit_code"]) == ("RunStopped", 1)
    assert ended.err.count("needs a person") == 1
    assert "agent-runner retry T1" in ended.err
    report = ET.parse(scene.project / "reports/junit.xml").getroot()  # our own file
    assert (report.get("tests"), report.get("failures"), report.get("skipped")) == ("2", "1", "1")


def test_a_report_overwrites_an_earlier_one_and_nothing_else(scene: Scene) -> None:
    scene.config({})
    scene.tasks({"id": "T1"})
    scene.change("T1", 1)
    mine = scene.write("pom.xml", "<?xml version='1.0'?>\n<project/>\n")
    listed = scene.read("tasks.yml")
    for words in (("run", "--junit", "tasks.yml"), ("run", "--junit", "pom.xml")):
        ended = scene.run(*words)
        assert (ended.code, "is a file of another kind" in ended.err) == (2, True)
    assert scene.run("run", "--junit", "out.xml").code == 0
    assert scene.run("run", "--junit", "out.xml").code == 0
    assert scene.run("report", "-o", "pom.xml").code == 2
    assert [scene.run("report", "-o", "out.html").code for _ in range(2)] == [0, 0]
    assert (mine.read_text(), scene.read("tasks.yml")) == (
        "<?xml version='1.0'?>\n<project/>\n",
        listed,
    )


def test_what_is_shaped_like_a_key_is_shown_nowhere(scene: Scene) -> None:
    """Whoever says it: a file, a hook that prints it, the model."""
    key = "sk-ant-" + "Zq9vX7p4" * 5
    scene.write("notes.txt", f"the key is {key}\n")
    scene.config({"max_attempts_per_task": 1, "hooks": {"h": "cat notes.txt; false"}})
    scene.tasks({"id": "T1", "post_hooks": ["h"]})
    scene.reply("T1", 1, f"I saw {key}.\n" + reply(a__txt="x"))
    shown = [scene.run("run", "--junit", "j.xml", "--on-escalation", "continue")]
    shown += [scene.run(*words) for words in (("why", "T1"), ("log", "T1"), ("status",))]
    assert scene.run("report").code == 0
    assert "the key is [redacted]" in shown[0].out
    assert "I saw [redacted]." in shown[2].out
    assert not [ended for ended in shown if key in ended.out + ended.err]
    state = scene.project / ".agent-runner"
    for name in ("journal.jsonl", "state.json", "report.html", "logs/T1/post.log"):
        assert key not in (state / name).read_text(), name
    assert key not in scene.read("j.xml")


def test_quiet_is_silent_but_for_failures_and_one_line(scene: Scene) -> None:
    scene.config({})
    scene.tasks({"id": "T1"})
    scene.change("T1", 1)
    ended = scene.run("run", "--quiet")
    assert ended.code == 0
    assert len(ended.lines) == 1
    assert ended.lines[0].endswith("Nothing is left to do.")
    one_red_one_good(scene)
    ended = scene.run("run", "--quiet", "--fresh")
    assert ended.code == 1
    assert ended.lines[0] == "T1 failed, needs a person: hook post failed with exit code 1"
    assert ended.lines[-1].startswith("2 tasks: 1 failed, 1 pending; ")
    assert len(ended.lines) == 2


def test_github_gets_groups_and_annotations(scene: Scene) -> None:
    one_red_one_good(scene)
    scene.env = {"GITHUB_ACTIONS": "true"}
    ended = scene.run("run", "--on-escalation", "continue")
    assert [line for line in ended.lines if line.startswith("::")] == [
        "::group::T1 Do T1",
        "::endgroup::",
        "::error title=T1 failed::hook post failed with exit code 1",
        "::group::T2 Do T2",
        "::endgroup::",
    ]


def test_the_summary_of_a_step_gets_the_report(scene: Scene) -> None:
    one_red_one_good(scene)
    summary = scene.root / "summary.md"
    summary.write_text("before\n")
    scene.env = {"GITHUB_STEP_SUMMARY": str(summary)}
    assert scene.run("run", "--on-escalation", "continue", "--quiet").code == 1
    text = summary.read_text()
    assert text.startswith("before\n")
    assert text.removeprefix("before\n").strip() == scene.run("report", "--markdown").out.strip()
    scene.env = {"GITHUB_STEP_SUMMARY": str(scene.root)}
    ended = scene.run("run", "--on-escalation", "continue", "--quiet")
    assert "warning: the step summary" in ended.err


def test_the_summary_of_a_step_keeps_to_the_size_that_is_shown(scene: Scene) -> None:
    scene.config({})
    scene.tasks({"id": "T1"})
    scene.change("T1", 1)
    summary = scene.root / "summary.md"
    summary.write_bytes(b"x" * (1024 * 1024 - 150))
    scene.env = {"GITHUB_STEP_SUMMARY": str(summary)}
    assert scene.run("run").code == 0
    assert summary.stat().st_size <= 1024 * 1024
    assert "cut here" in summary.read_text()[-80:]


def test_notices_are_given_and_a_failing_one_is_reported(scene: Scene) -> None:
    one_red_one_good(scene)
    notices = {
        "escalated": "cat > told.json; exit 3",
        "finished": "echo $AGENT_RUNNER_EVENT > done",
    }
    hooks = {"post": {"command": "false"}}
    scene.config({"hooks": hooks, "notify": notices})
    ended = scene.run("run")
    assert ended.code == 1
    told = json.loads(scene.read("told.json"))
    assert (told["event"], told["task"]) == ("escalated", "T1")
    assert "warning: notify command for escalated: notify command failed (exit code 3)" in ended.err
    scene.run("skip", "T1")
    assert scene.run("resume").code == 0
    assert (scene.project / "done").exists()


def test_a_previewed_reply_is_kept_and_used(scene: Scene) -> None:
    scene.config({})
    scene.tasks({"id": "T1"})
    scene.reply("T1", 1, reply(a__txt="hello"))
    before = set(scene.project.iterdir())
    ended = scene.run("run", "--preview")
    assert ended.code == 0
    assert "+hello" in ended.lines
    assert set(scene.project.iterdir()) - before == {scene.project / ".agent-runner"}
    (scene.project / "replies/T1/1.md").unlink()
    ended = scene.run(*ended.commands()[0])
    assert ended.code == 0
    assert scene.read("a.txt") == "hello\n"


@pytest.mark.parametrize(("rule", "runs"), [("never", False), ("ask", False), ("allow", True)])
def test_proposed_commands_run_only_where_they_are_allowed(
    scene: Scene, rule: str, runs: bool
) -> None:
    allow = {"allow": ["touch *"]} if rule == "allow" else {}
    scene.config({"apply": {"commands": rule, **allow}})
    scene.tasks({"id": "T1"})
    scene.reply("T1", 1, reply(a__txt="x") + RUN.format("touch made"))
    ended = scene.run("run")
    assert ended.code == 0
    assert (scene.project / "made").exists() is runs
    assert ("command not run: touch made" in ended.out) is not runs


def test_a_failing_command_puts_the_files_back(scene: Scene) -> None:
    scene.config(
        {
            "apply": {"commands": "allow", "allow": ["false"]},
            "max_edit_retries": 0,
            "max_attempts_per_task": 1,
        }
    )
    scene.tasks({"id": "T1"})
    scene.write("a.txt", "mine")
    scene.reply("T1", 1, reply(a__txt="x", b__txt="y") + RUN.format("false"))
    ended = scene.run("run")
    assert ended.code == 1
    assert scene.read("a.txt") == "mine"
    assert not (scene.project / "b.txt").exists()


def git(scene: Scene, *words: str) -> str:
    return subprocess.run(
        ["git", *words],
        cwd=scene.project,
        env=environment(scene.home),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("rule", ["task", pytest.param("attempt", marks=pytest.mark.long)])
def test_commits_leave_out_what_the_user_had_changed(scene: Scene, rule: str) -> None:
    scene.config({"git": {"commit": rule}, "hooks": {"post": {"command": "grep -q good a.txt"}}})
    scene.tasks({"id": "T1", "post_hooks": ["post"]})
    scene.reply("T1", 1, reply(a__txt="bad", mine__txt="theirs"))
    scene.reply("T1", 2, reply(a__txt="good"))
    scene.write("mine.txt", "old")
    git(scene, "init", "-q")
    git(scene, "config", "user.email", "a@example.org")
    git(scene, "config", "user.name", "A")
    git(scene, "add", "-A")
    git(scene, "commit", "-qm", "start")
    scene.write("mine.txt", "work of my own")
    scene.write("notes.txt", "not tracked")
    ended = scene.run("run")
    assert ended.code == 0
    assert ended.out.count("mine.txt") <= 4
    assert len(git(scene, "log", "--format=%s").splitlines()) == (2 if rule == "task" else 3)
    assert git(scene, "show", "HEAD:a.txt") == "good\n"
    assert git(scene, "show", "HEAD:mine.txt") == "old"
    assert git(scene, "status", "--short").splitlines() == [" M mine.txt", "?? notes.txt"]


def repository(scene: Scene) -> None:
    """All that is there, committed on main."""
    git(scene, "init", "-q", "-b", "main")
    git(scene, "config", "user.email", "a@example.org")
    git(scene, "config", "user.name", "A")
    git(scene, "add", "-A")
    git(scene, "commit", "-qm", "start")


@pytest.mark.parametrize(
    ("rule", "branches"),
    [
        ("run", {"agent-runner/tasks": 2}),
        ("task", {"agent-runner/T1": 1, "agent-runner/T2": 2}),
    ],
)
def test_commits_go_on_branches_of_their_own(
    scene: Scene, rule: str, branches: dict[str, int]
) -> None:
    scene.config({"git": {"commit": "task", "branch": rule}})
    scene.tasks({"id": "T1"}, {"id": "T2"})
    scene.change("T1", 1)
    scene.change("T2", 1)
    repository(scene)
    scene.write("notes.txt", "mine, not committed")
    first = scene.run("run", "--max-tasks", "1")
    assert f"on the new branch {next(iter(branches))}" in first.out
    assert scene.run("resume").code == 0
    made = git(scene, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()
    assert made == [*branches, "main"]
    for branch, commits in branches.items():
        assert len(git(scene, "rev-list", f"main..{branch}").split()) == commits
    assert git(scene, "status", "--porcelain") == "?? notes.txt\n"
    assert scene.run("undo", "T2").code == 0
    assert git(scene, "status", "--porcelain").splitlines() == [" D T2.txt", "?? notes.txt"]


def test_a_branch_is_refused_before_anything_is_spent(scene: Scene) -> None:
    scene.tasks({"id": "T1"})
    scene.config({"git": {"branch": "run"}})
    ended = scene.run("run")
    assert ended.code == 2
    assert "git.branch is on, and nothing is committed" in ended.err
    scene.config({"git": {"branch": "run", "commit": "task"}})
    git(scene, "init", "-q", "-b", "main")
    git(scene, "config", "user.email", "a@example.org")
    git(scene, "config", "user.name", "A")
    assert "there is no commit yet" in scene.run("run").err
    git(scene, "add", "-A")
    git(scene, "commit", "-qm", "start")
    git(scene, "switch", "-q", "--detach")
    assert "HEAD is on no branch" in scene.run("config", "validate").err


def test_two_runs_at_once_are_one_too_many(scene: Scene) -> None:
    scene.config({"hooks": {"post": {"command": "touch begun; while [ ! -e go ]; do :; done"}}})
    scene.tasks({"id": "T1", "post_hooks": ["post"]})
    scene.change("T1", 1)
    with subprocess.Popen(
        (*COMMAND, "run"), cwd=scene.project, env=environment(scene.home), stdout=subprocess.PIPE
    ) as first:
        assert first.stdout is not None
        for line in first.stdout:
            if b"changed T1.txt" in line:
                break
        second = scene.run("run")
        decided = scene.run("skip", "T1")
        looked = scene.run("status")
        scene.write("go", "")
        first.stdout.read()
    assert first.returncode == 0
    assert (second.code, decided.code, looked.code) == (3, 3, 0)
    assert str(first.pid) in second.err
    assert f"process {first.pid}" in looked.out
