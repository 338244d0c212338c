"""From names, settings and environment to a profile, and every mistake found on the way."""

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from agent_runner.model.errors import UsageError
from agent_runner.model.settings import (
    CachedTokens,
    EditFormat,
    LimitSettings,
    ProviderSettings,
    Settings,
    ToolUse,
)
from agent_runner.providers.catalogue import READY_MADE, is_trained_on_patches, openai_protocol
from agent_runner.providers.keys import key_variables, known_keys
from agent_runner.providers.listing import chosen, rows
from agent_runner.providers.offers import with_cached_tokens
from agent_runner.providers.profiles import Profile, fallbacks, outline, resolve

ENV = {"ANTHROPIC_API_KEY": "sk-ant-11111111", "OPENAI_API_KEY": "sk-22222222"}


def settings_of(name: str = "", run: dict[str, Any] | None = None, **own: Any) -> Settings:
    providers = {name: ProviderSettings(**own)} if name else {}
    return Settings(providers=providers, **(run or {}))


def resolved(name: str, model: str | None = None, **own: Any) -> Profile:
    return resolve(name, settings_of(name, **own), ENV, model=model)


def trouble(name: str, env: dict[str, str] | None = None, **own: Any) -> str:
    given = settings_of(name, **own) if own else Settings()
    with pytest.raises(UsageError) as caught:
        resolve(name, given, ENV if env is None else env)
    assert caught.value.fix
    return f"{caught.value} / {caught.value.fix}"


def test_claude_needs_nothing_but_its_key() -> None:
    profile = resolve("claude", Settings(), ENV)
    assert (profile.protocol, profile.model) == ("anthropic", "claude-sonnet-5-5")
    assert profile.base_url == "https://api.anthropic.com"
    assert profile.key.header() == ("x-api-key", "sk-ant-11111111")


@pytest.mark.parametrize("name", ["openai", "codex"])
def test_openai_and_its_alias(name: str) -> None:
    profile = resolve(name, Settings(), ENV)
    assert (profile.name, profile.protocol) == ("openai", "responses")
    assert profile.cap == "max_completion_tokens"
    assert profile.key.header() == ("authorization", "Bearer sk-22222222")


def test_an_alias_that_is_configured_keeps_its_name_and_its_own_settings() -> None:
    profile = resolved("codex", model="gpt-5.3-codex")
    assert (profile.name, profile.model) == ("codex", "gpt-5.3-codex")
    assert profile.base_url == "https://api.openai.com/v1"


@pytest.mark.parametrize(
    ("name", "protocol", "base_url", "cap", "key_needed"),
    [
        ("ollama", "chat", "http://localhost:11434/v1", "max_tokens", False),
        ("vllm", "chat", "http://localhost:8000/v1", "max_tokens", False),
        ("openrouter", "chat", "https://openrouter.ai/api/v1", "max_tokens", True),
        ("lmstudio", "chat", "http://localhost:1234/v1", "max_tokens", False),
        ("llamacpp", "chat", "http://localhost:8080/v1", "max_tokens", False),
    ],
)
def test_ready_made_entries(
    name: str, protocol: str, base_url: str, cap: str, key_needed: bool
) -> None:
    profile = outline(name, settings_of(name, model="m"), {})
    assert (profile.protocol, profile.base_url, profile.cap) == (protocol, base_url, cap)
    assert profile.key.needed is key_needed


def test_llamacpp_needs_no_model() -> None:
    assert resolve("llamacpp", Settings(), {}).model == "default"


def test_azure_takes_its_address_and_key_from_its_own_variables() -> None:
    env = {
        "AZURE_OPENAI_ENDPOINT": "https://mine.openai.azure.com/",
        "AZURE_OPENAI_API_KEY": "azure-key-1",
    }
    profile = resolve("azure", settings_of("azure", model="my-deployment"), env)
    assert profile.base_url == "https://mine.openai.azure.com/openai/v1"
    assert profile.protocol == "responses"
    assert profile.key.header() == ("api-key", "azure-key-1")
    del env["AZURE_OPENAI_API_KEY"]
    env["AZURE_OPENAI_AD_TOKEN"] = "token-1"
    profile = resolve("azure", settings_of("azure", model="my-deployment"), env)
    assert profile.key.header() == ("authorization", "Bearer token-1")


