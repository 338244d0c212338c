"""A task's files and the toolbox that looks at them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from agent_runner.files.rules import Rules
from agent_runner.looking.toolbox import Answered, Toolbox
from agent_runner.looking.tools import Offer
from agent_runner.model.agent import ToolAnswer, ToolCall
from agent_runner.model.settings import EditFormat
from agent_runner.workspace.names import Scope

ALL = Offer(EditFormat.REPLACE, git=True, hooks=True)


def write(root: Path, files: Mapping[str, str | bytes]) -> None:
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())


def call(name: str, given: Any = None, /, **arguments: Any) -> ToolCall:
    text = given if isinstance(given, str) else json.dumps(arguments if given is None else given)
    return ToolCall("c1", name, text)


@frozen
class Scene:
    """`toolbox` is the one that all the short forms ask."""

    root: Path
    toolbox: Toolbox

    @classmethod
    def of(cls, root: Path, **more: Any) -> "Scene":
        more.setdefault("offer", ALL)
        more.setdefault("rules", Rules())
        return cls(root, Toolbox(Scope(root), **more))

    def write(self, files: Mapping[str, str | bytes]) -> None:
        write(self.root, files)

    def answered(self, *calls: ToolCall) -> Answered:
        return self.toolbox.answer(calls)

    def ask(self, name: str, given: Any = None, /, **arguments: Any) -> ToolAnswer:
        return self.answered(call(name, given, **arguments)).answers[0]

    def text(self, name: str, given: Any = None, /, **arguments: Any) -> str:
        answer = self.ask(name, given, **arguments)
        assert not answer.is_error, answer.text
        return answer.text

    def error(self, name: str, given: Any = None, /, **arguments: Any) -> str:
        answer = self.ask(name, given, **arguments)
        assert answer.is_error, answer.text
        return answer.text
