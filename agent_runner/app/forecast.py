"""What the rest of a list may take, and when the limits let it: for `plan` and `run --dry-run`."""

from collections.abc import Iterator
from typing import Any

from attrs import asdict, frozen

from agent_runner.app.call_wiring import CallWiring
from agent_runner.app.project import Project
from agent_runner.engine.calls.clients import Provider
from agent_runner.engine.schedule import EVERYTHING, Schedule, Selection
from agent_runner.ground.clock import Clock, iso
from agent_runner.ground.invocation import Invocation
from agent_runner.limits.plan import Expected, Plan, Turns, expect, plan_calls, turns_of_tasks
from agent_runner.limits.room import Need
from agent_runner.limits.windows import zone_of
from agent_runner.model.agent import Prompt
from agent_runner.model.fold import RunState
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import TaskState
from agent_runner.model.task import Task
from agent_runner.store.store import read_state
from agent_runner.ui import words

_FIRST_GUESS = 8
"""Turns of a task whose agent looks and edits by tools, as long as no task has shown how many."""

_MEASURED = 40
"""Prompts that are really built; further tasks count as their average."""


@frozen
class Forecast:
    """The plan, its one line, and the tasks in the order in which they would run.

    `turns`: calls that a task takes, by the median of this journal's; a guess unless `known`.
    """

    plan: Plan
    line: str
    order: tuple[Task, ...]
    waiting_for_person: tuple[str, ...]
    turns: int = 1
    known: bool = False

    @property
    def expected(self) -> str:
        """`Expected: 5 calls, 6.5k tokens, $0.09`."""
        plan = self.plan
        calls = words.plural(plan.calls, "call")
        if self.turns > 1:
            calls += f" (about {self.turns} turns a task{'' if self.known else ', a guess'})"
        facts = [calls, f"{words.count(plan.tokens)} tokens"]
        facts.extend([words.money(plan.cost)] if plan.cost else [])
        return f"Expected: {', '.join(facts)}"


def forecast(
    project: Project,
    state: RunState,
    clock: Clock,
    *,
    can_ask: bool = False,
    ignore_config: bool = False,
    chosen: Selection = EVERYTHING,
) -> Forecast:
    """Look ahead without writing anything. Raises UsageError where no provider can be told.

    `can_ask`: whether the run will have a person to ask, for what prompts then say more.
    `ignore_config`: without the configured limits and budgets. `chosen`: what that run works on.
    """
    order, waiting = _order(project, state, chosen)
    now = clock.now()
    parts = CallWiring(project, clock, lambda: state.spending, can_ask)
    others = parts.gate.others()
    tasks = list(_expected(project, state, parts, order))
    plan = plan_calls(
        tasks, state.spending, project.settings, now, ignore_config=ignore_config, others=others
    )
    zone = zone_of(project.settings.limits)
    known = turns_of_tasks(state.spending)
    turns = known or max((_guess(parts.clients.chain(task)[0]) for task in order), default=1)
    return Forecast(plan, plan.line(now, zone), order, waiting, turns, known > 0)


def plan_object(ahead: Forecast) -> dict[str, Any]:
    """What `plan --json` prints (docs/json.md)."""
    later = [
        {"tasks": slot.tasks, "not_before": iso(slot.at) if slot.at is not None else None}
        for slot in ahead.plan.later
    ]
    waiting = ahead.waiting_for_person
    turns = {"turns_a_task": ahead.turns, "turns_known": ahead.known}
    return {**asdict(ahead.plan), **turns, "later": later, "waits_for_person": waiting}


def plan_lines(ahead: Forecast, invocation: Invocation) -> Iterator[str]:
    """What `plan` prints: what fits into the limits, what does not, and who waits for a person."""
    if ahead.order:
        yield ahead.line
        yield ahead.expected
    else:
        yield "Nothing can run now." if ahead.waiting_for_person else "Nothing is left to do."
    yield from blocked_lines(ahead)
    yield from waiting_lines(ahead, invocation)


def blocked_lines(ahead: Forecast) -> Iterator[str]:
    """The tasks that the limits keep from running, and why."""
    for one in ahead.plan.blocked:
        fate = "has to wait for another run" if one.this_run else "can never run"
        yield f"{one.task} {fate}: {one.reason}"


def waiting_lines(ahead: Forecast, invocation: Invocation) -> Iterator[str]:
    """The tasks that a person has to decide about, each with the command that says why."""
    for task in ahead.waiting_for_person:
        yield f"{task} waits for a person: {invocation.command('why', task)}"


def has_answer(record: TaskRecord) -> bool:
    """Whether a call of the task was sent whose answer is there, or may be, and still to be used.

    Such an answer is never asked for again.
    """
    judging = record.state in {TaskState.APPLY, TaskState.POST_HOOKS}
    return judging or record.call.reply is not None or record.call.started is not None


def next_prompt(project: Project, task_id: str, clock: Clock, *, can_ask: bool) -> Prompt:
    """What a run would send to the agent for a task now.

    `can_ask`: whether that run has a person to ask about commands that a reply proposes.
    """
    state, _ = read_state(project.place.state_dir, project.tasks.id)
    parts = CallWiring(project, clock, lambda: state.spending, can_ask)
    question = parts.next_question(project.task(task_id), state.record(task_id))
    return question.request.prompt


def _order(
    project: Project, state: RunState, chosen: Selection
) -> tuple[tuple[Task, ...], tuple[str, ...]]:
    """Open tasks in the order of a run in which everything passes, and what waits for a person."""
    passed = {t for t, r in state.tasks.items() if r.state is TaskState.PASSED}
    waiting = tuple(
        t.id
        for t in project.tasks.tasks
        if t.id in chosen and state.record(t.id).state is TaskState.ESCALATED
    )
    schedule = Schedule(
        project.tasks,
        lambda task: TaskState.PASSED if task in passed else state.record(task).state,
        chosen,
    )
    order: list[Task] = []
    while (ready := schedule.next()) is not None:
        order.append(ready)
        passed.add(ready.id)
        schedule.update(ready.id)
    return tuple(order[: chosen.most]), waiting


def _expected(
    project: Project, state: RunState, parts: CallWiring, order: tuple[Task, ...]
) -> Iterator[Expected]:
    measured: list[int] = []
    for task in order:
        if len(measured) < _MEASURED:
            question = parts.next_question(task, state.record(task.id))
            measured.append(question.need.input_estimate)
            provider, need = question.provider, question.need
        else:
            provider = parts.clients.chain(task)[0]
            tokens, cap = sum(measured) // len(measured), project.settings.max_output_tokens
            need = Need(tokens, cap, provider.highest_cost(tokens, cap))
        least = 0 if has_answer(state.record(task.id)) else 1
        turns = Turns(least, _guess(provider))
        yield expect(state.spending, task.id, provider.name, provider.model, need, turns)


def _guess(provider: Provider) -> int:
    """Turns of a task that this provider may take, where nobody knows."""
    return _FIRST_GUESS if provider.client.capabilities.tools else 1