@pytest.mark.parametrize(
    ("model", "protocol"),
    [
        ("gpt-6.1-sol", "responses"),
        ("gpt-5.3-codex", "responses"),
        ("o3-pro", "responses"),
        ("gpt-4o-search-preview", "chat"),
        ("gpt-3.5-turbo", "chat"),
        ("a-model-of-next-year", "responses"),
    ],
)
def test_the_model_decides_the_protocol_at_openai(model: str, protocol: str) -> None:
    assert openai_protocol(model) == protocol
    assert resolved("openai", model).protocol == protocol


@pytest.mark.parametrize(
    "model",
    ["gpt-5.3-codex", "gpt-5.1-codex-max", "gpt-5.5-pro", "o3-pro", "o4-mini-deep-research"],
)
def test_a_model_that_only_knows_responses_is_not_sent_to_chat(model: str) -> None:
    assert "set it to responses" in trouble("openai", protocol="chat", model=model)


def test_a_gateway_behind_the_vendors_variable_is_asked_through_chat() -> None:
    env = {**ENV, "OPENAI_BASE_URL": "http://localhost:4000/v1/"}
    profile = resolve("openai", Settings(), env, model="qwen3-coder")
    assert (profile.protocol, profile.cap) == ("chat", "max_tokens")
    assert profile.base_url == "http://localhost:4000/v1"
    assert resolve("openai", Settings(), env, model="gpt-5.3-codex").protocol == "responses"


def test_a_region_is_the_vendor_itself() -> None:
    profile = resolved("openai", base_url="https://eu.api.openai.com/v1")
    assert (profile.official, profile.protocol) == (True, "responses")


def test_the_settings_win_over_the_environment() -> None:
    env = {**ENV, "ANTHROPIC_BASE_URL": "http://elsewhere"}
    given = settings_of("claude", base_url="http://gateway/anthropic/", api_key_env="MINE")
    profile = resolve("claude", given, {**env, "MINE": "my-own-key-1"})
    assert profile.base_url == "http://gateway/anthropic"
    assert profile.key.header() == ("x-api-key", "my-own-key-1")
    assert resolve("claude", Settings(), env).base_url == "http://elsewhere"


@pytest.mark.parametrize("base", ["http://h/v1", "http://h/v1/", "http://h"])
def test_the_anthropic_address_has_no_v1(base: str) -> None:
    assert resolved("claude", base_url=base).base_url == "http://h"


def test_tokens_of_a_subscription_go_into_the_bearer_header() -> None:
    env = {"ANTHROPIC_AUTH_TOKEN": "gateway-token"}
    assert resolve("claude", Settings(), env).key.header() == (
        "authorization",
        "Bearer gateway-token",
    )
    env = {"ANTHROPIC_API_KEY": "sk-ant-oat01-abc"}
    assert resolve("claude", Settings(), env).key.header() == (
        "authorization",
        "Bearer sk-ant-oat01-abc",
    )


def test_the_way_a_key_is_sent_can_be_set() -> None:
    profile = resolved("claude", auth="bearer")
    assert profile.key.header() == ("authorization", "Bearer sk-ant-11111111")
    assert "x-api-key" in trouble("claude", auth="basic")


def test_a_key_in_the_users_own_headers_is_the_only_one() -> None:
    profile = resolved("claude", headers={"Authorization": "Bearer mine"})
    assert profile.key.header() is None
    assert profile.key.origin == "headers"


def test_the_vendors_header_variables() -> None:
    env = {
        **ENV,
        "OPENAI_ORG_ID": "org-1",
        "OPENAI_CUSTOM_HEADERS": "X-One: 1\nbroken\nX-Two: a: b",
    }
    assert resolve("openai", Settings(), env).headers == {
        "OpenAI-Organization": "org-1",
        "X-One": "1",
        "X-Two": "a: b",
    }


def test_no_vendors_key_goes_to_an_address_of_ones_own() -> None:
    for protocol in ("anthropic", "chat", "responses"):
        profile = resolved("mine", protocol=protocol, base_url="http://h/v1", model="m")
        assert profile.key.header() is None


def test_a_provider_of_ones_own_at_the_vendors_address_has_the_vendors_key() -> None:
    assert resolved("work", protocol="anthropic").key.header() == ("x-api-key", "sk-ant-11111111")


