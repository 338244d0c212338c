"""The step that asks the agent: everything around a call, and what its answer means.

Invariants: an answer that is on disk is never asked for again; a wait that a provider asked for is
in the journal, so that a resume waits only the rest.
"""

from collections.abc import Callable

from attrs import define

from agent_runner.edits.parse import parse_reply
from agent_runner.engine.calls.call import Calling
from agent_runner.engine.calls.question import Question
from agent_runner.engine.calls.route import Admission, Routing
from agent_runner.engine.hooks import Hooks
from agent_runner.engine.work import Halt, Work
from agent_runner.ground.clock import Clock
from agent_runner.limits.waiting import wait_until
from agent_runner.model import events as e
from agent_runner.model.agent import AgentResponse, Finish
from agent_runner.model.signals import Waiting


@define
class AgentStep:
    """Asks until there is an answer, a limit, or a reason to stop.

    `impatient`: a person wants to try now.
    """

    routing: Routing
    calling: Calling
    admission: Admission
    hooks: Hooks
    clock: Clock
    impatient: Callable[[], bool]

    async def __call__(self, work: Work) -> e.TaskEvent | Halt:
        """Ask until there is an answer, a limit, or a reason to stop."""
        if work.record.call.started is not None:
            ended = await self.calling.settle_open_call(work)
            if ended is not None:
                return ended
            work = work.refreshed()
        while work.record.call.reply is None:
            ended = await self._ask(work)
            if ended is not None:
                return ended
            work = work.refreshed()
        return self._meaning(work)

    async def _ask(self, work: Work) -> e.TaskEvent | Halt | None:
        """Make one call if nothing forbids it. None: the record says what came of it."""
        ask, deferred = self.routing.question, work.record.call.deferred is not None
        if deferred and self.impatient():
            ask = self.routing.question_at_once
        elif deferred:  # what closes it still is known before any service is started for it
            found = await ask(work, self.admission.would_forbid)
            if not isinstance(found, Question):
                return found
            work = work.refreshed()
        red = await self.hooks.serve(work)
        if red is not None:
            return Halt(
                "held", f"hook {red.hook} should start a service again and is red: {red.reason}"
            )
        await self._sit_out(work)
        question = await ask(work, self.admission.forbids)
        if not isinstance(question, Question):
            return question
        return await self.calling.call(work, question)

    async def _sit_out(self, work: Work) -> None:
        """Wait for the rest of what the last call's end asked for, with a countdown."""
        until = work.record.call.not_before
        if until is not None:
            waiting = Waiting(work.task.id, until, work.record.last_error)
            await wait_until(self.clock, until, lambda _left: work.signal(waiting))

    def _meaning(self, work: Work) -> e.TaskEvent:
        """What an answer on disk is for the task."""
        call = work.record.call.reply or ""
        response = self.calling.answer(work, call)
        if response is None:
            return e.Unusable(call, "its stored answer is gone from the logs folder")
        if response.finish is Finish.REFUSED:
            return e.Refused(f"the model declined: {response.detail or response.text[:500]}", call)
        if response.finish is not Finish.COMPLETE:
            return e.Unusable(call, _unusable(response))
        if response.edits is None:
            if not response.text.strip():
                return e.Unusable(call, "the answer is empty")
            reply = parse_reply(response.text)
            if reply.asks and not reply.edits:
                return e.Consulted(call, reply.asks)
        return e.Replied(call)


_WORDS = {
    Finish.TRUNCATED: "the answer was cut off at the cap on output tokens",
    Finish.WINDOW: "the answer was cut off at the end of the model's context window",
    Finish.EMPTY: "the answer is empty",
    Finish.CUT: "the answer's stream ended before its end",
    Finish.FAILED: "the provider reported a failure within its answer",
    Finish.UNREADABLE: "the answer is not in the provider's own form",
}


def _unusable(response: AgentResponse) -> str:
    words = _WORDS.get(response.finish, str(response.finish))
    return f"{words}: {response.detail}" if response.detail else words
