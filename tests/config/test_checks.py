"""Mistakes in the configuration: all at once, each with its place and advice."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest


def test_all_mistakes_are_told_at_once_in_the_order_of_the_layers(world: Any) -> None:
    world.write("global", "provder: claude\nmax_no_progress: x\n")
    world.write(
        "project",
        """\
max_no_progress: 2
retry: {max_wait: soon, max_tries: 0}
max_no_progress: 3
hooks:
  a: {timeout: 5}
  b: {command: x, retires: 1, timeout: 0, when: [x]}
  c: {command: [], failures: {regex: "*"}}
defaults: {post_hooks: [d]}
git: {commit: always}
""",
    )
    told = world.mistakes({"AGENT_RUNNER_LEDGER": "1"}, max_output_tokens=0)
    assert [one.partition(" (")[0] for one in told] == [
        '~/.agent-runner/config.yml:1:1: the configuration has no key "provder"',
        '~/.agent-runner/config.yml:2:18: max_no_progress must be a whole number, not the text "x"',
        'agent-runner.yml:2:19: retry.max_wait must be a duration, not the text "soon"',
        "agent-runner.yml:2:36: retry.max_tries must be at least 1, not 0",
        'agent-runner.yml:3:1: the key "max_no_progress" is given twice',
        'agent-runner.yml:5:3: the hook "a" has no command',
        'agent-runner.yml:6:19: hooks.b has no key "retires"',
        "agent-runner.yml:6:40: hooks.b.timeout must be more than 0",
        "agent-runner.yml:6:49: hooks.b.when must be a mapping",
        "agent-runner.yml:7:16: hooks.c.command must not be empty",
        "agent-runner.yml:7:38: this is not a regular expression: nothing to repeat at position 0",
        'agent-runner.yml:8:25: there is no hook "d"',
        'agent-runner.yml:9:15: git.commit must be off, task or attempt, not the text "always"',
        'variable AGENT_RUNNER_LEDGER: ledger must be true or false, not the number "1"',
        "flag max_output_tokens: max_output_tokens must be at least 1, not 0",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("provider: clod", '1:11: there is no provider "clod" (did you mean'),
        ("rate_limits: {opnai: {}}", '1:15: there is no provider "opnai" (did you mean openai?)'),
        (
            "providers: {a: {protocol: chta}}",
            '1:27: there is no protocol "chta" (did you mean chat',
        ),
        (
            "providers: {claude: {fallback: [opnai]}}",
            '1:33: there is no provider "opnai" (did you mean openai?)',
        ),
        (
            "providers: {mine: {fallback: [claude, mine]}}",
            '1:39: "mine" cannot be its own fallback (name another)',
        ),
        ("providers: {mine: {fallback: claude}}", "1:30: providers.mine.fallback must be a list"),
        ("rate_limits: {claude: {max_tokens_hour: 0}}", "1:41: rate_limits.claude.max_tokens_hour"),
        ("budget: {max_cost_run: 0}", "1:24: budget.max_cost_run must be more than 0 (write null"),
        ("prices: {m: {input: -1}}", "1:21: prices.m.input must not be negative"),
        ("prices: {m: {cached: -1}}", "1:22: prices.m.cached must not be negative"),
        ("budget: {max_cost_run: 1e308}", "1:24: budget.max_cost_run must not be more than 1e+15"),
        ("prices: {m: {input: .inf}}", "1:21: prices.m.input must be a number"),
        ("limits: {week_starts: someday}", "1:23: limits.week_starts is not a weekday and time"),
        ("limits: {week_starts: monday 24:00}", "1:23: limits.week_starts is not a weekday"),
        ("limits: {timezone: Europe/Berln}", "1:20: there is no time zone"),
        ("limits: {timezone: ../etc}", "1:20: there is no time zone"),
        ("limits: {window: weekly}", "1:18: limits.window must be calendar or rolling"),
        ("template: nope.md", "1:11: the template nope.md does not exist, or is not a file"),
        ("apply: {commands: allow}", "1:19: apply.commands is allow, but no command is listed"),
        ("apply: {commands: {alow: [x]}}", "1:19: apply.commands must be never, ask or allow"),
        ("apply: {commands: {allow: x}}", "1:19: apply.commands must be never, ask or allow"),
        ("apply: {commands: {allow: [x]}, allow: [y]}", "1:33: the allowed commands are listed"),
        ("test_command: a\nhooks: {test: b}", "1:1: test_command defines the hook test, but"),
        ("max_attempts_per_task: 16_000", "1:24: max_attempts_per_task must be a whole number"),
        ("max_attempts_per_task: true", "1:24: max_attempts_per_task must be a whole number"),
        ("max_attempts_per_task: null", "1:24: max_attempts_per_task must be a whole number"),
        ("stop_on_first_failure: yes", "1:24: stop_on_first_failure must be true or false"),
        ("model: 4", '1:8: model must be text, not the number "4" (put it in quotes: "4")'),
        ("model: ''", "1:8: model must not be empty"),
        ("defaults: {post_hooks: lint}", "1:24: defaults.post_hooks must be a list"),
        ("hooks: {a: {command: x, env: {A: null}}}", "1:34: hooks.a.env.A must be text"),
        ("hooks: [a]", "1:8: hooks must be a mapping"),
        ("hooks: {a: 5}", "1:12: hooks.a.command must be text"),
        ("hooks: {'': x}", '1:9: hooks cannot have the name ""'),
        ("[a]", "1:1: a configuration must be a mapping"),
        ("a: [", "2:1: this is not valid YAML"),
    ],
)
def test_what_is_refused(world: Any, text: str, told: str) -> None:
    world.write("project", text + "\n")
    (one,) = world.mistakes()
    assert one.startswith(f"agent-runner.yml:{told}")


@pytest.mark.parametrize(
    "text",
    [
        "provider: codex",
        "provider: replay",
        "rate_limits: {codex: {max_tokens_hour: 5}}",
        "providers: {mine: {protocol: chat}}\nprovider: mine\nrate_limits: {mine: {}}",
        "providers: {mine: {fallback: [codex, other]}, other: {fallback: [mine]}}",
        "limits: {week_starts: Sunday 6:30, timezone: America/New_York}",
        "retry: {first_wait: 0, max_wait: 0}",
        "x-mine: [1]\nmodel: a",
        "max_attempts_per_task: 3.0",
        "",
    ],
)
def test_what_is_allowed(world: Any, text: str) -> None:
    world.write("project", text + "\n")
    assert world.load().warnings == ()


def test_plugged_in_names_are_known(world: Any) -> None:
    from agent_runner.config import load_settings
    from agent_runner.model.names import KnownNames

    world.write("project", "provider: mine\nproviders: {x: {protocol: mine}}\n")
    names = KnownNames(plugged_in=lambda: ["mine"])
    loaded = load_settings(folder=world.folder, env={}, home=world.home, flags={}, names=names)
    assert loaded.settings.provider == "mine"


def git(folder: Path, *words: str) -> None:
    nobody = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    subprocess.run(["git", *words], cwd=folder, check=True, env={**os.environ, **nobody})


def test_a_key_in_a_file_that_git_tracks_is_warned_of(world: Any) -> None:
    world.write("project", "providers:\n  claude: {api_key: sk-planted-0123456789}\n")
    assert world.load().warnings == ()
    git(world.folder, "init", "-q")
    assert world.load().warnings == ()
    git(world.folder, "add", "agent-runner.yml")
    (warning,) = world.load().warnings
    assert str(warning).startswith("agent-runner.yml:2:12: git tracks this file")
    assert "planted" not in str(warning)


def test_a_survey_tells_mistakes_and_keeps_what_is_right(world: Any) -> None:
    world.write("project", "model: a\nmax_no_progress: 0\nhooks: {lint: 5}\n")
    loaded = world.survey()
    assert len(loaded.problems) == 2
    assert (loaded.settings.model, loaded.settings.max_no_progress) == ("a", 2)
    assert set(loaded.settings.hooks) == {"lint"}
