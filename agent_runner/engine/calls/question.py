"""What is asked next: which attempt and turn it is, the prompt, and the worst case of the call.

The one place where prompts are made: what is sent, what `debug prompt` shows and what `plan`
measures is the same question.
"""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import anyio.to_thread
from attrs import evolve, frozen

from agent_runner.engine.calls.clients import Provider
from agent_runner.engine.calls.conversation import Conversations, call_id
from agent_runner.engine.changes import Changes
from agent_runner.engine.work import Work
from agent_runner.ground.escaping import fenced
from agent_runner.ground.globs import Globs
from agent_runner.ground.redaction import Redactor
from agent_runner.ground.tokens import Ruler, corrected
from agent_runner.hooks.scripts import judges_of
from agent_runner.limits.room import Need
from agent_runner.model.agent import AgentRequest, Message, Prompt
from agent_runner.model.events import CallStarted
from agent_runner.model.flow import next_attempt
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import Settings
from agent_runner.model.shown import Listing
from agent_runner.model.spending import Spending
from agent_runner.model.task import Task
from agent_runner.prompts.again import note_on_unusable
from agent_runner.prompts.build import answer_to_show, build_prompt, load_template, room_left
from agent_runner.prompts.situation import GitLines, Situation
from agent_runner.workspace.git import Repository
from agent_runner.workspace.listing import overview, show
from agent_runner.workspace.names import Scope, file_names
from agent_runner.workspace.status import GitStatus

_NOT_APPLIED = (
    "Your reply could not be applied. Send the blocks that are at fault again, corrected:"
)


@frozen
class Question:
    """A call that could be made. Nothing is reserved and nothing written yet.

    Attributes:
        request: What is sent.
        provider: Who is asked.
        need: The most that the call may use, as the limits count it.
        started: The fact of its start, to be journaled before it is sent.
    """

    request: AgentRequest
    provider: Provider
    need: Need
    started: CallStarted


@frozen
class Questions:
    """Makes the next question of a task from its record, its files and its conversation.

    Attributes:
        redactor: Takes known keys out of every prompt.
        conversations: Where the earlier turns are.
        changes: Knows what the task has changed so far.
        hidden: Absolute folders below a task's root that no prompt shows.
        files: Paths of all files below a root, sorted; None: looked up for each question.
        status: What git says of a root; None: asked for each question.
        commands: Whether the agent may propose commands at all.
        spending: What the journal knows of past calls; it corrects the estimates.
        today: The calendar day where the user is, `2026-11-24`.
    """

    redactor: Redactor
    conversations: Conversations
    changes: Changes
    hidden: tuple[Path, ...]
    commands: bool
    spending: Callable[[], Spending]
    today: Callable[[], str]
    files: Callable[[Path], tuple[str, ...]] | None = None
    status: Callable[[Path], GitStatus | None] | None = None

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
        situation = _Prompting(self, task, record, settings, provider, attempt, is_new)
        request = AgentRequest(
            call=call_id(task.id, counts.calls_started + 1),
            task=task.id,
            number=counts.calls_answered + 1,
            attempt=attempt,
            turn=turn,
            provider=provider.name,
            model=provider.model,
            prompt=situation.prompt(),
            max_output_tokens=settings.max_output_tokens,
        )
        return self._with_worst_case(request, provider)

    def _with_worst_case(self, request: AgentRequest, provider: Provider) -> Question:
        guess = Ruler(provider.model).prompt(request.prompt)
        estimate = corrected(guess, provider.model, self.spending())
        cap = request.max_output_tokens
        need = Need(estimate, cap, provider.highest_cost(estimate, cap))
        started = CallStarted(
            request.call,
            request.attempt,
            request.turn,
            request.number,
            provider.name,
            provider.model,
            input_estimate=estimate,
            output_cap=cap,
            cost=need.cost,
            raw_estimate=guess,
            day=self.today(),
        )
        return Question(request, provider, need, started)


