"""What each command's output means: counts, session, denials, and how its call ended."""

import json
from typing import Any

import pytest

from agent_runner.model.agent import Finish
from agent_runner.model.errors import (
    AuthError,
    BudgetError,
    FatalError,
    ProviderError,
    RateLimitedError,
    TransientError,
    UnknownOutcomeError,
)
from agent_runner.model.usage import Usage
from agent_runner.providers.commands.free_form import free_form
from agent_runner.providers.commands.preset import Preset
from agent_runner.providers.commands.presets import PRESETS
from agent_runner.providers.commands.reader import SessionLostError
from tests.providers.commands import lines as a
from tests.providers.commands.lines import NOW, concluded, read

CLAUDE, CODEX, GEMINI = PRESETS["claude-code"], PRESETS["codex-cli"], PRESETS["gemini-cli"]
OPENCODE, AIDER = PRESETS["opencode"], PRESETS["aider"]


class TestClaudeCode:
    def test_the_whole_calls_counts_are_those_by_model(self) -> None:
        reader = CLAUDE.reader()
        said = read(
            reader,
            a.claude_init(),
            a.claude_tool("Write", {"file_path": "/c/src/a.py"}),
            a.claude_tool("Bash", {"command": "pytest -q"}, "m2"),
            a.claude_result(),
        )
        answer = concluded(reader, changed=("src/a.py",))
        assert said == ["writing src/a.py", "running pytest -q"]
        assert answer.usage == Usage(3100, 80, 600, 100)
        assert answer.usage.total == 3180
        assert answer.cost == 0.25
        assert (answer.text, answer.service) == ("Done.", {"session": "s1"})

    def test_what_it_used_until_now_is_known_on_the_way(self) -> None:
        reader = CLAUDE.reader()
        tool = a.claude_tool("Read", {"file_path": "/c/a"})
        read(reader, tool, tool, a.claude_tool("Read", {"file_path": "/c/b"}, "m2"))
        assert reader.usage.total == 2 * 121
        assert reader.usage.at_least

    def test_after_a_cut_stream_its_counts_are_a_least(self) -> None:
        reader = CLAUDE.reader()
        read(reader, a.claude_result(usage={"input_tokens": 0, "output_tokens": 0}))
        assert concluded(reader, changed=("a",)).usage.at_least

    @pytest.mark.parametrize(("kind", "name"), [("five_hour", "5h"), ("seven_day", "7d")])
    def test_a_limit_names_its_window_and_its_reset(self, kind: str, name: str) -> None:
        reader = CLAUDE.reader()
        failed = {"type": "assistant", "error": "rate_limit", "message": {"content": []}}
        read(
            reader,
            a.claude_limit(kind, NOW + 9000),
            failed,
            a.claude_result(is_error=True, result="You've hit your limit", api_error_status=429),
        )
        with pytest.raises(RateLimitedError) as caught:
            concluded(reader, 1, changed=("half.py",))
        assert caught.value.retry_after == 9000
        (limit,) = caught.value.limits
        assert (limit.name, limit.resets_at, limit.is_spent) == (name, NOW + 9000, True)
        assert limit.read_at == NOW
        assert caught.value.usage is not None
        assert caught.value.cost == 0.25

    def test_a_warning_of_a_limit_is_no_failure(self) -> None:
        reader = CLAUDE.reader()
        read(reader, a.claude_limit("five_hour", NOW + 9, "allowed_warning"), a.claude_result())
        answer = concluded(reader, changed=("a",))
        assert not answer.limits[0].is_spent

    @pytest.mark.parametrize(
        ("kind", "words", "error"),
        [
            ("authentication_failed", "Not logged in · Please run /login", AuthError),
            ("billing_error", "Credit balance is too low", BudgetError),
            ("server_error", "API Error: 529 Overloaded", TransientError),
            ("model_not_found", "There is no such model", FatalError),
            ("unknown", "You have reached your specified API usage limits.", BudgetError),
            ("rate_limit", "API Error: Request rejected (429)", RateLimitedError),
        ],
    )
    def test_a_failure_is_what_it_says(
        self, kind: str, words: str, error: type[ProviderError]
    ) -> None:
        reader = CLAUDE.reader()
        failed = {"type": "assistant", "error": kind, "message": {"content": []}}
        read(reader, failed, a.claude_result(is_error=True, result=words, modelUsage={}))
        with pytest.raises(error) as caught:
            concluded(reader, 1)
        assert "Claude Code" in str(caught.value)

    def test_denials_are_told_and_no_failure(self) -> None:
        reader = CLAUDE.reader()
        denial = {"tool_name": "Bash", "tool_input": {"command": "curl x"}}
        read(reader, a.claude_init(), a.claude_result(permission_denials=[denial, denial]))
        answer = concluded(reader, changed=("a",))
        assert answer.notes == ("Claude Code was not allowed: running curl x",)

    def test_a_session_that_is_not_known_is_lost(self) -> None:
        reader = CLAUDE.reader()
        lost = {"subtype": "error_during_execution", "is_error": True, "result": ""}
        read(reader, a.claude_result(errors=["No conversation found with session ID: x"], **lost))
        with pytest.raises(SessionLostError):
            concluded(reader, 1)

    def test_a_turn_limit_is_an_answer_cut_off(self) -> None:
        reader = CLAUDE.reader()
        read(reader, a.claude_result(subtype="error_max_turns", is_error=True, errors=["turns"]))
        assert concluded(reader, 1).finish is Finish.TRUNCATED

    def test_an_error_in_place_of_an_answer_is_none(self) -> None:
        """As programs do that speak its events."""
        reader = CLAUDE.reader()
        read(reader, a.claude_result(result="[API Error: 401 invalid key]"))
        with pytest.raises(AuthError):
            concluded(reader)

    def test_a_flag_that_it_does_not_know_is_told(self) -> None:
        with pytest.raises(FatalError, match="unknown option"):
            concluded(CLAUDE.reader(), 1, errors="error: unknown option '--x'")


