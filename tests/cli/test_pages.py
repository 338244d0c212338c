"""What is long or goes on: patches and histories in a pager, filters, a table that is watched."""

import json
import signal
from pathlib import Path

import pytest

from tests.cli.scene import Scene, reply
from tests.cli.terminal import seat, visible

pytestmark = pytest.mark.slow

MANY = "\n".join(f"line {number}" for number in range(100))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """One task that passed with a long change, one that failed, one that waits for it."""
    made = Scene(tmp_path)
    made.config({"hooks": {"red": {"command": "false"}}, "on_escalation": "continue"})
    made.tasks(
        {"id": "T1"},
        {"id": "T2", "post_hooks": ["red"], "max_attempts": 1},
        {"id": "T3", "depends_on": ["T2"]},
    )
    made.reply("T1", 1, reply(long__txt=MANY, b__txt="x"))
    made.change("T2", 1)
    assert made.run("run").code == 1
    return made


def pager(scene: Scene) -> Path:
    """A pager that keeps what it is given."""
    kept = scene.root / "paged"
    scene.env = {"PAGER": f"cat > '{kept}'; echo paged"}
    return kept


@pytest.mark.parametrize("words", [("diff", "T1"), ("log", "T1"), ("why", "T1")])
def test_what_is_long_goes_through_the_pager_at_a_terminal(
    scene: Scene, words: tuple[str, ...]
) -> None:
    kept = pager(scene)
    with seat(scene, *words, rows=10) as at:
        code, shown = at.ends()
    assert (code, visible(shown).strip()) == (0, "paged")
    through = kept.read_text()
    kept.unlink()
    with seat(scene, *words, "--no-pager", rows=10) as at:
        code, shown = at.ends()
    assert shown.replace("\r", "").strip() == through.strip()
    assert not kept.exists()
    with seat(scene, *words, rows=500) as at:
        assert "paged" not in at.ends()[1], "what fits needs no pager"
    scene.run(*words)
    assert not kept.exists(), "a pipe needs no pager"


@pytest.mark.parametrize("value", ["", "cat", "no-such-pager --x"])
def test_without_a_pager_all_is_printed(scene: Scene, value: str) -> None:
    scene.env = {"PAGER": value}
    with seat(scene, "diff", "T1", rows=10) as at:
        code, shown = at.ends()
    assert code == 0
    assert "line 99" in shown


def test_a_patch_is_coloured_at_a_terminal_and_bare_elsewhere(scene: Scene) -> None:
    with seat(scene, "diff", "T1", "--no-pager") as at:
        shown = at.ends()[1]
    assert "\x1b[32m+line 7\x1b[0m" in shown
    assert "\x1b[36m@@ -0,0 +1,100 @@\x1b[0m" in shown
    scene.env = {"NO_COLOR": "1"}
    with seat(scene, "diff", "T1", "--no-pager") as at:
        assert "\x1b[32m" not in at.ends()[1]
    assert "\x1b" not in scene.run("diff", "T1").out


def test_a_history_has_colours_at_a_terminal(scene: Scene) -> None:
    with seat(scene, "why", "T2", "--no-pager") as at:
        shown = at.ends()[1]
    assert "\x1b[1;31m" in shown.partition("failed, needs a person")[0].splitlines()[-1]
    assert "\x1b" not in scene.run("why", "T2").out


def test_the_stat_of_a_patch_is_a_line_a_file(scene: Scene) -> None:
    lines = scene.run("diff", "T1", "--stat").lines
    assert lines == [
        f" long.txt | 100 {lines[0].count('+') * '+'}",
        " b.txt    |   1 +",
        " 2 files changed, +101 -0",
    ]
    assert lines[0].count("+") > 50


def test_a_history_for_programs_has_the_task_and_every_line(scene: Scene) -> None:
    told = json.loads(scene.run("why", "T2", "--json").out)
    assert (told["task"]["id"], told["task"]["state"]) == ("T2", "escalated")
    assert set(told["history"][0]) == {"seq", "at", "kind", "tone", "text", "details"}
    assert [one["seq"] for one in told["history"]] == sorted(one["seq"] for one in told["history"])
    texts = [one["text"] for one in told["history"]]
    shown = scene.run("why", "T2").out
    assert all(text in shown for text in texts)
    assert told["history"][-1]["tone"] in {"bad", "plain", "dim", "warn"}


def ids(scene: Scene, *words: str) -> list[str]:
    told = json.loads(scene.run("status", "--json", *words).out)
    return [task["id"] for task in told["tasks"]]


def test_status_shows_only_the_states_that_are_wanted(scene: Scene) -> None:
    assert ids(scene, "--failed") == ids(scene, "--state", "escalated") == ["T2"]
    assert ids(scene, "--state", "failed") == ["T2"]
    assert ids(scene, "--state", "passed", "--state", "pending") == ["T1", "T3"]
    assert ids(scene, "--state", "skipped") == []
    lines = scene.run("status", "--failed").lines
    assert [line.split()[0] for line in lines[:2]] == ["task", "T2"]
    assert lines[2].startswith("3 tasks: 1 passed (unchecked), 1 failed, 1 pending;"), (
        "the sums are of all"
    )
    assert scene.run("status", "--state", "broken").code == 2


def test_watching_draws_what_changes_until_the_run_ends(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.config({"hooks": {"post": {"command": "while [ ! -e go ]; do sleep 0.05; done"}}})
    scene.tasks({"id": "T1", "post_hooks": ["post"]}, {"id": "T2"})
    scene.change("T1", 1)
    scene.change("T2", 1)
    with seat(scene, "run") as runner:
        runner.sees("post-hook post")
        with seat(scene, "status", "--watch") as watcher:
            watcher.sees("running")
            watcher.sees("2 tasks: 1 running, 1 pending")
            scene.write("go", "")
            watcher.sees("2 tasks: 1 passed, 1 passed (unchecked)")
            code, last = watcher.ends()
        assert runner.ends()[0] == 0
    assert code == 0
    assert "\x1b[?25h" in last, "the cursor is back"


def test_watching_is_left_by_ctrl_c_and_needs_a_terminal(scene: Scene) -> None:
    ended = scene.run("status", "--watch")
    assert ended.code == 2
    assert "run --json" in ended.err
    with seat(scene, "status", "--watch") as at:
        at.sees("No run is on")
        at.child.kill(signal.SIGINT)
        code, last = at.ends()
    assert code == 130
    assert "\x1b[?25h" in last


def test_a_long_list_is_watched_around_the_task_in_hand(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.config({})
    scene.tasks(*({"id": f"T{number}"} for number in range(120)))
    for number in range(60):
        scene.change(f"T{number}", 1)
    assert scene.run("run", "--until", "T59").code in {0, 1}
    with seat(scene, "status", "--watch", rows=24, columns=80) as at:
        shown = at.sees("No run is on")
        at.types("\x03")
        at.ends()
    lines = shown.splitlines()
    assert len(lines) <= 24
    assert any(line.startswith("T60 ") for line in lines)
    assert any("more; agent-runner status shows all" in line for line in lines)
