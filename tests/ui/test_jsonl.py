"""`--json`: every entry a line, as the schema says, and the schema as the events are."""

import io
import json
from pathlib import Path
from typing import Any

import attrs
import jsonschema
import pytest
from hypothesis import given, strategies as st

from agent_runner.ground.clock import from_iso
from agent_runner.model import events as e, signals as s
from agent_runner.model.fold import Entry
from agent_runner.model.states import TaskState
from agent_runner.store.codec import KINDS
from agent_runner.ui.event_schema import event_schema, schema_text
from agent_runner.ui.jsonl import JsonLines, entry_line
from agent_runner.ui.output import Output
from tests.support.exploring import examples
from tests.ui.scenario import whole_run

FILE = Path(__file__).parents[2] / "docs" / "events.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(
    event_schema(), format_checker=jsonschema.FormatChecker()
)


def test_the_schema_in_the_docs_is_the_one_of_the_events() -> None:
    again = "python -m agent_runner.ui.event_schema"
    assert FILE.read_text() == schema_text(), f"make it anew: {again} > docs/events.schema.json"


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(event_schema())


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.__name__)
def test_every_event_is_as_the_schema_says(kind: type[e.Event]) -> None:
    @examples(15)
    @given(st.builds(kind), st.none() | st.sampled_from(TaskState))
    def check(event: e.Event, to: TaskState | None) -> None:
        line = entry_line(Entry(7, 1_800_000_000.0, "T1", event, to))
        assert line.isascii()
        assert "\n" not in line
        shown = json.loads(line)
        VALIDATOR.validate(shown)
        names = {a.metadata.get(e.WRITTEN_AS, a.name) for a in attrs.fields(kind)}
        assert set(shown["data"]) == names

    check()


def spoiled() -> list[dict[str, Any]]:
    """Lines that are not as promised, each in one way."""
    event = e.PostHooksFailed("tests", "red", failing=("a",))
    good = json.loads(entry_line(Entry(7, 1_800_000_000.0, "T1", event, TaskState.AGENT)))
    return [
        {**good, "v": 2},
        {**good, "seq": 0},
        {**good, "kind": "Unheard"},
        {**good, "to": "running"},
        {key: value for key, value in good.items() if key != "at"},
        {**good, "data": {**good["data"], "failing": "a"}},
        {**good, "data": {"hook": "tests"}},
    ]


@pytest.mark.parametrize("line", spoiled())
def test_the_schema_refuses_what_is_not_promised(line: dict[str, Any]) -> None:
    assert list(VALIDATOR.iter_errors(line))


def test_a_run_is_one_line_per_entry_and_nothing_else() -> None:
    out = io.StringIO()
    screen = JsonLines(Output(out))
    script = whole_run(screen)
    screen.signal(s.Said("T1", "passing"))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["seq"] for line in lines] == [entry.seq for entry in script.entries]
    first, last = lines[0], lines[-1]
    assert list(first) == ["v", "seq", "at", "kind", "task", "to", "data"]
    assert (first["kind"], first["task"], first["to"]) == ("RunStarted", None, None)
    assert from_iso(first["at"]) == script.entries[0].at
    assert (last["kind"], last["data"]["exit_code"]) == ("RunStopped", 1)
    assert screen.broken is None