class TestCodex:
    def test_its_own_log_has_the_counts_of_this_call(self) -> None:
        reader = CODEX.reader()
        change = {"type": "file_change", "changes": [{"path": "/c/a.py", "kind": "add"}]}
        command = {"type": "command_execution", "command": "/bin/bash -lc pytest"}
        said = read(
            reader,
            {"type": "thread.started", "thread_id": "t1"},
            {"type": "item.started", "item": change},
            {"type": "item.started", "item": command},
            {"type": "item.completed", "item": {"type": "agent_message", "text": "Done."}},
            {"type": "turn.completed", "usage": {"input_tokens": 9999, "output_tokens": 999}},
        )
        answer = concluded(reader, changed=("a.py",), beside=2 * a.codex_counts())
        assert said == ["editing a.py", "running pytest"]
        assert (answer.usage, answer.text) == (Usage(2400, 80, 600), "Done.")
        assert answer.service == {"session": "t1"}
        assert [limit.name for limit in answer.limits] == ["5h", "7d"]

    def test_without_its_log_the_threads_counts_stand_in(self) -> None:
        reader = CODEX.reader()
        read(reader, {"type": "turn.completed", "usage": {"input_tokens": 10, "output_tokens": 2}})
        assert concluded(reader).usage == Usage(10, 2)

    def test_a_limit_resets_as_its_log_says(self) -> None:
        reader = CODEX.reader()
        read(reader, *a.codex_failed("You\u2019ve hit your usage limit. Try again at 2:45 PM."))
        with pytest.raises(RateLimitedError) as caught:
            concluded(reader, 1, beside=a.codex_counts(100.0, NOW + 7200))
        assert caught.value.retry_after == 7200
        assert [limit.name for limit in caught.value.limits if limit.is_spent] == ["5h"]

    @pytest.mark.parametrize(
        ("words", "error"),
        [
            ("You\u2019ve hit your usage limit. try again at 1:06 PM.", RateLimitedError),
            ("To use Codex with your ChatGPT plan, upgrade to Plus: x", BudgetError),
            ("Quota exceeded. Check your plan and billing details.", BudgetError),
            ("exceeded retry limit, last status: 429 Too Many Requests", RateLimitedError),
            ("unexpected status 401 Unauthorized: Incorrect API key", AuthError),
            ("Selected model is at capacity. Please try a different model.", TransientError),
            ("We\u2019re currently experiencing high demand", TransientError),
            ("stream disconnected before completion: x", UnknownOutcomeError),
            ("Missing environment variable: `X`.", AuthError),
            ("The model does not exist", FatalError),
        ],
    )
    def test_a_failure_is_what_it_says(self, words: str, error: type[ProviderError]) -> None:
        reader = CODEX.reader()
        read(reader, *a.codex_failed(words))
        with pytest.raises(error) as caught:
            concluded(reader, 1)
        if "1:06 PM" in words:
            assert isinstance(caught.value, RateLimitedError)
            assert caught.value.retry_after == 7160

    def test_reconnecting_is_no_end(self) -> None:
        reader = CODEX.reader()
        again = {"type": "error", "message": "Reconnecting... 1/5 (x)"}
        said = read(reader, again, {"type": "turn.completed", "usage": {"input_tokens": 1}})
        assert said == ["waiting to ask again (Reconnecting... 1/5 (x))"]
        assert concluded(reader).finish is Finish.COMPLETE

    def test_a_session_that_is_not_known_is_lost(self) -> None:
        with pytest.raises(SessionLostError):
            concluded(CODEX.reader(), 1, errors="Error: no rollout found for thread id x")


