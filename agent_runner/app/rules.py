"""What a reply may change, by what people wrote, what git obeys and what the hooks run."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from agent_runner.app.project import Project
from agent_runner.engine.trees import Trees
from agent_runner.files.redaction_marks import RedactionMarks
from agent_runner.files.rules import Rules
from agent_runner.ground.globs import Globs
from agent_runner.hooks.scripts import judges_of
from agent_runner.model.record import TaskRecord
from agent_runner.model.shown_files import FileText
from agent_runner.model.task import Task
from agent_runner.workspace.reading import read_text
from agent_runner.workspace.secrets import holds_secret, looks_secret


def rules_by(
    project: Project, trees: Trees, redact: Callable[[str], str]
) -> Callable[[Task, TaskRecord], Rules]:
    """The rules for a task, as the files stand when they are asked for.

    `redact`: takes keys out of what the agent is shown.
    """
    hooks_by_root: dict[Path, set[str]] = {}
    for task in project.tasks.tasks:
        hooks_by_root.setdefault(task.root, set()).update(task.pre_hooks, task.post_hooks)

    def scripts(task: Task, record: TaskRecord) -> Iterator[Path]:
        """What the hooks of any task run below this task's root, but for what it made itself."""
        made = {task.root / path for path in record.change.paths}
        for root, names in hooks_by_root.items():
            if root.is_relative_to(task.root) or task.root.is_relative_to(root):
                hooks = (project.settings.hooks[name] for name in sorted(names))
                judges = judges_of(hooks, root, partial(trees.names, root))
                found = (root / path for path in judges.scripts)
                yield from (path for path in found if path not in made)

    def texts(root: Path) -> Iterator[str]:
        shown = (read_text(root, name) for name in trees.names(root))
        return (one.text for one in shown if isinstance(one, FileText))

    def hides(hide: Globs, path: str, text: str) -> bool:
        return looks_secret(path) or holds_secret(path, text) or hide.covers(path)

    def rules(task: Task, record: TaskRecord) -> Rules:
        settings, repository = project.settings.apply, trees.repository(task.root)
        obeyed = repository.obeyed if repository else ()
        git_hooks = (repository.programs.hooks,) if repository else ()
        return Rules(
            protect=(*settings.protect, *task.protect),
            obeyed=(*project.own_files, *obeyed),
            scripts=(*scripts(task, record), *git_hooks),
            may_change=(*settings.may_change, *task.may_change),
            ignored=None if settings.ignored_files else partial(trees.ignored, task.root),
            marks=RedactionMarks(redact, partial(texts, task.root)),
            hides=partial(hides, Globs(project.settings_of(task.id).prompt.hide)),
            shown=lambda path: Globs(task.files).covers(path),  # seldom asked: not made ready
        )

    return rules
