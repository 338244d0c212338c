"""The first message of a conversation: the task and its files, as they stand now."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from attrs import evolve, frozen

from agent_runner.engine.calls.clients import Provider
from agent_runner.engine.calls.conversation import Conversations
from agent_runner.engine.calls.earlier_attempts import earlier_attempts
from agent_runner.engine.calls.tool_answers import ToolAnswers, offer_of
from agent_runner.engine.changes import Changes
from agent_runner.ground.diff import concealed
from agent_runner.ground.globs import Globs
from agent_runner.ground.redaction import Redactor
from agent_runner.ground.tokens import Ruler
from agent_runner.hooks.scripts import judges_of
from agent_runner.looking.files import Files
from agent_runner.looking.mentions import mentioned
from agent_runner.looking.repository_map import own_instructions, top_level_names
from agent_runner.looking.tools import specs
from agent_runner.model.agent import Message, Prompt, ToolSpec
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import EditFormat, Settings
from agent_runner.model.shown_files import Listing
from agent_runner.model.task import Task
from agent_runner.prompts.build import build_prompt, load_template
from agent_runner.prompts.situation import GitLines, Situation
from agent_runner.providers.offers import without_tools
from agent_runner.workspace.git import Repository
from agent_runner.workspace.listing import overview, show
from agent_runner.workspace.names import Scope, file_names
from agent_runner.workspace.status import GitStatus

_SYMBOLS_SHARE = 20  # one part in so many of a prompt goes to names in files, at most


@frozen
class Sources:
    """What prompts are made from.

    Attributes:
        redactor: Takes known keys out of every prompt.
        conversations: Where the earlier turns are.
        changes: Knows what the task has changed so far.
        hidden: Absolute folders below a task's root that no prompt shows.
        commands: Whether the agent may propose commands at all.
        files: Paths of all files below a root, sorted; None: looked up for each question.
        status: What git says of a root; None: asked for each question.
        tool_answers: What replies asked for and drafted through tools.
        checks: Whether there is a check that the agent may run for a task.
        no_tools: By provider, the models whose endpoint declined tools.
        never_edited: What no reply may change: absolute paths without links.
    """

    redactor: Redactor
    conversations: Conversations
    changes: Changes
    tool_answers: ToolAnswers
    no_tools: Callable[[], Mapping[str, Sequence[str]]]
    checks: Callable[[Task], bool]
    hidden: tuple[Path, ...]
    commands: bool
    files: Callable[[Path], tuple[str, ...]] | None = None
    status: Callable[[Path], GitStatus | None] | None = None
    never_edited: Collection[Path] = ()


@frozen(slots=False)  # `cached_property` wants a `__dict__`
class FirstMessage:
    """The making of one first message, for `provider`.

    Attributes:
        attempt: The attempt that the call belongs to.
        looks_left: How often the agent may still ask to see files.
    """

    sources: Sources
    task: Task
    record: TaskRecord
    settings: Settings
    provider: Provider
    attempt: int
    looks_left: int

    def prompt(self, conversation: tuple[Message, ...] = ()) -> Prompt:
        """The system text, the first message, and the turns that follow it, as far as they fit."""
        agent, room = self.provider.client.capabilities, self.settings.prompt.max_tokens
        situation = evolve(self._situation(), conversation=conversation)
        if not conversation and not agent.in_place:
            conversations, task = self.sources.conversations, self.task.id
            situation = evolve(
                situation, earlier=earlier_attempts(conversations, task, self.record)
            )
        if agent.looks or self._shows_all(situation):
            situation = evolve(situation, looks_left=0, tools=False)
        if agent.in_place:
            situation = evolve(situation, in_place=True, commands=False)
        own = self.task.template or self.settings.template
        system = self.settings.prompt.system_template
        prompt = build_prompt(
            situation,
            room,
            load_template(own) if own else None,
            load_template(system) if system else None,
        )
        return evolve(prompt, tools=self.tools if situation.tools else ())

    @property
    def native(self) -> bool:
        """Whether this provider is offered tools, as far as that is known."""
        provider, agent = self.provider, self.provider.client.capabilities
        declined = provider.model in self.sources.no_tools().get(provider.name, ())
        return agent.tools and not declined and self.settings.prompt.max_turns > 0

    @property
    def edit_format(self) -> EditFormat:
        """The form in which edits are asked for."""
        wanted = self.provider.profile.edit_format
        return wanted if self.native else without_tools(wanted)

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        """The tools that this provider is offered."""
        if not self.native:
            return ()
        return specs(offer_of(self.task, self.edit_format, checks=self.sources.checks(self.task)))

    def _shows_all(self, situation: Situation) -> bool:
        """Whether a model that writes whole files is shown all that it needs: looks distract it."""
        files, room = situation.files, self.settings.prompt.max_tokens // 2
        if self.edit_format is not EditFormat.WHOLE or not files.files or files.left_out:
            return False
        return sum(self.ruler.tokens(file.text) for file in files.files) < room

    def _situation(self) -> Situation:
        """Everything that a first message is made from, as it stands now."""
        task, settings = self.task, self.settings
        files = Files(self._scope, Globs(settings.prompt.hide), self.names)
        changes = self.sources.changes
        diff = concealed(changes.diff_so_far(self.record), files.hides_text)
        named = mentioned(self.record.feedback, files)
        words = f"{task.title}\n{task.description}\n{diff}"
        matter = (*mentioned(words, files, with_lines=False), *named)
        room = self.ruler.characters(settings.prompt.max_tokens) // _SYMBOLS_SHARE
        return Situation(
            task,
            self.record,
            attempt=self.attempt,
            git=self._git,
            pre_hooks=tuple(settings.hooks[name] for name in task.pre_hooks),
            post_hooks=tuple(settings.hooks[name] for name in task.post_hooks),
            files=self.shown(task.files) if task.files else Listing(),
            names=overview(self._listed),
            instructions=own_instructions(files),
            symbols=top_level_names(files, (one.path for one in matter), room),
            named=tuple(map(str, named)),
            diff=diff,
            taken_back=concealed(changes.diff_taken_back(self.record), files.hides_text),
            looks_left=self.looks_left,
            tools=self.native,
            edit_format=self.edit_format,
            commands=self.sources.commands,
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
        scripts = sorted(judges_of(hooks, task.root, lambda: self.names).scripts)
        return tuple(f"/{x}" for x in scripts if x not in made and not may_change.covers(x))

    def shown(self, wanted: tuple[str, ...]) -> Listing:
        """The files that these paths and globs name, in as much room as a prompt has."""
        most = self.ruler.characters(self.settings.prompt.max_tokens)
        return show(self._scope, self.names, wanted, most)

    @property
    def _listed(self) -> tuple[str, ...]:
        """The names that are worth telling: not of what rules the task, and is never edited."""
        root = f"{str(self.task.root.resolve()).rstrip('/')}/"
        within = {str(path).removeprefix(root) for path in self.sources.never_edited}
        return tuple(name for name in self.names if name not in within)

    @property
    def ruler(self) -> Ruler:
        """Measures texts in the tokens of the model that is asked."""
        return Ruler(self.provider.model)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The paths of all files that may be shown."""
        files, root = self.sources.files, self.task.root
        every = file_names(self._scope) if files is None else files(root)
        hide = Globs(self.settings.prompt.hide)
        return tuple(n for n in every if not hide.covers(n)) if hide.patterns else every

    @property
    def _git(self) -> GitLines | None:
        status = (self.sources.status or _status)(self.task.root)
        if status is None:
            return None
        return GitLines(status.branch, status.head, status.lines, status.more)

    @cached_property
    def _scope(self) -> Scope:
        return Scope(self.task.root, self.sources.hidden)


def _status(root: Path) -> GitStatus | None:
    repository = Repository.find(root)
    return repository.status() if repository else None
