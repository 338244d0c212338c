"""The next question to the agent: which attempt and turn it is, its words, and its worst case."""

from collections.abc import Callable
from functools import partial

import anyio.to_thread
from attrs import frozen

from agent_runner.engine.answers import call_id
from agent_runner.engine.clients import Served, worst_cost
from agent_runner.engine.prompting import Prompting
from agent_runner.engine.steps.step import Work
from agent_runner.ground.tokens import tokens_of
from agent_runner.limits.decision import Need
from agent_runner.limits.estimate import corrected
from agent_runner.limits.gate import Gate
from agent_runner.model.agent import AgentRequest, Prompt
from agent_runner.model.events import CallStarted
from agent_runner.model.flow import next_attempt
from agent_runner.model.spending import Spending


@frozen
class Question:
    """A call to be made: what is asked, of whom, what it may need, and the fact of its start."""

    request: AgentRequest
    served: Served
    need: Need
    started: CallStarted


@frozen
class Asking:
    """Makes questions from a task's record."""

    prompting: Prompting
    spending: Callable[[], Spending]
    gate: Gate

    async def question(self, work: Work, served: Served) -> Question:
        """The next call of the task, numbered and worded; nothing is reserved yet."""
        record, settings = work.record, self.prompting.settings
        attempt = next_attempt(record, work.settings)
        is_new = attempt != record.counts.attempts
        counts = record.counts
        so_far = counts.turns + counts.rejections + counts.unusable_replies
        turn = 1 if is_new else 1 + so_far
        worded = partial(self.prompting.prompt, agent=served.client.capabilities)
        prompt = await anyio.to_thread.run_sync(worded, work.task, record, work.settings, attempt)
        request = AgentRequest(
            call=call_id(work.task.id, record.counts.calls_started + 1),
            task=work.task.id,
            number=record.counts.calls_answered + 1,
            attempt=attempt,
            turn=turn,
            provider=served.profile.name,
            model=served.profile.model,
            prompt=prompt,
            max_output_tokens=settings.max_output_tokens,
        )
        raw = tokens_of(text_of(prompt), served.profile.model)
        estimate = corrected(raw, served.profile.model, self.spending())
        cost = worst_cost(settings, served.profile.model, estimate, settings.max_output_tokens)
        need = Need(estimate, settings.max_output_tokens, cost)
        started = CallStarted(
            request.call,
            attempt,
            turn,
            request.number,
            request.provider,
            served.profile.model,
            estimate,
            settings.max_output_tokens,
            cost,
            raw,
            self.gate.today(),
        )
        return Question(request, served, need, started)


def text_of(prompt: Prompt) -> str:
    """All words of a prompt, for estimates."""
    return "\n".join([prompt.system, *(message.text for message in prompt.messages)])
