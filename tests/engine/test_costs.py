"""What a task may cost beside the work itself: each thing is read, asked and looked up once."""

import os
import shutil
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

from attrs import evolve

from agent_runner.edits.parse import parse_reply
from agent_runner.engine.calls.question import Questions
from agent_runner.model import events as e
from agent_runner.model.agent import AgentResponse, Message
from agent_runner.providers.client import WORDS, CallContext
from agent_runner.store.calls import CallFiles
from tests.engine.agents import using
from tests.engine.scene import Scene, dying_at, hooks
from tests.engine.scripted import ScriptedClient, replacing, showing, whole

T1 = {"id": "T1", "post_hooks": []}
_SYNCS = (os.fsync, os.fdatasync)


@contextmanager
def counted(*functions: Callable[..., Any]) -> Iterator[Counter[str]]:
    """How often each of these functions of ours is called, in any thread, while this is open.

    Beside them: `sync`, how often the program waits for the disk.
    """
    names: dict[CodeType, str] = {}
    for function in functions:
        assert isinstance(function, FunctionType)
        names[function.__code__] = function.__name__
    counts: Counter[str] = Counter()

    def watch(frame: FrameType, event: str, arg: object) -> None:
        if event == "call" and frame.f_code in names:
            counts[names[frame.f_code]] += 1
        elif event == "c_call" and arg in _SYNCS:
            counts["sync"] += 1

    threading.setprofile(watch)  # for the threads in which files are read
    sys.setprofile(watch)
    try:
        yield counts
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def test_each_reply_is_parsed_once_and_no_answer_is_read_back(tmp_path: Path) -> None:
    """A look at a file, a reply that does not fit, its correction: three calls in all."""
    script = [showing("b.txt"), replacing("b.txt", "none\n", "x\n"), whole("a.txt", "one\n")]
    scene = Scene(tmp_path / "p", [T1], {}, script)
    (scene.folder / "b.txt").write_text("old\n")
    with counted(parse_reply, CallFiles.response, Questions.question) as counts:
        assert scene.run().exit_code == 0
    assert counts["sync"]
    del counts["sync"]
    assert counts == {"parse_reply": 3, "question": 3}


def test_after_a_kill_an_answer_is_read_back_once(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [T1], {}, [whole("a.txt", "one\n")])
    scene.watcher.react = dying_at(e.CallSettled)
    assert scene.killed()
    with counted(parse_reply, CallFiles.response) as counts:
        assert scene.again().exit_code == 0
    del counts["sync"]
    assert counts == {"parse_reply": 1, "response": 1}


def test_the_folders_for_people_are_not_needed_to_go_on(tmp_path: Path) -> None:
    """Not for an answer, nor for a conversation, nor for what was changed so far."""
    script = [whole("a.txt", "one\n"), showing("a.txt"), whole("a.txt", "two\n")]
    judge = {"judge": {"command": "grep -q two a.txt"}}
    scene = Scene(tmp_path / "p", [{"id": "T1", "post_hooks": ["judge"]}], {"hooks": judge}, script)
    for kind in (e.PostHooksFailed, e.Consulted, e.Replied):
        scene.watcher.react = dying_at(kind)
        assert scene.killed()
        shutil.rmtree(scene.state_dir / "logs")
    assert scene.again().exit_code == 0
    first, second, third = (request.prompt.messages for request in scene.client.asked)
    assert second[:2] == (*first, Message("assistant", whole("a.txt", "one\n")))
    assert "judge" in second[2].text
    assert third[:4] == (*second, Message("assistant", showing("a.txt")))


def syncs(folder: Path, tasks: int) -> int:
    """Of a run over tasks with a pre-hook, a baseline, a post-hook, one call and one edit each."""
    names = [f"T{number}" for number in range(1, tasks + 1)]
    settings = {
        "hooks": hooks(pre="true", post="true"),
        "baseline": "always",
        "ledger": True,
    }
    scene = Scene(
        folder,
        [{"id": name, "pre_hooks": ["pre"], "post_hooks": ["post"]} for name in names],
        settings,
        [whole("a.txt", f"{name}\n") for name in names],
    )
    with counted() as counts:
        assert scene.run().exit_code == 0
    return counts["sync"]


def test_a_task_waits_for_the_disk_twelve_times(tmp_path: Path) -> None:
    """How the files stood (3), room in the ledger and the call's start (2), the answer (1), the
    images and the intent (2), the file and its folder (2), that the change stands (1), the end (1).
    """
    assert syncs(tmp_path / "three/p", 3) - syncs(tmp_path / "one/p", 1) == 2 * 12


def test_a_later_turn_of_a_conversation_costs_what_an_early_one_does(tmp_path: Path) -> None:
    """Each reads 400 lines and drafts a change: nothing that was said before is gone through anew.

    Calls of functions are counted, in all threads, which a busy machine does not change.
    """
    made, at_turn = 0, list[int]()

    def reply(number: int) -> Callable[[CallContext], AgentResponse]:
        def said(_context: CallContext) -> AgentResponse:
            at_turn.append(made)
            edit = {"path": f"{number}.py", "old_text": "line 7\n", "new_text": "line 8\n"}
            return using(("read_file", {"path": f"{number}.py"}), ("edit_file", edit))

        return said

    def count(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal made
        made += event in {"call", "c_call"}

    turns = 40
    scene = Scene(
        tmp_path / "p",
        [T1],
        {
            "providers": {"replay": {"replies": ".", "tools": "native"}},
            "prompt": {"max_tokens": 1_000_000, "max_turns": 100},
        },
    )
    scene.client = ScriptedClient(
        [*map(reply, range(turns)), "Done."], can=evolve(WORDS, tools=True)
    )
    for number in range(turns):
        (scene.folder / f"{number}.py").write_text("".join(f"line {at}\n" for at in range(400)))
    threading.setprofile(count)
    sys.setprofile(count)
    try:
        assert scene.run().exit_code == 0
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    of_turn = [later - earlier for earlier, later in pairwise(at_turn)]
    early, late = sum(of_turn[5:10]), sum(of_turn[-5:])
    assert late < 1.4 * early, of_turn
