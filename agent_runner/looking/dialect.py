"""The looking tools in text, for models without native tools: a `look` fence, one use a line.

    ```look
    read_file src/a.py 1-400
    search "def main" src/**
    ```

Read strictly: a line that is nothing of this kind is answered with what is wrong with it.
"""

import json
import re
from collections.abc import Mapping, Sequence

from attrs import frozen

from agent_runner.ground.escaping import fenced, inline, on_one_line
from agent_runner.looking.arguments import Argument, AskError, Kind
from agent_runner.looking.tool import Tool
from agent_runner.looking.tools import TOOLS, Offer
from agent_runner.model.agent import ToolAnswer, ToolCall

_LINES = "lines"
_POSITIONS: Mapping[str, tuple[str, ...]] = {
    "git_diff": ("from_revision", "to_revision", "path"),
    "git_log": ("path", "count"),
    "hook_output": ("hook", _LINES),
    "list_files": ("path", "depth"),
    "read_file": ("path", _LINES),
    "search": ("pattern", "path"),
}
_FORMS: Mapping[str, str] = {
    "git_diff": "git_diff [FROM [TO]] [path=PATH]",
    "git_log": "git_log [PATH] [COUNT] [pattern=TEXT]",
    "hook_output": "hook_output HOOK [FIRST-LAST] [pattern=TEXT]",
    "list_files": "list_files [FOLDER or GLOB] [DEPTH]",
    "read_file": "read_file PATH [FIRST-LAST]",
    "search": 'search "REGEX" [FOLDER or GLOB] [ignore_case] [literal] [context=N]',
}
_WORD = re.compile(r"""(?:"(?:[^"\\]|\\.)*+"|'[^']*+'|[^\s"'])++|\S""")
_QUOTED = re.compile(r"""\A(?:(\w+)=)?(?:"((?:[^"\\]|\\.)*+)"|'([^']*+)')\Z""", re.DOTALL)
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
_MOST = 20
_ID = "look-{}"


@frozen
class Requests:
    """What the lines of a fence ask for; `wrong`: what is wrong with the others, a line each."""

    calls: tuple[ToolCall, ...]
    wrong: tuple[str, ...] = ()


def forms(offer: Offer) -> tuple[str, ...]:
    """How each tool that is offered is written, for the system text."""
    return tuple(_FORMS[tool.name] for tool in offer.tools if tool.name in _FORMS)


def read_requests(lines: Sequence[str], offer: Offer) -> Requests:
    """Read the lines of `look` fences (`Reply.looks`) as calls of the tools that are offered."""
    known = {tool.name for tool in offer.tools} & _FORMS.keys()
    calls: list[ToolCall] = []
    wrong: list[str] = []
    for line in lines[:_MOST]:
        try:
            name, arguments = _request(line.removeprefix("- "), known)
        except AskError as error:
            wrong.append(f"{inline(on_one_line(line[:200]))}: {error}")
        else:
            calls.append(ToolCall(_ID.format(len(calls) + 1), name, json.dumps(arguments)))
    if len(lines) > _MOST:
        wrong.append(f"{len(lines) - _MOST} more lines were not read: at most {_MOST} a reply.")
    return Requests(tuple(calls), tuple(wrong))


def as_text(requests: Requests, answers: Sequence[ToolAnswer]) -> str:
    """The answers as a message for a model without native tools."""
    parts = [_one(call, answer) for call, answer in zip(requests.calls, answers, strict=True)]
    if requests.wrong:
        parts.append("Not understood:\n\n" + "\n".join(f"- {line}" for line in requests.wrong))
    return "\n\n".join(parts)


def answers_in(text: str, requests: Requests) -> tuple[ToolAnswer, ...]:
    """What such a message answers, for what it is an answer to; fewer where it is none."""
    answers: list[ToolAnswer] = []
    for call in requests.calls:
        head, _, below = text.partition(f"{_head(call)}\n")
        fence, _, body = below.partition("\n")
        said, end, text = body.partition(f"\n{fence}")
        if head.strip() or not end:
            break
        answers.append(ToolAnswer(call.id, call.name, said))
    return tuple(answers)


def _one(call: ToolCall, answer: ToolAnswer) -> str:
    return f"{_head(call)}\n{fenced(answer.text)}"


def _head(call: ToolCall) -> str:
    given = json.loads(call.arguments)
    words = " ".join(f"{name}={json.dumps(value)}" for name, value in given.items())
    return inline(on_one_line(f"{call.name} {words}".strip()))


def _request(line: str, known: set[str]) -> tuple[str, dict[str, object]]:
    """The tool and the arguments of one line. Raises AskError for anything else."""
    name, *words = [match[0] for match in _WORD.finditer(line)] or [""]
    if name not in known:
        wanted = ", ".join(sorted(known))
        raise AskError(f"a line begins with one of {wanted}." if name else "the fence is empty.")
    tool = TOOLS[name]
    arguments: dict[str, object] = {}
    places = list(_POSITIONS[name])
    for word in words:
        key, value, is_quoted = _read(word, tool, name)
        if not key and not is_quoted and _flag(tool, value):
            arguments[value] = True
            continue
        if not key and not places:
            raise _not_so(name, f"`{value}` is one word too many; put a text in quotes")
        place = key or places.pop(0)
        if place == _LINES:
            arguments |= _range(name, value)
        else:
            places = [one for one in places if one != place]
            arguments[place] = value
    missing = [a.name for a in tool.arguments if a.required and a.name not in arguments]
    if missing:
        raise _not_so(name, f"{missing[0]} is missing")
    return name, arguments


def _read(word: str, tool: Tool, name: str) -> tuple[str, str, bool]:
    """The argument that a word names (or ""), its value, and whether that is in quotes."""
    quoted = _QUOTED.match(word)
    if quoted is not None:
        value = quoted[3] if quoted[2] is None else quoted[2].replace('\\"', '"')
        key = quoted[1] or ""
        if key and _named(tool, key) is None:
            raise _not_so(name, f"there is no `{key}`")
        return key, value, True
    if word[0] in "\"'":
        raise _not_so(name, "the quotes are not closed")
    key, equals, value = word.partition("=")
    if equals and _named(tool, key) is not None:
        return key, value, False
    return "", word, False


def _named(tool: Tool, name: str) -> Argument | None:
    return next((argument for argument in tool.arguments if argument.name == name), None)


def _flag(tool: Tool, word: str) -> bool:
    argument = _named(tool, word)
    return argument is not None and argument.kind is Kind.FLAG


def _range(name: str, word: str) -> dict[str, object]:
    found = _RANGE.fullmatch(word)
    if found is None:
        raise _not_so(name, f"`{word}` names no lines")
    return {"start_line": int(found[1]), "end_line": int(found[2] or found[1])}


def _not_so(name: str, why: str) -> AskError:
    return AskError(f"{on_one_line(why)}; write `{_FORMS[name]}`.")
