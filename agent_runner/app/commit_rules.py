"""Whether the commits that a configuration asks for can be made: for `run` and `validate`."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from agent_runner.config import Loaded
from agent_runner.model.errors import Problem, UsageError
from agent_runner.model.settings import BranchRule, CommitRule, Settings


def judge_commits(
    loaded: Loaded, settings: Settings, roots: Iterable[Path], env: Mapping[str, str]
) -> tuple[Problem, ...]:
    """What keeps git from committing below each of the roots, at `git.commit` in the file."""
    if settings.git.commit is CommitRule.OFF:
        return ()
    from agent_runner.workspace.commit_checks import why_never  # lazy: few configurations commit

    found: list[Problem] = []
    for root in dict.fromkeys(roots):
        try:
            own = settings.git.branch is not BranchRule.OFF
            text, fix = why_never(root, env, on_branch=own)
        except UsageError as error:
            text, fix = str(error), error.fix
        if text:
            found.append(loaded.problem("git.commit", f"`git.commit` is on, and {text}", fix))
    return tuple(found)