def test_a_provider_of_ones_own_speaks_chat_unless_told() -> None:
    assert resolved("local", base_url="http://h/v1", model="m").protocol == "chat"


def test_the_model_of_the_run_is_for_the_runs_provider_alone() -> None:
    given = settings_of(run={"provider": "codex", "model": "gpt-5.5"})
    assert resolve("openai", given, ENV).model == "gpt-5.5"
    assert resolve("claude", given, ENV).model == "claude-sonnet-5-5"
    assert resolve("openai", given, ENV, model="gpt-5.4").model == "gpt-5.4"


@pytest.mark.parametrize(
    ("name", "env", "own", "words"),
    [
        ("cluade", None, {}, 'did you mean "claude"'),
        ("nobody", None, {}, "Known: "),
        ("claude", {}, {}, "export ANTHROPIC_API_KEY="),
        ("claude", {}, {}, "looked for ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN"),
        ("claude", {"ANTHROPIC_API_KEY": " "}, {}, "looked for ANTHROPIC_API_KEY"),
        ("openai", {}, {}, "export OPENAI_API_KEY="),
        ("mine", {}, {"base_url": "http://h", "model": "m", "api_key_env": "MINE"}, "MINE"),
        ("mine", None, {"protocol": "chta"}, 'did you mean "chat"'),
        ("mine", None, {"protocol": "chat", "model": "m"}, "no address"),
        ("azure", None, {"model": "m"}, "AZURE_OPENAI_ENDPOINT"),
        ("ollama", None, {}, "has no model"),
        ("replay", None, {}, "replies"),
        ("claude", None, {"background": True}, "protocol responses"),
        ("claude", None, {"model": "gpt-5.5"}, "does not serve"),
        ("claude", None, {"model": "cluade-sonnet-5-5"}, 'did you mean "claude-sonnet-5-5"'),
        ("openai", None, {"model": "claude-opus-5"}, "--provider claude"),
        ("openai", None, {"base_url": "https://api.openai.com"}, "https://api.openai.com/v1"),
        ("openai", None, {"base_url": "localhost:8000/v1"}, "did you mean https://localhost:8000"),
        ("openai", None, {"base_url": "http:///v1"}, "not an http(s) address"),
        ("openai", None, {"base_url": "http://h:99999/v1"}, "not an address"),
        ("openai", None, {"base_url": "ftp://h/v1"}, "not an http(s) address"),
        ("openai", None, {"base_url": "http://h/v1/chat/completions"}, "set it to http://h/v1"),
        ("claude", None, {"base_url": "http://h/v1/messages"}, "set it to http://h"),
        ("openai", None, {"base_url": "http://h/v1?api-version=1"}, "api-version"),
        ("openai", None, {"base_url": "http://h h/v1"}, "spaces"),
    ],
)
def test_mistakes(name: str, env: dict[str, str] | None, own: dict[str, Any], words: str) -> None:
    assert words in trouble(name, env, **own)


def test_a_key_inside_an_address_is_refused_without_showing_it() -> None:
    told = trouble("openai", base_url="http://user:sk-secret-1@h/v1")
    assert "api_key_env" in told
    assert "sk-secret-1" not in told


@pytest.mark.parametrize("key", ["sk-grün-1234", "sk-a b-123456", "sk-a\nb-123456"])
def test_a_key_that_no_header_carries_is_refused_without_showing_it(key: str) -> None:
    profile = resolve("claude", Settings(), {"ANTHROPIC_API_KEY": key})
    with pytest.raises(UsageError) as caught:
        profile.key.header()
    assert "ANTHROPIC_API_KEY" in str(caught.value)
    assert key not in str(caught.value)


def test_a_key_is_read_at_the_moment_of_use() -> None:
    env = dict(ENV)
    profile = resolve("claude", Settings(), env)
    env["ANTHROPIC_API_KEY"] = " sk-ant-newer-key \n"
    assert profile.key.header() == ("x-api-key", "sk-ant-newer-key")


def test_nothing_that_is_shown_holds_a_key() -> None:
    given = settings_of(
        "mine",
        base_url="http://h/v1",
        model="m",
        api_key="sk-planted-1234",
        headers={"authorization": "Bearer sk-planted-5678"},
    )
    profile = resolve("mine", given, ENV)
    shown = repr(profile) + str(profile) + repr(profile.key) + repr(rows(given, ENV))
    for key in known_keys(given, ENV):
        assert key not in shown


