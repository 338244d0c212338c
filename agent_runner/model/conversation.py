"""A conversation as it is kept: each call with what was new in it, and the call that it follows."""

import hashlib
import json
from functools import lru_cache

from attrs import asdict, define, field, frozen

from agent_runner.model.agent import AgentRequest, Message, Prompt, ToolSpec


@frozen
class Replaced:
    """Something of an earlier turn that is not sent any more, to save room.

    Attributes:
        message: Which message of the conversation, from 0.
        answer: Which tool's answer in it, from 0; None: the message's own words.
        text: What stands in its place.
    """

    message: int
    answer: int | None
    text: str


@frozen
class StoredRequest:
    """What one call asked, as `request.json` has it: the conversation is the chain of these.

    What was sent is everything said up to and with the answer to `after`, with `replaced` in it,
    and then `messages`. Releases before kept every prompt whole, which is a chain of one.

    Attributes:
        after: The call whose answer it goes on from; "": it begins a conversation.
        in_words: So many of the first messages are sent in words alone, without tools and raw
            items: another model had said some of them, or this one is offered no tools.
        replaced: What of the earlier turns is not sent any more from here on.
        system, tools: None where they are those of the call before.
        messages: What is new.
        definition: Of the task (`Task.definition`) when a first message was written; "" in others.
        digest: Of all that was sent (`Digests`); "" where it was not kept.
    """

    call: str
    task: str
    number: int
    attempt: int
    turn: int
    provider: str
    model: str | None
    max_output_tokens: int
    after: str = ""
    in_words: int = 0
    replaced: tuple[Replaced, ...] = ()
    system: str | None = None
    tools: tuple[ToolSpec, ...] | None = None
    messages: tuple[Message, ...] = field(factory=tuple)
    definition: str = ""
    digest: str = ""

    def sent(self, prompt: Prompt) -> AgentRequest:
        """The request with all that was sent."""
        return AgentRequest(
            self.call,
            self.task,
            self.number,
            self.attempt,
            self.turn,
            self.provider,
            self.model,
            prompt,
            self.max_output_tokens,
        )


@define
class Digests:
    """Hashes all that is sent, turn by turn: what the prompt before began with is hashed already.

    Equal for equal prompts alone: each text is preceded by its length, so that no two ways to
    divide one into parts are alike.
    """

    _system: str | None = None
    _messages: tuple[Message, ...] = ()
    _hashed: "hashlib._Hash" = field(factory=hashlib.sha256)

    def of(self, prompt: Prompt) -> str:
        """The hash, in hex."""
        known = self._messages
        goes_on = prompt.system == self._system and prompt.messages[: len(known)] == known
        hashed, new = self._hashed.copy(), prompt.messages[len(known) :]
        if not goes_on:
            hashed, new = hashlib.sha256(), prompt.messages
            _add(hashed, prompt.system)
        for message in new:
            _add_message(hashed, message)
        self._system, self._messages, self._hashed = prompt.system, prompt.messages, hashed.copy()
        _add(hashed, *map(_canonical, prompt.tools))
        return hashed.hexdigest()


def digest_of(prompt: Prompt) -> str:
    """The hash of one prompt on its own."""
    return Digests().of(prompt)


def _add_message(hashed: "hashlib._Hash", message: Message) -> None:
    numbers = f"{len(message.calls)} {len(message.answers)}"
    _add(hashed, message.role, message.text, message.raw, numbers)
    for call in message.calls:
        _add(hashed, call.id, call.name, call.arguments, str(call.freeform))
    for answer in message.answers:
        _add(hashed, answer.id, answer.name, answer.text, str(answer.is_error))


def _add(hashed: "hashlib._Hash", *texts: str) -> None:
    for text in texts:
        content = text.encode("utf-8", "surrogatepass")
        hashed.update(b"%d:" % len(content))
        hashed.update(content)


@lru_cache(maxsize=64)  # a run offers the same few in every turn
def _canonical(tool: ToolSpec) -> str:
    return json.dumps(asdict(tool), sort_keys=True)
