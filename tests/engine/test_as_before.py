"""A task that changed what judges it is judged once more, by that as it was before."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent_runner.model import events as e
from agent_runner.model.decisions import Choice, Decision
from agent_runner.model.fold import Entry
from agent_runner.model.hooks import Phase
from agent_runner.model.settings import TestsChanged
from agent_runner.model.signals import Signal
from agent_runner.model.states import TaskState
from agent_runner.ui.words import record_word
from tests.engine.scene import PowerOut, Scene, ScriptedPerson, hooks
from tests.engine.scripted import whole

UNITTEST = "python3 -m unittest discover -q -s tests"
TEST = """\
import unittest
from shop import total

class Shop(unittest.TestCase):
    def test_total(self):
        self.assertEqual(total([1, 2]), 3)
"""
WEAK = TEST.replace("self.assertEqual(total([1, 2]), 3)", "self.assertTrue(total)")
WRONG = "def total(items):\n    return 0\n"
RIGHT = "def total(items):\n    return sum(items)\n"
MORE = (
    TEST
    + """
    def test_none(self):
        self.assertEqual(total([]), 0)
"""
)


def both(*files: tuple[str, str]) -> str:
    return "\n".join(whole(path, text) for path, text in files)


def shop(folder: Path, script: list[str], command: str = UNITTEST, **settings: Any) -> Scene:
    """A shop whose total is to be made right, with one test."""
    task: dict[str, Any] = {"id": "T1", "post_hooks": ["judge"]}
    scene = Scene(folder / "p", [task], {"hooks": hooks(judge=command), **settings}, script)
    files = {
        "shop.py": "def total(items):\n    return None\n",
        "tests/__init__.py": "",
        "tests/test_shop.py": TEST,
        "Makefile": f"check:\n\tPYTHONPATH=. {UNITTEST}\n",
        "checks/all.py": TEST,
    }
    for name, text in files.items():
        (folder / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "p" / name).write_text(text)
    return scene


def before(scene: Scene) -> e.JudgedAsBefore:
    (judged,) = scene.events(e.JudgedAsBefore)
    assert isinstance(judged, e.JudgedAsBefore)
    return judged


def test_a_weakened_test_passes_and_is_told(tmp_path: Path) -> None:
    scene = shop(tmp_path, [both(("shop.py", WRONG), ("tests/test_shop.py", WEAK))])
    assert scene.run().exit_code == 0
    judged = before(scene)
    assert judged.paths == ("tests/test_shop.py",)
    assert (judged.outcome, judged.hook) == ("red", "judge")
    assert judged.failing == ("test_shop.Shop.test_total",)
    assert judged.summary == (
        "it changed tests/test_shop.py; with the tests of before: 1 red: test_shop.Shop.test_total"
    )
    assert record_word(scene.record()) == "passed (tests changed)"
    assert (tmp_path / "p" / "tests/test_shop.py").read_text() == WEAK
    assert "AssertionError: 0 != 3" in judged.reason


def test_a_test_of_the_same_size_is_no_cached_one(tmp_path: Path) -> None:
    """Python knows a compiled file by the size and the second of its source."""
    weak = TEST.replace("[1, 2]), 3)", "[1, 2]), 0)")
    scene = shop(tmp_path, [both(("shop.py", WRONG), ("tests/test_shop.py", weak))])
    assert scene.run().exit_code == 0
    assert before(scene).outcome == "red"


def test_tests_that_only_grew_are_green_as_well(tmp_path: Path) -> None:
    scene = shop(tmp_path, [both(("shop.py", RIGHT), ("tests/test_shop.py", MORE))])
    assert scene.run().exit_code == 0
    assert before(scene).outcome == "green"
    assert record_word(scene.record()) == "passed"
    assert scene.record().last_error == ""


@pytest.mark.parametrize(
    "reply",
    [
        whole("shop.py", RIGHT),
        both(("shop.py", RIGHT), ("tests/test_more.py", TEST)),
        both(("shop.py", RIGHT), ("pyproject.toml", "[project]\nname = 'shop'\n")),
    ],
    ids=["no test", "a new test", "a new build"],
)
def test_what_changes_no_test_that_was_there_is_judged_once(tmp_path: Path, reply: str) -> None:
    scene = shop(tmp_path, [reply])
    assert scene.run().exit_code == 0
    assert scene.events(e.JudgedAsBefore) == []


def test_a_deleted_test_stands_again(tmp_path: Path) -> None:
    gone = "```diff\n--- a/tests/test_shop.py\n+++ /dev/null\n@@ -1,6 +0,0 @@\n"
    gone += "".join(f"-{line}\n" for line in TEST.splitlines()) + "```\n"
    scene = shop(tmp_path, [whole("shop.py", WRONG) + gone], f"{UNITTEST} || test $? = 5")
    assert scene.run().exit_code == 0
    assert before(scene).outcome == "red"


def test_what_builds_and_starts_the_tests_counts(tmp_path: Path) -> None:
    reply = both(("shop.py", WRONG)) + (
        "Makefile\n```\n<<<<<<< SEARCH\n\tPYTHONPATH=. " + UNITTEST + "\n=======\n\ttrue\n"
        ">>>>>>> REPLACE\n```\n"
    )
    scene = shop(tmp_path, [reply], "make -s check")
    assert scene.run().exit_code == 0
    assert before(scene).outcome == "red"
    assert "with these files as before: " in before(scene).summary


@pytest.mark.parametrize(
    "command", ["python3 -m unittest -q checks/all.py", "python3 -m unittest -q checks.all"]
)
def test_what_a_test_runner_is_given_is_a_test_by_any_name(tmp_path: Path, command: str) -> None:
    scene = shop(tmp_path, [both(("shop.py", WRONG), ("checks/all.py", WEAK))], command)
    assert scene.run().exit_code == 0
    assert (before(scene).paths, before(scene).outcome) == (("checks/all.py",), "red")


def test_a_new_configuration_that_hides_tests_counts(tmp_path: Path) -> None:
    hides = "import unittest\nunittest.TestCase.run = lambda self, result=None: None\n"
    script = [both(("shop.py", WRONG), ("sitecustomize.py", hides))]
    scene = shop(tmp_path, script, f"PYTHONPATH=. {UNITTEST}")
    assert scene.run().exit_code == 0
    assert (before(scene).paths, before(scene).outcome) == (("sitecustomize.py",), "red")


def test_hooks_that_cannot_run_in_a_copy_say_nothing(tmp_path: Path) -> None:
    here = f'test "$(pwd -P)" = "$(cd {tmp_path}/p && pwd -P)" && {UNITTEST}'
    scene = shop(tmp_path, [both(("shop.py", RIGHT), ("tests/test_shop.py", MORE))], here)
    assert scene.run().exit_code == 0
    assert before(scene).outcome == "unknown"
    assert "judge cannot run in a copy of the files" in before(scene).summary


@pytest.mark.parametrize("rule", TestsChanged)
def test_the_setting_says_what_follows(tmp_path: Path, rule: TestsChanged) -> None:
    script = [both(("shop.py", WRONG), ("tests/test_shop.py", WEAK)), whole("shop.py", RIGHT)]
    scene = shop(tmp_path, script, tests_changed=rule.value)
    stopped = scene.run()
    assert bool(scene.events(e.JudgedAsBefore)) is (rule is not TestsChanged.OFF)
    if rule is not TestsChanged.ESCALATE:
        assert stopped.exit_code == 0
        return
    assert scene.record().state is TaskState.ESCALATED
    assert "with the tests of before: 1 red" in scene.record().last_error
    scene.person = ScriptedPerson([Decision(Choice.RETRY)])
    assert scene.again().exit_code == 0
    asked = scene.client.asked[-1].prompt.messages[-1].text
    assert "with the tests of before: 1 red: test_shop.Shop.test_total" in asked
    assert "AssertionError: 0 != 3" in asked
    assert scene.record().state is TaskState.PASSED


def test_a_persons_check_takes_the_new_tests_as_they_are(tmp_path: Path) -> None:
    script = [both(("shop.py", WRONG), ("tests/test_shop.py", WEAK))]
    scene = shop(tmp_path, script, tests_changed="escalate")
    assert scene.run().reason == "held"
    assert scene.record().may_be_passed
    scene.person = ScriptedPerson([Decision(Choice.CHECK)])
    assert scene.again().exit_code == 0
    assert len(scene.events(e.JudgedAsBefore)) == 1


def test_what_the_task_may_change_by_name_is_told_and_passes(tmp_path: Path) -> None:
    script = [both(("shop.py", WRONG), ("tests/test_shop.py", WEAK))]
    scene = shop(tmp_path, script, tests_changed="escalate")
    scene.tasks[0]["may_change"] = ["tests/"]
    scene.write()
    assert scene.run().exit_code == 0
    assert before(scene).allowed


def test_a_resume_does_not_judge_again(tmp_path: Path) -> None:
    counted = f"echo x >> {tmp_path}/count; {UNITTEST}"
    script = [both(("shop.py", WRONG), ("tests/test_shop.py", WEAK))]
    scene = shop(tmp_path, script, counted)

    def die(seen: Entry | Signal) -> None:
        if isinstance(seen, Entry) and isinstance(seen.event, e.JudgedAsBefore):
            raise PowerOut

    scene.watcher.react = die
    assert scene.killed()
    runs = (tmp_path / "count").read_text()
    assert scene.again().exit_code == 0
    assert (tmp_path / "count").read_text() == runs == "x\n" * 3
    assert len(scene.events(e.JudgedAsBefore)) == 1


def test_a_kill_within_leaves_no_copy_and_no_process(tmp_path: Path) -> None:
    script = [both(("shop.py", WRONG), ("tests/test_shop.py", WEAK))]
    scene = shop(tmp_path, script)

    def die(seen: Entry | Signal) -> None:
        event = seen.event if isinstance(seen, Entry) else None
        if isinstance(event, e.HookStarted) and event.phase is Phase.AS_BEFORE:
            raise PowerOut

    scene.watcher.react = die
    assert scene.killed()
    assert scene.again().exit_code == 0
    assert before(scene).outcome == "red"


def test_the_next_attempt_is_told_what_it_has_changed(tmp_path: Path) -> None:
    half = TEST.replace("3)", "44)")
    script = [
        both(("shop.py", WRONG), ("tests/test_shop.py", half)),
        both(("shop.py", RIGHT), ("tests/test_shop.py", TEST)),
    ]
    scene = shop(tmp_path, script)
    assert scene.run().exit_code == 0
    asked = scene.client.asked[-1].prompt.messages[-1].text
    assert "changed so far of what judges the work: tests/test_shop.py" in asked
    assert scene.events(e.JudgedAsBefore) == [], "the tests are as they were"


def test_the_users_repository_and_files_are_left_alone(tmp_path: Path) -> None:
    scene = shop(tmp_path, [both(("shop.py", WRONG), ("tests/test_shop.py", WEAK))])
    root = tmp_path / "p"
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", "-C", root, *words], check=True)
    index = (root / ".git/index").read_bytes()
    assert scene.run().exit_code == 0
    assert before(scene).outcome == "red"
    assert (root / ".git/index").read_bytes() == index
    assert (root / "shop.py").read_text() == WRONG
