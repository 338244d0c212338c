"""How the program is put together: each part is a property that names what it is made of.

`CallWiring` is all that a call is made of. A run sends it; `plan` and `debug prompt` measure and
show the very same question without an open store.
"""

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from random import Random

from attrs import Factory, define, field, frozen

from agent_runner.app.project import Project
from agent_runner.app.rules import rules_by
from agent_runner.app.sandboxing import confining_of
from agent_runner.app.sharing import COPIES, gate_of
from agent_runner.edits.plan import Planned
from agent_runner.edits.rules import Rules
from agent_runner.engine.calls.call import Calls
from agent_runner.engine.calls.clients import Clients, Provider, Resolver
from agent_runner.engine.calls.conversation import Conversations
from agent_runner.engine.calls.first_message import Sources
from agent_runner.engine.calls.in_place import InPlace
from agent_runner.engine.calls.question import Question, Questions
from agent_runner.engine.calls.route import Route
from agent_runner.engine.calls.tool_answers import ToolAnswers
from agent_runner.engine.changes import Changes
from agent_runner.engine.checking import Checking
from agent_runner.engine.commands import Ask, Commands, rule_of
from agent_runner.engine.commits import Commits
from agent_runner.engine.core import Core
from agent_runner.engine.hooks import Hooks, KnownGreen
from agent_runner.engine.recovery import Recovery
from agent_runner.engine.reverting import Reverting
from agent_runner.engine.second_judgement import SecondJudgement
from agent_runner.engine.steps.agent import AgentStep
from agent_runner.engine.steps.apply import ApplyStep
from agent_runner.engine.steps.post_hooks import PostHooksStep
from agent_runner.engine.steps.pre_hooks import PreHooksStep
from agent_runner.engine.trees import Trees
from agent_runner.engine.work import Step, Work
from agent_runner.ground.clock import Clock
from agent_runner.ground.disk import Disk
from agent_runner.ground.redaction import Redactor
from agent_runner.hooks.runner import HookRunner
from agent_runner.limits.gate import Gate
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import CommandsRule, CommitRule
from agent_runner.model.signals import Observer
from agent_runner.model.spending import Spending
from agent_runner.model.states import TaskState
from agent_runner.model.task import Task
from agent_runner.providers.client import ClientFactory
from agent_runner.providers.keys import known_keys, secret_variables
from agent_runner.providers.profiles import outline, resolve
from agent_runner.providers.registry import make_client
from agent_runner.providers.replay import Recorder
from agent_runner.store.blobs import Blobs
from agent_runner.store.store import Store, read_entries
from agent_runner.workspace.commit import Committer
from agent_runner.workspace.names import Scope
from agent_runner.workspace.objects import ObjectStore
from agent_runner.workspace.snapshots import SnapshotReader
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


@frozen
class Choices:
    """What a run may choose beside its settings.

    Attributes:
        ignore_limits: Without the configured limits and budgets.
        record: Folder for the answers, to be replayed later.
        ask: Asks a person about a command that a reply proposes.
        impatient: Whether a person wants to try before a wait is over.
        preview: Shown the plan of a reply in place of applying it.
    """

    ignore_limits: bool = False
    record: Path | None = None
    ask: Ask | None = None
    impatient: Callable[[], bool] = field(default=lambda: False)
    preview: Callable[[Work, Planned], None] | None = None


