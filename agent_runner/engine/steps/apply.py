"""The step that changes files.

It plans in memory, stores every image, journals the intent, writes, and runs what is allowed.
"""

from collections.abc import Callable

import anyio.to_thread
from attrs import define, evolve

from agent_runner.edits.edit import Reply
from agent_runner.edits.parse import parse_diffs, parse_reply
from agent_runner.edits.plan import Planned, plan_replies
from agent_runner.edits.rejection import Rejection
from agent_runner.edits.rules import Rules
from agent_runner.engine.calls.conversation import Answers
from agent_runner.engine.changes import Changes
from agent_runner.engine.commits import Commits
from agent_runner.engine.proposals import Proposals
from agent_runner.engine.trees import Trees
from agent_runner.engine.work import Halt, Work
from agent_runner.model.agent import AgentResponse
from agent_runner.model.changes import ChangeSet
from agent_runner.model.events import Applied, Conflicted, Rejected, TaskEvent
from agent_runner.model.task import Task

_ONCE_MORE = (
    "The files stand as they did before your changes. Make all of them again, but for what is at"
    " fault above."
)

_PUT_BACK = "The files were put back; what the command changed itself was not."


@define
class ApplyStep:
    """Applies a reply all or nothing. `preview`: called with the diff instead of applying it."""

    answers: Answers
    rules_of: Callable[[Task], Rules]
    changes: Changes
    proposals: Proposals
    commits: Commits
    trees: Trees
    preview: Callable[[Work, Planned], None] | None = None

    async def __call__(self, work: Work) -> TaskEvent | Halt:
        """Apply the reply, or finish what an earlier run began to apply or to take back."""
        record = work.record
        if record.change.planned is not None and record.change.rolling_back:
            return self._taken_back(work, record.change.planned, record.feedback)
        if record.change.command_running is not None:
            return Conflicted(
                f"command {record.change.command_running}",
                "the runner stopped while it ran; look at what it did, then: retry or check",
            )
        reply, summary = self._reply(work), ""
        notes: tuple[str, ...] = ()
        change_set = record.change.planned
        if change_set is None:
            planned = await anyio.to_thread.run_sync(self._plan, work)
            if isinstance(planned, Rejection):
                return Rejected(planned.text, planned.summary)
            if self.preview is not None:
                self.preview(work, planned)
                return Halt("preview", "the reply is kept; without --preview it is applied")
            change_set, notes, summary = planned.change_set, planned.notes, planned.summary
            if change_set.changes or reply.commands:
                attempt = self.answers.attempt(work.task.id, record.counts.attempts)
                self.changes.plan(planned, record.call.reply or "", attempt, work.note)
        return await self._write(work.refreshed(), change_set, reply, notes, summary)

    async def _write(
        self, work: Work, change_set: ChangeSet, reply: Reply, notes: tuple[str, ...], summary: str
    ) -> TaskEvent:
        conflict = await self.changes.write(change_set, work.task.root)
        if conflict is not None:
            return Conflicted(conflict.path, conflict.reason)
        ran = await self.proposals.run(work, reply.commands)
        if ran.failure:
            told = f"{ran.failure}\n\n{_PUT_BACK}"
            conflict = self.changes.take_back(change_set, work.task.root, told, work.note)
            if conflict is not None:
                return Conflicted(conflict.path, conflict.reason)
            return Rejected(told, ran.failure.partition("\n")[0])
        declined = tuple(f"command not run: {command}" for command in ran.declined)
        await self.commits.after_attempt(work, change_set.paths)
        tree = (await self.trees.read(work.task)).id
        return Applied(change_set.paths, tree, summary, (*notes, *declined))

    def _taken_back(self, work: Work, back: ChangeSet, told: str) -> TaskEvent:
        """Finish a rollback that was interrupted."""
        conflict = self.changes.finish_taking_back(back, work.task.root, work.note)
        if conflict is not None:
            return Conflicted(conflict.path, conflict.reason)
        return Rejected(told, told.partition("\n")[0])

    def _plan(self, work: Work) -> Planned | Rejection:
        """Plan the reply; nothing is written.

        Words count together with what was fine in those that they correct; an agent that changes
        files itself begins anew each time.
        """
        record, root, rules = work.record, work.task.root, self.rules_of(work.task)
        change_id = f"{work.task.id}-{record.counts.calls_started:04}"
        last = self._response(work, record.call.reply or "")
        if last is not None and last.edits is not None:
            planned = plan_replies([_read(last)], root, rules, change_id=change_id)
            if isinstance(planned, Rejection):
                return evolve(planned, text=f"{planned.faults}\n\n{_ONCE_MORE}")
            return planned
        earlier = (self._response(work, call) for call in record.call.corrected)
        words = [one for one in earlier if one is None or one.edits is None]
        replies = [_read(one) for one in (*words, last)]
        return plan_replies(replies, root, rules, change_id=change_id)

    def _reply(self, work: Work) -> Reply:
        return _read(self._response(work, work.record.call.reply or ""))

    def _response(self, work: Work, call: str) -> AgentResponse | None:
        return self.answers.response(work.task.id, work.record.counts.attempts, call)


def _read(response: AgentResponse | None) -> Reply:
    """What the answer asks for."""
    if response is None:
        return Reply()
    return parse_reply(response.text) if response.edits is None else parse_diffs(response.edits)
