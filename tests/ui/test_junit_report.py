"""`--junit FILE`: tasks as test cases."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, strategies as st

from agent_runner.model import events as e
from agent_runner.model.record import Judgement, TaskRecord
from agent_runner.model.states import TaskState as S
from agent_runner.ui.junit_report import JUnit, junit_xml
from agent_runner.ui.tally import Tally
from tests.ui.scenario import Script, task_list, whole_run


def test_the_report_stands_there_when_the_run_has_stopped(tmp_path: Path) -> None:
    file = tmp_path / "reports" / "junit.xml"
    report = JUnit(file, Tally(task_list()))
    whole_run(report)
    suite = ET.fromstring(file.read_text())[0]  # our own file
    assert report.broken is None
    assert suite.get("tests") == "3"
    assert suite.get("failures") == "1"
    cases = {case.get("name"): case for case in suite}
    passed = cases["T1 Make slugs of titles"]
    assert passed.get("time") == "17.000"
    assert "judged tree bbbb111" in (passed.findtext("system-out") or "")
    failure = cases["T3 Render the summary page"].find("failure")
    assert failure is not None
    assert failure.get("message") == "unit-tests failed, exit 1"
    assert "test_spaces" in (failure.text or "")
    assert [path.name for path in file.parent.iterdir()] == ["junit.xml"]


def test_tasks_of_earlier_runs_skipped_and_held_ones_are_in_it() -> None:
    records = {
        "T1": TaskRecord("T1", S.ESCALATED, last_error="red"),
        "T2": TaskRecord("T2", S.SKIPPED, last_error="skipped by a key"),
    }
    tally = Tally(task_list((), (), ("T1",)), records)
    suite = ET.fromstring(junit_xml(tally))[0]  # our own text
    messages = [case[0].get("message") for case in suite]
    assert messages == ["red", "skipped by a key", "pending, held by T1"]
    assert suite.get("skipped") == "2"


def test_a_report_that_cannot_be_written_hurts_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    report = JUnit(tmp_path / "file" / "junit.xml", Tally(task_list()))
    whole_run(report)
    assert isinstance(report.broken, OSError)


def test_a_report_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    file.mkdir()
    report = JUnit(file, Tally(task_list()))
    Script((report,)).add("", e.RunStopped("r", "finished", 0))
    assert isinstance(report.broken, OSError)
    assert [path.name for path in tmp_path.iterdir()] == ["junit.xml"], "no temporary file stays"


@given(st.text(st.characters()), st.sampled_from([S.ESCALATED, S.SKIPPED]))
def test_whatever_a_task_says_the_report_can_be_read(text: str, state: S) -> None:
    record = TaskRecord("T1", state, last_error=text, feedback=text)
    root = ET.fromstring(junit_xml(Tally(task_list(), {"T1": record})).encode())  # ours
    assert root[0][0].get("name") == "T1 Make slugs of titles"


@pytest.mark.parametrize("nothing", [True, False])
def test_tasks_that_changed_nothing_say_so(nothing: bool) -> None:
    judgement = Judgement(checked_by_hook=True, nothing_changed=nothing)
    record = TaskRecord("T1", S.PASSED, judgement=judgement)
    said = "passed (nothing changed)" in junit_xml(Tally(task_list(), {"T1": record}))
    assert said is nothing


@pytest.mark.parametrize("checked", [True, False])
def test_unchecked_tasks_say_so(checked: bool) -> None:
    record = TaskRecord("T1", S.PASSED, judgement=Judgement(checked_by_hook=checked))
    assert ("unchecked" in junit_xml(Tally(task_list(), {"T1": record}))) is not checked