class TestOpencode:
    def test_its_steps_are_added_up(self) -> None:
        reader = OPENCODE.reader()
        said = read(
            reader,
            a.opencode_tool("write", {"filePath": "/c/a.py"}),
            a.opencode_step("tool-calls"),
            {"type": "text", "sessionID": "ses_1", "part": {"text": "Done."}},
            a.opencode_step("stop"),
        )
        answer = concluded(reader, changed=("a.py",))
        assert said == ["writing a.py"]
        assert answer.usage == Usage(3100, 94, 600, 100, 14)
        assert (answer.cost, answer.text) == (1.0, "Done.")

    def test_silence_is_a_limit(self) -> None:
        with pytest.raises(RateLimitedError) as caught:
            concluded(OPENCODE.reader(), None, silent=600.0)
        assert not caught.value.again

    def test_answers_cut_short_again_and_again_are_stopped(self) -> None:
        reader = OPENCODE.reader()
        read(reader, a.opencode_step("unknown"))
        assert not reader.wants_stop
        read(reader, a.opencode_step("unknown"))
        assert reader.wants_stop
        with pytest.raises(UnknownOutcomeError):
            concluded(reader, None)
        assert reader.usage.at_least

    def test_a_question_that_ends_it_is_a_denial(self) -> None:
        reader = OPENCODE.reader()
        words = "The user rejected permission to use this specific tool call."
        read(reader, a.opencode_tool("bash", {"command": "curl x"}, words))
        read(reader, a.opencode_step("tool-calls"))
        errors = "! permission requested: bash (curl x); auto-rejecting"
        answer = concluded(reader, errors=errors)
        assert answer.notes[0] == "opencode was not allowed: running curl x"

    @pytest.mark.parametrize(
        ("status", "words", "error"),
        [
            (429, "rate limit", RateLimitedError),
            (529, "Overloaded", TransientError),
            (401, "invalid x-api-key", AuthError),
            (400, "Your credit balance is too low to access", BudgetError),
            (404, "no such model", FatalError),
        ],
    )
    def test_a_failure_has_a_status(
        self, status: int, words: str, error: type[ProviderError]
    ) -> None:
        reader = OPENCODE.reader()
        read(reader, a.opencode_error(status, words, {"Retry-After": "30"}))
        with pytest.raises(error) as caught:
            concluded(reader, 1)
        if isinstance(caught.value, RateLimitedError):
            assert caught.value.retry_after == 30