def test_every_variable_with_a_key_is_named_for_the_hooks() -> None:
    given = settings_of("mine", base_url="http://h/v1", model="m", api_key_env="MY_SERVERS_KEY")
    variables = key_variables(given)
    assert {"ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "MY_SERVERS_KEY"} <= (
        variables
    )
    assert all(v.name in variables for entry in READY_MADE.values() for v in entry.keys)


def test_every_key_is_known_to_the_redactor() -> None:
    given = settings_of(
        "mine", api_key="in-settings-1", api_key_env="MINE", headers={"x-api-key": "in-headers-1"}
    )
    env = {**ENV, "MINE": "named-1", "ANTHROPIC_CUSTOM_HEADERS": "Authorization: Bearer custom-1"}
    assert {"in-settings-1", "in-headers-1", "named-1", "custom-1", *ENV.values()} <= (
        known_keys(given, env)
    )


@pytest.mark.parametrize(
    ("run", "env", "name", "why"),
    [
        ({"provider": "codex"}, {}, "openai", "says so"),
        ({"providers": {"local": ProviderSettings()}}, ENV, "local", "only one configured"),
        ({}, {"OPENAI_API_KEY": "k-12345678"}, "openai", "OPENAI_API_KEY"),
        (
            {"providers": {"claude": ProviderSettings(), "openai": ProviderSettings()}},
            {"ANTHROPIC_AUTH_TOKEN": "k-12345678"},
            "claude",
            "ANTHROPIC_AUTH_TOKEN",
        ),
    ],
)
def test_who_is_asked_and_why(
    run: dict[str, Any], env: dict[str, str], name: str, why: str
) -> None:
    choice = chosen(Settings(**run), env)
    assert choice.name == name
    assert why in choice.why


