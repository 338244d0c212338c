"""From a task's record and its files to the prompt of its next call."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import anyio.to_thread
from attrs import evolve, frozen

from agent_runner.edits.parse import parse_reply
from agent_runner.engine.calls.clients import Served, worst_cost
from agent_runner.engine.calls.conversation import Answers, call_id
from agent_runner.engine.work import Work
from agent_runner.ground.escaping import fenced
from agent_runner.ground.redaction import Redactor
from agent_runner.ground.tokens import Ruler, corrected
from agent_runner.limits.decision import Need
from agent_runner.limits.gate import Gate
from agent_runner.model.agent import AgentRequest, Message, Prompt
from agent_runner.model.events import CallStarted
from agent_runner.model.flow import next_attempt
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import Settings
from agent_runner.model.shown import Listing
from agent_runner.model.spending import Spending
from agent_runner.model.task import Task
from agent_runner.prompts.build import answer_to_show, build_prompt, load_template, room_left
from agent_runner.prompts.situation import GitLines, Situation
from agent_runner.prompts.template import Template
from agent_runner.providers.client import WORDS, Capabilities
from agent_runner.workspace.git import Repository
from agent_runner.workspace.listing import overview, show
from agent_runner.workspace.names import Scope

_NOT_APPLIED = (
    "Your reply could not be applied. Send the blocks that are at fault again, corrected:"
)


@frozen
class Prompting:
    """Builds prompts; reads git, the files and earlier answers, so call it in a thread.

    `commands`: whether the agent may propose commands at all.
    """

    settings: Settings
    redactor: Redactor
    answers: Answers
    excluded: tuple[Path, ...]
    commands: bool

    def prompt(
        self,
        task: Task,
        record: TaskRecord,
        settings: Settings,
        attempt: int,
        *,
        model: str = "",
        agent: Capabilities = WORDS,
    ) -> Prompt:
        """The whole prompt of the next call, which belongs to `attempt`, known keys taken out.

        `model`: in whose tokens the prompt is measured. `agent`: what the one who is asked can do
        by itself, and so need not be told or shown.

        Raises InputError for a template with mistakes.
        """
        ruler, room = Ruler(model), self.settings.prompt.max_tokens
        scope, continues = Scope(task.root, self.excluded), attempt == record.counts.attempts
        goes_on = continues and agent.continues
        talk = self._talk(scope, task, record, settings, ruler) if goes_on else None
        if talk is not None and room_left(talk, room, ruler):
            prompt = talk  # word for word what was sent before, and what is new
        else:
            situation = self._situation(scope, task, record, settings, attempt, ruler)
            if agent.looks:
                situation = evolve(situation, looks_left=0)
            if agent.in_place:
                situation = evolve(situation, in_place=True, commands=False)
            if talk is not None:
                situation = evolve(situation, conversation=talk.messages[1:])
            prompt = build_prompt(situation, room, self._template(task))
        messages = tuple(Message(m.role, self.redactor.text(m.text)) for m in prompt.messages)
        return Prompt(self.redactor.text(prompt.system), messages)

    def _situation(
        self,
        scope: Scope,
        task: Task,
        record: TaskRecord,
        settings: Settings,
        attempt: int,
        ruler: Ruler,
    ) -> Situation:
        hooks = self.settings.hooks
        continues = attempt == record.counts.attempts
        return Situation(
            task,
            record,
            attempt=attempt,
            git=_git(task.root),
            pre_hooks=tuple(hooks[name] for name in task.pre_hooks),
            post_hooks=tuple(hooks[name] for name in task.post_hooks),
            files=self._show(scope, task.files, ruler) if task.files else Listing(),
            names=overview(scope),
            diff=self._changed_so_far(task, attempt),
            looks_left=_looks_left(record, settings) if continues else settings.prompt.max_turns,
            commands=self.commands,
            protect=(*self.settings.apply.protect, *task.protect),
            ruler=ruler,
        )

    def _talk(
        self, scope: Scope, task: Task, record: TaskRecord, settings: Settings, ruler: Ruler
    ) -> Prompt | None:
        """The turns of this attempt so far and the next.

        There are some when the last reply asked to see files or did not apply.
        """
        if record.call.continues is None:
            return None
        call = self.answers.files(task.id, record.counts.attempts, record.call.continues)
        request, response = call.request(), call.response()
        if request is None or response is None or response.edits is not None:
            return None  # what an agent said that changed files itself is no turn of a talk
        asks = parse_reply(response.text).asks
        is_rejected = record.call.continues in record.call.corrected
        said = Message("assistant", response.text)
        earlier = Prompt(request.prompt.system, (*request.prompt.messages, said))
        if is_rejected or not asks:
            answer = Message("user", f"{_NOT_APPLIED}\n\n{fenced(record.feedback)}\n")
        else:
            room = room_left(earlier, self.settings.prompt.max_tokens, ruler)
            files = self._show(scope, asks, ruler)
            answer = answer_to_show(files, _looks_left(record, settings), room, ruler)
        return evolve(earlier, messages=(*earlier.messages, answer))

    def _show(self, scope: Scope, asked: tuple[str, ...], ruler: Ruler) -> Listing:
        return show(scope, asked, ruler.characters(self.settings.prompt.max_tokens))

    def _changed_so_far(self, task: Task, attempt: int) -> str:
        """The diffs of the earlier attempts, oldest first."""
        folders = (self.answers.attempt(task.id, number) for number in range(1, attempt))
        diffs = (folder / "changes.diff" for folder in folders)
        return "".join(d.read_text(errors="replace") for d in diffs if d.is_file())

    def _template(self, task: Task) -> Template | None:
        path = task.template or self.settings.template
        return load_template(path) if path else None


def _looks_left(record: TaskRecord, settings: Settings) -> int:
    return max(0, settings.prompt.max_turns - record.counts.turns)


def _git(root: Path) -> GitLines | None:
    repository = Repository.find(root)
    if repository is None:
        return None
    status = repository.status()
    return GitLines(status.branch, status.head, status.lines, status.more)


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
        worded = partial(
            self.prompting.prompt, model=served.profile.model, agent=served.client.capabilities
        )
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
        raw = Ruler(served.profile.model).prompt(prompt)
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
