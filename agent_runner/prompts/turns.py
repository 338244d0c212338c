"""Earlier turns of a conversation as they are sent: in words where tools cannot be, or shorter."""

from collections.abc import Iterable, Sequence

from attrs import evolve

from agent_runner.ground.escaping import fenced, inline
from agent_runner.ground.tokens import Ruler
from agent_runner.model.agent import Message
from agent_runner.model.conversation import Replaced


def in_words(message: Message) -> Message:
    """The same turn without tools and a provider's own items: any model can be given it.

    A turn of words alone stays as it is.
    """
    parts = [message.text] if message.text else []
    parts += [
        f"I used the tool {inline(call.name)}:\n\n{fenced(call.arguments)}"
        for call in message.calls
    ]
    for answer in message.answers:
        failed = " could not do that" * answer.is_error
        parts.append(f"{inline(answer.name)}{failed or ' answered'}:\n\n{fenced(answer.text)}")
    return Message(message.role, "\n\n".join(parts))


def with_replaced(messages: Sequence[Message], replaced: Iterable[Replaced]) -> tuple[Message, ...]:
    """The messages with other texts in some places; a place that is not there is passed over."""
    changed = list(messages)
    for one in replaced:
        if not 0 <= one.message < len(changed):
            continue
        message = changed[one.message]
        if one.answer is None:
            changed[one.message] = evolve(message, text=one.text)
        elif 0 <= one.answer < len(message.answers):
            answers = list(message.answers)
            answers[one.answer] = evolve(answers[one.answer], text=one.text)
            changed[one.message] = evolve(message, answers=tuple(answers))
    return tuple(changed)


def size_of(messages: Iterable[Message], ruler: Ruler) -> int:
    """About how many tokens the messages are."""
    return sum(ruler.message(message) for message in messages)


def to_replace(
    messages: Sequence[Message], candidates: Sequence[Replaced], most: int, ruler: Ruler
) -> tuple[Replaced, ...]:
    """The first of the candidates, as many as bring the messages down to `most` tokens, or all.

    Dropping much at once and seldom keeps the provider's cache: each time it begins anew.
    """
    size, taken = size_of(messages, ruler), 0
    for one in candidates:
        if size <= most:
            break
        message = messages[one.message]
        text = message.text if one.answer is None else message.answers[one.answer].text
        size -= ruler.tokens(text) - ruler.tokens(one.text)
        taken += 1
    return tuple(candidates[:taken])
