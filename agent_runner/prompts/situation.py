"""All that a prompt is made from, as plain values; reading it from disk is others' work."""

from attrs import field, frozen

from agent_runner.ground.tokens import Ruler
from agent_runner.model.agent import Message
from agent_runner.model.hooks import Hook
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import EditFormat
from agent_runner.model.shown_files import FileText, Listing
from agent_runner.model.task import Task


@frozen
class GitLines:
    """The repository in a few lines; `branch` None: detached head; `head` "": no commit yet.

    `status` as `git status --short` has it; `more`: how many lines of it were left out.
    """

    branch: str | None
    head: str = ""
    status: tuple[str, ...] = ()
    more: int = 0


@frozen
class Situation:
    """Where a task stands when its agent is asked.

    Attributes:
        attempt: The attempt that this call belongs to, from 1.
        git: None where there is no repository.
        files: What the task lists, as it is in the tree now.
        names: What else the agent may ask to see.
        instructions: What the repository itself says of how to work in it.
        symbols: Names that files define which matter here, a line for each file.
        named: Files that the feedback names, with the lines, a line each.
        diff: What the task's earlier attempts changed.
        taken_back: What earlier attempts changed and the files do not hold any more.
        earlier: What earlier conversations about it came to, a line for each attempt.
        conversation: Earlier turns of this attempt, the agent's and ours, after the first.
        looks_left: How often the agent may still ask to see files.
        tools: Whether it looks and edits by tools that its provider offers it.
        edit_format: The form in which it is asked for edits; `REPLACE` and `PATCH` are tools.
        commands: Whether it may propose commands.
        protect: Globs of files that it may not change.
        in_place: Whether it changes the files itself, in a copy, rather than reply with changes.
        ruler: Measures in tokens of the model that is asked.
    """

    task: Task
    record: TaskRecord
    attempt: int = 1
    git: GitLines | None = None
    pre_hooks: tuple[Hook, ...] = ()
    post_hooks: tuple[Hook, ...] = ()
    files: Listing = field(factory=Listing)
    names: tuple[str, ...] = ()
    instructions: tuple[FileText, ...] = ()
    symbols: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    diff: str = ""
    taken_back: str = ""
    earlier: tuple[str, ...] = ()
    conversation: tuple[Message, ...] = ()
    looks_left: int = 0
    tools: bool = False
    edit_format: EditFormat = EditFormat.BLOCKS
    commands: bool = False
    protect: tuple[str, ...] = ()
    in_place: bool = False
    ruler: Ruler = field(factory=Ruler)
