"""How an engine is put together for a run: each part is a property that names its collaborators."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from random import Random

from attrs import define, field, frozen

from agent_runner.app.call_wiring import CallWiring
from agent_runner.app.project import Project
from agent_runner.app.rules import rules_by
from agent_runner.app.sandboxing import confining_of
from agent_runner.app.sharing import COPIES
from agent_runner.edits.plan import Planned
from agent_runner.engine.calls.call import Calls
from agent_runner.engine.calls.clients import Clients
from agent_runner.engine.calls.in_place import InPlace
from agent_runner.engine.changes import Changes
from agent_runner.engine.checking import Checking
from agent_runner.engine.commands import Ask, Commands
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
from agent_runner.files.rules import Rules
from agent_runner.ground.clock import Clock
from agent_runner.hooks.runner import HookRunner
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import CommitRule
from agent_runner.model.signals import Observer
from agent_runner.model.states import TaskState
from agent_runner.model.task import Task
from agent_runner.providers.keys import secret_variables
from agent_runner.providers.profiles import resolve
from agent_runner.providers.replay import Recorder
from agent_runner.store.store import Store, read_entries
from agent_runner.workspace.commit import Committer
from agent_runner.workspace.names import Scope
from agent_runner.workspace.objects import ObjectStore
from agent_runner.workspace.snapshots import SnapshotReader


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
