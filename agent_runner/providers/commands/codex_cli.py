"""Codex CLI (`codex exec`), as of version 0.171.0."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import define

from agent_runner.model.agent import AgentResponse
from agent_runner.model.usage import REJECTED, ReportedLimit, Usage
from agent_runner.providers.commands.preset import Asking, Preset, home, logged_in
from agent_runner.providers.commands.reader import (
    Ended,
    SessionLostError,
    StreamReader,
    count,
    doing,
    event_of,
    items,
    mapping,
    number,
    text,
)
from agent_runner.providers.commands.troubles import Trouble, trouble_in, trouble_of

_LOG_IN = "run `codex login`, or set api_key_env to the variable with an API key"

_WINDOWS = {300: "5h", 10_080: "7d"}
"""Names of its limits by the minutes of their windows."""


@define
class CodexReader(StreamReader):
    """Reads `--json`; exact counts and limits are in its session's own log."""

    _failure: str = ""
    _thread_usage: Usage | None = None
    _resets_at: float | None = None
    _info: object = None

    def take(self, event: Mapping[str, Any]) -> str:
        """See `Reader.read_line`. An `error` is no end: it says so before each new try, too."""
        item = mapping(event.get("item"))
        match event.get("type"):
            case "thread.started":
                self.session = text(event.get("thread_id"))
            case "item.started" | "item.completed":
                return self._item(item)
            case "turn.completed":
                self._thread_usage = _usage(mapping(event.get("usage")))
                self.finished, self._failure = True, ""
            case "turn.failed":
                self._failure = text(mapping(event.get("error")).get("message")) or "it failed"
            case "error":
                words = text(event.get("message"))
                self._failure = self._failure or words
                return f"waiting to ask again ({words})" if "Reconnecting" in words else ""
            case _:
                pass  # of no use here, or of a later version
        return ""

    def conclude(self, ended: Ended) -> AgentResponse:
        """See `Reader`. Its own log has what a failed turn does not say."""
        self._read_log(ended.beside, ended.now)
        if not self.usage.total and self._thread_usage is not None:
            # the sum of the whole thread, earlier calls included: better than nothing
            self.usage = self._thread_usage
        self.denied += [
            "to change files outside of the copy"
            for line in ended.errors.splitlines()
            if "patch rejected" in line
        ]
        if self.finished:
            return self.response()
        if "no rollout found" in ended.errors:
            raise SessionLostError(ended.errors)
        words = self._failure or ended.errors
        trouble = self._trouble(words) if ended.exit_code else None
        if trouble is None:
            raise self.unfinished(ended)
        raise self.error(trouble, words, ended, resets_at=self._resets_at)

    def _trouble(self, words: str) -> Trouble | None:
        told = trouble_in(words)
        if told in {Trouble.CREDIT, Trouble.AUTH, Trouble.CUT}:
            return told
        info = self._info
        if isinstance(info, dict):  # {"http_connection_failed": {"http_status_code": 401}}
            inner = (mapping(one).get("http_status_code") for one in info.values())
            status = next((one for one in inner if isinstance(one, int)), None)
            return trouble_of(status, words)
        if info in ("server_overloaded", "internal_server_error"):
            return Trouble.OVERLOAD
        if told is None and self._failure and not self.usage.total:
            return Trouble.WRONG  # refused at once, in words of the server's own
        if told is None and "error: " in words:
            return Trouble.WRONG
        return told

    def _item(self, item: Mapping[str, Any]) -> str:
        match item.get("type"):
            case "agent_message":
                self.text = text(item.get("text"))
            case "command_execution":
                return doing("running", text(item.get("command")).removeprefix("/bin/bash -lc "))
            case "file_change":
                first = next(map(mapping, items(item.get("changes"))), {})
                return doing("editing", Path(text(first.get("path"))).name)
            case "web_search":
                return doing("searching the web for", text(item.get("query")))
            case "mcp_tool_call":
                return doing("using", text(item.get("tool")))
            case _:
                pass  # of no use here, or of a later version
        return ""

    def _read_log(self, log: bytes, now: float) -> None:
        usage = Usage()
        for payload in _payloads(log):
            match payload.get("type"):
                case "token_count":
                    usage += _usage(mapping(mapping(payload.get("info")).get("last_token_usage")))
                    self._take_limits(mapping(payload.get("rate_limits")), now)
                case "task_complete":
                    self._info = mapping(payload.get("error")).get("codex_error_info")
                case _:
                    pass  # of no use here, or of a later version
        if usage.total:
            self.usage = usage

    def _take_limits(self, limits: Mapping[str, Any], now: float) -> None:
        found = []
        for one in (mapping(limits.get("primary")), mapping(limits.get("secondary"))):
            used, resets_at = number(one.get("used_percent")), number(one.get("resets_at"))
            name = _WINDOWS.get(count(one.get("window_minutes")), "")
            if name and used is not None and resets_at is not None:
                spent = used >= 100  # percent
                status = REJECTED if spent else None
                found.append(
                    ReportedLimit(name, now, used=used / 100, resets_at=resets_at, status=status)
                )
        self.limits = found or self.limits
        spent_until = [one.resets_at for one in self.limits if one.is_spent and one.resets_at]
        self._resets_at = max(spent_until, default=None)


def _payloads(log: bytes) -> Iterator[Mapping[str, Any]]:
    for line in log.splitlines():
        event = event_of(line)
        if event is not None and event.get("type") == "event_msg":
            yield mapping(event.get("payload"))


def _usage(counts: Mapping[str, Any]) -> Usage:
    return Usage(
        count(counts.get("input_tokens")),
        count(counts.get("output_tokens")),
        count(counts.get("cached_input_tokens")),
        count(counts.get("cache_write_input_tokens")),
        count(counts.get("reasoning_output_tokens")),
    )


def _arguments(asking: Asking) -> tuple[str, ...]:
    return (
        *("exec", "--json", "--skip-git-repo-check", "-s", "workspace-write"),
        # it would open /tmp as well, and with it the copies of others; its own TMPDIR is private
        *("-c", "sandbox_workspace_write.exclude_slash_tmp=true"),
        *(("-m", asking.model) if asking.model else ()),
        *asking.extra,
        # takes none of the flags above behind it
        *(("resume", asking.session) if asking.session else ()),
        "-",
    )


def _folder(env: Mapping[str, str]) -> Path:
    return Path(env["CODEX_HOME"]) if env.get("CODEX_HOME") else home(env) / ".codex"


def _login(env: Mapping[str, str]) -> str:
    return logged_in(_folder(env) / "auth.json", "")


def _log(session: str, _asking: Asking, env: Mapping[str, str]) -> Path | None:
    if not session or "/" in session:
        return None
    found = sorted((_folder(env) / "sessions").glob(f"*/*/*/rollout-*-{session}.jsonl"))
    return found[-1] if found else None


CODEX_CLI = Preset(
    "codex-cli",
    "codex",
    "Codex",
    _arguments,
    lambda: CodexReader("Codex", _LOG_IN),
    # the built-in provider takes a key from this variable alone
    key_names={"OPENAI_API_KEY": "CODEX_API_KEY"},
    login=_login,
    log_in=_LOG_IN,
    install="npm install -g @openai/codex",
    taken_out=(".codex",),
    homes=lambda env: (_folder(env),),
    sandbox="off",  # it has its own, which cannot be made within another
    sessions=True,
    log=_log,
)
