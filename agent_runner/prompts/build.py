"""Builds the prompt of a call: system text, the task in its template, the turns so far."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from agent_runner.ground.tokens import MESSAGE, Ruler
from agent_runner.model.agent import Message, Prompt
from agent_runner.model.errors import InputError, Problem
from agent_runner.model.settings import EditFormat
from agent_runner.model.shown_files import Listing
from agent_runner.prompts.situation import Situation
from agent_runner.prompts.template import Template, parse_template, read_template
from agent_runner.prompts.values import GROUPS, PLACEHOLDERS, files_text, values

DROPPED = "[The files shown here were left out for room. Ask for them again if you need them.]"
"""Stands in place of an earlier answer to `show` that no longer fits."""


def build_prompt(
    situation: Situation,
    max_tokens: int,
    template: Template | None = None,
    system: Template | None = None,
) -> Prompt:
    """The prompt, in at most about `max_tokens` tokens as long as the task itself allows that.

    Listed files get what room is left; feedback and diff lose their middle; of the conversation,
    the files that were shown first are dropped first. Description, conditions and hint are never
    cut. `template`: the user's own, in place of the default for the first message; `system`: the
    same for the system text.
    """
    filled = values(situation, max_tokens)
    instructions = (system or _shipped(_system_of(situation))).render(filled)
    template = template or _shipped("default.md")
    bare = template.render(filled)
    ruler = situation.ruler
    room = max_tokens - ruler.tokens(instructions) - ruler.tokens(bare) - 2 * MESSAGE
    conversation = _fitting(situation.conversation, room, ruler)
    room -= _size(conversation, ruler)
    first = template.render(filled | {"files": files_text(situation.files, room, ruler)})
    return Prompt(instructions, (Message("user", first.strip() + "\n"), *conversation))


def answer_to_show(listing: Listing, looks_left: int, max_tokens: int, ruler: Ruler) -> Message:
    """The user's turn after the agent asked to see files: the files, and how it goes on."""
    text = files_text(listing, max_tokens - 60, ruler) or "There is nothing to show."
    more = f"You may ask {looks_left} more times" if looks_left != 1 else "You may ask once more"
    closing = (
        f"{more}, or reply with your changes." if looks_left else "Now reply with your changes."
    )
    return Message("user", f"{text}\n\n{closing}\n")


def room_left(prompt: Prompt, max_tokens: int, ruler: Ruler) -> int:
    """Tokens left for further turns, at least 0."""
    return max(0, max_tokens - ruler.prompt(prompt))


def load_template(path: Path) -> Template:
    """The user's own template.

    Raises:
        InputError: it cannot be read or has mistakes, each with file, line and column.
    """
    return read_template(path, PLACEHOLDERS, GROUPS)


def check_template(path: Path) -> tuple[Problem, ...]:
    """All mistakes of a template, in order; none if it can be used."""
    try:
        load_template(path)
    except InputError as error:
        return error.problems
    return ()


def _system_of(situation: Situation) -> str:
    """The system text that comes with the program for this kind of agent."""
    if situation.in_place:
        return "system_in_place.md"
    return "system_short.md" if situation.edit_format is EditFormat.WHOLE else "system.md"


@cache
def _shipped(name: str) -> Template:
    """A template that comes with the program."""
    text = files("agent_runner.prompts").joinpath("templates", name).read_text(encoding="utf-8")
    return parse_template(text, name, PLACEHOLDERS, GROUPS)


def _fitting(conversation: Sequence[Message], room: int, ruler: Ruler) -> tuple[Message, ...]:
    """The conversation without the files shown earlier, dropped oldest first until it fits.

    The model's own turns stay, since it goes on from them, and so does the last answer: it is what
    the model asked for.
    """
    fitting = list(conversation)
    for at, message in enumerate(fitting[:-1]):
        if _size(fitting, ruler) <= room:
            break
        if message.role == "user":
            fitting[at] = Message("user", DROPPED)
    return tuple(fitting)


def _size(messages: Sequence[Message], ruler: Ruler) -> int:
    return sum(ruler.tokens(message.text) + MESSAGE for message in messages)
