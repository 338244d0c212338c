"""Looking ahead without doing anything: the forecast and the dry run."""

from pathlib import Path

import pytest

from agent_runner.app.dry_run import dry_run
from agent_runner.app.forecast import forecast
from agent_runner.model.events import CallStarted
from agent_runner.model.fold import Entry
from agent_runner.model.signals import HookOutput, Signal
from agent_runner.store.store import read_state
from tests.engine.scene import Scene, hooks
from tests.engine.scripted import showing, whole
from tests.workspace.repos import Repo

TASKS = [
    {"id": "T1", "depends_on": ["T2"], "pre_hooks": ["ready"], "post_hooks": ["judge"]},
    {"id": "T2", "post_hooks": ["judge"]},
    {"id": "T3", "post_hooks": []},
]
SETTINGS = {"hooks": hooks(ready="make ready", judge="grep -q green a.txt")}


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def ahead(scene: Scene) -> str:
    """The dry run's lines; it leaves no trace."""
    project, before = scene.project, files(scene.folder)
    text = "\n".join(dry_run(project, scene.clock))
    assert files(scene.folder) == before
    assert scene.client.asked == []
    return text


def test_tasks_and_hooks_are_named_in_the_order_in_which_they_would_run(tmp_path: Path) -> None:
    text = ahead(Scene(tmp_path / "p", TASKS, SETTINGS))
    assert text.startswith("Would run 3 of 3 tasks, in this order:\n  1. T2  T2\n")
    assert text.index("2. T1") < text.index("pre-hook ready: make ready") < text.index("3. T3")
    assert "post-hook judge: grep -q green a.txt" in text
    assert "no post-hook: nothing judges this task" in text
    assert "Agent calls: at least 3, at most 9" in text
    assert "Limits: 3 of 3 now" in text


def test_green_judges_may_spare_calls(tmp_path: Path) -> None:
    settings = {**SETTINGS, "skip_if_green": True, "max_attempts_per_task": 2}
    text = ahead(Scene(tmp_path / "p", TASKS, settings))
    assert "at least 1, at most 6" in text


def test_what_waits_for_a_person_and_what_it_holds(tmp_path: Path) -> None:
    settings = {**SETTINGS, "max_attempts_per_task": 1}
    scene = Scene(tmp_path / "p", TASKS, settings, [whole("a.txt", "red\n")])
    scene.run()
    text = "\n".join(dry_run(scene.project, scene.clock))
    assert text.startswith("Would run 1 of 3 tasks")
    assert "T2 waits for a person" in text
    assert "T1 is held by T2" in text


def test_a_task_in_the_middle_goes_on_where_it_is(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [TASKS[2]], {}, [showing("a.txt")])
    scene.run()
    text = "\n".join(dry_run(scene.project, scene.clock))
    assert "1. T3  T3 (continues with agent)" in text
    assert len(scene.events(CallStarted)) == 2


def test_nothing_left(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [TASKS[2]], {}, [whole("a.txt", "x\n")])
    scene.run()
    assert list(dry_run(scene.project, scene.clock)) == ["Nothing is left to do."]


def test_limits_say_what_runs_now_and_what_later(tmp_path: Path) -> None:
    settings = {**SETTINGS, "rate_limits": {"replay": {"max_requests_hour": 2}}}
    scene = Scene(tmp_path / "p", TASKS, settings)
    told = forecast(scene.project, read_state(scene.state_dir)[0], scene.clock)
    assert told.plan.now == ("T2", "T1")
    assert [slot.tasks for slot in told.plan.later] == [("T3",)]
    assert told.line.startswith("2 of 3 now; T3 ")


def test_what_can_never_run_says_why(tmp_path: Path) -> None:
    settings = {**SETTINGS, "rate_limits": {"replay": {"max_tokens_hour": 50}}}
    text = ahead(Scene(tmp_path / "p", TASKS, settings))
    assert "T3 can never run: " in text


def test_costs_are_told_where_prices_are_known(tmp_path: Path) -> None:
    prices = {"replay": {"input": 1000.0, "output": 1000.0}}
    text = ahead(Scene(tmp_path / "p", TASKS, {**SETTINGS, "prices": prices}))
    assert ", $" in text


@pytest.mark.parametrize("size", [200])
def test_many_tasks_are_measured_by_some(tmp_path: Path, size: int) -> None:
    tasks = [{"id": f"T{n}", "post_hooks": []} for n in range(size)]
    scene = Scene(tmp_path / "p", tasks)
    told = forecast(scene.project, read_state(scene.state_dir)[0], scene.clock)
    assert len(told.order) == told.plan.calls == size


def test_an_answer_that_is_here_already_needs_no_call(tmp_path: Path) -> None:
    tasks = [{**TASKS[0], "depends_on": [], "post_hooks": ["quick", "slow"]}, TASKS[2]]
    commands = hooks(ready="true", quick="true", slow="echo now; sleep 60")
    settings = {"hooks": commands, "max_attempts_per_task": 3}
    scene = Scene(tmp_path / "p", tasks, settings, [whole("a.txt", "x\n")])

    def react(seen: Entry | Signal) -> None:
        if isinstance(seen, HookOutput) and seen.hook == "slow":
            scene.control.stop("quit", 130)

    scene.watcher.react = react
    scene.run()
    text = "\n".join(dry_run(scene.project, scene.clock))
    assert "1. T1  T1 (continues with post_hooks)" in text
    assert "answer is here already" in text
    assert "Agent calls: at least 1, at most 5" in text
    assert "Expected: 1 call," in text
    for line, shown in (("pre-hook ready", False), ("hook quick", False), ("hook slow", True)):
        assert (line in text) is shown, "finished hooks do not run again"


