"""The step that changes files.

It plans in memory, stores every image, journals the intent, writes, and runs what is allowed.
"""

from collections.abc import Callable

from attrs import define, evolve

from agent_runner.edits.edit import NoChange, Reply
from agent_runner.edits.parse import parse_reply
from agent_runner.edits.plan import Planned, plan_replies
from agent_runner.edits.rejection import Rejection, no_change_found
from agent_runner.engine.calls.conversation import Conversations, Turn
from agent_runner.engine.calls.tool_answers import ToolAnswers
from agent_runner.engine.changes import Changes
from agent_runner.engine.commands import Commands
from agent_runner.engine.commits import Commits
from agent_runner.engine.trees import Trees
from agent_runner.engine.work import Halt, Work
from agent_runner.files.rules import Rules
from agent_runner.ground.threads import in_thread
from agent_runner.model.changes import ChangeSet
from agent_runner.model.events import NO_CHANGE, Applied, Conflicted, Rejected, TaskEvent
from agent_runner.model.record import TaskRecord
from agent_runner.model.task import Task

_ONCE_MORE = (
    "The files stand as they did before your changes. Make all of them again, but for what is at"
    " fault above."
)

_UNCHANGED_IN_PLACE = (
    "No file was changed. Change the files that the task is about, or say why nothing has to be"
    " changed, in one line: `NO CHANGE NEEDED: why`."
)

_GONE = "The answer that you gave is lost. Give it again."

_PUT_BACK = "The files were put back; what the command changed itself was not."


@define
class ApplyStep:
    """Applies a reply all or nothing. `preview`: shown the plan instead of applying it."""

    conversations: Conversations
    tool_answers: ToolAnswers
    rules_of: Callable[[Task, TaskRecord], Rules]
    changes: Changes
    commands: Commands
    commits: Commits
    trees: Trees
    preview: Callable[[Work, Planned], None] | None = None

    async def __call__(self, work: Work) -> TaskEvent | Halt:
        """Apply the reply, or finish what an earlier run began to apply or to take back."""
        change = work.record.change
        if change.planned is not None and change.rolling_back:
            conflicted = self.changes.finish_taking_back(
                change.planned, work.task.root, work.journal
            )
            return conflicted or _rejected(work.record.feedback)
        if change.command_running is not None:
            return Conflicted(
                f"command {change.command_running}",
                "the runner stopped while it ran; look at what it did, then: retry or check",
            )
        turn = self._turn(work, work.record.call.reply or "")
        if change.planned is not None:
            return await self._write(work, turn.reply if turn else Reply(), change.planned)
        return await self._begin(work, turn)

    async def _begin(self, work: Work, turn: Turn | None) -> TaskEvent | Halt:
        """Plan the reply; if it can be carried out, journal the intent and write it."""
        if turn is None:
            return Rejected(_GONE, "its stored answer is gone")
        if turn.response.edits is not None:
            self.trees.expire()  # an agent changed files itself
        planned, reply = await in_thread(self._plan, work, turn)
        if isinstance(planned, Rejection):
            # words in place of the blocks that were to be corrected leave a change half sent
            missing = planned.no_change is not None and not planned.fine
            notes = turn.response.notes  # what it was not allowed is often why
            text, summary = "\n".join((planned.text, *notes)), "; ".join((planned.summary, *notes))
            return Rejected(text, summary, NO_CHANGE if missing else "")
        if self.preview is not None:
            self.preview(work, planned)
            return Halt("preview", "the reply is kept; without --preview it is applied")
        if planned.change_set.changes or reply.commands:
            self.changes.plan(planned, work.record, work.journal)
        outcome = await self._write(work.refreshed(), reply, planned.change_set)
        if isinstance(outcome, Applied):
            said = _no_change(turn, reply)
            notes = (*planned.notes, *turn.response.notes, *outcome.notes)
            why = said.why or "" if said else ""
            return evolve(outcome, summary=planned.summary, notes=notes, no_change=why)
        return outcome

    async def _write(self, work: Work, reply: Reply, change_set: ChangeSet) -> TaskEvent:
        """Write a change whose intent is journaled, then run what the reply proposes."""
        root = work.task.root
        conflicted = await in_thread(self._carry_out, work.task, change_set)
        if conflicted is not None:
            return conflicted
        if reply.commands:
            self.trees.expire()
        ran = await self.commands.run(work, reply.commands)
        if ran.failure:
            problems = f"{ran.failure}\n\n{_PUT_BACK}"
            conflicted = self.changes.take_back(change_set, root, problems, work.journal)
            return conflicted or _rejected(problems)
        declined = tuple(f"command not run: {command}" for command in ran.declined)
        await self.commits.after_attempt(work, change_set.paths)
        tree = await self.trees.written(work.task, change_set.paths)
        return Applied(change_set.paths, tree.id, notes=declined)

    def _carry_out(self, task: Task, change_set: ChangeSet) -> Conflicted | None:
        """Keep what stands there before it is replaced, then write."""
        self.trees.keep(task, change_set.paths)
        return self.changes.write(change_set, task.root)

    def _plan(self, work: Work, turn: Turn) -> tuple[Planned | Rejection, Reply]:
        """Plan the reply, which is returned with all its drafts; nothing is written.

        Words count together with what was fine in those that they correct; an agent that changes
        files itself begins anew each time.
        """
        record, root = work.record, work.task.root
        change_id = f"{work.task.id}-{record.counts.calls_started:04}"
        if turn.response.edits is not None:
            reply, rules = turn.reply, self.rules_of(work.task, record)
            planned = plan_replies([reply], root, rules, change_id=change_id)
            if isinstance(planned, Rejection):
                return evolve(planned, text=f"{planned.faults}\n\n{_ONCE_MORE}"), reply
            no_change = _no_change(turn, reply)
            return _unless_missing(planned, no_change, _unchanged_in_place), reply
        replies = self.tool_answers.replies(work.task, record, record.call.reply or "")
        rules = self.tool_answers.rules(work.task, record)
        planned = plan_replies(replies, root, rules, change_id=change_id)
        reply = replies[-1]
        return _unless_missing(planned, _no_change(turn, reply), no_change_found), reply

    def _turn(self, work: Work, call: str) -> Turn | None:
        return self.conversations.turn(work.task.id, work.record.counts.attempts, call)


def _unless_missing(
    planned: Planned | Rejection,
    found: NoChange | None,
    rejected: Callable[[NoChange], Rejection],
) -> Planned | Rejection:
    """The plan; but a reply that asks for nothing has to say why."""
    missing = found is not None and found.why is None
    return rejected(found) if found and missing and isinstance(planned, Planned) else planned


def _unchanged_in_place(found: NoChange) -> Rejection:
    return Rejection(_UNCHANGED_IN_PLACE, "the agent changed no file", no_change=found)


def _no_change(turn: Turn, reply: Reply) -> NoChange | None:
    """What the reply has in place of a change; None where it asks for one, or drafted it."""
    if turn.response.edits is None:
        return reply.no_change
    if reply.edits:
        return None
    said = parse_reply(turn.response.text).no_change
    return NoChange("no file was changed", said.why if said else None)


def _rejected(problems: str) -> Rejected:
    """The event after a rollback: its first line is what people are told."""
    return Rejected(problems, problems.partition("\n")[0])
