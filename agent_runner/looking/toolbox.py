"""Answers the calls of one reply: what the model asked to see, and what it drafted."""

from collections.abc import Callable, Mapping, Sequence

from attrs import define, evolve, field, frozen

from agent_runner.edits.edit import Edit
from agent_runner.files.rules import Rules
from agent_runner.ground.escaping import on_one_line
from agent_runner.ground.globs import Globs
from agent_runner.ground.redaction import Redactor
from agent_runner.ground.suggestions import did_you_mean
from agent_runner.looking.arguments import AskError, Given, read_arguments
from agent_runner.looking.budget import NOT_RUN, Budget, Spending
from agent_runner.looking.drafts import Drafts, drafting
from agent_runner.looking.files import Files
from agent_runner.looking.repeats import NOTE, PATIENCE, Shown, digest_of
from agent_runner.looking.tool import Check, Said, Tool, ToolContext, check_cancelled
from agent_runner.looking.tools import Offer, specs
from agent_runner.model.agent import ToolAnswer, ToolCall, ToolSpec
from agent_runner.model.looks import Look
from agent_runner.workspace.names import Scope, file_names


@frozen
class ToolState:
    """What the earlier turns of a conversation left. An empty one begins a conversation.

    Attributes:
        drafts: The edits that fitted, in order, for `with_drafts` in the end.
        shown: What repetitions are told by.
        made: The files as those edits leave them, if they are still in memory.
    """

    drafts: tuple[Edit, ...] = ()
    shown: Shown = field(factory=Shown)
    made: Drafts | None = field(default=None, eq=False, repr=False)


@frozen
class Answered:
    """What came of the calls of one reply.

    Attributes:
        answers: One for each call, in their order.
        looks: The same in few words.
        state: What the conversation's next turn begins with.
        last_look: Whether the model goes round in circles and should be given no more looks.
    """

    answers: tuple[ToolAnswer, ...]
    looks: tuple[Look, ...]
    state: ToolState
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
        check: Runs a check on a copy with the drafts in it.
        budget: What one reply may have.
        redacted: Whether a key was taken out of the reply that is answered.
        patience: How often the same may be shown again before `last_look`.
        search_limit: Seconds after which a search is stopped.
    """

    scope: Scope
    rules: Rules
    offer: Offer = field(factory=Offer)
    redactor: Redactor = field(factory=Redactor)
    hide: tuple[str, ...] = ()
    names: Callable[[], Sequence[str]] | None = None
    hook_logs: Mapping[str, Callable[[], bytes]] = field(factory=dict, hash=False)
    check: Check | None = None
    budget: Budget = field(factory=Budget)
    redacted: bool = False
    patience: int = PATIENCE
    search_limit: float = 10.0

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What is offered to the model."""
        return specs(self.offer)

    def files(self, drafts: Drafts | None = None) -> Files:
        """The task's files as the tools see them."""
        names = file_names(self.scope) if self.names is None else self.names()
        return Files(self.scope, Globs(self.hide), names, drafts.changed if drafts else dict)

    def answer(self, calls: Sequence[ToolCall], state: ToolState | None = None) -> Answered:
        """Answer the calls in their order. Reads files and waits for git: call it in a thread.

        Within anyio's worker threads it gives up soon after the task that waits is cancelled.

        A draft of an earlier turn that fits no more, since somebody else has changed the file, is
        dropped, and the last answer says so.

        Raises:
            StorageError: the root cannot be opened.
            UsageError: there is a git repository, but git refuses to use it.
        """
        state = state or ToolState()
        with drafting(self.scope.root, self.rules) as drafts:
            lost = drafts.again(state.drafts, state.made)
            if self.redacted:
                drafts.without_keys()
            answering = _Answering(self, self._context(drafts), Spending(self.budget), state.shown)
            for call in calls:
                check_cancelled()
                answering.answer(call)
            return answering.answered(drafts, lost)

    def recall(
        self, shown: Shown, calls: Sequence[ToolCall], answers: Sequence[ToolAnswer]
    ) -> Shown:
        """What was shown after a turn whose answers are known: nothing is looked at again."""
        tools = {tool.name: tool for tool in self.offer.tools}
        for call, answer in zip(calls, answers, strict=False):
            if not answer.text.startswith(NOT_RUN):
                understood = _understood(tools.get(call.name), call)
                shown = shown.adding(digest_of(call.name, understood, answer.text))
        return shown

    def _context(self, drafts: Drafts) -> ToolContext:
        return ToolContext(
            self.files(drafts),
            drafts,
            drafts.gate,
            hook_logs=self.hook_logs,
            check=self.check,
            search_limit=self.search_limit,
        )


