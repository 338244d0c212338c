"""What a tool is: its name and description for the model, its arguments, and how it answers."""

import contextlib
from collections.abc import Callable, Mapping

import anyio.from_thread
from attrs import define, field, frozen

from agent_runner.files.rules import Gate
from agent_runner.ground.escaping import on_one_line
from agent_runner.looking.arguments import Argument, Given, schema_of
from agent_runner.looking.drafts import Drafts
from agent_runner.looking.files import Drafted, Files
from agent_runner.model.agent import ToolSpec

LONGEST_BRIEF = 100


@frozen
class Said:
    """An answer: `text` for the model, `outcome` the same in a few words for people."""

    text: str
    outcome: str
    is_error: bool = False


Check = Callable[[str, Drafted], Said]
"""Runs a hook, named by its id, on a copy of the files with the drafts in it."""


@define
class ToolContext:
    """What the tools work on while the calls of one reply are answered.

    Attributes:
        files: The task's files as the agent may see them, with its drafts.
        drafts: Takes edits.
        gate: Says which paths may be changed.
        room: Characters that the answer in hand may have.
        hook_logs: What reads the last log of each hook that has run in this task.
        check: Runs a check on a copy with the drafts in it; None where none can be run.
        search_limit: Seconds after which a search is stopped; what it had found is the answer.
    """

    files: Files
    drafts: Drafts
    gate: Gate
    room: int = 0
    hook_logs: Mapping[str, Callable[[], bytes]] = field(factory=dict)
    check: Check | None = None
    search_limit: float = 10.0


def check_cancelled() -> None:
    """Give up where the task that waits for this thread was cancelled, as by Ctrl+C."""
    with contextlib.suppress(RuntimeError):  # nobody waits: called without an event loop
        anyio.from_thread.check_cancelled()


def brief_of(given: Given) -> str:
    """All short arguments in their order, for a screen."""
    shown = [str(value) for value in given.values.values() if not isinstance(value, bool)]
    return " ".join(shown)


@frozen
class Tool:
    """One tool.

    Attributes:
        looks: Whether it reads and answers at length; only such calls count against the budget.
        drafts: Whether it changes what is drafted.
        brief: What a call is about, in a few words.
        grammar: The Lark grammar of its only argument, where that can be sent as free text.
    """

    name: str
    description: str
    arguments: tuple[Argument, ...]
    answer: Callable[[ToolContext, Given], Said]
    looks: bool = True
    drafts: bool = False
    brief: Callable[[Given], str] = brief_of
    grammar: str = ""

    @property
    def spec(self) -> ToolSpec:
        """As it is offered to a model."""
        return ToolSpec(self.name, self.description, schema_of(self.arguments), self.grammar)

    def briefly(self, given: Given) -> str:
        """What a call is about, on one line, shortened."""
        text = on_one_line(self.brief(given))
        return text if len(text) <= LONGEST_BRIEF else text[: LONGEST_BRIEF - 1] + "\u2026"
