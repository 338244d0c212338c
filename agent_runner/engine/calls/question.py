"""What is asked next: which attempt and turn it is, the prompt, and the worst case of the call.

The one place where prompts are made: what is sent, what `debug prompt` shows and what `plan`
measures is the same question.
"""

from collections.abc import Callable

import anyio.to_thread
from attrs import evolve, frozen

from agent_runner.engine.calls.clients import Provider
from agent_runner.engine.calls.composing import Composed, Composing
from agent_runner.engine.calls.conversation import call_id
from agent_runner.engine.calls.first_message import Sources
from agent_runner.engine.work import Work
from agent_runner.ground.tokens import Ruler, corrected
from agent_runner.limits.room import Need, expected
from agent_runner.model.agent import AgentRequest
from agent_runner.model.conversation import StoredRequest
from agent_runner.model.events import CallStarted, Fact
from agent_runner.model.flow import next_attempt
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import Settings
from agent_runner.model.spending import Spending
from agent_runner.model.task import Task


@frozen
class Question:
    """A call that could be made. Nothing is reserved and nothing written yet.

    Attributes:
        request: What is sent.
        stored: What is kept of it.
        provider: Who is asked.
        need: The most that the call may use, as the limits count it.
        started: The fact of its start, to be journaled before it is sent.
        before: What is to be journaled before that: what became of the conversation.
    """

    request: AgentRequest
    stored: StoredRequest
    provider: Provider
    need: Need
    started: CallStarted
    before: tuple[Fact, ...] = ()


@frozen
class Questions:
    """Makes the next question of a task from its record, its files and its conversation.

    Attributes:
        sources: What prompts are made from.
        spending: What the journal knows of past calls; it corrects the estimates.
        today: The calendar day where the user is, `2026-11-24`.
    """

    sources: Sources
    spending: Callable[[], Spending]
    today: Callable[[], str]

    async def next(self, work: Work, provider: Provider) -> Question:
        """As `question`, for a step: git and the disk are waited for in a thread."""
        return await anyio.to_thread.run_sync(
            self.question, work.task, work.record, work.settings, provider
        )

    def question(
        self, task: Task, record: TaskRecord, settings: Settings, provider: Provider
    ) -> Question:
        """The task's next call, to `provider`. Reads git and files, so call it in a thread.

        Raises InputError for a template with mistakes, UsageError where git refuses.
        """
        counts = record.counts
        attempt = next_attempt(record, settings)
        is_new = attempt != counts.attempts
        turn = 1 if is_new else 1 + counts.turns + counts.rejections + counts.unusable_replies
        composing = Composing(self.sources, task, record, settings, provider, attempt, is_new)
        composed = composing.composed()
        begins = not composed.after
        stored = StoredRequest(
            call=call_id(task.id, counts.calls_started + 1),
            task=task.id,
            number=counts.calls_answered + 1,
            attempt=attempt,
            turn=turn,
            provider=provider.name,
            model=provider.model,
            max_output_tokens=settings.max_output_tokens,
            after=composed.after,
            in_words=composed.in_words,
            replaced=composed.replaced,
            system=composed.prompt.system if composed.renewed else None,
            tools=composed.prompt.tools if composed.renewed else None,
            messages=composed.new,
            definition=task.definition if begins else "",
            digest=self.sources.conversations.digests.of(composed.prompt),
        )
        return self._with_worst_case(stored, composed, provider)

    def _with_worst_case(
        self, stored: StoredRequest, composed: Composed, provider: Provider
    ) -> Question:
        ruler = Ruler(provider.model)
        guess = ruler.prompt(composed.prompt)
        estimate = corrected(guess, provider.model, self.spending())
        cap = stored.max_output_tokens
        # all but the model's last turn and our answer to it: the call before had it in the cache
        messages = composed.prompt.messages
        new = sum(map(ruler.message, messages[-2:])) if len(messages) > 2 else guess
        cached = estimate * (guess - new) // guess
        need = Need(estimate, cap, provider.highest_cost(estimate, cap), cached)
        if provider.client.capabilities.in_copy:
            need = expected(self.spending(), provider.name, provider.model)
            if need.cost is None:
                need = evolve(need, cost=provider.highest_cost(need.tokens, 0))
        started = CallStarted(
            stored.call,
            stored.attempt,
            stored.turn,
            stored.number,
            provider.name,
            provider.model,
            input_estimate=need.input_estimate,
            output_cap=need.output_cap,
            cost=need.cost,
            raw_estimate=guess,
            day=self.today(),
            after=stored.after,
        )
        request = stored.sent(composed.prompt)
        return Question(request, stored, provider, need, started, composed.facts)
