"""What replies ask for through tools: looked up and drafted, once for each reply.

Looks are reads, so they are not kept before they are sent: after a stop they are made again. Drafts
follow from the replies: they are made again as well, on the files as they are then. Nothing of a
task is written here.
"""

import errno
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from pathlib import Path

from attrs import define, evolve, field, frozen

from agent_runner.edits.edit import Edit, Reply
from agent_runner.edits.plan import plan_replies
from agent_runner.edits.rejection import Rejection
from agent_runner.engine.calls.conversation import Conversations, Turn
from agent_runner.engine.calls.kept_checks import KeptChecks
from agent_runner.files.rules import Rules
from agent_runner.ground.escaping import on_one_line
from agent_runner.ground.plain_files import reading
from agent_runner.ground.redaction import Redactor
from agent_runner.looking.budget import NOT_RUN
from agent_runner.looking.dialect import Requests, answers_in, read_requests
from agent_runner.looking.drafts import with_drafts
from agent_runner.looking.repeats import Shown
from agent_runner.looking.tool import Check
from agent_runner.looking.toolbox import Answered, Toolbox, ToolState
from agent_runner.looking.tools import TOOLS, Offer
from agent_runner.model.agent import ToolAnswer, ToolCall
from agent_runner.model.conversation import StoredRequest
from agent_runner.model.looks import Look
from agent_runner.model.record import KeptLog, TaskRecord
from agent_runner.model.settings import EditFormat
from agent_runner.model.task import Task
from agent_runner.workspace.git import Repository
from agent_runner.workspace.names import Scope

NO_MORE_LOOKS = "No more looks: reply with your changes now."
"""What the answers end with when the turns are used up, or nothing new is asked for."""


