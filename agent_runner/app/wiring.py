"""An engine, ready to run: each part is a property that names what it is made of."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from random import Random

from attrs import define, field, frozen

from agent_runner.app.project import Project
from agent_runner.app.sharing import ledger_of
from agent_runner.edits.plan import Planned
from agent_runner.edits.rules import Rules
from agent_runner.engine.calls.call import Calling
from agent_runner.engine.calls.clients import Clients
from agent_runner.engine.calls.conversation import Answers
from agent_runner.engine.calls.question import Asking, Prompting
from agent_runner.engine.calls.route import Admission, Routing
from agent_runner.engine.changes import Changes
from agent_runner.engine.commits import Commits
from agent_runner.engine.core import Core
from agent_runner.engine.hooks import Hooks
from agent_runner.engine.proposals import Ask, Proposals
from agent_runner.engine.recovery import Recovery
from agent_runner.engine.steps.agent import AgentStep
from agent_runner.engine.steps.apply import ApplyStep
from agent_runner.engine.steps.post_hooks import PostHooksStep
from agent_runner.engine.steps.pre_hooks import KnownGreen, PreHooksStep
from agent_runner.engine.trees import Trees
from agent_runner.engine.work import Step, Work
from agent_runner.ground.clock import Clock
from agent_runner.ground.redaction import Redactor
from agent_runner.hooks.runner import HookRunner
from agent_runner.limits.gate import Gate
from agent_runner.model.settings import CommandsRule
from agent_runner.model.signals import Observer
from agent_runner.model.spending import Spending
from agent_runner.model.states import TaskState
from agent_runner.model.task import Task
from agent_runner.providers.client import AgentClient
from agent_runner.providers.keys import key_variables, known_keys
from agent_runner.providers.profiles import Profile
from agent_runner.providers.registry import make_client
from agent_runner.providers.replay import Recorder
from agent_runner.store.store import Store
from agent_runner.workspace.git import Repository
from agent_runner.workspace.tree import TreeReader


@frozen
class Choices:
    """What a run may choose beside its settings.

    `record`: folder for the answers. `ask`: asks a person about a command. `impatient`: whether a
    person wants to try before a wait is over. `preview`: shown the plan in place of applying it.
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
    def steps(self) -> dict[TaskState, Step]:
        """One step for each state that has an effect."""
        settings, green = self.project.settings, KnownGreen()
        rule, skip = settings.baseline, settings.skip_if_green
        return {
            TaskState.PRE_HOOKS: PreHooksStep(self.hooks, self.trees, rule, skip, green),
            TaskState.AGENT: AgentStep(
                self._routing,
                self._calling,
                Admission(self.gate, self._spending),
                self.hooks,
                self.clock,
                self.choices.impatient,
            ),
            TaskState.APPLY: ApplyStep(
                self.answers,
                self._rules_of,
                self.changes,
                self._proposals,
                self._commits,
                self.trees,
                self.choices.preview,
            ),
            TaskState.POST_HOOKS: PostHooksStep(self.hooks, self.trees, self._commits, green),
        }

    @cached_property
    def recovery(self) -> Recovery:
        """Settles what an earlier run left half applied."""
        return Recovery(self.core, self.changes, self.project.tasks)

    @cached_property
    def clients(self) -> Clients:
        """Who answers each task's calls."""
        return Clients(self.project.settings, self.project.surroundings.env, self._make_client)

    @cached_property
    def runner(self) -> HookRunner:
        """Runs hooks and allowed commands, keys kept out of both."""
        env, settings = self.project.surroundings.env, self.project.settings
        keys = key_variables(settings)
        return HookRunner(self.clock, self.project.place.state_dir, env, keys, self.redactor)

    @cached_property
    def hooks(self) -> Hooks:
        """The configured hooks."""
        return Hooks(self.runner, self.project.settings.hooks, self.trees)

    @cached_property
    def trees(self) -> Trees:
        """The files of each task; the state folder is no part of them."""
        hidden = self.project.hidden
        return Trees(self.store.blobs, lambda root: TreeReader(root, self.clock, hidden))

    @cached_property
    def changes(self) -> Changes:
        """Writes change sets and takes them back."""
        return Changes(self.store.blobs, self.store.disk)

    @cached_property
    def answers(self) -> Answers:
        """Where the calls' answers lie."""
        return Answers(self.store.layout, self.store.disk)

    @cached_property
    def gate(self) -> Gate:
        """The limits, with the ledger that all projects of this user share."""
        ledger = ledger_of(self.project, self.clock)
        return Gate(self.project.settings, self.clock, ledger, self.choices.ignore_limits)

    @cached_property
    def redactor(self) -> Redactor:
        """Knows every key there is, so that none reaches the disk or the screen."""
        return Redactor(known_keys(self.project.settings, self.project.surroundings.env))

    @cached_property
    def prompting(self) -> Prompting:
        """Words the prompts, keys kept out of them."""
        hidden = self.project.hidden
        allowed = self._proposals.rule is not CommandsRule.NEVER
        return Prompting(
            self.project.settings, self.redactor, self.answers, hidden, commands=allowed
        )

    @property
    def _proposals(self) -> Proposals:
        return Proposals(self.project.settings.apply, self.runner, self.choices.ask)

    @property
    def _routing(self) -> Routing:
        asking = Asking(self.prompting, self._spending, self.gate)
        retry = self.project.settings.retry
        return Routing(self.clients, asking, retry, self.clock, lambda: self._spending().set_aside)

    @property
    def _calling(self) -> Calling:
        jitter, retry = Random(), self.project.settings.retry  # noqa: S311  # no secret
        folder = self.choices.record
        return Calling(
            self.clients,
            self._routing,
            self.clock,
            retry,
            jitter,
            self.answers,
            self.gate,
            self.redactor,
            Recorder(folder).save if folder is not None else None,
        )

    @property
    def _commits(self) -> Commits:
        return Commits(self.project.settings.git, self.trees)

    def _spending(self) -> Spending:
        return self.store.state.spending

    def _make_client(self, profile: Profile) -> AgentClient:
        return make_client(profile, self.clock)

    def _rules_of(self, task: Task) -> Rules:
        settings = self.project.settings.apply
        repository = None if settings.ignored_files else Repository.find(task.root)
        return Rules(
            protect=(*settings.protect, *task.protect),
            judges=self.project.judges,
            ignored=repository.ignored if repository else None,
        )
