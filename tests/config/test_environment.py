"""Options from environment variables."""

from typing import Any

import pytest

from agent_runner.config import environment_variables
from agent_runner.model.hooks import Hook
from agent_runner.model.settings import BudgetSettings, CommandsRule


def test_values_are_read_as_yaml_and_text_as_it_stands(world: Any) -> None:
    loaded = world.load(
        {
            "AGENT_RUNNER_MODEL": "4",
            "AGENT_RUNNER_TEST_COMMAND": "echo a: b # c",
            "AGENT_RUNNER_STOP_ON_FIRST_FAILURE": "true",
            "AGENT_RUNNER_RETRY__MAX_WAIT": "10m",
            "AGENT_RUNNER_BUDGET": "{max_calls_run: 50}",
            "AGENT_RUNNER_BUDGET__MAX_COST_RUN": "2.5",
            "AGENT_RUNNER_APPLY__PROTECT": "[a, b]",
            "AGENT_RUNNER_APPLY__COMMANDS": "never",
            "AGENT_RUNNER_HOOKS__LINT": "ruff check",
            "AGENT_RUNNER_PROVIDERS__CLAUDE__PARAMS": "{thinking: {budget: 5}}",
            "AGENT_RUNNER_PROVIDER": "",
        }
    )
    settings = loaded.settings
    assert (settings.model, settings.test_command) == ("4", "echo a: b # c")
    assert settings.stop_on_first_failure
    assert settings.retry.max_wait == 600.0
    assert settings.budget == BudgetSettings(max_calls_run=50, max_cost_run=2.5)
    assert settings.apply.protect == ("a", "b")
    assert settings.apply.commands is CommandsRule.NEVER
    assert settings.hooks["lint"] == Hook("lint", "ruff check")
    assert settings.providers["claude"].params == {"thinking": {"budget": 5}}
    assert settings.provider is None


def test_null_takes_back(world: Any) -> None:
    world.write("project", "model: a\ntest_command: x\n")
    env = {"AGENT_RUNNER_MODEL": "null", "AGENT_RUNNER_TEST_COMMAND": "~"}
    settings = world.load(env).settings
    assert (settings.model, settings.test_command, dict(settings.hooks)) == (None, None, {})


def test_entries_of_the_files_are_found_by_their_folded_names(world: Any) -> None:
    world.write("project", "hooks: {unit-tests: pytest}\nprices: {gpt-5.3: {input: 1}}\n")
    settings = world.load(
        {
            "AGENT_RUNNER_HOOKS__UNIT_TESTS__TIMEOUT": "5m",
            "AGENT_RUNNER_PRICES__GPT_5_3__OUTPUT": "2",
            "AGENT_RUNNER_HOOKS__NEW_ONE__COMMAND": "[make, -j]",
        }
    ).settings
    assert settings.hooks["unit-tests"] == Hook("unit-tests", "pytest", timeout=300.0)
    assert settings.hooks["new_one"].command == ("make", "-j")
    assert (settings.prices["gpt-5.3"].input, settings.prices["gpt-5.3"].output) == (1.0, 2.0)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PROVIDR", "x", "there is no option providr (did you mean AGENT_RUNNER_PROVIDER?)"),
        ("RETRY__MAX_TRYS", "5", "there is no option retry.max_trys (did you mean max_tries?)"),
        ("RETRY__MAX_TRIES__X", "5", "there is no option retry.max_tries.x"),
        ("MAX_NO_PROGRESS", "0", "max_no_progress must be at least 1, not 0"),
        ("APPLY__PROTECT", "a", 'apply.protect must be a list, not the text "a" (write [a])'),
        ("APPLY__PROTECT", "[a", "this is not valid YAML"),
        ("GIT__COMMIT", "yes", "git.commit must be off, task or attempt"),
        ("LEDGER", "a\x07", "the control character U+0007"),
    ],
)
def test_mistakes_name_the_variable(world: Any, name: str, value: str, told: str) -> None:
    (one,) = world.mistakes({f"AGENT_RUNNER_{name}": value})
    assert one.startswith(f"variable AGENT_RUNNER_{name}: {told}")


def test_what_may_be_somebody_elses_is_a_warning(world: Any) -> None:
    (warning,) = world.load({"AGENT_RUNNER_XYZZY": "1"}).warnings
    assert str(warning) == (
        "variable AGENT_RUNNER_XYZZY: there is no option xyzzy (the variable is ignored)"
    )


@pytest.mark.parametrize(
    "name", ["TASK", "ATTEMPT", "RUN_ID", "EVENT", "AT", "LIST", "REASON", "NOT_BEFORE"]
)
def test_what_commands_are_given_is_no_option(world: Any, name: str) -> None:
    loaded = world.load({f"AGENT_RUNNER_{name}": "T1", "HOME": "/x", "AGENT": "y"})
    assert (loaded.warnings, dict(loaded.origins)) == ((), {})


def test_every_listed_variable_sets_its_option(world: Any) -> None:
    values = {
        "whole number": "7",
        "number": "7",
        "true or false": "true",
        "list of texts": "[x]",
        "mapping of texts": "{a: x}",
        "mapping": "{a: 1}",
        "such groups by name": "{}",
    }
    for variable in environment_variables():
        name = variable.name.replace("<NAME>", "CLAUDE")
        path = variable.path.replace("<name>", "claude")
        value = values.get(variable.option.kind.value, "x")
        if variable.option.cls is not None and variable.option.kind.name == "CHOICE":
            value = str(next(iter(variable.option.cls)).value)
        found = world.survey({f"{name}": value})
        entry = variable.option.kind.name == "ENTRIES"
        assert entry or found.origin(path) == f"variable {name}", path
