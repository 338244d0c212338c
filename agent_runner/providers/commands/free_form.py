"""Any other command, as its user describes it under `command` and `params`.

| key | means |
|---|---|
| `command` | its words; `{prompt}`, `{prompt_file}`, `{model}` and `{session}` are filled in |
| `params.reads` | the provider whose output it has (`claude-code`, ...); without it: words |
| `params.input_tokens`, `output_tokens`, `cost` | regular expressions; their group is the figure |
| `params.limit`, `params.failed` | regular expressions of a line that says so |

Without `{prompt}` and `{prompt_file}` the prompt goes to its standard input.
"""

import re
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any

from attrs import define, evolve, field

from agent_runner.ground.suggestions import did_you_mean
from agent_runner.model.agent import AgentResponse
from agent_runner.model.errors import UsageError
from agent_runner.model.usage import Usage
from agent_runner.providers.commands.preset import STEERING, Asking, Preset, no_log
from agent_runner.providers.commands.reader import Ended, Reader, StreamReader, one_line
from agent_runner.providers.commands.troubles import Trouble, trouble_in, trouble_of
from agent_runner.providers.faults import failure_in_words

PATTERNS = ("input_tokens", "output_tokens", "cost", "limit", "failed")
"""The parameters that are regular expressions."""

_LONGEST_TEXT, _MOST_LINES = 16_000, 2_000
"""Characters and lines of the output that its words are taken from, from the end."""


@define
class WordsReader(StreamReader):
    """Reads prose: the exit code, the files and what `patterns` find in the lines are all there is.

    The last figure of each kind counts, since programs print sums as they go.
    """

    patterns: Mapping[str, re.Pattern[str]] = field(factory=dict)
    _found: dict[str, str] = field(factory=dict)
    _last: deque[str] = field(factory=partial(deque, maxlen=_MOST_LINES))

    def read_line(self, line: bytes) -> str:
        """See `Reader`."""
        words = line.decode("utf-8", "replace").rstrip()
        self._keep(words)
        self._last.append(words[-_LONGEST_TEXT:])
        for name, pattern in self.patterns.items():
            found = pattern.search(words)
            if found:
                self._found[name] = found[1] if pattern.groups else words
        return ""

    def conclude(self, ended: Ended) -> AgentResponse:
        """See `Reader`."""
        self.text = "\n".join(self._last)[-_LONGEST_TEXT:].strip()
        given, got = (_figure(self._found.get(f"{kind}_tokens")) for kind in ("input", "output"))
        self.usage = Usage(int(given or 0), int(got or 0))
        self.cost = _figure(self._found.get("cost"))
        if "limit" in self._found:
            raise self.error(Trouble.LIMIT, self._found["limit"], ended)
        words = self._found.get("failed", "")
        if not words and ended.exit_code == 0:
            failure = None if ended.changed else failure_in_words(self.text)
            if failure is None:
                self.finished = True
                return self.response()
            trouble = trouble_of(failure.status, self.text)
            raise self.error(trouble or Trouble.CUT, self.text, ended)
        said = words or one_line(f"{self.text[-400:]} {ended.errors[-400:]}")
        known = None if ended.silent or not said else trouble_in(said)
        if known in {None, Trouble.CUT}:
            raise self.unfinished(evolve(ended, errors=said))
        raise self.error(known or Trouble.CUT, said, ended)


def free_form(
    name: str, command: tuple[str, ...], params: Mapping[str, Any], known: Mapping[str, Preset]
) -> Preset:
    """The preset that a user describes. Raises UsageError for what cannot work."""
    where = f"providers.{name}"
    if not command:
        raise UsageError(
            f'provider "{name}" has no command',
            fix=f"set {where}.command to its words, such as [my-agent, --print]",
            option=f"{where}.command",
        )
    reads = params.get("reads")
    if reads is not None and reads not in known:
        raise UsageError(
            f"{where}.params.reads: nothing is known of the output of {reads!r}",
            fix=f"{did_you_mean(str(reads), known)} Known: {', '.join(known)}".strip(),
            option=f"{where}.params",
        )
    patterns = {key: _pattern(params[key], where, key) for key in PATTERNS if key in params}
    other = known.get(str(reads))

    def reader() -> Reader:
        return other.reader() if other else WordsReader(command[0], patterns=patterns)

    return Preset(
        name,
        command[0],
        command[0],
        partial(_arguments, command[1:]),
        reader,
        log_in=f"log in with {command[0]}, or set {where}.api_key_env",
        taken_out=tuple(sorted(STEERING)),
        sandbox="off",  # nobody knows where it keeps its own things
        leavings=other.leavings if other else (),
        tells_cost=other.tells_cost if other else "cost" in patterns,
        sessions=any("{session}" in word for word in command),
        log=other.log if other else no_log,
    )


def _arguments(words: tuple[str, ...], asking: Asking) -> tuple[str, ...]:
    """Its words with what is known filled in; one that is but an empty figure is left out."""
    values = {
        "{prompt}": asking.prompt,
        "{prompt_file}": str(asking.prompt_file),
        "{model}": asking.model,
        "{session}": asking.session,
    }
    given = (word for word in words if word not in values or values[word])
    filled = (_MARKS.sub(lambda found: values[found[0]], word) for word in given)
    return (*filled, *asking.extra)


_MARKS = re.compile(r"\{(?:prompt|prompt_file|model|session)\}")


def _pattern(value: object, where: str, key: str) -> re.Pattern[str]:
    try:
        return re.compile(str(value))
    except re.error as error:
        raise UsageError(
            f"{where}.params.{key}: no regular expression: {error}", option=f"{where}.params"
        ) from None


def _figure(words: str | None) -> float | None:
    """A number such as `1,234` or `1.2k`; None for anything else."""
    found = re.fullmatch(r"\$?([\d.,]{1,20}?)([kM]?)", (words or "").strip())
    if found is None:
        return None
    try:
        return float(found[1].replace(",", "")) * {"": 1, "k": 1e3, "M": 1e6}[found[2]]
    except ValueError:
        return None
