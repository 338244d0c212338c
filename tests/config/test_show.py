"""What `config show` prints: the merged result, origins, and no keys."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from agent_runner.config import settings_lines, settings_lines_with_origins
from agent_runner.config.schema import leaves_of
from agent_runner.config.writing import seconds, written, written_duration
from agent_runner.documents import Source, plain_value
from agent_runner.documents.yaml_reader import parse_yaml
from agent_runner.model.settings import Settings

FULL = """\
provider: claude
providers:
  claude:
    api_key: sk-planted-0123456789
    base_url: https://me:planted@example.com/v1
    headers: {X-Api-Key: planted, Accept: text}
    params: {thinking: {budget: 5, auth_token: planted}}
hooks:
  "lint: all": {command: 'echo "sk-planted-0123456789"', timeout: 90s, env: {MY_TOKEN: planted}}
apply: {commands: {allow: ["pytest *"]}}
"""


def test_nothing_secret_is_shown(world: Any) -> None:
    world.write("project", FULL)
    text = "\n".join(settings_lines_with_origins(world.load()))
    assert "planted" not in text
    assert 'api_key: "[redacted]"' in text


def test_every_option_is_shown_with_its_origin(world: Any) -> None:
    world.write("project", FULL)
    lines = settings_lines_with_origins(world.load({"AGENT_RUNNER_MODEL": "m"}))
    found = {line.split("#")[0].strip(): line.rpartition("# ")[2] for line in lines}
    assert found["provider: claude"] == "agent-runner.yml:1:11"
    assert found["model: m"] == "variable AGENT_RUNNER_MODEL"
    assert found["timeout: 1m30s"] == "agent-runner.yml:9:67"
    assert found["ledger: true"] == "default"
    keys = {line.strip().partition(":")[0] for line in lines}
    without_entries = {"rate_limits", "prices"}
    expected = {path[-1] for path, _ in leaves_of(Settings) if path[0] not in without_entries}
    assert expected | without_entries <= keys


def test_what_is_shown_is_yaml_and_loads_again(world: Any) -> None:
    world.write("project", FULL.replace("planted", "open"))
    shown = "\n".join(settings_lines(world.load()))
    document = parse_yaml(Source("shown", shown))
    assert not document.problems
    world.write("project", shown)
    assert world.load().settings.apply.allow == ("pytest *",)
    assert settings_lines(world.load()) == shown.split("\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", 90.0),
        ("10m", 600.0),
        ("1h30m", 5400.0),
        ("1h 30m", 5400.0),
        ("1.5h", 5400.0),
        ("250ms", 0.25),
        ("2d", 172800.0),
        ("", None),
        ("10", None),
        ("10x", None),
        ("m", None),
        ("-5s", None),
        ("9" * 400 + "s", None),
    ],
)
def test_durations(text: str, expected: float | None) -> None:
    assert seconds(text) == expected


@given(st.integers(1, 10**7))
def test_durations_are_written_as_they_are_read(value: int) -> None:
    assert seconds(written_duration(value)) == value


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs", "Cc"])), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(VALUES)
def test_values_are_written_as_they_are_read(value: Any) -> None:
    assert plain_value(parse_yaml(Source("x", f"a: {written(value)}")).root) == {"a": value}
