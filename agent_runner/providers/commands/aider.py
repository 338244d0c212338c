"""aider (`aider --message-file`), as of version 0.86.2."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import define, field

from agent_runner.model.agent import AgentResponse
from agent_runner.model.usage import Usage
from agent_runner.providers.commands.preset import Asking, Preset, home
from agent_runner.providers.commands.reader import (
    Ended,
    StreamReader,
    count,
    doing,
    dollars,
    event_of,
    mapping,
    one_line,
)
from agent_runner.providers.commands.troubles import Trouble, trouble_in

_LOG_IN = "set api_key_env to the variable with the API key of its model"

_FAILED = re.compile(r"litellm\.(\w+): (.*)")
_EDITED = re.compile(r"Applied edit to (.+)")
_COUNTED = re.compile(
    r"Tokens: (?P<sent>\d[\d,]{0,15}(?:\.\d+)?)(?P<sent_k>[kM]?) sent.*?"
    r"(?P<got>\d[\d,]{0,15}(?:\.\d+)?)(?P<got_k>[kM]?) received"
)
_SHOWN = 40
"""Lines of its last answer that are kept as its words."""

_TROUBLES = {
    "AuthenticationError": Trouble.AUTH,
    "PermissionDeniedError": Trouble.AUTH,
    "RateLimitError": Trouble.LIMIT,
    "ServiceUnavailableError": Trouble.OVERLOAD,
    "InternalServerError": Trouble.OVERLOAD,
    "BadGatewayError": Trouble.OVERLOAD,
    "APIConnectionError": Trouble.CUT,
    "APIError": Trouble.CUT,
    "Timeout": Trouble.CUT,
    "NotFoundError": Trouble.WRONG,
    "BadRequestError": Trouble.WRONG,
    "ContextWindowExceededError": Trouble.WRONG,
}


@define
class AiderReader(StreamReader):
    """Reads prose; exact counts are in the log that `--analytics-log` writes, and sends nowhere."""

    _failure: tuple[str, str] | None = None
    _lines: list[str] = field(factory=list)

    def read_line(self, line: bytes) -> str:
        """See `Reader`. Every failure of the API ends with exit code 0: its words decide."""
        words = line.decode("utf-8", "replace").rstrip()
        self._keep(words)
        failed, edited = _FAILED.search(words), _EDITED.search(words)
        counted = _COUNTED.search(words)
        if failed:
            self._failure = (failed[1], failed[2])
            return "waiting to ask again"
        if counted:
            self._failure = None  # an answer came after all
            self.usage += Usage(
                _rounded(counted["sent"], counted["sent_k"]),
                _rounded(counted["got"], counted["got_k"]),
                at_least=True,
            )
            self.text = "\n".join(self._lines[-_SHOWN:]).strip()
            self._lines = []
            return ""
        if edited:
            return doing("editing", edited[1])
        self._lines.append(words)
        return ""

    def conclude(self, ended: Ended) -> AgentResponse:
        """See `Reader`. A changed file, or an answer, is all that says that it worked."""
        answered = self._read_log(ended.beside) or self.usage.total > 0
        if self._failure is not None:
            kind, words = self._failure
            told = trouble_in(words)
            trouble = told if told is Trouble.CREDIT else _TROUBLES.get(kind, told)
            raise self.error(trouble or Trouble.CUT, words, ended)
        if ended.exit_code == 0 and (ended.changed or answered):
            self.finished = True
            return self.response()
        if ended.exit_code and not answered and not ended.silent:
            trouble = trouble_in(ended.errors)
            if trouble is Trouble.AUTH or "unrecognized arguments" in ended.errors:
                words = one_line(ended.errors[-400:])
                raise self.error(trouble or Trouble.WRONG, words, ended)
        raise self.unfinished(ended)

    def _read_log(self, log: bytes) -> bool:
        """The exact counts; whether there are any."""
        found = [mapping(event.get("properties")) for event in _events(log)]
        if found:
            self.usage = Usage()
            self.cost = None
        for one in found:
            sent, got = count(one.get("prompt_tokens")), count(one.get("completion_tokens"))
            self.add(Usage(sent, got), dollars(one.get("cost")))
        return bool(found)


def _events(log: bytes) -> list[Mapping[str, Any]]:
    events = (event_of(line) for line in log.splitlines())
    return [one for one in events if one is not None and one.get("event") == "message_send"]


def _rounded(digits: str, unit: str) -> int:
    return int(float(digits.replace(",", "")) * {"": 1, "k": 1_000, "M": 1_000_000}[unit])


def _arguments(asking: Asking) -> tuple[str, ...]:
    """Its words. What it would write into the repository for itself goes beside it."""
    beside = asking.beside
    return (
        *("--message-file", str(asking.prompt_file), "--yes-always"),
        *("--no-check-update", "--no-show-release-notes", "--no-analytics"),
        *("--analytics-log", str(_log_of(asking))),
        *("--no-pretty", "--no-stream", "--no-gitignore", "--no-auto-commits"),
        # what a repository could have it run, and what words of a reply could
        *("--no-auto-lint", "--no-auto-test", "--no-suggest-shell-commands", "--no-detect-urls"),
        *("--chat-history-file", str(beside / "chat.md")),
        *("--input-history-file", str(beside / "input.txt")),
        *(("--model", asking.model) if asking.model else ()),
        *asking.extra,
    )


def _log_of(asking: Asking) -> Path:
    return asking.beside / "counts.jsonl"


AIDER = Preset(
    "aider",
    "aider",
    "aider",
    _arguments,
    lambda: AiderReader("aider", _LOG_IN),
    log_in=_LOG_IN,
    install="python -m pip install aider-chat",
    # both run commands and redirect the key, over its flags
    taken_out=(
        ".aider.conf.yml",
        ".env",
        ".aider.model.settings.yml",
        ".aider.model.metadata.json",
    ),
    homes=lambda env: (home(env) / ".aider", home(env) / ".cache"),
    leavings=(".aider*", ".aider*/**"),
    tells_cost=True,
    log=lambda _session, asking, _env: _log_of(asking),
)
