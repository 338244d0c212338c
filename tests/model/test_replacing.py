"""`model.replacing.evolve` gives what `attrs.evolve` gives, for every class of a record."""

from typing import Any

import attrs
import pytest

from agent_runner.model import record
from agent_runner.model.replacing import evolve

PARTS = [record.TaskRecord("T1"), record.Counts(), record.Spent(), record.Judgement()]


@pytest.mark.parametrize("value", PARTS, ids=lambda value: type(value).__name__)
def test_it_gives_what_attrs_gives(value: Any) -> None:
    assert evolve(value) == value
    for field in attrs.fields(type(value)):
        if field.init:
            other = {field.alias: object()}
            assert evolve(value, **other) == attrs.evolve(value, **other)


def test_a_field_that_is_none_of_its_own_is_an_error() -> None:
    with pytest.raises(TypeError, match="misspelt"):
        evolve(record.Counts(), misspelt=1)  # type: ignore[call-arg]  # that is what is tried
