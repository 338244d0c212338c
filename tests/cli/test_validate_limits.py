"""`config validate` and `run` judge limits alike: what one calls good the other does not refuse."""

from typing import Any

import pytest

from tests.cli.scene import Scene, reply

CONFIG = "provider: replay\nproviders: {replay: {replies: ./replies}}\nledger: false\n"


def configured(scene: Scene, text: str) -> None:
    scene.write("agent-runner.yml", CONFIG + text)
    scene.tasks({"id": "T1"})
    scene.reply("T1", 1, reply(a__txt="one"))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("rate_limits: {replay: {max_cost_day: 1}}\n", "agent-runner.yml:4:38: max_cost_day"),
        ("budget:\n  max_cost_task: 2.5\n", "agent-runner.yml:5:18: max_cost_task"),
    ],
)
def test_what_run_refuses_validate_calls_a_mistake(scene: Scene, text: str, place: str) -> None:
    configured(scene, text)
    refused, judged = scene.run("run"), scene.run("config", "validate")
    assert (refused.code, judged.code) == (2, 2)
    said = f"{place} cannot be kept: no price is known for model replay"
    assert said in refused.err
    assert said in judged.err
    assert "prices:" in judged.err
    assert "--ignore-config-limits" in refused.err
    assert scene.run("run", "--ignore-config-limits").code == 0


def test_a_limit_into_which_no_call_fits_is_a_mistake(scene: Scene) -> None:
    configured(scene, "rate_limits: {replay: {max_tokens_hour: 100}}\n")
    judged = scene.run("config", "validate")
    assert judged.code == 2
    assert "agent-runner.yml:4:41: no call fits into max_tokens_hour (100 tokens)" in judged.err
    assert "1 mistake" in judged.err
    assert scene.run("run").code == 1
    assert scene.states() == {"T1": "escalated"}


def test_a_limit_that_is_never_reached_is_mentioned_once_by_both(scene: Scene) -> None:
    configured(scene, "rate_limits: {replay: {max_requests_hour: 9, max_requests_week: 5}}\n")
    said = "agent-runner.yml:4:43: max_requests_hour (9 calls) can never be reached"
    for words in (("config", "validate"), ("run",)):
        ended = scene.run(*words)
        assert ended.code == 0
        assert (ended.out + ended.err).count("can never be reached") == 1
        assert said in ended.out + ended.err


@pytest.mark.parametrize(
    ("text", "env"),
    [
        ("rate_limits: {codex: {max_tokens_hour: 9}}\n", {}),
        ("rate_limits: {openai: {max_cost_hour: 9}}\n", {}),
        ("budget: {max_cost_run: 5}\nprices: {replay: {input: 3.0, output: 15.0}}\n", {}),
    ],
)
def test_who_is_not_asked_may_have_any_limits(scene: Scene, text: str, env: dict[str, Any]) -> None:
    configured(scene, text)
    scene.env = env
    assert scene.run("config", "validate").code == 0


def test_a_limit_under_another_name_of_a_provider_is_found_where_it_stands(scene: Scene) -> None:
    scene.write("agent-runner.yml", "provider: openai\nrate_limits: {codex: {max_tokens_day: 9}}\n")
    ended = scene.run("config", "validate")
    assert ended.code == 2
    assert "agent-runner.yml:2:39: no call fits into max_tokens_day (9 tokens)" in ended.err


def test_without_a_chosen_provider_whoever_has_limits_is_judged(scene: Scene) -> None:
    scene.write(
        "agent-runner.yml",
        "rate_limits: {claude: {max_cost_day: 1}}\nproviders: {claude: {model: claude-of-2031}}\n",
    )
    ended = scene.run("config", "validate")
    assert ended.code == 2
    assert "no price is known for model claude-of-2031" in ended.err
