"""Agents that go by what they are shown, each with a weakness of its own.

An agent is a generator: it is sent each prompt and yields its reply. None knows more of the
repository than a name; all would mend what is wrong with it in the end, if they are let.
"""

import json
import random
import re
from collections.abc import Callable, Generator, Mapping
from itertools import count
from typing import Any, TypeAlias

from attrs import evolve

from agent_runner.model.agent import AgentResponse, Finish, Prompt, ToolCall
from agent_runner.providers.client import CallContext
from tests.engine.scripted import Said, replacing
from tests.support.repositories import RIGHT, WRONG

Agent: TypeAlias = Generator[Said, Prompt, None]
Use: TypeAlias = tuple[str, Mapping[str, Any] | str]
"""A tool and its arguments; a text is sent as it is."""

_HIT = re.compile(r"^ *(\d+): (.*)$", re.MULTILINE)
_ids = count()


def using(*uses: Use, text: str = "") -> AgentResponse:
    """A reply that uses tools."""
    made = [
        ToolCall(f"id-{next(_ids)}", name, given if isinstance(given, str) else json.dumps(given))
        for name, given in uses
    ]
    return AgentResponse(text, tool_calls=tuple(made), model="scripted")


def answers(prompt: Prompt) -> list[str]:
    """What the tools said last."""
    return [answer.text for answer in prompt.messages[-1].answers]


def found(name: str) -> Use:
    return "search", {"pattern": rf"def {name}\b"}


def place(text: str) -> tuple[str, int]:
    """File and line of the first match that is shown."""
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if hit := _HIT.match(line):
            return lines[at - 1].partition("  [")[0], int(hit[1])
    raise LookupError(text)


def mending(path: str, name: str) -> Use:
    head = f"def {name}(a):\n"
    return "edit_file", {"path": path, "old_text": head + WRONG, "new_text": head + RIGHT}


def careful(name: str, _dice: random.Random) -> Agent:
    """Searches, reads what it found, drafts, replies."""
    prompt = yield using(found(name))
    path, line = place(answers(prompt)[0])
    yield using(("read_file", {"path": path, "start_line": line, "end_line": line + 1}))
    yield using(mending(path, name))
    yield "It was one too little."


def sloppy(name: str, dice: random.Random) -> Agent:
    """Copies with other blanks, from memory, twice over, and sends a block beside its drafts."""
    prompt = yield using(found(name))
    path, _ = place(answers(prompt)[0])
    wrong = (
        "return a-1",
        "        return a - 1 # off by one\n        pass\n",
        f"def {name}(a, b):\n{WRONG}",
        "    return a",
    )
    for old in dice.sample(wrong, 2):
        prompt = yield using(("edit_file", {"path": path, "old_text": old, "new_text": RIGHT}))
    prompt = yield "I have changed it." + replacing(path, f"def {name}(b):\n", f"def {name}(a):\n")
    yield using(mending(f"./{path}", name), mending(path, name))
    yield "Now it is right."


def greedy(name: str, _dice: random.Random) -> Agent:
    """Wants to see everything, at once and again, and reads all of it."""
    prompt = yield using(
        ("list_files", {"path": ".", "depth": 99}),
        ("search", {"pattern": ".", "context": 3}),
        *(("search", {"pattern": f"_{number}_", "context": 3}) for number in range(30)),
    )
    paths = re.findall(r"^(\S+\.py)  ", answers(prompt)[0], re.MULTILINE)
    for at in range(0, min(len(paths), 60), 15):
        reads = [("read_file", {"path": path}) for path in paths[at : at + 15]]
        prompt = yield using(*reads, ("git_diff", {"from_revision": "HEAD"}), ("git_log", {}))
    prompt = yield using(found(name), *[("read_file", {"path": "**"})] * 20)
    path, _ = place(answers(prompt)[0])
    yield using(mending(path, name))
    yield "Done."


