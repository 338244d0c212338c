"""A conversation as it is kept: each call with what was new in it, and the call that it follows."""

import hashlib
import json

from attrs import asdict, field, frozen

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
        digest: Of all that was sent (`digest_of`); "" where it was not kept.
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


def digest_of(prompt: Prompt) -> str:
    """A hash of all that is sent, equal for equal prompts alone.

    Each text is preceded by its length, so that no two ways to divide one into parts are alike.
    """
    hashed = hashlib.sha256()

    def add(*texts: str) -> None:
        for text in texts:
            content = text.encode("utf-8", "surrogatepass")
            hashed.update(b"%d:" % len(content))
            hashed.update(content)

    add(prompt.system)
    for message in prompt.messages:
        add(message.role, message.text, message.raw, f"{len(message.calls)} {len(message.answers)}")
        for call in message.calls:
            add(call.id, call.name, call.arguments, str(call.freeform))
        for answer in message.answers:
            add(answer.id, answer.name, answer.text, str(answer.is_error))
    add(*(json.dumps(asdict(tool), sort_keys=True) for tool in prompt.tools))
    return hashed.hexdigest()
