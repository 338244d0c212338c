"""The checked-in example and documentation are those that the settings classes give."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from agent_runner.config import environment_variables, render_example, with_table
from agent_runner.config.schema import OptionKind, leaves_of, options_of
from agent_runner.demo import example_names
from agent_runner.model.settings import Price, ProviderSettings, Settings
from agent_runner.providers.profiles import KNOWN_NAMES

TOP = Path(__file__).parents[2]
UPDATE = "bring it up to date with: python -m agent_runner.config"


def uncommented(text: str) -> str:
    """The example with its sample entries made real."""
    return re.sub(r"^( +)# ", r"\1", text, flags=re.MULTILINE)


def test_the_example_is_up_to_date() -> None:
    assert (TOP / "example.config.yml").read_text() == render_example(), UPDATE


def test_the_example_sets_every_option_to_its_default(world: Any) -> None:
    world.write("project", render_example())
    loaded = world.load()
    assert (loaded.settings, loaded.warnings) == (Settings(), ())
    fixed = {".".join(path) for path, _ in leaves_of(Settings) if "<name>" not in path}
    assert set(loaded.origins) == fixed


def test_the_samples_load_too_and_hold_every_option(world: Any) -> None:
    world.write("project", uncommented(render_example()))
    settings = world.load().settings
    assert settings.providers == {"claude": ProviderSettings()}
    assert settings.prices == {"claude-sonnet-5-5": Price()}
    assert settings.hooks["unit-tests"].command == "pytest -q"
    names = set(re.findall(r"^[ #]*([\w-]+):", render_example(), re.MULTILINE))
    assert {path[-1] for path, _ in leaves_of(Settings)} <= names


def test_every_option_has_its_line() -> None:
    for path, option in leaves_of(Settings):
        assert option.doc.strip(), path
        assert "\n" not in option.doc, path
        assert option.doc in render_example(), path


def test_examples_of_options_are_valid(world: Any) -> None:
    for path, option in leaves_of(Settings):
        if option.example and path[0] == "hooks" and path[-1] != "command":
            value = option.example
            inner = (
                f"{{{path[-2]}: {{{path[-1]}: {value}}}}}"
                if len(path) > 3
                else f"{{{path[-1]}: {value}}}"
            )
            world.write("project", f"hooks:\n  a: {inner}\n  a2: x\n")
            assert [str(p) for p in world.survey().problems] == [
                'agent-runner.yml:2:3: the hook "a" has no command'
            ], path


def test_the_documentation_is_up_to_date() -> None:
    text = (TOP / "docs" / "configuration.md").read_text()
    assert with_table(text) == text, UPDATE


def test_every_option_has_its_variable() -> None:
    names = [variable.name for variable in environment_variables()]
    assert len(set(names)) == len(names) == len(list(leaves_of(Settings)))
    assert "AGENT_RUNNER_PROVIDER" in names
    assert "AGENT_RUNNER_HOOKS__<NAME>__FAILURES__REGEX" in names


def test_every_kind_of_option_is_understood() -> None:
    kinds = {option.kind for _, option in leaves_of(Settings)}
    kinds |= {option.kind for option in options_of(Settings).values()}
    assert kinds == set(OptionKind)


@pytest.mark.parametrize("name", example_names())
def test_the_examples_are_valid(world: Any, name: str) -> None:
    example = TOP / "examples" / name
    shutil.copytree(example, world.folder, dirs_exist_ok=True)
    assert world.load().warnings == ()


@given(text=st.text(max_size=60))
def test_random_configurations_raise_no_surprise(tmp_path_factory: Any, text: str) -> None:
    from contextlib import suppress

    from agent_runner.config import load_settings, settings_lines
    from agent_runner.model.errors import InputError

    folder = tmp_path_factory.mktemp("project")
    (folder / "agent-runner.yml").write_text(text)
    with suppress(InputError):
        settings_lines(
            load_settings(folder=folder, env={}, home=folder.parent, flags={}, names=KNOWN_NAMES)
        )