class TestGemini:
    def test_its_counts_leave_something_out(self) -> None:
        reader = GEMINI.reader()
        tool = {"tool_name": "write_file", "parameters": {"file_path": "a.py"}}
        said = read(
            reader,
            {"type": "init", "model": "g"},
            {"type": "tool_use", **tool},
            {"type": "message", "role": "assistant", "content": "Done."},
            a.gemini_result(),
        )
        answer = concluded(reader, changed=("a.py",))
        assert said == ["writing a.py"]
        assert answer.usage == Usage(2400, 80, 600, at_least=True)
        assert (answer.text, answer.service) == ("Done.", {"session": "latest"})

    @pytest.mark.parametrize(("said", "session"), [("0a1b", "0a1b"), ("", "latest"), (7, "latest")])
    def test_it_goes_on_in_the_session_that_it_named(self, said: object, session: str) -> None:
        reader = GEMINI.reader()
        read(reader, {"type": "init", "model": "g", "session_id": said}, a.gemini_result())
        assert concluded(reader).service == {"session": session}

    @pytest.mark.parametrize(
        ("code", "words", "error"),
        [
            (173, "You have exhausted your daily quota on this model.", RateLimitedError),
            (173, "You exceeded your current quota. Please retry in 2s.", RateLimitedError),
            (173, "You exceeded your current quota, check your plan and billing", BudgetError),
            (144, "API key not valid. Please pass a valid API key.", AuthError),
            (247, "The model is overloaded. Please try again later.", TransientError),
            (0, "", UnknownOutcomeError),
        ],
    )
    def test_the_exit_code_is_a_status(
        self, code: int, words: str, error: type[ProviderError]
    ) -> None:
        reader = GEMINI.reader()
        read(reader, a.gemini_result("error", f"[API Error: {words}]" if words else ""))
        with pytest.raises(error) as caught:
            concluded(reader, code)
        if "retry in 2s" in words:
            assert isinstance(caught.value, RateLimitedError)
            assert caught.value.retry_after == 2

    def test_a_daily_quota_begins_anew_at_midnight_in_california(self) -> None:
        reader = GEMINI.reader()
        read(reader, a.gemini_result("error", "You have exhausted your daily quota"))
        with pytest.raises(RateLimitedError) as caught:
            concluded(reader, 173)
        assert caught.value.retry_after == 75_200  # from 3:06:40 in the morning there

    @pytest.mark.parametrize(
        ("code", "error"), [(41, AuthError), (55, FatalError), (1, FatalError)]
    )
    def test_it_says_before_its_first_event_that_it_cannot_start(
        self, code: int, error: type[ProviderError]
    ) -> None:
        with pytest.raises(error):
            concluded(GEMINI.reader(), code, errors="Please set an Auth method")

    def test_a_refused_command_is_a_denial(self) -> None:
        reader = GEMINI.reader()
        given = {"command": "curl x"}
        read(
            reader,
            {"type": "tool_use", "tool_name": "run_shell_command", "parameters": given},
            {"type": "tool_result", "status": "error", "error": {"type": "policy_violation"}},
            a.gemini_result(),
        )
        assert concluded(reader).notes == ("Gemini CLI was not allowed: running curl x",)


class TestAider:
    COUNTED = "Tokens: 1.2k sent, 40 received. Cost: $0.00018 message, $0.00018 session."

    def test_the_log_beside_it_has_the_exact_counts(self) -> None:
        reader = AIDER.reader()
        said = read(reader, "I changed it.", self.COUNTED, "Applied edit to a.py")
        sent = {"prompt_tokens": 1234, "completion_tokens": 40, "cost": 0.5}
        log = json.dumps({"event": "message_send", "properties": sent}).encode() + b"\n"
        answer = concluded(reader, changed=("a.py",), beside=log)
        assert said == ["editing a.py"]
        assert (answer.usage, answer.cost) == (Usage(1234, 40), 0.5)
        assert answer.text == "I changed it."

    def test_without_it_the_rounded_ones_are_a_least(self) -> None:
        reader = AIDER.reader()
        read(reader, self.COUNTED)
        assert concluded(reader).usage == Usage(1200, 40, at_least=True)

    @pytest.mark.parametrize(
        ("kind", "words", "error"),
        [
            ("AuthenticationError", "Incorrect API key", AuthError),
            ("RateLimitError", "Rate limit reached. Please try again in 2s.", RateLimitedError),
            ("RateLimitError", "please check your plan and billing details.", BudgetError),
            ("ServiceUnavailableError", "Overloaded", TransientError),
            ("APIError", "peer closed connection", UnknownOutcomeError),
        ],
    )
    def test_its_words_tell_a_failure_and_not_its_exit_code(
        self, kind: str, words: str, error: type[ProviderError]
    ) -> None:
        reader = AIDER.reader()
        read(reader, f"litellm.{kind}: {kind}: OpenAIException - {words}", "Retrying in 0.2 s")
        with pytest.raises(error):
            concluded(reader, 0, changed=("half.py",))

    def test_a_failure_that_passed_is_none(self) -> None:
        reader = AIDER.reader()
        read(reader, "litellm.RateLimitError: x", "Retrying", self.COUNTED)
        assert concluded(reader, changed=("a",)).finish is Finish.COMPLETE

    def test_nothing_said_and_nothing_changed_is_no_answer(self) -> None:
        with pytest.raises(UnknownOutcomeError):
            concluded(AIDER.reader())


def mine(**params: Any) -> Preset:
    return free_form("mine", ("agent", "{model}", "-p", "{prompt_file}"), params, PRESETS)


