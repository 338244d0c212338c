"""Which layer wins, how they merge, and where relative paths start."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import given, strategies as st

from agent_runner.config import Loaded, load_settings
from agent_runner.config.layers import as_node, merge_trees
from agent_runner.documents import Fields, Source, plain_value
from agent_runner.model.hooks import Hook, When
from agent_runner.model.settings import CommandsRule, CommitRule, Defaults, LimitSettings, Settings
from agent_runner.providers.profiles import KNOWN_NAMES


class World(Protocol):
    home: Path
    folder: Path
    write: Callable[[str, str], Path]
    load: Callable[..., Loaded]
    survey: Callable[..., Loaded]
    mistakes: Callable[..., list[str]]


def test_nothing_is_needed(world: World) -> None:
    loaded = world.load()
    assert loaded.settings == Settings()
    assert (loaded.files, loaded.warnings, dict(loaded.origins)) == ((), (), {})


def test_the_later_layer_wins_and_origins_tell_which(world: World) -> None:
    world.write("global", "provider: claude\nmax_no_progress: 1\nmax_edit_retries: 1\nmodel: a\n")
    world.write("project", "max_no_progress: 3\nmax_edit_retries: 3\nmodel: b\n")
    env = {"AGENT_RUNNER_MAX_EDIT_RETRIES": "4", "AGENT_RUNNER_MODEL": "c"}
    loaded = world.load(env, model="d", retry__max_tries=9, provider=None)
    settings = loaded.settings
    assert (settings.provider, settings.max_no_progress) == ("claude", 3)
    assert (settings.max_edit_retries, settings.model, settings.retry.max_tries) == (4, "d", 9)
    assert {path: loaded.origin(path) for path in loaded.origins} == {
        "provider": "~/.agent-runner/config.yml:1:11",
        "max_no_progress": "agent-runner.yml:1:18",
        "max_edit_retries": "variable AGENT_RUNNER_MAX_EDIT_RETRIES",
        "model": "flag model",
        "retry.max_tries": "flag retry.max_tries",
    }
    assert loaded.origin("ledger") == "default"
    assert loaded.files == (
        world.home / ".agent-runner" / "config.yml",
        world.folder / "agent-runner.yml",
    )


def test_mappings_merge_key_by_key_and_lists_are_replaced(world: World) -> None:
    world.write(
        "global",
        "hooks:\n  unit-tests: pytest -q\n  lint: {command: ruff check, env: {A: 1, B: 2}}\n"
        "defaults: {pre_hooks: [lint], post_hooks: [unit-tests, lint]}\n",
    )
    world.write(
        "project",
        "hooks:\n  unit-tests: {timeout: 10m}\n  lint: {env: {B: 3}}\n"
        "defaults: {post_hooks: [unit-tests]}\n",
    )
    settings = world.load().settings
    assert settings.hooks == {
        "unit-tests": Hook("unit-tests", "pytest -q", timeout=600.0),
        "lint": Hook("lint", "ruff check", env={"A": "1", "B": "3"}),
    }
    assert settings.defaults == Defaults(pre_hooks=("lint",), post_hooks=("unit-tests",))


def test_null_takes_back_what_a_lower_layer_set(world: World) -> None:
    world.write("global", "rate_limits: {claude: {max_tokens_hour: 5, max_tokens_week: 9}}\n")
    world.write("project", "rate_limits:\n  claude: {max_tokens_hour: null}\nbudget:\n")
    assert world.load().settings.rate_limits == {"claude": LimitSettings(max_tokens_week=9)}


def test_a_group_with_its_lines_commented_out_changes_nothing(world: World) -> None:
    world.write("global", "budget: {max_calls_run: 5}\nhooks: {lint: ruff}\n")
    world.write("project", "budget:\n  # max_calls_run: 7\nhooks:\n")
    settings = world.load().settings
    assert settings.budget.max_calls_run == 5
    assert set(settings.hooks) == {"lint"}


def test_every_form_of_a_hook(world: World) -> None:
    world.write(
        "project",
        """\
hooks:
  short: pytest -q
  listed: {command: [pytest, -q], cwd: sub, retries: 2, allow_failure: true}
  full:
    command: make
    env: {PORT: 8080, DEBUG: true, NAME: x}
    timeout: 1h30m
    when: {changed: ["src/**"]}
    failures: {regex: "^FAILED (.*)", junit: r.xml}
    rerun_on_resume: true
    pass_keys: true
