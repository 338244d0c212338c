"""The question put to a person when a task is escalated, and what may be answered."""

import enum
from typing import Protocol

from attrs import frozen

from agent_runner.model.record import TaskRecord
from agent_runner.model.task import Task


class Choice(enum.StrEnum):
    """What a person may decide."""

    RETRY = "retry"
    CHECK = "check"
    SKIP = "skip"
    ABORT = "abort"


@frozen
class Decision:
    """A choice, with a hint for the agent where one was given."""

    choice: Choice
    hint: str = ""


@frozen
class Escalation:
    """What the person is shown: the task, its record, and the summary as ready lines of text."""

    task: Task
    record: TaskRecord
    summary: tuple[str, ...] = ()


class Person(Protocol):
    """Somebody who can be asked. Without a terminal there is nobody: the run stops instead."""

    async def decide(self, escalation: Escalation) -> Decision:
        """Ask and wait for the answer."""