@define
class Wiring:
    """The parts of an engine for one open store."""

    project: Project
    store: Store
    observers: tuple[Observer, ...]
    clock: Clock
    choices: Choices = field(factory=Choices)

    @cached_property
    def core(self) -> Core:
        """Moves tasks and keeps facts, in the store and before the observers."""
        return Core(self.store, self.project.settings_of, self.observers)

    @cached_property
    def calls(self) -> CallWiring:
        """All that a call is made of."""
        return CallWiring(
            self.project,
            self.clock,
            lambda: self.store.state.spending,
            can_ask=self.choices.ask is not None,
            resolve=resolve,
            ignore_limits=self.choices.ignore_limits,
            disk=self.store.disk,
            blobs=self.store.blobs,
            files=self.trees.names,
            status=self.trees.status,
            rules_of=self._rules_of,
            checks=lambda task: bool(self.checking.offered(task)),
        )

    @cached_property
    def rules(self) -> Callable[[Task, TaskRecord], Rules]:
        """What a task may change."""
        return rules_by(self.project, self.trees, self.calls.redactor.text)

    @cached_property
    def steps(self) -> dict[TaskState, Step]:
        """One step for each state that has an effect."""
        settings, green = self.project.settings, KnownGreen()
        rule, skip = settings.baseline, settings.skip_if_green
        return {
            TaskState.PRE_HOOKS: PreHooksStep(self.hooks, self.trees, rule, skip, green),
            TaskState.AGENT: AgentStep(
                self.calls.route,
                self.calls.questions,
                self._calls,
                self.calls.conversations,
                self.calls.tool_answers,
                self.checking,
                self.hooks,
                self.clock,
                self.choices.impatient,
            ),
            TaskState.APPLY: ApplyStep(
                self.calls.conversations,
                self.calls.tool_answers,
                self.rules,
                self.changes,
                Commands(settings.apply, self.runner, self.choices.ask),
                self.commits,
                self.trees,
                self.choices.preview,
            ),
            TaskState.POST_HOOKS: PostHooksStep(
                self.hooks, self.trees, self.commits, green, SecondJudgement(self.hooks, self.trees)
            ),
        }

    @cached_property
    def recovery(self) -> Recovery:
        """Settles what an earlier run left half applied."""
        return Recovery(self.core, self.changes, self.project.tasks)

    @cached_property
    def reverting(self) -> Reverting:
        """Takes back what tasks changed, and puts it back again."""
        folder, tasks = self.project.place.state_dir, self.project.tasks
        return Reverting(self.core, self.changes, self.trees, tasks, lambda: read_entries(folder))

    @cached_property
    def commits(self) -> Commits:
        """Git commits; keys are kept out of its hooks, and of what they say."""
        settings, runner = self.project.settings.git, self.runner
        index = self.store.layout.commit_index
        committer = Committer(index, runner.inherited(), settings.commit_timeout)
        redact = self.calls.redactor.text
        return Commits(settings, self.core, self.project.tasks, self.trees, committer, redact)

    @property
    def clients(self) -> Clients:
        """Who answers each task's calls."""
        return self.calls.clients

    @cached_property
    def runner(self) -> HookRunner:
        """Runs hooks and allowed commands, keys kept out of both."""
        env, settings = self.project.surroundings.env, self.project.settings
        keys = secret_variables(settings, env)
        state_dir, redactor = self.project.place.state_dir, self.calls.redactor
        confining = confining_of(self.project)
        return HookRunner(self.clock, state_dir, env, keys, redactor, confining=confining)

    @cached_property
    def hooks(self) -> Hooks:
        """The configured hooks."""
        return Hooks(self.runner, self.project.settings.hooks, self.trees)

    @cached_property
    def checking(self) -> Checking:
        """The hooks that the agent may run before it is done."""
        configured, redactor = self.project.settings.hooks, self.calls.redactor
        return Checking(self.runner, configured, self.trees, redactor)

    @cached_property
    def trees(self) -> Trees:
        """The files of each task; the state folder is no part of them."""
        hidden, commits = self.project.hidden, self.project.settings.git.commit
        objects = ObjectStore(self.store.layout.snapshots, self.store.disk)
        return Trees(
            self.store.blobs,
            objects,
            lambda root: SnapshotReader(Scope(root, hidden), objects, self.clock),
            self.project.surroundings.home / COPIES,
            self.clock,
            for_commits=commits is not CommitRule.OFF,
        )

    @cached_property
    def changes(self) -> Changes:
        """Writes change sets and takes them back."""
        return Changes(self.store.layout, self.store.blobs, self.store.disk)

    def _rules_of(self, task: Task, record: TaskRecord) -> Rules:
        # not `self.rules`, which is made with the redactor of what this is given to
        return self.rules(task, record)

    @property
    def _calls(self) -> Calls:
        parts, folder = self.calls, self.choices.record
        return Calls(
            parts.clients,
            parts.route,
            parts.conversations,
            parts.gate,
            parts.spending,
            self.project.settings.retry,
            self.clock,
            Random(),  # noqa: S311  # jitter is no secret
            parts.redactor,
            InPlace(
                self.trees,
                self.store.blobs,
                parts.redactor,
                parts.spending,
                confining_of(self.project),
            ),
            Recorder(folder).save if folder is not None else None,
        )
