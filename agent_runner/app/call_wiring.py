"""What a call of a model is made of, each part a property that names its collaborators.

A run sends calls; `plan` and `debug prompt` measure and show the very same question without an open
store.
"""

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path

from attrs import Factory, define, field

from agent_runner.app.project import Project
from agent_runner.app.sharing import gate_of
from agent_runner.engine.calls.clients import Clients, Provider, Resolver
from agent_runner.engine.calls.conversation import Conversations
from agent_runner.engine.calls.first_message import Sources
from agent_runner.engine.calls.question import Question, Questions
from agent_runner.engine.calls.route import Route
from agent_runner.engine.calls.tool_answers import ToolAnswers
from agent_runner.engine.changes import Changes
from agent_runner.engine.commands import rule_of
from agent_runner.files.rules import Rules
from agent_runner.ground.clock import Clock
from agent_runner.ground.disk import Disk
from agent_runner.ground.redaction import Redactor
from agent_runner.limits.gate import Gate
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import CommandsRule
from agent_runner.model.spending import Spending
from agent_runner.model.task import Task
from agent_runner.providers.client import ClientFactory
from agent_runner.providers.keys import known_keys
from agent_runner.providers.profiles import outline
from agent_runner.providers.registry import make_client
from agent_runner.store.blobs import Blobs
from agent_runner.workspace.status import GitStatus


@define
class CallWiring:
    """The parts of a call.

    Attributes:
        spending: What the journal knows of past calls, as of now.
        can_ask: Whether there is a person who can be asked about a command.
        resolve: How a provider's profile is found: with `outline` its key may be missing.
        make_client: How its client is made.
        ignore_limits: Without the configured limits and budgets.
        files: Paths of all files below a root, if somebody has looked at them already.
        status: What git says of a root, likewise.
        rules_of: What a task may change; None: nothing is drafted for it here.
        checks: Whether there is a check that the agent may run for a task.
    """

    project: Project
    clock: Clock
    spending: Callable[[], Spending]
    can_ask: bool
    resolve: Resolver = outline
    make_client: ClientFactory = make_client
    ignore_limits: bool = False
    files: Callable[[Path], tuple[str, ...]] | None = None
    status: Callable[[Path], GitStatus | None] | None = None
    rules_of: Callable[[Task, TaskRecord], Rules] | None = None
    checks: Callable[[Task], bool] = field(default=lambda _task: False)
    disk: Disk = field(factory=Disk)
    blobs: Blobs = field(
        default=Factory(lambda self: Blobs(self.project.layout.blobs, self.disk), takes_self=True)
    )

    def next_question(self, task: Task, record: TaskRecord) -> Question:
        """What a run would ask for this task now, of the provider that it would ask.

        Raises UsageError where no provider can be told, InputError for a template with mistakes.
        """
        order = list(self.route.in_turn(task, record))
        is_open = (one for one in order if self.route.closed(record, one.name) is None)
        provider: Provider = next(is_open, order[0])
        settings = self.project.settings_of(task.id)
        return self.questions.question(task, record, settings, provider)

    @cached_property
    def questions(self) -> Questions:
        """Words the prompts, keys kept out of them."""
        rule = rule_of(self.project.settings.apply, can_ask=self.can_ask)
        sources = Sources(
            self.redactor,
            self.conversations,
            Changes(self.project.layout, self.blobs, self.disk),
            self.tool_answers,
            lambda: self.spending().no_tools,
            self.checks,
            self.project.hidden,
            commands=rule is not CommandsRule.NEVER,
            files=self.files,
            status=self.status,
            never_edited=frozenset(path.resolve() for path in self.project.own_files),
        )
        return Questions(sources, self.spending, self.gate.today)

    @cached_property
    def tool_answers(self) -> ToolAnswers:
        """Answers what replies ask for through tools."""
        return ToolAnswers(
            self.conversations,
            self.project.place.state_dir,
            self.project.hidden,
            self.redactor,
            self.rules_of or (lambda _task, _record: Rules()),
            self.files,
            lambda task: self.project.settings_of(task.id).prompt.hide,
        )

    @cached_property
    def route(self) -> Route:
        """Who is asked."""
        retry = self.project.settings.retry
        return Route(self.clients, retry, self.clock, lambda: self.spending().set_aside)

    @cached_property
    def clients(self) -> Clients:
        """Who answers each task's calls."""
        project, make = self.project, partial(self.make_client, clock=self.clock)
        return Clients(project.settings, project.surroundings.env, make, self.resolve)

    @cached_property
    def conversations(self) -> Conversations:
        """Where the calls lie, and the turns of the attempt in hand."""
        return Conversations(self.project.layout, self.blobs, self.disk)

    @cached_property
    def gate(self) -> Gate:
        """The limits, with the ledger that all projects of this user share."""
        settings, home = self.project.settings, self.project.surroundings.home
        state_dir = self.project.place.state_dir
        return gate_of(settings, state_dir, home, self.clock, ignore_limits=self.ignore_limits)

    @cached_property
    def redactor(self) -> Redactor:
        """Knows every key there is, so that none reaches the disk or the screen."""
        return Redactor(known_keys(self.project.settings, self.project.surroundings.env))
