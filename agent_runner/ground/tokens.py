"""The one ruler for tokens: how many a text is, guessed without a tokenizer, and how to cut it.

A guess should be too high rather than too low: it bounds prompts and reserves room under limits.
Characters in a token:

- ASCII (English, code): 2.5 for Claude from 4.7 on, 3 for all others. Anthropic's models page
  counts 1 M tokens as about 2.5 M characters there, 3.4 M before; code of this repository has 4.4
  by o200k_base and 3.9 by the tokenizer of Claude 2, test output full of hexadecimal digits 2.3.
- Accented Latin and Cyrillic letters: 2. German has 2.6 and Russian 2.3 by Claude 2's, both more
  than 3 by o200k_base.
- Everything else: 1. Chinese has 1.3, Korean 1.1, Greek 0.9 to 3.1, Hindi 0.9 to 4.0, depending on
  the tokenizer; box drawing and arrows are a token each.
- Beyond the Basic Multilingual Plane (emoji): half a one, two tokens each.

Measured with tiktoken 0.14 and the tokenizers that litellm 1.110 ships. What a server reports then
corrects the guess, model by model (`corrected`).
"""

import json
import math
import re
from functools import lru_cache

from attrs import frozen

from agent_runner.model.agent import Message, Prompt, ToolSpec
from agent_runner.model.spending import Ratio, Spending

MESSAGE = 8
"""Tokens that the form of one message adds."""

_OTHERS = 3.0
_NEW_CLAUDE = 2.5
_SINCE = (4, 7)
_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2}))?(?!\d)")
_LETTERS = re.compile("[\u00c0-\u024f\u0400-\u052f]+")
_CUT = 20  # tokens that the line about what is left out takes

_LEAST, _MOST = 0.2, 4.0
"""Bounds of a correction: beyond them something else is wrong than the guess."""

_SPREADS = 2.0
"""Mean deviations above the mean ratio that a correction aims at, so that it seldom falls short."""


@frozen
class Ruler:
    """Measures and cuts texts in tokens of one model; without a name, of any but a new Claude."""

    model: str = ""

    def tokens(self, text: str) -> int:
        """About how many tokens `text` is; 0 only for no text."""
        return math.ceil(self._weight(text))

    def prompt(self, prompt: Prompt) -> int:
        """About how many tokens a whole prompt is, the form of its messages and tools included."""
        texts = map(_offered, prompt.tools)
        offered = sum(self.tokens(text) + MESSAGE for text in (prompt.system, *texts))
        return offered + sum(map(self.message, prompt.messages))

    def message(self, message: Message) -> int:
        """About how many tokens one message is, its form included."""
        return self.tokens(_sent(message)) + MESSAGE

    def characters(self, tokens: int) -> int:
        """How many characters of ASCII text so many tokens hold, at least 0."""
        return max(0, int(tokens * characters_per_token(self.model)))

    def head(self, text: str, tokens: int) -> str:
        """The text's first whole lines, as many as fit."""
        if self.tokens(text) <= tokens:
            return text
        taken, used = 0, 0.0
        for line in text.split("\n"):
            used += self._weight(f"{line}\n")
            if used > tokens:
                break
            taken += len(line) + 1
        return text[:taken]

    def head_and_tail(self, text: str, tokens: int) -> str:
        """The text, or its head and tail around a line that says how many lines are left out.

        A third of the room goes to the head: what matters in a tool's output stands at its end.
        """
        size = self.tokens(text)
        if size <= tokens:
            return text
        allowed = len(text) * max(0, tokens - _CUT) // size
        while True:
            head = _whole_lines(text[: allowed // 3])
            tail = text[len(text) - (allowed - allowed // 3) :] if allowed else ""
            left_out = text.count("\n", len(head), len(text) - len(tail)) or 1
            cut = f"{head}[... {left_out} lines left out ...]\n{tail.partition(chr(10))[2] or tail}"
            # head and tail may be denser than the text as a whole, so look and cut further
            if self.tokens(cut) <= tokens or not allowed:
                return cut
            allowed = allowed * 9 // 10

    def _weight(self, text: str) -> float:
        """Tokens, not rounded, so that those of several lines can be added up."""
        if text.isascii():
            return len(text) / characters_per_token(self.model)
        plain = len(text.encode("ascii", "ignore"))
        letters = sum(map(len, _LETTERS.findall(text)))
        units = len(text.encode("utf-16-le", "surrogatepass")) // 2
        # a character beyond the Basic Multilingual Plane is two units in UTF-16, others are one
        return plain / characters_per_token(self.model) + units - plain - letters / 2


def tokens_of(text: str, model: str = "") -> int:
    """About how many tokens `text` is for that model; 0 only for no text."""
    return Ruler(model).tokens(text)


def characters_per_token(model: str) -> float:
    """Characters of English or code in a token; a Claude of unknown version counts as new."""
    if "claude" not in model:
        return _OTHERS
    match = _CLAUDE.search(model)
    if match is None:
        return _NEW_CLAUDE
    return _OTHERS if (int(match[1]), int(match[2] or 0)) < _SINCE else _NEW_CLAUDE


def corrected(guess: int, model: str, spending: Spending) -> int:
    """A guess of input tokens, corrected by what the server counted for this model so far."""
    ratio = spending.ratios.get(model)
    return guess if ratio is None else math.ceil(guess * _correction(ratio))


def _correction(ratio: Ratio) -> float:
    """The factor below which real input stayed nearly always."""
    return min(max(ratio.mean + _SPREADS * ratio.spread, _LEAST), _MOST)


@lru_cache(maxsize=64)  # the same few are measured in every turn
def _offered(tool: ToolSpec) -> str:
    return f"{tool.description}{json.dumps(tool.parameters)}"


def _sent(message: Message) -> str:
    """All that is sent of a turn: what a model wrote as it came, thoughts and calls included."""
    if message.raw:
        return message.raw
    calls = (f"{call.name}{call.arguments}" for call in message.calls)
    return "\n".join([message.text, *calls, *(answer.text for answer in message.answers)])


def _whole_lines(text: str) -> str:
    """The text up to its last newline, or all of it if it has none."""
    return text[: text.rfind("\n") + 1] or text
