"""Whether commits can be made at all, found out before anything is spent."""

from collections.abc import Mapping
from pathlib import Path

from agent_runner.workspace.branches import why_no_branch
from agent_runner.workspace.command import available
from agent_runner.workspace.git import Repository

_IDENTITY = (
    *("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"),
    *("EMAIL", "GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"),
)
"""Variables that name who commits."""


def why_never(
    root: Path, environment: Mapping[str, str], *, on_branch: bool = False
) -> tuple[str, str]:
    """Why no commit can be made of files below a root, and what to do about it; else "" and "".

    `on_branch`: whether it is to be made on a branch of our own.

    Raises:
        UsageError: there is a repository, but git refuses to use it.
    """
    if not available():
        return "there is no git", "install git, or `git: {commit: off}`"
    there = next(folder for folder in (root, *root.parents) if folder.is_dir())
    repository = Repository.find(there)
    if repository is None:
        if there != root:  # who makes the folder may make it a repository
            return "", ""
        if Repository.around(root):
            return f"git ignores {root}", "mend its .gitignore, or `git: {commit: off}`"
        return f"{root} is not in a git repository", f"git init {root}, or `git: {{commit: off}}`"
    for who in ("AUTHOR", "COMMITTER"):
        names = {name: environment[name] for name in _IDENTITY if name in environment}
        answer = repository.git.ask(there, ["var", f"GIT_{who}_IDENT"], environment=names)
        if answer.code:
            email = "git config --global user.email you@example.com"
            return (
                f"git does not know who commits in {root}",
                f'git config --global user.name "Your Name"; {email}',
            )
    why = why_no_branch(repository) if on_branch else ""
    return (f"in {root} {why}", "commit, or git switch BRANCH, first") if why else ("", "")
