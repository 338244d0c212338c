"""Everything that `config validate` tells: configuration and task list together."""

from collections.abc import Callable
from typing import TypeAlias

from agent_runner.config.loading import Loaded
from agent_runner.model.errors import InputError, Problem
from agent_runner.model.settings import Settings

ReadList: TypeAlias = Callable[[Settings], object]
"""Loads the task list under given settings; raises InputError with all its mistakes."""


def check_all(loaded: Loaded, read_list: ReadList | None) -> tuple[Problem, ...]:
    """The mistakes of a surveyed configuration, then those of the task list.

    `read_list` is None where there is no task list. Hooks and providers with mistakes of their own
    count as known, so that one mistake is told once.
    """
    if read_list is None:
        return loaded.problems
    try:
        read_list(loaded.settings)
    except InputError as error:
        return (*loaded.problems, *error.problems)
    return loaded.problems
