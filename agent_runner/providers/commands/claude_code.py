"""Claude Code (`claude -p`), as of version 2.1.197."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import define, field

from agent_runner.model.agent import AgentResponse, Finish
from agent_runner.model.usage import REJECTED, ReportedLimit, Usage
from agent_runner.providers.commands.preset import Asking, Preset, home, is_plain, logged_in
from agent_runner.providers.commands.reader import (
    Ended,
    SessionLostError,
    StreamReader,
    count,
    doing,
    dollars,
    items,
    mapping,
    number,
    text,
)
from agent_runner.providers.commands.troubles import Trouble, trouble_of
from agent_runner.providers.faults import failure_in_words

_LOG_IN = "run `claude` once and type /login, or set api_key_env to the variable with an API key"

_WINDOWS = {"five_hour": "5h", "seven_day": "7d"}
"""Names of limits in its stream, and those that the same windows have in HTTP headers."""

_TROUBLES = {
    "rate_limit": Trouble.LIMIT,
    "authentication_failed": Trouble.AUTH,
    "billing_error": Trouble.CREDIT,
    "overloaded": Trouble.OVERLOAD,
    "server_error": Trouble.OVERLOAD,
    "model_not_found": Trouble.WRONG,
}

_DOING = {
    "Read": ("reading", "file_path"),
    "Edit": ("editing", "file_path"),
    "MultiEdit": ("editing", "file_path"),
    "Write": ("writing", "file_path"),
    "NotebookEdit": ("editing", "notebook_path"),
    "Bash": ("running", "command"),
    "Grep": ("searching for", "pattern"),
    "Glob": ("looking for", "pattern"),
    "WebFetch": ("fetching", "url"),
    "WebSearch": ("searching the web for", "query"),
}

_FILE_COMMANDS = ("rm", "git rm", "mv", "mkdir")
"""What moves and removes files. It has no tool of its own for that, and refuses these outside of
its folder."""


@define
class ClaudeReader(StreamReader):
    """Reads `--output-format stream-json`."""

    _folder: str = ""
    _seen: dict[str, Usage] = field(factory=dict)
    _error: str = ""
    _resets_at: float | None = None
    _result: Mapping[str, Any] | None = None

    def take(self, event: Mapping[str, Any]) -> str:
        """See `Reader.read_line`."""
        self.session = text(event.get("session_id")) or self.session
        match event.get("type"), event.get("subtype"):
            case "system", "init":
                self._folder, self.model = text(event.get("cwd")), text(event.get("model"))
            case "system", "api_retry":
                return f"waiting to ask again ({text(event.get('error'))})"
            case "assistant", _:
                return self._assistant(event)
            case "rate_limit_event", _:
                self._limit(mapping(event.get("rate_limit_info")))
            case "result", _:
                self._end(event)
            case _:
                pass  # of no use here, or of a later version
        return ""

    def conclude(self, ended: Ended) -> AgentResponse:
        """See `Reader`. `subtype` says `success` for failures of the API too: `is_error` tells."""
        self.limits = [
            limit if limit.read_at else _read_at(limit, ended.now) for limit in self.limits
        ]
        result = self._result
        if result is None:
            raise self._without_result(ended)
        said = [text(one) for one in items(result.get("errors"))]
        if any("No conversation found" in one for one in said):
            raise SessionLostError(said[0])
        self.text = text(result.get("result")) or self.text
        if result.get("subtype") == "error_max_turns":
            return self.response(Finish.TRUNCATED, detail="; ".join(said))
        words = self.text or "; ".join(said)
        if not self.finished:
            status = result.get("api_error_status")
            trouble = _TROUBLES.get(self._error) or trouble_of(
                status if isinstance(status, int) else None, words
            )
            raise self.error(trouble or Trouble.CUT, words, ended, resets_at=self._resets_at)
        # programs that speak its events put a failed call into an ordinary answer
        failure = None if ended.changed else failure_in_words(self.text)
        if failure is not None:
            trouble = trouble_of(failure.status, self.text)
            raise self.error(trouble or Trouble.CUT, self.text, ended)
        return self.response()

    def _without_result(self, ended: Ended) -> Exception:
        if "No conversation found" in ended.errors:
            return SessionLostError(ended.errors)
        trouble = trouble_of(None, ended.errors) if ended.exit_code else None
        if trouble is Trouble.AUTH:
            return self.error(trouble, ended.errors, ended)
        if ended.exit_code and "error: " in ended.errors and not self.session:
            return self.error(Trouble.WRONG, ended.errors, ended)
        return self.unfinished(ended)

    def _assistant(self, event: Mapping[str, Any]) -> str:
        message = mapping(event.get("message"))
        self._error = text(event.get("error")) or self._error
        name, usage = text(message.get("id")), mapping(message.get("usage"))
        # each block of an answer repeats its counts, and those of its output are not final: they
        # are good for a cap that stops it on the way, and for a call that was cut
        if name and usage:
            self._seen[name] = _usage(usage, _FLAT)
        if self._result is None:
            self.usage = sum(self._seen.values(), Usage(at_least=True))
        activity = ""
        for block in map(mapping, items(message.get("content"))):
            if block.get("type") == "text" and not event.get("parent_tool_use_id"):
                self.text = text(block.get("text"))
            if block.get("type") == "tool_use":
                activity = self._doing(text(block.get("name")), mapping(block.get("input")))
        return activity

    def _doing(self, tool: str, arguments: Mapping[str, Any]) -> str:
        verb, argument = _DOING.get(tool, ("using", ""))
        what = text(arguments.get(argument)) if argument else tool
        return doing(verb, what, self._folder)

    def _limit(self, info: Mapping[str, Any]) -> None:
        name, when = text(info.get("rateLimitType")), number(info.get("resetsAt"))
        used, status = number(info.get("utilization")), text(info.get("status"))
        if status == REJECTED:
            self._resets_at = when
        limit = ReportedLimit(
            _WINDOWS.get(name, name),
            0.0,
            used=used,
            resets_at=when,
            status=status or None,
        )
        self.limits = [one for one in self.limits if one.name != limit.name] + [limit]

    def _end(self, event: Mapping[str, Any]) -> None:
        """The counts of the whole call: of `modelUsage`, since `usage` is nought after a break."""
        self._result, self.finished = event, event.get("is_error") is False
        by_model = mapping(event.get("modelUsage"))
        total = sum((_usage(mapping(one), _OF_MODEL) for one in by_model.values()), Usage())
        broke = total.total > 0 and not _usage(mapping(event.get("usage")), _FLAT).total
        self.usage = Usage(
            total.input, total.output, total.cached, total.cache_write, at_least=broke
        )
        self.cost = dollars(event.get("total_cost_usd"))
        for denial in items(event.get("permission_denials")):
            tool = text(mapping(denial).get("tool_name"))
            self.denied.append(self._doing(tool, mapping(mapping(denial).get("tool_input"))))


_FLAT = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)
_OF_MODEL = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")


def _usage(counts: Mapping[str, Any], names: tuple[str, str, str, str]) -> Usage:
    plain, output, cached, written = (count(counts.get(name)) for name in names)
    return Usage(plain + cached + written, output, cached, written)


def _read_at(limit: ReportedLimit, now: float) -> ReportedLimit:
    return ReportedLimit(
        limit.name, now, limit.limit, limit.remaining, limit.used, limit.resets_at, limit.status
    )


def _arguments(asking: Asking) -> tuple[str, ...]:
    """Its words. What takes every following word comes last."""
    rules = [f"Bash({command}:*)" for command in _FILE_COMMANDS]
    for command in filter(is_plain, asking.commands):
        rules += [f"Bash({command})", f"Bash({command}:*)"]
    return (
        *("-p", "--output-format", "stream-json", "--verbose"),
        *("--permission-mode", "acceptEdits"),
        # the user's own settings, never those of the repository: its hooks, servers and addresses
        *("--setting-sources", "user", "--strict-mcp-config"),
        *(("--model", asking.model) if asking.model else ()),
        *(("--resume", asking.session) if asking.session else ()),
        *asking.extra,
        *("--disallowedTools", "WebFetch", "WebSearch"),
        *("--allowedTools", *rules),
    )


def _environment(_asking: Asking) -> Mapping[str, str]:
    return {
        "CLAUDE_CODE_MAX_RETRIES": "0",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }


def _config(env: Mapping[str, str]) -> Path:
    return Path(_moved(env)) if _moved(env) else home(env) / ".claude"


def _moved(env: Mapping[str, str]) -> str:
    return env.get("CLAUDE_CONFIG_DIR", "")


def _login(env: Mapping[str, str]) -> str:
    if env.get("CLAUDE_CODE_OAUTH_TOKEN"):
        return "CLAUDE_CODE_OAUTH_TOKEN"
    config = _config(env)
    # where the login itself is in the system's key store, its account is in the other file
    account = config / ".claude.json" if _moved(env) else home(env) / ".claude.json"
    return logged_in(config / ".credentials.json") or logged_in(account, "oauthAccount")


CLAUDE_CODE = Preset(
    "claude-code",
    "claude",
    "Claude Code",
    _arguments,
    lambda: ClaudeReader("Claude Code", _LOG_IN),
    _environment,
    login=_login,
    log_in=_LOG_IN,
    install="npm install -g @anthropic-ai/claude-code",
    # switched off by the flags above; taken out as well, so that nothing hangs on one of them
    taken_out=(".claude", ".mcp.json"),
    homes=lambda env: (_config(env), home(env) / ".claude.json", home(env) / ".cache"),
    tells_cost=True,
    sessions=True,
)