@frozen(slots=False)  # `cached_property` wants a `__dict__`
class _Prompting:
    """The making of one prompt. `is_new`: it is the first of its attempt."""

    questions: Questions
    task: Task
    record: TaskRecord
    settings: Settings
    provider: Provider
    attempt: int
    is_new: bool

    def prompt(self) -> Prompt:
        """The conversation of this attempt with our next turn, else a first message of its own.

        What was sent before is sent again word for word, or the provider's cache misses it. Only
        where it leaves no room for our turn is the first message built anew, and then what was
        shown first gives way.
        """
        agent, room = self.provider.client.capabilities, self.settings.prompt.max_tokens
        goes_on = not self.is_new and agent.continues
        conversation = self._continued() if goes_on else None
        if conversation is not None and room_left(conversation, room, self.ruler):
            prompt = conversation
        else:
            situation = self._situation()
            if agent.looks:
                situation = evolve(situation, looks_left=0)
            if agent.in_place:
                situation = evolve(situation, in_place=True, commands=False)
            if conversation is not None:
                situation = evolve(situation, conversation=conversation.messages[1:])
            template = self.task.template or self.settings.template
            prompt = build_prompt(situation, room, load_template(template) if template else None)
        prompt = self._with_note(prompt)
        clean = self.questions.redactor.text
        return Prompt(
            clean(prompt.system), tuple(Message(m.role, clean(m.text)) for m in prompt.messages)
        )

    def _with_note(self, prompt: Prompt) -> Prompt:
        """The question, and at its end why it is asked again; all before stays word for word."""
        record = self.record
        if self.is_new or record.call.unusable is None:
            return prompt
        turn = self.questions.conversations.turn(self.task.id, self.attempt, record.call.unusable)
        note = note_on_unusable(
            turn.response.finish if turn else None,
            times=record.counts.unusable_replies,
            cap=self.settings.max_output_tokens,
            tool=bool(turn and turn.response.tool_calls),
        )
        *before, last = prompt.messages
        return evolve(prompt, messages=(*before, evolve(last, text=f"{last.text}\n{note}")))

    def _continued(self) -> Prompt | None:
        """The turns so far and our answer to the last; None where there is nothing to go on with.

        There is something when the last reply asked to see files or could not be applied.
        """
        record, last = self.record, self.record.call.continues
        turn = self.questions.conversations.turn(self.task.id, self.attempt, last) if last else None
        so_far = turn.so_far if turn is not None else None
        if turn is None or so_far is None:
            return None
        if record.change.missing:
            answer = Message("user", f"{record.feedback}\n")
        elif last in record.call.corrected or not turn.reply.asks:
            answer = Message("user", f"{_NOT_APPLIED}\n\n{fenced(record.feedback)}\n")
        else:
            room = room_left(so_far, self.settings.prompt.max_tokens, self.ruler)
            shown = self._shown(turn.reply.asks)
            answer = answer_to_show(shown, self._looks_left, room, self.ruler)
        return evolve(so_far, messages=(*so_far.messages, answer))

    def _situation(self) -> Situation:
        """Everything that a first message is made from, as it stands now."""
        task, settings = self.task, self.settings
        return Situation(
            task,
            self.record,
            attempt=self.attempt,
            git=self._git,
            pre_hooks=tuple(settings.hooks[name] for name in task.pre_hooks),
            post_hooks=tuple(settings.hooks[name] for name in task.post_hooks),
            files=self._shown(task.files) if task.files else Listing(),
            names=overview(self._names),
            diff=self.questions.changes.diff_so_far(self.record),
            taken_back=self.questions.changes.diff_taken_back(self.record),
            looks_left=self._looks_left,
            commands=self.questions.commands,
            protect=(*settings.apply.protect, *task.protect, *self._scripts()),
            ruler=self.ruler,
        )

    def _scripts(self) -> tuple[str, ...]:
        """Scripts that judge the task: a reply that changes them is refused, so it is said before.

        As globs from the root.
        """
        task, settings = self.task, self.settings
        hooks = (settings.hooks[name] for name in (*task.pre_hooks, *task.post_hooks))
        may_change = Globs((*settings.apply.may_change, *task.may_change))
        made = self.record.change.paths
        scripts = sorted(judges_of(hooks, task.root).scripts)
        return tuple(f"/{x}" for x in scripts if x not in made and not may_change.covers(x))

    def _shown(self, wanted: tuple[str, ...]) -> Listing:
        most = self.ruler.characters(self.settings.prompt.max_tokens)
        return show(self._scope, self._names, wanted, most)

    @property
    def ruler(self) -> Ruler:
        """Measures texts in the tokens of the model that is asked."""
        return Ruler(self.provider.model)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        files, root = self.questions.files, self.task.root
        return file_names(self._scope) if files is None else files(root)

    @property
    def _git(self) -> GitLines | None:
        status = (self.questions.status or _status)(self.task.root)
        if status is None:
            return None
        return GitLines(status.branch, status.head, status.lines, status.more)

    @property
    def _scope(self) -> Scope:
        return Scope(self.task.root, self.questions.hidden)

    @property
    def _looks_left(self) -> int:
        turns = 0 if self.is_new else self.record.counts.turns
        return max(0, self.settings.prompt.max_turns - turns)


def _status(root: Path) -> GitStatus | None:
    repository = Repository.find(root)
    return repository.status() if repository else None
