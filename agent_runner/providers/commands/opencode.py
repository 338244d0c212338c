"""opencode (`opencode run`), as of version 1.18.33."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import define

from agent_runner.model.agent import AgentResponse
from agent_runner.model.usage import Usage
from agent_runner.providers.commands.preset import Asking, Preset, home, logged_in
from agent_runner.providers.commands.reader import (
    Ended,
    SessionLostError,
    StreamReader,
    count,
    doing,
    dollars,
    mapping,
    text,
)
from agent_runner.providers.commands.troubles import Trouble, reset_in, trouble_in, trouble_of

_LOG_IN = "run `opencode auth login`, or set api_key_env to the variable with an API key"

_MOST_CUT = 2
"""Answers cut short after which it is stopped: it would ask again for ever, each time billed."""

_DOING = {
    "read": ("reading", "filePath"),
    "edit": ("editing", "filePath"),
    "write": ("writing", "filePath"),
    "bash": ("running", "command"),
    "grep": ("searching for", "pattern"),
    "glob": ("looking for", "pattern"),
    "webfetch": ("fetching", "url"),
}

_REFUSED = ("rejected permission", "rule which prevents")


@define
class OpencodeReader(StreamReader):
    """Reads `--format json`. There is no last event: the end is that of the program."""

    _reason: str = ""
    _cut: int = 0
    _error: Mapping[str, Any] | None = None

    def take(self, event: Mapping[str, Any]) -> str:
        """See `Reader.read_line`."""
        self.session = text(event.get("sessionID")) or self.session
        part = mapping(event.get("part"))
        match event.get("type"):
            case "text":
                self.text = text(part.get("text"))
            case "tool_use":
                return self._tool(text(part.get("tool")), mapping(part.get("state")))
            case "step_finish":
                self._step(part)
            case "error":
                self._error = mapping(event.get("error"))
            case _:
                pass  # of no use here, or of a later version
        return ""

    def conclude(self, ended: Ended) -> AgentResponse:
        """See `Reader`. Silence is how it waits for a limit, of which it says nothing."""
        self.denied += [
            line.partition("permission requested: ")[2].partition(";")[0]
            for line in ended.errors.splitlines()
            if "permission requested: " in line
        ]
        if self._error is not None:
            raise self._failed(mapping(self._error.get("data")), ended)
        if ended.silent:
            words = f"it said nothing for {ended.silent:g} s, as when it waits for a limit to reset"
            raise self.error(Trouble.LIMIT, words, ended, again=False)
        if self.wants_stop:
            raise self.error(Trouble.CUT, f"{self.wants_stop}; it may have been billed", ended)
        if "Session not found" in ended.errors:
            raise SessionLostError(ended.errors)
        stopped_by_question = bool(self.denied) and self._reason == "tool-calls"
        if ended.exit_code == 0 and (self._reason == "stop" or stopped_by_question):
            return self.response()
        if ended.exit_code and not self.session:
            trouble = trouble_in(ended.errors) or Trouble.WRONG
            raise self.error(trouble, ended.errors or "it could not be started", ended)
        raise self.unfinished(ended)

    def _failed(self, facts: Mapping[str, Any], ended: Ended) -> Exception:
        words = text(facts.get("message")) or text((self._error or {}).get("name")) or "it failed"
        status = facts.get("statusCode")
        headers = {
            str(name).lower(): text(value)
            for name, value in mapping(facts.get("responseHeaders")).items()
        }
        wait = re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]+)?", headers.get("retry-after", ""))
        resets_at = ended.now + float(wait[0]) if wait else None
        trouble = trouble_of(status if isinstance(status, int) else None, words) or Trouble.WRONG
        return self.error(trouble, words, ended, resets_at=resets_at or reset_in(words, ended.now))

    def _step(self, part: Mapping[str, Any]) -> None:
        tokens = mapping(part.get("tokens"))
        cache = mapping(tokens.get("cache"))
        read, written = count(cache.get("read")), count(cache.get("write"))
        reasoning = count(tokens.get("reasoning"))
        self.add(
            Usage(
                count(tokens.get("input")) + read + written,
                count(tokens.get("output")) + reasoning,
                read,
                written,
                reasoning,
                at_least=part.get("reason") == "unknown",
            ),
            dollars(part.get("cost")),
        )
        self._reason = text(part.get("reason"))
        self.finished = self._reason == "stop"
        self._cut = self._cut + 1 if self._reason == "unknown" else 0
        if self._cut >= _MOST_CUT:
            self.wants_stop = f"{self._cut} answers in a row were cut short"

    def _tool(self, tool: str, state: Mapping[str, Any]) -> str:
        given = mapping(state.get("input"))
        verb, argument = _DOING.get(tool, ("using", ""))
        activity = doing(
            verb,
            Path(text(given.get(argument))).name
            if argument == "filePath"
            else text(given.get(argument)) or tool,
        )
        refused = any(words in text(state.get("error")) for words in _REFUSED)
        if refused or (tool == "invalid" and "unavailable tool" in text(given.get("error"))):
            self.denied.append(activity if tool != "invalid" else f"using {given.get('tool')}")
        return activity


def _environment(asking: Asking) -> Mapping[str, str]:
    """Its permissions: the last rule that fits a command decides."""
    bash = {"*": "deny", "rm *": "allow", "mv *": "allow", "mkdir *": "allow"}
    for command in asking.commands:
        if command.strip() and not set(command) & set("*?\n"):
            bash |= {command: "allow", f"{command} *": "allow"}
    permission = {
        "edit": "allow",
        "bash": bash,
        "external_directory": "deny",
        "webfetch": "deny",
        "websearch": "deny",
    }
    return {
        "OPENCODE_PERMISSION": json.dumps(permission),
        "OPENCODE_DISABLE_PROJECT_CONFIG": "1",
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
    }


def _arguments(asking: Asking) -> tuple[str, ...]:
    return (
        *("run", "--format", "json"),
        *(("-m", asking.model) if asking.model else ()),
        *(("--session", asking.session) if asking.session else ()),
        *asking.extra,
    )


def _data(env: Mapping[str, str]) -> Path:
    moved = env.get("XDG_DATA_HOME")
    return (Path(moved) if moved else home(env) / ".local/share") / "opencode"


def _login(env: Mapping[str, str]) -> str:
    return logged_in(_data(env) / "auth.json")


OPENCODE = Preset(
    "opencode",
    "opencode",
    "opencode",
    _arguments,
    lambda: OpencodeReader("opencode", _LOG_IN),
    _environment,
    login=_login,
    log_in=_LOG_IN,
    install="npm install -g opencode-ai",
    # its plug-ins run inside the process that holds the key, whatever the flags say
    taken_out=(".opencode", "opencode.json", "opencode.jsonc"),
    leavings=(".opencode/**",),
    homes=lambda env: (
        _data(env),
        *(home(env) / name for name in (".config/opencode", ".cache/opencode", ".npm", ".bun")),
        home(env) / ".local/state/opencode",
    ),
    tells_cost=True,
    sessions=True,
    waits_silently=True,
)
