"""States that earlier releases left are read for ever.

`golden/v1` is what 0.1.0 wrote. Never made anew: a later form gets a folder of its own, by
`python -m tests.support.golden tests/store/golden/vN`.
"""

import json
import shutil
from pathlib import Path

import pytest

from agent_runner.ground.disk import Disk
from agent_runner.model import events as e
from agent_runner.model.fold import RunState
from agent_runner.model.states import TaskState
from agent_runner.store.blobs import Blobs
from agent_runner.store.store import Store, read_entries, read_state
from tests.support.clocks import FakeClock

GOLDEN = Path(__file__).parent / "golden"

STANDS = {
    "T1": (TaskState.PASSED, 1, 0, ""),
    "T2": (TaskState.PASSED, 2, 1, ""),
    "T3": (TaskState.PASSED, 1, 0, ""),
    "T4": (TaskState.PASSED, 1, 0, ""),
    "T5": (TaskState.SKIPPED, 2, 2, "skipped by a person"),
}
"""State, attempts, failures and last error of each task that the run came to."""


@pytest.fixture(params=sorted(path.name for path in GOLDEN.iterdir()))
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of one release's state."""
    return Path(shutil.copytree(GOLDEN / request.param, tmp_path / "state"))


def folded(folder: Path) -> RunState:
    state = RunState()
    for entry in read_entries(folder):
        state.take(entry)
    return state


def test_the_journal_folds_to_what_it_told(golden: Path) -> None:
    state = folded(golden)
    told = {
        r.id: (r.state, r.counts.attempts, r.counts.failures, r.last_error)
        for r in state.tasks.values()
    }
    assert told == STANDS
    assert state.seq == len((golden / "journal.jsonl").read_bytes().splitlines())
    assert state.tasks["T5"].hint == "try again"
    assert state.tasks["T3"].change.paths == ("src/delta.txt", "src/alpha.txt")
    assert state.run is not None
    assert state.run.stopped is not None
    assert (state.run.stopped.reason, state.run.stopped.exit_code) == ("held", 1)
    assert sum(total.calls for total in state.spending.tasks.values()) == sum(
        isinstance(entry.event, e.CallStarted) for entry in read_entries(golden)
    )


def test_the_snapshot_tells_the_same_as_the_journal(golden: Path) -> None:
    resumed, warnings = read_state(golden)
    assert warnings == ()
    assert resumed == folded(golden)
    plain = json.loads((golden / "state.json").read_bytes())["tasks"]
    assert {task: row["state"] for task, row in plain.items()} == {
        task: row[0].value for task, row in STANDS.items()
    }


def test_every_content_that_is_named_is_there(golden: Path) -> None:
    blobs = Blobs(golden / "blobs", Disk())
    plans = [x.event for x in read_entries(golden) if isinstance(x.event, e.ApplyPlanned)]
    named = {
        image.sha256
        for plan in plans
        for change in plan.change_set.changes
        for image in (change.before, change.after)
        if image.sha256
    }
    assert len(named) > 10
    for name in named:
        blobs.get(name)


def test_it_can_be_gone_on_with(golden: Path) -> None:
    before = folded(golden)
    store = Store.open(golden, project=golden, list_id="tasks.yml", clock=FakeClock())
    assert store.state == before
    store.take(store.append("T5", e.Reset("again"), TaskState.PENDING))
    store.close()
    assert folded(golden).tasks["T5"].state is TaskState.PENDING