""",
    )
    hooks = world.load().settings.hooks
    assert hooks["short"] == Hook("short", "pytest -q")
    listed = Hook("listed", ("pytest", "-q"), cwd="sub", retries=2, allow_failure=True)
    assert hooks["listed"] == listed
    full = hooks["full"]
    assert full.env == {"PORT": "8080", "DEBUG": "true", "NAME": "x"}
    assert (full.timeout, full.when) == (5400.0, When(changed=("src/**",)))
    assert (full.failures.regex, full.failures.junit) == ("^FAILED (.*)", "r.xml")
    assert full.rerun_on_resume
    assert full.pass_keys


@pytest.mark.parametrize(
    ("text", "rule", "allow"),
    [
        ("commands: ask", CommandsRule.ASK, ()),
        ("commands: never", CommandsRule.NEVER, ()),
        ("commands: {allow: [pytest]}", CommandsRule.ALLOW, ("pytest",)),
        ("{commands: allow, allow: [pytest]}", CommandsRule.ALLOW, ("pytest",)),
        ("{commands: ask, allow: [pytest]}", CommandsRule.ASK, ("pytest",)),
        ("{commands: null}", None, ()),
    ],
)
def test_both_forms_of_allowed_commands(
    world: World, text: str, rule: CommandsRule | None, allow: tuple[str, ...]
) -> None:
    world.write("project", f"apply: {text}\n" if text[0] == "{" else f"apply: {{{text}}}\n")
    apply = world.load().settings.apply
    assert (apply.commands, apply.allow) == (rule, allow)


def test_off_is_a_word(world: World) -> None:
    world.write("project", "git: {commit: off}\n")
    assert world.load().settings.git.commit is CommitRule.OFF


def test_test_command_makes_the_first_judge(world: World) -> None:
    world.write("project", "hooks: {lint: ruff}\ndefaults: {post_hooks: [lint]}\n")
    loaded = world.load(test_command="pytest -q")
    assert loaded.settings.hooks["test"] == Hook("test", "pytest -q")
    assert loaded.settings.defaults.post_hooks == ("test", "lint")
    assert loaded.origin("hooks.test.command") == "flag test_command"


def test_test_command_may_be_placed_by_hand_only_in_front(world: World) -> None:
    world.write(
        "project", "test_command: x\nhooks: {lint: ruff}\ndefaults: {post_hooks: [lint, test]}\n"
    )
    assert world.load().settings.defaults.post_hooks == ("test", "lint")


def test_relative_paths_start_from_their_file(world: World) -> None:
    world.write("global", "providers: {a: {replies: r}}\n")
    world.write(
        ".agent-runner/config.yml",
        "providers: {b: {replies: ./r}, c: {replies: ~/r}}\n",
    )
    env = {"AGENT_RUNNER_PROVIDERS__D__REPLIES": "r"}
    found = world.load(env, providers__e__replies="/r").settings.providers
    assert {name: provider.replies for name, provider in found.items()} == {
        "a": world.home / ".agent-runner" / "r",
        "b": world.folder / "r",
        "c": world.home / "r",
        "d": world.folder / "r",
        "e": Path("/r"),
    }


def test_two_project_files_are_an_error(world: World) -> None:
    world.write("project", "model: a\n")
    world.write(".agent-runner/config.yml", "model: b\n")
    (told,) = world.mistakes()
    assert told.startswith("agent-runner.yml: there are two configurations of this project")


def test_a_file_with_nearly_the_right_name_is_told(world: World) -> None:
    world.write("agent-runner.yaml", "model: a\n")
    (warning,) = world.load().warnings
    assert str(warning) == "agent-runner.yaml: this file is not read (name it agent-runner.yml)"


def test_another_global_file_may_be_named(world: World) -> None:
    world.write("global", "model: a\n")
    world.write("other.yml", "model: b\n")
    assert world.load({"AGENT_RUNNER_CONFIG": "other.yml"}).settings.model == "b"
    assert world.load({"AGENT_RUNNER_CONFIG": "/dev/null"}).settings.model is None
    (told,) = world.mistakes({"AGENT_RUNNER_CONFIG": "none.yml"})
    assert told == "none.yml: there is no such file"


def test_in_the_home_folder_the_global_file_is_read_once(world: World) -> None:
    file = world.write("global", "model: a\n")
    loaded = load_settings(
        folder=world.home, env={}, home=world.home, flags={}, cwd=world.home, names=KNOWN_NAMES
    )
    assert loaded.files == (file,)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=12,
)
TOPS = st.dictionaries(st.sampled_from("abcd"), TREES, max_size=4)


def tree(value: dict[str, Any]) -> Fields:
    node = as_node(value, Source("x", "", numbered=False))
    assert isinstance(node, Fields)
    return node


def merge(*values: dict[str, Any]) -> Any:
    out = tree({})
    for value in values:
        out = merge_trees(out, tree(value))
    return plain_value(out)


def model(below: Any, above: Any) -> Any:
    """What merging means, said once more."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    names = {**below, **above}
    return {
        name: model(below.get(name), above[name]) if name in above else below[name]
        for name in names
    }


@given(below=TOPS, above=TOPS)
def test_merging_is_the_model(below: dict[str, Any], above: dict[str, Any]) -> None:
    assert merge(below, above) == model(below, above)


@given(one=TOPS)
def test_merging_with_itself_or_nothing_changes_nothing(one: dict[str, Any]) -> None:
    assert merge(one, one) == merge(one) == merge({}, one) == merge(one, {}) == one


@given(values=st.lists(TOPS, min_size=1, max_size=4))
def test_the_last_word_on_every_leaf_stands(values: list[dict[str, Any]]) -> None:
    result = merge(*values)
    for name, value in values[-1].items():
        if not isinstance(value, dict):
            assert result[name] == value
