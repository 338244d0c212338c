"""Answers the calls of one reply: what the model asked to see, and what it drafted."""

from collections.abc import Callable, Mapping, Sequence

from attrs import evolve, field, frozen

from agent_runner.edits.edit import Edit
from agent_runner.edits.rules import Rules
from agent_runner.ground.escaping import on_one_line
from agent_runner.ground.globs import Globs
from agent_runner.ground.redaction import Redactor
from agent_runner.ground.suggestions import did_you_mean
from agent_runner.looking.arguments import AskError, Given, read_arguments
from agent_runner.looking.budget import Budget, Spending
from agent_runner.looking.files import Files
from agent_runner.looking.tool import Bench, Said, Tool
from agent_runner.looking.tools import Offer, specs
from agent_runner.model.agent import ToolAnswer, ToolCall, ToolSpec
from agent_runner.model.looks import Look
from agent_runner.workspace.names import Scope, file_names


@frozen
class Desk:
    """What the earlier turns of a conversation left. An empty one begins a conversation.

    `drafts`: the edits that fitted, in order, for `edits.drafts.with_drafts` in the end.
    """

    drafts: tuple[Edit, ...] = ()


@frozen
class Answered:
    """What came of the calls of one reply.

    Attributes:
        answers: One for each call, in their order.
        looks: The same in few words.
        desk: What the conversation's next turn begins with.
        last_look: Whether the model goes round in circles and should be given no more looks.
    """

    answers: tuple[ToolAnswer, ...]
    looks: tuple[Look, ...]
    desk: Desk
    last_look: bool = False


@frozen
class Toolbox:
    """The tools of one task, for one reply or many.

    Attributes:
        scope: The task's root, and the folders in it that do not count.
        rules: What may be edited.
        offer: Which tools there are.
        redactor: Takes keys out of every answer.
        hide: Globs of files that the user wants no agent to see.
        names: The paths of all files that count, sorted; None: looked up for each reply.
        hook_logs: What reads the last log of each hook that has run in this task, by its id.
        budget: What one reply may have.
        search_limit: Seconds after which a search is stopped.
    """

    scope: Scope
    rules: Rules
    offer: Offer = field(factory=Offer)
    redactor: Redactor = field(factory=Redactor)
    hide: tuple[str, ...] = ()
    names: Callable[[], Sequence[str]] | None = None
    hook_logs: Mapping[str, Callable[[], bytes]] = field(factory=dict, hash=False)
    budget: Budget = field(factory=Budget)
    search_limit: float = 10.0

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What is offered to the model."""
        return specs(self.offer)

    def answer(self, calls: Sequence[ToolCall], desk: Desk | None = None) -> Answered:
        """Answer the calls in their order. Reads files and waits for git: call it in a thread.

        Raises:
            StorageError: the root cannot be opened.
            UsageError: there is a git repository, but git refuses to use it.
        """
        desk = desk or Desk()
        bench = Bench(self._files(), 0, self.hook_logs, self.search_limit)
        spending = Spending(self.budget)
        answers: list[ToolAnswer] = []
        looks: list[Look] = []
        for call in calls:
            said, brief = self._one(call, bench, spending)
            text = self.redactor.text(said.text)
            spending.characters += len(text)
            answers.append(ToolAnswer(call.id, call.name, text, said.is_error))
            outcome = self.redactor.text(on_one_line(said.outcome[:100]))
            name = on_one_line(call.name[:60])
            looks.append(Look(name, self.redactor.text(brief), outcome, len(text), said.is_error))
        return Answered(tuple(answers), tuple(looks), evolve(desk))

    def _files(self) -> Files:
        names = file_names(self.scope) if self.names is None else self.names()
        return Files(self.scope, Globs(self.hide), names)

    def _one(self, call: ToolCall, bench: Bench, spending: Spending) -> tuple[Said, str]:
        """The answer to one call, and what the call is about."""
        tools = {tool.name: tool for tool in self.offer.tools}
        tool = tools.get(call.name)
        if tool is None:
            return _unknown(call.name, tuple(tools)), ""
        refusal = spending.refusal() if tool.looks else ""
        if refusal:
            return Said(refusal, "not run", is_error=True), ""
        spending.looks += tool.looks
        bench.room = spending.room
        brief = ""
        try:
            given = read_arguments(call, tool.arguments)
            brief = tool.briefly(given)
            said = tool.answer(bench, given)
        except AskError as error:
            return Said(f"{call.name}: {error}", error.outcome, is_error=True), brief
        return _with_ignored(said, tool, given), brief


def _with_ignored(said: Said, tool: Tool, given: Given) -> Said:
    if not given.ignored:
        return said
    known = ", ".join(argument.name for argument in tool.arguments)
    note = f"[ignored: {', '.join(given.ignored)}; the arguments are {known}]"
    return evolve(said, text=f"{said.text.removesuffix(chr(10))}\n{note}")


def _unknown(name: str, known: tuple[str, ...]) -> Said:
    shown = on_one_line(name[:60])
    hint = did_you_mean(name, known)
    text = f"there is no tool `{shown}`; the tools are {', '.join(known)}."
    return Said(f"{text} {hint[:1].upper()}{hint[1:]}".strip(), "no such tool", is_error=True)
