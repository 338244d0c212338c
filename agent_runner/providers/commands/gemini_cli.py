"""Gemini CLI (`gemini`), as of version 0.61.0."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import define

from agent_runner.model.agent import AgentResponse, Finish
from agent_runner.model.usage import Usage
from agent_runner.providers.commands.preset import Asking, Preset, home, is_plain, logged_in
from agent_runner.providers.commands.reader import (
    Ended,
    SessionLostError,
    StreamReader,
    count,
    doing,
    mapping,
    text,
)
from agent_runner.providers.commands.troubles import Trouble, trouble_of

_LOG_IN = "run `gemini` once and log in, or set api_key_env to the variable with an API key"

_UNTRUSTED, _NO_LOGIN, _NO_SESSION, _TURNS = 55, 41, 42, 53
"""Its exit codes. Those of the API's errors are the HTTP status, modulo 256."""

_DAILY = re.compile(r"daily quota", re.IGNORECASE)

_DOING = {
    "read_file": ("reading", "file_path"),
    "write_file": ("writing", "file_path"),
    "replace": ("editing", "file_path"),
    "run_shell_command": ("running", "command"),
    "grep_search": ("searching for", "pattern"),
    "glob": ("looking for", "pattern"),
    "web_fetch": ("fetching", "prompt"),
}

_REFUSED = frozenset(
    {"policy_violation", "execution_denied", "tool_not_registered", "invalid_tool_params"}
)


@define
class GeminiReader(StreamReader):
    """Reads `-o stream-json`. Its counts of the output leave thoughts out."""

    _result: Mapping[str, Any] | None = None
    _last: str = ""

    def take(self, event: Mapping[str, Any]) -> str:
        """See `Reader.read_line`."""
        match event.get("type"):
            case "init":
                # not every version prints the session; the latest is the folder's, which is ours
                self.model = text(event.get("model"))
                self.session = text(event.get("session_id")) or "latest"
            case "message" if event.get("role") == "assistant":
                self.text += text(event.get("content"))
            case "tool_use":
                self.text = ""
                tool = text(event.get("tool_name"))
                verb, argument = _DOING.get(tool, ("using", ""))
                given = mapping(event.get("parameters"))
                self._last = doing(verb, text(given.get(argument)) or tool)
                return self._last
            case "tool_result":
                kind = text(mapping(event.get("error")).get("type"))
                if kind in _REFUSED:
                    self.denied.append(self._last)
            case "error":
                self.logs.append(text(event.get("message")))
            case "result":
                self._end(event)
            case _:
                pass  # of no use here, or of a later version
        return ""

    def conclude(self, ended: Ended) -> AgentResponse:
        """See `Reader`. A cut stream ends with exit code 0: the result's own status decides."""
        result, code = self._result or {}, ended.exit_code
        if self.finished:
            return self.response()
        words = text(mapping(result.get("error")).get("message")).strip("[]")
        words = words.removeprefix("API Error: ") or _last_line(ended.errors)
        if code == _NO_SESSION and "resuming session" in ended.errors:
            raise SessionLostError(ended.errors)
        if code == _NO_LOGIN:
            raise self.error(Trouble.AUTH, words, ended)
        if code == _TURNS:
            return self.response(Finish.TRUNCATED, detail=words)
        if code == _UNTRUSTED or (code == 1 and not self.session):
            raise self.error(Trouble.WRONG, words or "it could not be started", ended)
        if code and (self._result or ended.errors):
            raise self._failed(code, words, ended)
        raise self.unfinished(ended)

    def _failed(self, code: int, words: str, ended: Ended) -> Exception:
        # 400 to 599 modulo 256: 144 to 255 for the first, and from 0 on again behind 511
        status = code + 256 if 144 <= code <= 255 else None  # as said above
        trouble = trouble_of(status, words)
        if trouble is None or (trouble is Trouble.WRONG and status is None):
            return self.unfinished(ended)
        daily = _next_day(ended.now) if _DAILY.search(words) else None
        return self.error(trouble, words, ended, resets_at=daily, again=daily is None)

    def _end(self, event: Mapping[str, Any]) -> None:
        self._result, self.finished = event, event.get("status") == "success"
        stats = mapping(event.get("stats"))
        self.usage = Usage(
            count(stats.get("input_tokens")),
            count(stats.get("output_tokens")),
            count(stats.get("cached")),
            at_least=True,
        )


def _next_day(now: float) -> float:
    """When a daily quota begins anew: at midnight, Pacific time, by Google's documentation."""
    try:
        zone: ZoneInfo | timezone = ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:  # a system without time zones: an hour late in summer
        zone = timezone(timedelta(hours=-8))
    today = datetime.fromtimestamp(now, UTC).astimezone(zone)
    tomorrow = (today + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return tomorrow.timestamp()


def _last_line(errors: str) -> str:
    lines = [line for line in errors.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


def _arguments(asking: Asking) -> tuple[str, ...]:
    """Its words. A shell command runs only where its beginning is allowed."""
    allowed = ("rm", "mv", "mkdir", *filter(is_plain, asking.commands))
    return (
        *("-o", "stream-json", "--approval-mode", "auto_edit", "--skip-trust"),
        *(("-m", asking.model) if asking.model else ()),
        *(("--resume", asking.session) if asking.session else ()),
        *asking.extra,
        *(f"--allowed-tools=run_shell_command({command})" for command in allowed),
    )


def _folder(env: Mapping[str, str]) -> Path:
    moved = env.get("GEMINI_CLI_HOME")
    return (Path(moved) if moved else home(env)) / ".gemini"


def _login(env: Mapping[str, str]) -> str:
    return logged_in(_folder(env) / "oauth_creds.json")


GEMINI_CLI = Preset(
    "gemini-cli",
    "gemini",
    "Gemini CLI",
    _arguments,
    lambda: GeminiReader("Gemini CLI", _LOG_IN),
    login=_login,
    log_in=_LOG_IN,
    install="npm install -g @google/gemini-cli",
    # it loads `.env`, where a variable would send the key away
    taken_out=(".gemini", ".env"),
    homes=lambda env: (_folder(env), home(env) / ".cache"),
    sessions=True,
)