def test_services_are_started_again(tmp_path: Path) -> None:
    tasks = [{"id": "T1", "pre_hooks": ["service"], "post_hooks": []}]
    service = {"service": {"command": "true", "rerun_on_resume": True}}
    scene = Scene(tmp_path / "p", tasks, {"hooks": service}, [showing("a.txt")])
    scene.run()
    text = "\n".join(dry_run(scene.project, scene.clock))
    assert "(continues with agent)" in text
    assert "pre-hook service: true" in text


def rights(scene: Scene) -> list[str]:
    """What the dry run says of the user's rights."""
    text = ahead(scene)
    assert "With your rights it would also\n" in text
    block = text.partition("With your rights it would also\n")[2].partition("\nAgent calls")[0]
    return [line.removeprefix("  ") for line in block.split("\n")]


def test_all_that_is_done_with_the_users_rights(tmp_path: Path) -> None:
    """Hooks stand with their tasks; here is the rest, each thing in full."""
    far = {"protocol": "chat", "base_url": "http://far.example/v1", "model": "m"}
    settings = {
        "provider": "far",
        "providers": {
            "far": {**far, "api_key_env": "FAR_KEY", "headers": {"X-Team": "a"}, "fallback": ["b"]},
            "b": {"protocol": "chat", "base_url": "http://127.0.0.1:9/v1", "model": "m2"},
            "unasked": {**far, "base_url": "http://unasked.example"},
            "replay": {"replies": "."},
        },
        "hooks": {"judge": {"command": "printf '\n'", "pass_keys": True}},
        "notify": {"finished": "say done\nsay more", "crashed_and_resumed": "say crashed"},
        "apply": {"commands": "allow", "allow": ["make *", "npm test"]},
        "ledger": True,
    }
    tasks = [TASKS[1], {"id": "T3", "provider": "replay", "post_hooks": []}]
    scene = Scene(tmp_path / "p", tasks, settings)
    scene.env = {"FAR_KEY": "secret-1234567", "http_proxy": "http://me:secret-7654321@proxy:81"}
    lines = rights(scene)
    by = "by the proxy http://proxy:81 (http_proxy) with the key in FAR_KEY"
    assert lines == [
        f"ask far (m) at http://far.example/v1 {by}, and the headers X-Team",
        "ask b (m2) at http://127.0.0.1:9/v1 without a key",
        f"take the answers of replay from {scene.folder}",
        "run commands that a reply proposes: those like make *, npm test",
        "run for notify.finished: say done\\nsay more",
        "run for notify.crashed_and_resumed: say crashed",
        "show the variables that hold your keys to: judge (pass_keys)",
        f"change files below {scene.folder}",
        f"keep its state in {scene.state_dir} and {tmp_path}/home/.agent-runner/ledger.jsonl",
    ]
    assert "secret-" not in ahead(scene)


def test_a_command_that_is_asked(tmp_path: Path) -> None:
    own = {"mine": {"protocol": "command", "command": ["sh", "--print"], "model": "m"}}
    settings = {"provider": "mine", "providers": {**own, "replay": {"replies": "."}}}
    lines = rights(Scene(tmp_path / "p", TASKS[2:], settings))
    assert lines[0] == "start the command sh --print for mine (m) without a key"


@pytest.mark.parametrize(
    ("rule", "said"),
    [("never", "none"), ("ask", "those that you agree to"), (None, "those that you agree to")],
)
def test_proposed_commands(tmp_path: Path, rule: str | None, said: str) -> None:
    scene = Scene(tmp_path / "p", TASKS[2:], {"apply": {"commands": rule, "allow": ["make"]}})
    (line,) = (line for line in rights(scene) if "reply proposes" in line)
    assert said in line
    assert "make" not in line


def test_what_git_runs_for_a_commit(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", TASKS[2:], {"git": {"commit": "attempt"}})
    git = Repo.created(scene.folder)
    hooks = git.write(".husky/pre-commit", "#!/bin/sh\n").parent
    (hooks / "pre-commit").chmod(0o755)
    git.write(".husky/commit-msg", "no program\n")
    for name, value in {
        "core.hooksPath": ".husky",
        "filter.lfs.clean": "git-lfs clean -- %f",
        "gpg.program": "my-gpg",
        "core.fsmonitor": "watch-me",
        "user.name": "N",
        "user.email": "e@example.com",
    }.items():
        git.git("config", name, value)
    lines = [line for line in rights(scene) if "commit" in line or "git" in line]
    assert "commit by git, with your name and hooks, after each attempt" in lines
    assert f"run git's hook {hooks}/pre-commit when it commits" in lines
    for command in ("git-lfs clean -- %f", "my-gpg", "watch-me"):
        assert any(line.endswith(f": {command}") for line in lines), command
    assert not [line for line in lines if "commit-msg" in line]


def test_commits_that_an_earlier_run_owes_are_told_though_nothing_else_is_left(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path / "p", [TASKS[2]], {"git": {"commit": "task"}}, [whole("a.txt", "x\n")])
    git = Repo.created(scene.folder)
    git.git("config", "user.name", "N")
    git.git("config", "user.email", "e@example.com")
    hook = git.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert scene.run().reason == "uncommitted"
    text = "\n".join(dry_run(scene.project, scene.clock))
    assert "commit what an earlier run could not: T3" in text
    assert f"run git's hook {hook}" in text
    hook.unlink()
    assert scene.again().exit_code == 0
    assert list(dry_run(scene.project, scene.clock)) == ["Nothing is left to do."]