@pytest.mark.parametrize("env", [{}, ENV])
def test_nobody_is_asked_by_chance(env: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(Settings(), env)
    assert "--provider" in caught.value.fix


def test_the_listing_tells_who_is_ready_and_what_is_wrong(tmp_path: Path) -> None:
    given = Settings(
        provider="claude",
        providers={
            "claude": ProviderSettings(model="claude-opus-5"),
            "local": ProviderSettings(base_url="not-an-address", model="m"),
            "replay": ProviderSettings(replies=tmp_path),
        },
    )
    told = {row.name: row for row in rows(given, {"OPENAI_API_KEY": "k-12345678"})}
    assert list(told) == ["claude", "local", "replay", "openai"]
    assert told["claude"].chosen
    assert not told["claude"].ready
    assert "ANTHROPIC_API_KEY" in told["claude"].trouble
    assert "base_url" in told["local"].trouble
    assert told["replay"].ready
    assert (told["openai"].ready, told["openai"].key) == (True, "OPENAI_API_KEY")


def test_fallbacks_go_by_their_one_names_and_are_listed() -> None:
    given = Settings(
        provider="claude", providers={"claude": ProviderSettings(fallback=("codex", "ollama"))}
    )
    assert fallbacks("claude", given) == ("openai", "ollama")
    assert fallbacks("openai", given) == ()
    told = {row.name: row for row in rows(given, {"ANTHROPIC_API_KEY": "k-12345678"})}
    assert list(told) == ["claude", "openai", "ollama"]
    assert told["claude"].fallback == ("openai", "ollama")
    assert "OPENAI_API_KEY" in told["openai"].trouble


def test_no_provider_is_its_own_fallback_by_another_name() -> None:
    given = Settings(providers={"openai": ProviderSettings(fallback=("codex",))})
    with pytest.raises(UsageError, match="its own fallback"):
        fallbacks("openai", given)
    (row,) = rows(given, {"OPENAI_API_KEY": "k-12345678"})
    assert "its own fallback" in row.trouble


@pytest.mark.parametrize(
    ("name", "own", "tools", "edits", "custom"),
    [
        ("claude", {}, ToolUse.NATIVE, EditFormat.REPLACE, False),
        ("openai", {}, ToolUse.NATIVE, EditFormat.PATCH, True),
        ("openai", {"model": "gpt-5.3-codex"}, ToolUse.NATIVE, EditFormat.PATCH, True),
        ("openai", {"model": "gpt-4.1"}, ToolUse.NATIVE, EditFormat.PATCH, False),
        ("openai", {"protocol": "chat", "model": "gpt-5"}, ToolUse.NATIVE, EditFormat.PATCH, False),
        ("openrouter", {"model": "openai/gpt-5.2"}, ToolUse.NATIVE, EditFormat.PATCH, False),
        ("openrouter", {"model": "z-ai/glm-5"}, ToolUse.NATIVE, EditFormat.REPLACE, False),
        ("ollama", {"model": "gpt-oss:20b"}, ToolUse.NATIVE, EditFormat.WHOLE, False),
        ("vllm", {"model": "m"}, ToolUse.NATIVE, EditFormat.WHOLE, False),
        ("claude", {"tools": ToolUse.OFF}, ToolUse.OFF, EditFormat.BLOCKS, False),
        ("openai", {"tools": ToolUse.TEXT}, ToolUse.TEXT, EditFormat.BLOCKS, False),
        ("llamacpp", {"tools": ToolUse.TEXT}, ToolUse.TEXT, EditFormat.WHOLE, False),
        ("llamacpp", {"edit_format": EditFormat.PATCH}, ToolUse.NATIVE, EditFormat.PATCH, False),
        ("mine", {"base_url": "http://localhost:9/v1", "model": "m"}, "native", "replace", False),
        ("replay", {"replies": Path()}, ToolUse.TEXT, EditFormat.BLOCKS, False),
        ("replay", {"replies": Path(), "tools": ToolUse.NATIVE}, "native", "replace", False),
    ],
)
def test_what_is_offered_follows_from_protocol_entry_and_family(
    name: str, own: dict[str, Any], tools: ToolUse, edits: EditFormat, custom: bool
) -> None:
    profile = outline(name, settings_of(name, **own), ENV)
    assert (profile.tools, profile.edit_format, profile.custom_tools) == (tools, edits, custom)
    assert profile.offers_tools is (tools == ToolUse.NATIVE)


@pytest.mark.parametrize(
    ("model", "patches"),
    [
        ("gpt-6.1-sol", True),
        ("openai/gpt-5.2-codex", True),
        ("codex-mini-latest", True),
        ("o3", True),
        ("o4-mini", True),
        ("claude-opus-5", False),
        ("qwen3-coder", False),
        ("olmo-2", False),
        ("mygpt-4", False),
    ],
)
def test_families_trained_on_patches(model: str, patches: bool) -> None:
    assert is_trained_on_patches(model) is patches


@pytest.mark.parametrize(
    ("name", "own", "limits", "expected"),
    [
        ("claude", None, LimitSettings(), "free"),
        ("claude", None, LimitSettings(cached_tokens=CachedTokens.COUNT), "count"),
        ("anthropic", ProviderSettings(model="m"), LimitSettings(), "free"),
        ("openai", None, LimitSettings(), "count"),
        ("openai", None, LimitSettings(cached_tokens=CachedTokens.FREE), "free"),
        ("mine", ProviderSettings(protocol="anthropic"), LimitSettings(), "free"),
        ("mine", ProviderSettings(base_url="http://h/v1"), LimitSettings(), "count"),
    ],
)
def test_cached_tokens_count_as_the_vendor_has_it(
    name: str, own: ProviderSettings | None, limits: LimitSettings, expected: str
) -> None:
    group = {"a": LimitSettings(), "b": LimitSettings(cached_tokens=CachedTokens.COUNT)}
    given = Settings(providers={name: own} if own else {})
    known = with_cached_tokens(evolve(limits, models=group), name, given)
    assert known.cached_tokens == expected
    assert [one.cached_tokens for one in known.models.values()] == [expected, "count"]


def test_the_listing_says_what_auto_comes_to() -> None:
    by_name = {row.name: row for row in rows(settings_of("llamacpp"), ENV)}
    assert (by_name["claude"].tools, by_name["claude"].edit_format) == ("native", "replace")
    assert (by_name["openai"].tools, by_name["openai"].edit_format) == ("native", "patch")
    assert (by_name["llamacpp"].tools, by_name["llamacpp"].edit_format) == ("native", "whole")
