"""What is stored of a task's files as it begins, also by earlier versions."""

import pytest

from agent_runner.engine.trees import Start
from agent_runner.model.errors import StateError

OF_FORMAT_1 = (
    '{"format":1,"id":"5feceb66ffc86f38","hashing":"sha1","base":"4b825dc642cb6eb9",'
    '"differing":{"n\\u00e9\\udcff":"100644 587be6b4c3f93f93c489c0111bba5596147a26cb","gone":null}}'
)


def test_a_start_is_stored_as_one_line_of_ascii() -> None:
    start = Start("4b825dc642cb6eb9a060e54bf8d69288fbee4904", frozenset({"né\udcff\n", "a"}))
    text = start.to_json()
    assert text.isascii()
    assert "\n" not in text
    assert Start.from_json(text) == start


def test_of_a_tree_of_format_1_the_changed_paths_are_still_known() -> None:
    assert Start.from_json(OF_FORMAT_1) == Start("", frozenset({"né\udcff", "gone"}))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"format": 3}', '{"format": 2}'])
def test_text_that_is_no_start_is_refused(text: str) -> None:
    with pytest.raises(StateError, match="stored start"):
        Start.from_json(text)
