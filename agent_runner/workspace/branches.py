"""Branches of our own for commits: how they are called, and how HEAD comes to stand on one.

A new branch begins at the commit that HEAD names, so that neither files nor index have to change,
whatever the user has in them. The branch that the user was on stays where it was. Nothing is ever
switched back: that would take the tasks' files out of the tree.
"""

import itertools
import re

from agent_runner.workspace.git import Repository

PREFIX = "agent-runner/"
"""What the names of all our branches begin with."""


_HEADS = "refs/heads/"


def branch_of_list(list_id: str) -> str:
    """The branch for all tasks of a list: `agent-runner/tasks` for `tasks.yml`."""
    return PREFIX + _component(list_id.rpartition(".")[0] or list_id)


def branch_of_task(task_id: str) -> str:
    """The branch of one task: `agent-runner/T1`."""
    return PREFIX + _component(task_id)


def why_no_branch(repository: Repository) -> str:
    """What keeps a branch from being made, so that it could be left again; "" if nothing does."""
    if not repository.head:
        return "there is no commit yet that a branch could begin at"
    if repository.branch is None:
        return "HEAD is on no branch that could be gone back to"
    return ""


def branch_to_make(repository: Repository, wanted: str) -> str:
    """The branch that HEAD has to move to before a commit; "" where it stands on one already.

    Where the name is taken by other commits, `-2`, `-3`, ... is put behind it. A branch at HEAD's
    own commit is used, for a stop may have come right after it was made; not if another work tree
    has it.
    """
    answer = repository.ask(["symbolic-ref", "--quiet", "HEAD"])
    now, head = answer.line.removeprefix(_HEADS), repository.head
    if re.fullmatch(rf"{re.escape(wanted)}(-\d+)?", now):
        return ""
    commits, elsewhere = _branches(repository), _in_work_trees(repository)
    names = itertools.chain([wanted], (f"{wanted}-{number}" for number in itertools.count(2)))
    free = (name for name in names if commits.get(name, head) == head and name not in elsewhere)
    return next(free)


def _branches(repository: Repository) -> dict[str, str]:
    """Our branches, each with its commit."""
    # in full: a tag of the same name would make the short form another one
    form = "--format=%(refname) %(objectname)"
    answer = repository.ask(["for-each-ref", form, f"{_HEADS}{PREFIX}"])
    rows = (row.removeprefix(_HEADS) for row in answer.line.split("\n") if row)
    return dict(row.rsplit(" ", 1) for row in rows)


def _in_work_trees(repository: Repository) -> frozenset[str]:
    """The branches that work trees of this repository stand on."""
    answer = repository.ask(["worktree", "list", "--porcelain"])
    front = f"branch {_HEADS}"
    rows = answer.line.split("\n")
    return frozenset(row.removeprefix(front) for row in rows if row.startswith(front))


def _component(text: str) -> str:
    """The text as one part of a branch's name; git's rules are those of `git check-ref-format`."""
    plain = re.sub(r"[^\w+-]+", ".", text).strip(".-")
    plain = re.sub(r"\.lock$", ".locked", plain)
    return plain or "task"
