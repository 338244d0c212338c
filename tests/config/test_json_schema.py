"""The schema that editors use accepts what the loader accepts, and nothing else."""

import json
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import given, settings, strategies as st
from ruamel.yaml import YAML

from agent_runner.config.binding import Binder
from agent_runner.config.json_schema import configuration_schema
from agent_runner.config.layers import Places, in_long_form
from agent_runner.config.reference import render_example
from agent_runner.config.schema import Option, OptionKind, choices, options_of
from agent_runner.documents import Expect, Fields, Source
from agent_runner.documents.json_reader import parse_json
from agent_runner.model.settings import Settings

VALIDATOR = jsonschema.Draft7Validator(configuration_schema())
HERE = Places(Path("/p"), Path("/h"), Path("/p"))

ANYTHING = st.sampled_from(
    [
        *(None, True, False, 0, 1, -1, 2.5, 1.0, "", " ", "x", "90s", "1h 30m", "10 parrots"),
        *([], ["x"], [""], [1]),
        *({}, {"x": "y"}, {"x": None}, {"x-mine": 1}, {"x": ["y"]}, {"allow": ["y"]}),
    ]
)
FITTING: dict[OptionKind, st.SearchStrategy[Any]] = {
    OptionKind.WHOLE: st.sampled_from([1, 3, 0, -2, 1.5, "5m"]),
    OptionKind.NUMBER: st.sampled_from([1, 3, 0, -2, 1.5, "5m"]),
    OptionKind.SWITCH: st.booleans(),
    OptionKind.TEXTS: st.lists(st.sampled_from(["a", "b/**"]), max_size=2),
    OptionKind.TEXT_MAP: st.dictionaries(st.sampled_from("AB"), st.sampled_from(["x", 1, True])),
    OptionKind.ANY_MAP: st.dictionaries(st.sampled_from("AB"), st.sampled_from(["x", 1, True])),
}


def fitting(option: Option) -> st.SearchStrategy[Any]:
    """Values that an option is likely to take, so that what lies below is reached at all."""
    if option.kind is OptionKind.GROUP:
        return objects(option.cls)
    if option.kind is OptionKind.ENTRIES:
        entry = st.one_of(st.deferred(lambda: objects(option.cls)), ANYTHING)
        return st.dictionaries(st.sampled_from(["a", "b c", " "]), entry, max_size=2)
    if option.kind is OptionKind.CHOICE:
        return st.sampled_from(choices(option))
    return FITTING.get(option.kind, st.sampled_from(["x", "a b"]))


def objects(cls: type) -> st.SearchStrategy[dict[str, Any]]:
    """Mappings with a few options of a class, some of them wrong, or of no such name."""
    options = options_of(cls)
    entry = st.sampled_from(list(options)).flatmap(
        lambda name: st.tuples(st.just(name), st.one_of(fitting(options[name]), ANYTHING))
    )
    odd = st.tuples(st.sampled_from(["x-note", "no_such_option"]), ANYTHING)
    required = {name: "true" for name, one in options.items() if name == "command"}
    return st.lists(st.one_of(entry, entry, entry, odd), max_size=4).map(
        lambda pairs: {**required, **dict(pairs)}
    )


def faults(value: Any) -> list[str]:
    """What the loader says of a configuration by itself."""
    source = Source("agent-runner.json", json.dumps(value))
    root = parse_json(source).root
    assert isinstance(root, Fields)
    expect = Expect()
    bound = Binder(expect, {}, HERE).bind(Settings, in_long_form(root, Settings, expect))
    found = [str(one) for one in expect.problems]
    return [
        *found,
        *(f"{name} has no command" for name, one in bound.hooks.items() if not one.command),
    ]


@settings(max_examples=600)
@given(objects(Settings))
def test_schema_and_loader_agree(value: dict[str, Any]) -> None:
    found = faults(value)
    assert VALIDATOR.is_valid(value) == (not found), (value, found)


def test_a_hook_needs_a_command() -> None:
    assert not VALIDATOR.is_valid({"hooks": {"a": {"cwd": "x"}}})


def test_the_schema_is_one_and_the_example_fits_it() -> None:
    jsonschema.Draft7Validator.check_schema(configuration_schema())
    VALIDATOR.validate(YAML(typ="safe", pure=True).load(render_example()))


def test_every_option_has_its_description_and_its_default() -> None:
    shown = configuration_schema()["properties"]["max_attempts_per_task"]
    assert shown["default"] == Settings().max_attempts_per_task
    assert shown["description"] == options_of(Settings)["max_attempts_per_task"].doc
    assert configuration_schema()["definitions"]["Hook"]["properties"]["timeout"]["default"] is None
