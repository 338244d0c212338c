"""Where calls and their answers lie, by task, attempt and call."""

from pathlib import Path

from attrs import frozen

from agent_runner.ground.disk import Disk
from agent_runner.model.agent import AgentResponse
from agent_runner.store.calls import CallFiles
from agent_runner.store.layout import Layout


@frozen
class Answers:
    """The calls' folders below the state folder."""

    layout: Layout
    disk: Disk

    def files(self, task: str, attempt: int, call: str) -> CallFiles:
        """One call's files. A call's id is `TASK/call-NN`, its folder the last part."""
        return CallFiles(self.layout.call(task, attempt, Path(call).name), self.disk)

    def response(self, task: str, attempt: int, call: str) -> AgentResponse | None:
        """A call's answer, if it is there."""
        return self.files(task, attempt, call).response()

    def attempt(self, task: str, attempt: int) -> Path:
        """An attempt's folder."""
        return self.layout.attempt(task, attempt)


def call_id(task: str, number: int) -> str:
    """The id of a task's n-th call ever; unique within one state."""
    return f"{task}/call-{number:02}"
