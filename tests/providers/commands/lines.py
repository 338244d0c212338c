"""Lines as the commands print them, shortened to what a reader looks at."""

import json
from typing import Any

from agent_runner.model.agent import AgentResponse
from agent_runner.providers.commands.reader import Ended, Reader

NOW = 1_795_000_000.0
"""2026-11-18 11:06:40 UTC."""


def read(reader: Reader, *events: dict[str, Any] | str) -> list[str]:
    """Give a reader these lines; what it says that the command does."""
    lines = (event if isinstance(event, str) else json.dumps(event) for event in events)
    said = [reader.read_line(line.encode()) for line in lines]
    return [words for words in said if words]


def concluded(  # how a program ended, by name
    reader: Reader,
    code: int | None = 0,
    *,
    changed: tuple[str, ...] = (),
    errors: str = "",
    beside: bytes = b"",
    silent: float = 0.0,
) -> AgentResponse:
    """What came of a call that ended so."""
    return reader.conclude(Ended(code, changed, errors, beside, NOW, silent))


# --- Claude Code ---


def claude_init() -> dict[str, Any]:
    return {"type": "system", "subtype": "init", "session_id": "s1", "cwd": "/c", "model": "opus"}


def claude_tool(name: str, arguments: dict[str, Any], message: str = "m1") -> dict[str, Any]:
    usage = {"input_tokens": 100, "cache_read_input_tokens": 20, "output_tokens": 1}
    block = {"type": "tool_use", "name": name, "input": arguments}
    return {"type": "assistant", "message": {"id": message, "content": [block], "usage": usage}}


def claude_result(**fields: Any) -> dict[str, Any]:
    counts = {
        "inputTokens": 2400,
        "outputTokens": 80,
        "cacheReadInputTokens": 600,
        "cacheCreationInputTokens": 100,
    }
    usage = {"input_tokens": 2400, "output_tokens": 80}
    event = {"type": "result", "subtype": "success", "is_error": False, "result": "Done."}
    event |= {"total_cost_usd": 0.25, "usage": usage, "modelUsage": {"opus": counts}}
    return event | fields


def claude_limit(kind: str, resets_at: float, status: str = "rejected") -> dict[str, Any]:
    info = {"status": status, "resetsAt": int(resets_at), "rateLimitType": kind}
    return {"type": "rate_limit_event", "rate_limit_info": info}


# --- Codex ---


def codex_counts(used: float = 42.0, resets_at: float = NOW + 9000, week: float = 11.0) -> bytes:
    last = {"input_tokens": 1200, "cached_input_tokens": 300, "output_tokens": 40}
    payload = {
        "type": "token_count",
        "info": {"last_token_usage": last},
        "rate_limits": {
            "primary": {"used_percent": used, "window_minutes": 300, "resets_at": resets_at},
            "secondary": {
                "used_percent": week,
                "window_minutes": 10_080,
                "resets_at": NOW + 300_000,
            },
        },
    }
    return json.dumps({"type": "event_msg", "payload": payload}).encode() + b"\n"


def codex_failed(message: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return (
        {"type": "error", "message": message},
        {"type": "turn.failed", "error": {"message": message}},
    )


# --- opencode ---


def opencode_step(reason: str) -> dict[str, Any]:
    tokens = {"input": 1200, "output": 40, "reasoning": 7, "cache": {"read": 300, "write": 50}}
    part = {"reason": reason, "cost": 0.5, "tokens": tokens}
    return {"type": "step_finish", "sessionID": "ses_1", "part": part}


def opencode_tool(tool: str, given: dict[str, Any], error: str = "") -> dict[str, Any]:
    state = {"status": "error" if error else "completed", "input": given, "error": error}
    return {"type": "tool_use", "sessionID": "ses_1", "part": {"tool": tool, "state": state}}


def opencode_error(status: int, words: str, headers: dict[str, str]) -> dict[str, Any]:
    facts = {"message": words, "statusCode": status, "responseHeaders": headers}
    return {"type": "error", "sessionID": "ses_1", "error": {"name": "APIError", "data": facts}}


# --- Gemini CLI ---


def gemini_result(status: str = "success", error: str = "") -> dict[str, Any]:
    stats = {"input_tokens": 2400, "output_tokens": 80, "cached": 600}
    event: dict[str, Any] = {"type": "result", "status": status, "stats": stats}
    return event | ({"error": {"type": "unknown", "message": error}} if error else {})