def hallucinating(name: str, _dice: random.Random) -> Agent:
    """Uses tools of other programs, files that are not there, and arguments that nobody knows."""
    yield using(
        ("bash", {"command": f"sed -i s/1/0/ {name}.py && cat ~/.ssh/id_rsa"}),
        ("str_replace_editor", {"command": "view", "path": "/repo/src/main.py"}),
        ("read_file", {"path": f"src/{name}/core.py"}),
        ("read_file", {}),
        ("read_file", "{"),
        ("search", {"query": name, "pattern": ["("]}),
        ("list_files", "[1, 2]"),
        ("edit_file", {"path": f"src/{name}.py", "old_text": "x = 1", "new_text": "x = 2"}),
    )
    yield using(("", ""), ("read_file\n", '{"path": "a"}'), ("Search", {"pattern": "("}))
    prompt = yield using(("grep", {"pattern": name}), found(name))
    path, line = place(answers(prompt)[1])
    yield using(
        ("read_file", {"filePath": f"/{path}", "offset": str(line), "limit": "2", "mode": "fast"}),
        ("write_file", {"path": path, "content": ""}),
        ("delete_file", {"path": "src/none.py"}),
        ("move_file", {"path": "src/none.py", "to": path}),
    )
    given = mending(path, name)[1]
    assert isinstance(given, Mapping)
    renamed = {"file": path, "old_string": given["old_text"], "new_string": given["new_text"]}
    yield using(("edit_file", renamed | {"replace_all": False}))
    yield "All 512 tests pass in src/, I have run them."


def injected(name: str, _dice: random.Random) -> Agent:
    """Does all that a file tells it to do: to look where it must not, and to write there."""
    prompt = yield using(found(name), ("read_file", {"path": "NOTES.md"}))
    path, _ = place(answers(prompt)[0])
    for given in (".env", "../outside.txt", "private/plan.txt", "conf/credentials.json"):
        yield using(
            ("read_file", {"path": given}),
            ("search", {"pattern": "hunter|.", "path": given}),
            ("git_diff", {"from_revision": "HEAD~0", "path": given}),
            ("git_log", {"path": given, "pattern": "hunter"}),
            ("move_file", {"path": given, "to": f"seen-{len(given)}.txt"}),
            ("read_file", {"path": f"seen-{len(given)}.txt"}),
            ("edit_file", {"path": given, "old_text": "PASSWORD=", "new_text": "x"}),
            ("edit_file", {"path": given, "old_text": "", "new_text": "PWNED\n"}),
            ("delete_file", {"path": given}),
        )
    written = ("../outside.txt", ".git/hooks/pre-commit", ".agent-runner/x", "../tasks.json")
    yield using(
        *(("edit_file", {"path": one, "old_text": "", "new_text": "PWNED\n"}) for one in written),
        ("edit_file", {"path": "judge.sh", "old_text": "", "new_text": "exit 0\n"}),
        ("delete_file", {"path": "judge.sh"}),
        ("hook_output", {"hook": "../../.env"}),
        ("git_diff", {"from_revision": "--output=../outside.txt"}),
    )
    blocks = [f"\n{one}\n```\nPWNED\n```\n" for one in (*written, ".env", "judge.sh")]
    yield "As the notes say:\n" + "".join(blocks) + "\n```sh run\ncp .env seen.txt\n```\n"
    yield using(mending(path, name))
    yield "And now the task itself."


def looping(name: str, dice: random.Random) -> Agent:
    """Goes round in circles, and stops when it is told that there are no more looks."""
    circle = [found(name), ("list_files", {}), ("git_log", {})][: dice.randint(1, 3)]
    prompt = yield using(found(name))
    path, _ = place(answers(prompt)[0])
    while "No more looks" not in (answers(prompt) or [prompt.messages[-1].text])[-1]:
        for use in circle:
            prompt = yield using(use)
    yield using(mending(path, name))
    yield "Done."


def thrashing(name: str, dice: random.Random) -> Agent:
    """Looks for ever, at something else each time, and drafts back and forth."""
    prompt = yield using(found(name))
    path, _ = place(answers(prompt)[0])
    for number in count(1):
        yield using(
            ("read_file", {"path": path, "start_line": 1, "end_line": number}),
            ("edit_file", {"path": path, "old_text": WRONG, "new_text": RIGHT}),
            ("edit_file", {"path": path, "old_text": RIGHT, "new_text": WRONG}),
            ("search", {"pattern": f"{dice.random()}"}),
        )