@define
class ToolAnswers:
    """Answers the calls of replies, and knows the drafts that they left.

    Attributes:
        state_dir: Below which the hooks' logs are.
        hidden: Absolute folders below a task's root that nobody sees.
        rules_of: What a task may change.
        names: Paths of all files below a root, sorted; None: looked up for each reply.
        hide: Globs of a task's files that the user wants no agent to see.
    """

    conversations: Conversations
    state_dir: Path
    hidden: tuple[Path, ...]
    redactor: Redactor
    rules_of: Callable[[Task, TaskRecord], Rules]
    names: Callable[[Path], tuple[str, ...]] | None = None
    hide: Callable[[Task], tuple[str, ...]] = lambda _task: ()
    _answered: dict[str, Answered] = field(factory=dict)
    _states: dict[str, ToolState] = field(factory=dict)
    _drafted: dict[str, tuple[Edit, ...]] = field(factory=dict)

    def answered(
        self, task: Task, record: TaskRecord, call: str, check: Check | None = None
    ) -> Answered:
        """The answers to the calls of a reply.

        Reads files and waits for a search: call it in a thread. A second time it only remembers.
        `record`: before or after the reply was taken in. `check`: runs a check; what one said is
        kept, and not run again after a stop.
        """
        if call not in self._answered:
            turn = self._turn(task, record, call)
            box, before = self._toolbox(task, record, turn), self._before(task, record, call)
            if turn is not None and not turn.response.tool_calls:
                box = evolve(box, patience=1)  # in words one repetition is enough
            calls = requests_of(turn).calls
            checks = KeptChecks(self.conversations.blobs, call, check)
            box = evolve(box, check=checks)
            answered = _answer(box, calls, before, may_look=_may_look(record, call))
            checks.keep()
            self._answered = {call: answered}  # of one reply: what follows is in the next question
            self._states = {call: answered.state}
            self._drafted = {call: answered.state.drafts[len(before.drafts) :]}
        return self._answered[call]

    def drafts(self, task: Task, record: TaskRecord, call: str) -> tuple[str, ...]:
        """The files that a reply drafted changes of."""
        self.answered(task, record, call)
        return tuple(dict.fromkeys(edit.path for edit in self._drafted[call]))

    def checks_used(self, task: Task, record: TaskRecord) -> int:
        """How many checks the agent has run in this attempt, before the reply in hand."""
        attempts, taken = record.counts.attempts, record.counts.turns
        said = self.conversations.up_to(task.id, attempts, record.call.continues or "")
        calls = said.calls[-taken:] if said is not None and taken else ()
        turns = (self._turn(task, record, call) for call in calls)
        used = (one.name for turn in turns if turn is not None for one in turn.response.tool_calls)
        return sum(name == "run_check" for name in used)

    def replies(self, task: Task, record: TaskRecord, call: str) -> tuple[Reply, ...]:
        """The reply of `call` and the rejected ones that it corrects, each with its drafts."""
        replies, kept = self._corrected(task, record)
        turn = self._turn(task, record, call)
        reply = Reply() if turn is None else turn.reply
        known = self._known(record, turn.request if turn is not None else None)
        drafts = self._drafts(task, record, kept) if known is None else known.drafts
        return (*replies, with_drafts(reply, drafts[len(kept) :]))

    def rules(self, task: Task, record: TaskRecord) -> Rules:
        """What a task may change, and which files its agent was shown in this conversation."""
        rules, attempts = self.rules_of(task, record), record.counts.attempts
        last = record.call.reply or record.call.continues or ""
        said = self.conversations.up_to(task.id, attempts, last)
        turns = (self._turn(task, record, call) for call in (said.calls if said else ()))
        seen = {path for turn in turns if turn is not None for path in _asked_for(turn)}
        return evolve(rules, shown=lambda path: path in seen or rules.shown(path))

    def _before(self, task: Task, record: TaskRecord, call: str) -> ToolState:
        """What the turns before a reply left: what was drafted, and what was shown."""
        turn = self._turn(task, record, call)
        request = turn.request if turn is not None else None
        known = self._known(record, request)
        if known is None:
            _, kept = self._corrected(task, record)
            known = ToolState(self._drafts(task, record, kept, before=call))
        elif request is not None and not request.replaced:
            return known
        return evolve(known, shown=self._shown(task, record, call))

    def _known(self, record: TaskRecord, request: StoredRequest | None) -> ToolState | None:
        """What the turn before left, where it was answered here and its drafts still hold."""
        after = request.after if request is not None else ""
        return None if after in record.call.corrected else self._states.get(after)

    def _shown(self, task: Task, record: TaskRecord, call: str) -> Shown:
        """What a reply had been shown, but for what was left out of its conversation since."""
        said = self.conversations.up_to(task.id, record.counts.attempts, call)
        shown, box = Shown(), self._toolbox(task, record, None)
        if said is None:
            return shown
        for (asked, _), (_, at) in pairwise(said.places):
            said_next = said.messages[at - 1]
            requests = requests_of(self._turn(task, record, asked))
            answers = said_next.answers or answers_in(said_next.text, requests)
            shown = box.recall(shown, requests.calls, answers)
        return shown

    def _corrected(
        self, task: Task, record: TaskRecord
    ) -> tuple[tuple[Reply, ...], tuple[Edit, ...]]:
        """The rejected replies, each with its drafts, and what is kept of them all."""
        replies: list[Reply] = []
        kept: tuple[Edit, ...] = ()
        before = ""
        for call in record.call.corrected:
            turn = self._turn(task, record, call)
            if turn is not None and turn.response.edits is not None:
                continue
            reply = Reply() if turn is None else turn.reply
            new = self._drafts(task, record, kept, before, call)[len(kept) :]
            replies.append(with_drafts(reply, new))
            outcome = plan_replies(replies, task.root, self.rules(task, record))
            kept = outcome.fine if isinstance(outcome, Rejection) else ()
            before = call
        return tuple(replies), kept

    def _drafts(
        self,
        task: Task,
        record: TaskRecord,
        kept: tuple[Edit, ...],
        after: str | None = None,
        before: str = "",
    ) -> tuple[Edit, ...]:
        """All edits that were drafted, upon those that are kept, between two replies."""
        if after is None:
            after = record.call.corrected[-1] if record.call.corrected else ""
        low, high = _number(after), _number(before) if before else math.inf
        between = (c for c in record.call.drafted if low < _number(c) < high)
        turns = [turn for turn in (self._turn(task, record, call) for call in between) if turn]
        state = ToolState(kept)
        # those that edit by the same tools at once: each time, all drafts before are made again
        for _, group in groupby(turns, key=lambda turn: (_offer(turn), turn.response.redacted)):
            same = list(group)
            edits = [one for turn in same for one in turn.response.tool_calls if _drafts(one)]
            state = self._toolbox(task, record, same[0]).answer(edits, state).state
        return state.drafts

    def _toolbox(self, task: Task, record: TaskRecord, turn: Turn | None) -> Toolbox:
        names = self.names
        return Toolbox(
            Scope(task.root, self.hidden),
            self.rules_of(task, record),
            _offer(turn),
            self.redactor,
            self.hide(task),
            names=None if names is None else lambda: names(task.root),
            hook_logs=self._logs(record),
            redacted=turn is not None and turn.response.redacted,
        )

    def _logs(self, record: TaskRecord) -> Mapping[str, Callable[[], bytes]]:
        return {log.hook: _Log(self.state_dir, log) for log in record.judgement.logs}

    def _turn(self, task: Task, record: TaskRecord, call: str) -> Turn | None:
        return self.conversations.turn(task.id, record.counts.attempts, call)