class TestAnyOther:
    def test_words_and_figures_are_found_by_patterns(self) -> None:
        reader = mine(
            input_tokens=r"in ([\d.k]+)", output_tokens=r"out (\d+)", cost=r"\$([\d.]+)"
        ).reader()
        read(reader, "Done.", "in 1.5k out 20 $0.25")
        answer = concluded(reader)
        assert (answer.usage, answer.cost) == (Usage(1500, 20), 0.25)
        assert answer.text.startswith("Done.")

    def test_a_limit_is_found_with_its_time(self) -> None:
        reader = mine(limit=r"limit reached.*").reader()
        read(reader, "limit reached, resets in 2h")
        with pytest.raises(RateLimitedError) as caught:
            concluded(reader)
        assert caught.value.retry_after == 7200

    @pytest.mark.parametrize(
        ("code", "words", "error"),
        [
            (1, "Error: invalid api key", AuthError),
            (1, "boom", UnknownOutcomeError),
            (0, "API Error: 529 Overloaded", TransientError),
        ],
    )
    def test_without_patterns_its_words_are_believed(
        self, code: int, words: str, error: type[ProviderError]
    ) -> None:
        reader = mine().reader()
        read(reader, words)
        with pytest.raises(error):
            concluded(reader, code)

    def test_another_commands_output_can_be_named(self) -> None:
        reader = mine(reads="claude-code").reader()
        read(reader, a.claude_result())
        assert concluded(reader).usage.total == 3180


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
class TestEach:
    def test_lines_that_are_no_events_do_no_harm(self, preset: Preset) -> None:
        reader = preset.reader()
        read(reader, "", "{", '{"type": 7, "item": [], "part": 3, "message": "x"}', "[1]", "\x00")
        read(reader, {"type": "assistant"}, {"type": "result", "stats": []}, {"type": "x"})

    @pytest.mark.parametrize("code", [0, 1, 143, -9, None])
    def test_without_a_word_it_is_no_answer(self, preset: Preset, code: int | None) -> None:
        with pytest.raises(ProviderError):
            concluded(preset.reader(), code)

    @pytest.mark.parametrize(
        "odd",
        [None, True, -1, 10**400, float("inf"), float("nan"), "", "\ud800", [1], [None], {"a": 1}],
        ids=lambda odd: repr(odd)[:12],
    )
    def test_a_value_that_no_version_has_yet_is_no_crash(self, preset: Preset, odd: object) -> None:
        events = EVENTS[preset.name]
        for at, event in enumerate(events):
            for place in _places(event):
                reader = preset.reader()
                read(reader, *events[:at], _put(event, place, odd), *events[at + 1 :])
                try:
                    answer = concluded(reader, 1, changed=("a.py",))
                except (ProviderError, SessionLostError):
                    continue
                answer.text.encode()
                json.dumps([answer.cost, *(x.resets_at for x in answer.limits)], allow_nan=False)


_CLAUDE_ENDS = {"errors": ["x"], "permission_denials": [{"tool_name": "Bash", "tool_input": {}}]}
EVENTS: dict[str, list[dict[str, Any]]] = {
    "claude-code": [
        a.claude_init(),
        a.claude_limit("five_hour", NOW + 9000),
        a.claude_tool("Write", {"file_path": "/c/a.py"}),
        a.claude_result(**_CLAUDE_ENDS),
    ],
    "codex-cli": [
        {"type": "thread.started", "thread_id": "t"},
        {"type": "item.completed", "item": {"type": "file_change", "changes": [{"path": "a"}]}},
        {"type": "turn.completed", "usage": {"input_tokens": 5}},
    ],
    "gemini-cli": [
        {"type": "init", "session_id": "s", "model": "g"},
        {"type": "tool_use", "tool_name": "write_file", "parameters": {"file_path": "a"}},
        a.gemini_result(),
    ],
    "opencode": [
        a.opencode_tool("bash", {"command": "ls"}, "denied"),
        a.opencode_step("stop"),
        a.opencode_error(429, "slow", {"retry-after": "20"}),
    ],
    "aider": [],
}


def _places(value: object, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of all values in an event, each as the keys that lead to it."""
    inner: list[tuple[Any, Any]] = list(value.items()) if isinstance(value, dict) else []
    inner += enumerate(value) if isinstance(value, list) else ()
    return [above, *(place for key, x in inner for place in _places(x, (*above, key)))]


def _put(value: Any, place: tuple[Any, ...], odd: object) -> Any:
    """The event with another value at that place."""
    if not place:
        return json.dumps(odd)
    made = list(value) if isinstance(value, list) else dict(value)
    made[place[0]] = _put(value[place[0]], place[1:], odd) if place[1:] else odd
    return made