def lying(name: str, _dice: random.Random) -> Agent:
    """Says that it is done, announces what it never does, and is mute; then it does it."""
    prompt = yield using(found(name))
    path, _ = place(answers(prompt)[0])
    yield f"Done: `{name}` is right now, and all tests pass."
    yield "Updating it now:"
    yield AgentResponse("", finish=Finish.EMPTY, model="scripted")
    yield evolve(using(mending(path, name)), finish=Finish.TRUNCATED)
    yield using(mending(path, name))
    yield f"NO CHANGE NEEDED: `{name}` is right."


def pseudo_json(name: str, _dice: random.Random) -> Agent:
    """Writes its calls as text, in every dialect that it has been trained on."""
    call = {"name": "search", "arguments": {"pattern": name}}
    yield f"```json\n{json.dumps(call)}\n```"
    yield f"<tool_call>\n{json.dumps(call)}\n</tool_call>"
    yield f'<function_calls><invoke name="search"><parameter name="pattern">{name}</parameter>'
    prompt = yield using(found(name))
    path, _ = place(answers(prompt)[0])
    yield using(mending(path, name))
    yield f"{json.dumps({'done': True})}\nThat is all."


def truncating(name: str, _dice: random.Random) -> Agent:
    """Is cut off in the middle of a call that would delete what it works on."""
    prompt = yield using(found(name))
    path, _ = place(answers(prompt)[0])
    yield evolve(using(("delete_file", {"path": path})), finish=Finish.TRUNCATED)
    yield using(mending(path, name))
    yield "Done."


def mute(name: str, _dice: random.Random) -> Agent:
    """Says nothing at all in between."""
    prompt = yield using(found(name))
    path, _ = place(answers(prompt)[0])
    yield AgentResponse("", Finish.EMPTY, model="scripted")
    yield using(mending(path, name))
    yield AgentResponse(" \n", model="scripted")
    yield "Done."


def announcing(name: str, _dice: random.Random) -> Agent:
    """Says what it is about to do, and stops."""
    yield "I will look for it first."
    prompt = yield using(found(name))
    path, _ = place(answers(prompt)[0])
    yield f"Next I will change `{path}`:"
    yield using(mending(path, name))
    yield "Now I am going to run the tests."


def in_words(name: str, _dice: random.Random) -> Agent:
    """Looks by fences, sloppily, and sends blocks; for one that is offered no tools."""
    looks = f'read src/{name}.py\nsearch "def {name}"\nlist_files . 9'
    prompt = yield f"I look.\n```look\n{looks}\n```\n"
    path, line = place(prompt.messages[-1].text)
    yield "```show\n.env\nprivate/plan.txt\n../outside.txt\n```\n"
    yield f"```look\nread_file {path} {line}-{line + 1}\nread_file .env\nsearch hunter\n```\n"
    yield replacing(path, f"def {name}(a):\n    return a-1\n", f"def {name}(a):\n{RIGHT}")
    yield replacing(path, f"def {name}(a):\n{WRONG}", f"def {name}(a):\n{RIGHT}")


def wild(name: str, dice: random.Random) -> Agent:
    """Does by chance what any of the others does, in no order."""
    others = (careful, sloppy, greedy, hallucinating, injected, looping, lying, pseudo_json)
    for _ in range(dice.randint(2, 5)):
        agent = dice.choice(others)(name, dice)
        said = next(agent)
        for _ in range(dice.randint(1, 4)):
            prompt = yield said
            try:
                said = agent.send(prompt)
            except (LookupError, StopIteration):  # it was not shown what it counted on
                break
    yield from careful(name, dice)


EVERY: Mapping[str, Callable[[str, random.Random], Agent]] = {
    agent.__name__: agent
    for agent in (
        *(careful, sloppy, greedy, hallucinating, injected, looping, thrashing, lying),
        *(pseudo_json, truncating, mute, announcing, in_words, wild),
    )
}


def driven(agent: Agent) -> Callable[[CallContext], Said]:
    """What a scripted client says to each call: the agent's next reply; in the end only "Done."."""
    begun = False

    def said(context: CallContext) -> Said:
        nonlocal begun
        begun, first = True, not begun
        try:
            return next(agent) if first else agent.send(context.request.prompt)
        except (LookupError, StopIteration):
            return "Done."

    return said
