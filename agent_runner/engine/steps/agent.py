"""The step that asks the agent: who is asked, what, whether a limit forbids it, and what comes.

Invariants: an answer that is on disk is never asked for again; a wait that a provider asked for is
in the journal, so that a resume waits only the rest.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

import anyio.from_thread
import anyio.to_thread
from attrs import define

from agent_runner.engine.calls.call import Calls
from agent_runner.engine.calls.conversation import Conversations, Turn
from agent_runner.engine.calls.question import Question, Questions
from agent_runner.engine.calls.route import Route
from agent_runner.engine.calls.tool_answers import ToolAnswers
from agent_runner.engine.checking import Checking
from agent_runner.engine.hooks import Hooks
from agent_runner.engine.work import Halt, Work
from agent_runner.ground.clock import Clock
from agent_runner.limits.waiting import wait_until
from agent_runner.looking.tool import Said
from agent_runner.model import events as e
from agent_runner.model.agent import AgentResponse, Finish
from agent_runner.model.signals import Waiting

Forbids: TypeAlias = Callable[[Work, Question], e.TaskEvent | Halt | None]
"""What a limit says to a question: `Calls.forbids`, which reserves room, or `would_forbid`."""


@define
class AgentStep:
    """Asks until there is an answer, a limit, or a reason to stop.

    `impatient`: whether a person wants to try now, before a wait is over.
    """

    route: Route
    questions: Questions
    calls: Calls
    conversations: Conversations
    tool_answers: ToolAnswers
    checking: Checking
    hooks: Hooks
    clock: Clock
    impatient: Callable[[], bool]

    async def __call__(self, work: Work) -> e.TaskEvent | Halt:
        """Settle a call that an earlier run left open, ask until there is a reply, and read it."""
        if work.record.call.started is not None:
            ended = await self.calls.settle_open(work)
            if ended is not None:
                return ended
            work = work.refreshed()
        while work.record.call.reply is None:
            ended = await self._ask(work)
            if ended is not None:
                return ended
            work = work.refreshed()
        return await self._meaning(work)

    async def _ask(self, work: Work) -> e.TaskEvent | Halt | None:
        """Make one call if nothing forbids it. None: the record says what came of it."""
        deferred = work.record.call.deferred is not None
        at_once = deferred and self.impatient()
        if deferred and not at_once and self.hooks.services_to_start(work):
            # a limit that still holds is known before any service is started for the call
            found = await self._open_question(work, self.calls.would_forbid)
            if not isinstance(found, Question):
                return found
            work = work.refreshed()
        red = await self.hooks.start_services(work)
        if red is not None:
            return Halt(
                "held", f"hook {red.hook} should start a service again and is red: {red.reason}"
            )
        await self._wait(work)
        question = await self._open_question(work, self.calls.forbids, at_once=at_once)
        if not isinstance(question, Question):
            return question
        return await self.calls.make(work, question)

    async def _open_question(
        self, work: Work, forbids: Forbids, *, at_once: bool = False
    ) -> Question | e.TaskEvent | Halt:
        """The next call, to the first provider that can take it, or what stands in its way.

        A fallback is no reason to give up: where it refuses, the task waits for another to open.
        `at_once`: also to one that asked for a longer wait.
        """
        closed: list[e.Deferred] = []
        for provider in self.route.in_turn(work.task, work.record):
            obstacle: e.TaskEvent | Halt | None = None
            if not at_once:
                obstacle = self.route.closed(work.record, provider.name)
            if obstacle is None:
                question = await self.questions.next(work, provider)
                obstacle = forbids(work, question)
                if obstacle is None:
                    self.route.explain(work, closed, instead=provider.name)
                    return question
            if isinstance(obstacle, e.Deferred):
                closed.append(obstacle)
                if self.route.is_soon(obstacle):
                    break
            elif not (isinstance(obstacle, e.Refused) and closed):
                self.route.explain(work, closed, instead=provider.name)
                return obstacle
        return min(closed, key=lambda deferred: deferred.not_before)

    async def _wait(self, work: Work) -> None:
        """Wait for the rest of what the last call's end asked for, with a countdown."""
        until = work.record.call.not_before
        if until is not None:
            waiting = Waiting(work.task.id, until, work.record.last_error)
            await wait_until(self.clock, until, lambda _left: work.signal(waiting))

    async def _meaning(self, work: Work) -> e.TaskEvent:
        """What an answer on disk is for the task."""
        call = work.record.call.reply or ""
        turn = self.conversations.turn(work.task.id, work.record.counts.attempts, call)
        if turn is None:
            return e.Unusable(call, "its stored answer is gone")
        response = turn.response
        if response.finish is Finish.REFUSED:
            return e.Refused(f"the model declined: {response.detail or response.text[:500]}", call)
        in_place = response.edits is not None
        if response.finish is Finish.COMPLETE and response.tool_calls and not in_place:
            return await self._consulted(work, call)
        is_empty = not in_place and not response.text.strip()
        if response.finish is not Finish.COMPLETE or is_empty:
            return e.Unusable(call, _unusable(response))
        asks = not in_place and not turn.reply.edits and (turn.reply.asks or turn.reply.looks)
        return await self._asked_in_words(work, call, turn) if asks else e.Replied(call)

    async def _asked_in_words(self, work: Work, call: str, turn: Turn) -> e.Consulted:
        """What a reply without tools asks to see."""
        if turn.reply.looks:
            return await self._consulted(work, call)
        asks = turn.reply.asks
        turns = work.record.counts.turns + 1
        last = turns >= work.settings.prompt.max_turns or self._is_repeated(work, call, asks)
        return e.Consulted(call, asks, last_look=last)

    def _is_repeated(self, work: Work, call: str, asks: tuple[str, ...]) -> bool:
        """Whether the same was asked for before in this conversation: nothing new comes of it."""
        task, attempt = work.task.id, work.record.counts.attempts
        said = self.conversations.up_to(task, attempt, call)
        earlier = said.calls[:-1] if said is not None else ()
        turns = (self.conversations.turn(task, attempt, one) for one in earlier)
        return any(turn is not None and turn.reply.asks == asks for turn in turns)

    async def _consulted(self, work: Work, call: str) -> e.Consulted:
        """Look up what a reply asks for by tools, and take its drafts in."""
        task, record = work.task, work.record
        answered = await anyio.to_thread.run_sync(
            self.tool_answers.answered, task, record, call, partial(self._check, work)
        )
        drafts = self.tool_answers.drafts(task, record, call)
        turns = record.counts.turns + 1
        last = answered.last_look or turns >= work.settings.prompt.max_turns
        return e.Consulted(call, (), answered.looks, drafts, last_look=last)

    def _check(self, work: Work, name: str, drafts: Mapping[str, bytes | None]) -> Said:
        """Run a check that the agent asks for; called in a thread."""
        offered = [hook.id for hook in self.checking.offered(work.task)]
        if name not in offered:
            known = ", ".join(offered) or "none"
            return Said(
                f"there is no check of that name; the checks are: {known}.", "no check", True
            )
        used = self.tool_answers.checks_used(work.task, work.record)
        if used >= MOST_CHECKS:
            return Said(f"not run: at most {MOST_CHECKS} checks an attempt.", "not run", True)
        result = anyio.from_thread.run(self.checking.run, work, name, drafts)
        code = "none" if result.exit_code is None else str(result.exit_code)
        head = f"exit code {code} after {result.seconds:.1f} s"
        if result.reason:
            head += f" ({result.reason})"
        return Said(f"{head}\n\n{result.excerpt}", head)


MOST_CHECKS = 3
"""Checks that an agent may run in one attempt: each may take minutes."""

_WORDS = {
    Finish.TRUNCATED: "the answer was cut off at the cap on output tokens; raise max_output_tokens",
    Finish.WINDOW: "the answer was cut off at the end of the model's context window",
    Finish.EMPTY: "the answer is empty",
    Finish.COMPLETE: "the answer is empty",
    # the next two are read from states of earlier releases only: they are the provider's trouble
    Finish.CUT: "the answer's stream ended before its end",
    Finish.FAILED: "the provider reported a failure within its answer",
    Finish.UNREADABLE: "the answer is not in the provider's own form",
}


def _unusable(response: AgentResponse) -> str:
    words = _WORDS.get(response.finish, str(response.finish))
    return f"{words}: {response.detail}" if response.detail else words