@define
class _Answering:
    """The answers to one reply, in the making."""

    box: Toolbox
    context: ToolContext
    spending: Spending
    shown: Shown
    answers: list[ToolAnswer] = field(factory=list)
    looks: list[Look] = field(factory=list)
    last_look: bool = False

    def answer(self, call: ToolCall) -> None:
        """Answer one call."""
        tools = {tool.name: tool for tool in self.box.offer.tools}
        tool = tools.get(call.name)
        refusal = self.spending.refusal() if tool is not None and tool.looks else ""
        if tool is None:
            said = _unknown(call.name, tuple(tools))
            self._say(call, self._with_note(call, said, call.arguments), "")
        elif refusal:
            self._say(call, Said(refusal, "not run", is_error=True), "")
        else:
            self.spending.looks += tool.looks
            self.context.room = self.spending.room
            said, brief, understood = _run(tool, call, self.context)
            said = evolve(said, text=self.box.redactor.text(said.text))
            self._say(call, self._with_note(call, said, understood), brief)

    def answered(self, drafts: Drafts, lost: Sequence[str]) -> Answered:
        """All of it."""
        if lost and self.answers:
            clean = self.box.redactor.text("\n".join(lost))
            note = f"[some of your drafts fit no more, and are dropped; make them again:\n{clean}]"
            self.answers[-1] = evolve(self.answers[-1], text=f"{self.answers[-1].text}\n{note}")
        state = ToolState(tuple(drafts.edits), self.shown, drafts)
        return Answered(tuple(self.answers), tuple(self.looks), state, self.last_look)

    def _with_note(
        self, call: ToolCall, said: Said, understood: Mapping[str, object] | str
    ) -> Said:
        digest = digest_of(call.name, understood, said.text)
        times = self.shown.times(digest)
        self.shown = self.shown.adding(digest)
        self.last_look |= times >= max(1, self.box.patience)
        return evolve(said, text=f"{said.text.removesuffix(chr(10))}\n{NOTE}") if times else said

    def _say(self, call: ToolCall, said: Said, brief: str) -> None:
        clean = self.box.redactor.text
        self.spending.characters += len(said.text)
        self.answers.append(ToolAnswer(call.id, call.name, said.text, said.is_error))
        name, outcome = on_one_line(call.name[:60]), clean(on_one_line(said.outcome[:100]))
        self.looks.append(Look(name, clean(brief), outcome, len(said.text), said.is_error))


def _run(
    tool: Tool, call: ToolCall, context: ToolContext
) -> tuple[Said, str, Mapping[str, object] | str]:
    """The answer to one call, what the call is about, and its arguments as understood."""
    brief = ""
    understood: Mapping[str, object] | str = call.arguments
    try:
        given = read_arguments(call, tool.arguments)
        brief, understood = tool.briefly(given), given.values
        said = tool.answer(context, given)
    except AskError as error:
        return Said(f"{call.name}: {error}", error.outcome, is_error=True), brief, understood
    return _with_ignored(said, tool, given), brief, understood


def _understood(tool: Tool | None, call: ToolCall) -> Mapping[str, object] | str:
    try:
        return read_arguments(call, tool.arguments).values if tool else call.arguments
    except AskError:
        return call.arguments


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