def requests_of(turn: Turn | None) -> Requests:
    """What a reply asks for by tools, or in their words."""
    if turn is None or turn.response.tool_calls:
        return Requests(turn.response.tool_calls if turn is not None else ())
    return read_requests(turn.reply.looks, Offer(git=True, hooks=True))


def _asked_for(turn: Turn) -> Iterator[str]:
    """The files that a reply in words asks to see."""
    yield from turn.reply.asks
    if turn.reply.looks:
        for call in requests_of(turn).calls:
            yield str(json.loads(call.arguments).get("path", ""))


def offer_of(task: Task, edit_format: EditFormat, *, checks: bool) -> Offer:
    """The tools that a task's conversation is offered."""
    hooks = (*task.pre_hooks, *task.post_hooks)
    git = Repository.find(task.root) is not None
    return Offer(edit_format, git=git, hooks=bool(hooks), checks=checks)


def _answer(
    box: Toolbox, calls: Sequence[ToolCall], state: ToolState, *, may_look: bool
) -> Answered:
    """The answers in the order of the calls; one that may look no more may still draft."""
    if may_look:
        return box.answer(calls, state)
    answered = box.answer([call for call in calls if _drafts(call)], state)
    answers, looks = iter(answered.answers), iter(answered.looks)
    every: list[tuple[ToolAnswer, Look]] = []
    for call in calls:
        if _drafts(call):
            every.append((next(answers), next(looks)))
            continue
        text = f"{NOT_RUN}. {NO_MORE_LOOKS}"
        answer = ToolAnswer(call.id, call.name, text, is_error=True)
        every.append((answer, Look(call.name[:60], "", "not run", len(text), is_error=True)))
    said = tuple(answer for answer, _ in every)
    return evolve(answered, answers=said, looks=tuple(look for _, look in every))


def _may_look(record: TaskRecord, call: str) -> bool:
    """Whether the reply was not told to look no more: before it, that is, and not by its answer."""
    counts, last_look = record.counts, record.counts.last_look
    just_now = record.call.continues == call and last_look == counts.turns
    return not last_look or just_now


@frozen
class _Log:
    """Reads what a hook printed. Raises OSError where it is not there, or not whole."""

    folder: Path
    log: KeptLog

    def __call__(self) -> bytes:
        with reading(self.folder / self.log.log) as file:
            file.seek(self.log.offset)
            content = file.read(self.log.length)
        if len(content) < self.log.length:
            raise OSError(errno.ENODATA, "it is not whole")
        return content


def _offer(turn: Turn | None) -> Offer:
    """All tools; of the two ways to edit the one that the reply uses."""
    used = {call.name for call in turn.response.tool_calls} if turn is not None else set()
    patches = "apply_patch" in used
    return Offer(
        EditFormat.PATCH if patches else EditFormat.REPLACE, git=True, hooks=True, checks=True
    )


def may_be_dropped(tool: str) -> bool:
    """Whether an answer of this tool may be left out later: what can be looked at again."""
    return tool in TOOLS and TOOLS[tool].looks


def brief_of(call: ToolCall) -> str:
    """A call on one line, for a model that may make it again."""
    try:
        given = json.loads(call.arguments)
        values = [str(value) for value in given.values()] if isinstance(given, dict) else []
    except ValueError:
        values = [call.arguments]
    return on_one_line(" ".join([call.name, *values])[:_LONGEST_BRIEF])


_LONGEST_BRIEF = 200


def _drafts(call: ToolCall) -> bool:
    """Whether a call drafts a change, rather than ask to see something."""
    tool = TOOLS.get(call.name)
    return tool is not None and tool.drafts


def _number(call: str) -> int:
    """Which call of its task it is; -1 for none."""
    number = call.rpartition("-")[2]
    return int(number) if number.isdigit() else -1
