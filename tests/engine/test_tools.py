"""A conversation with tools: what is looked at and drafted, at any stop, once and as one change."""

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from agent_runner.model import events as e
from agent_runner.model.agent import AgentResponse, Finish, Prompt, ToolCall
from agent_runner.model.conversation import digest_of
from agent_runner.model.errors import ToolsDeclinedError, TransientError
from agent_runner.model.fold import Entry
from agent_runner.model.signals import Signal
from agent_runner.providers.client import WORDS, CallContext
from tests.engine.scene import Scene, Settings, dying_at
from tests.engine.scripted import Line, ScriptedClient, replacing, showing, whole

T1 = {"id": "T1", "post_hooks": ["judge"]}
JUDGE = {"judge": {"command": "grep -q new a.txt"}}
TOOLS = evolve(WORDS, tools=True)


def scene_of(folder: Path, *script: Line, **settings: object) -> Scene:
    more: Settings = {
        "hooks": JUDGE,
        "providers": {"replay": {"replies": ".", "tools": "native"}},
        **settings,
    }
    scene = Scene(folder / "p", [T1], more, script)
    scene.client = ScriptedClient(script, can=TOOLS)
    (scene.folder / "a.txt").write_text("old\n")
    return scene


def calling(*calls: tuple[str, dict[str, Any]], text: str = "") -> AgentResponse:
    """A reply that uses tools."""
    made = tuple(
        ToolCall(f"id-{number}", name, json.dumps(given))
        for number, (name, given) in enumerate(calls, 1)
    )
    return AgentResponse(text, tool_calls=made, model="scripted")


READ = calling(("read_file", {"path": "a.txt"}))
EDIT = calling(("edit_file", {"path": "a.txt", "old_text": "old", "new_text": "new"}))


def answers(prompt: Prompt) -> list[str]:
    return [answer.text for message in prompt.messages for answer in message.answers]


def test_looks_and_drafts_are_one_change(tmp_path: Path) -> None:
    more = calling(("edit_file", {"path": "b.txt", "old_text": "", "new_text": "b\n"}))
    scene = scene_of(tmp_path, READ, EDIT, more, "Done: it is new now.")
    assert scene.run().exit_code == 0
    assert (scene.folder / "a.txt").read_text() == "new\n"
    assert (scene.folder / "b.txt").read_text() == "b\n"
    looked, fits, made = answers(scene.client.asked[-1].prompt)
    assert "old" in looked
    assert fits.startswith("fits")
    assert made.startswith("fits")
    consulted = [x.event for x in scene.watcher.entries if isinstance(x.event, e.Consulted)]
    assert [one.drafts for one in consulted] == [(), ("a.txt",), ("b.txt",)]
    assert [look.tool for one in consulted for look in one.looks] == [
        "read_file",
        "edit_file",
        "edit_file",
    ]
    applied = [x.event for x in scene.watcher.entries if isinstance(x.event, e.Applied)]
    assert [set(one.paths) for one in applied] == [{"a.txt", "b.txt"}]


def test_tools_are_offered_sorted_and_stay(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, READ, EDIT, "Done.")
    assert scene.run().exit_code == 0
    first, second, third = (request.prompt for request in scene.client.asked)
    names = [tool.name for tool in first.tools]
    assert names == sorted(names)
    assert {"list_files", "read_file", "search", "edit_file"} <= set(names)
    assert first.tools == second.tools == third.tools
    assert third.messages[:3] == second.messages
    assert "SEARCH" not in first.system
    assert "edit_file" in first.system


@pytest.mark.parametrize(
    "kind",
    [e.CallSettled, e.Consulted, e.Replied, e.ApplyPlanned, e.Rejected, e.PostHooksFailed],
)
@pytest.mark.parametrize("after", [0, 1, 2])
def test_at_any_stop_the_same_is_said_and_nothing_is_asked_twice(
    tmp_path: Path, kind: type[e.Event], after: int
) -> None:
    script: tuple[Line, ...] = (
        calling(("edit_file", {"path": "a.txt", "old_text": "none", "new_text": "half"})),
        calling(("edit_file", {"path": "a.txt", "old_text": "old", "new_text": "half"})),
        "Done." + replacing("a.txt", "nothing like it\n", "x\n"),
        calling(("edit_file", {"path": "b.txt", "old_text": "", "new_text": "b\n"})),
        "Now it is done.",
        calling(("edit_file", {"path": "a.txt", "old_text": "half", "new_text": "new"})),
        "And now it is.",
    )
    undisturbed, killed = scene_of(tmp_path / "one", *script), scene_of(tmp_path / "two", *script)
    assert undisturbed.run().exit_code == 0
    seen = 0

    def react(entry: Entry | Signal) -> None:
        nonlocal seen
        if isinstance(getattr(entry, "event", None), kind):
            seen += 1
            if seen == after + 1:
                dying_at(kind)(entry)

    killed.watcher.react = react
    if killed.killed():
        assert killed.again().exit_code == 0
    assert (killed.folder / "a.txt").read_text() == "new\n"
    assert (killed.folder / "b.txt").read_text() == "b\n"
    assert [digest_of(r.prompt) for r in killed.client.asked] == [
        digest_of(r.prompt) for r in undisturbed.client.asked
    ]


def test_one_that_only_looks_is_told_to_stop_and_then_a_person_is_asked(tmp_path: Path) -> None:
    def read(number: int) -> AgentResponse:
        return calling(("read_file", {"path": "a.txt", "start_line": 1, "end_line": number}))

    script = [read(number) for number in range(1, 20)]
    scene = scene_of(tmp_path, *script, prompt={"max_turns": 3}, on_escalation="stop")
    scene.run()
    assert scene.record().state == "escalated"
    assert len(scene.client.asked) == 3 + 3
    last = [answers(request.prompt)[-1:] for request in scene.client.asked]
    assert "No more looks" in last[3][0]
    assert "No more looks" not in last[2][0]
    assert last[4][0].startswith("not run")


def test_it_may_still_draft_and_reply_when_it_may_look_no_more(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, READ, EDIT, "Done.", prompt={"max_turns": 1})
    assert scene.run().exit_code == 0
    assert (scene.folder / "a.txt").read_text() == "new\n"


def test_the_same_again_and_again_is_the_last_look(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, *[READ] * 9, on_escalation="stop")
    scene.run()
    assert scene.record().state == "escalated"
    assert len(scene.client.asked) <= 6


def test_calls_that_were_cut_off_are_never_run(tmp_path: Path) -> None:
    cut = evolve(EDIT, finish=Finish.TRUNCATED)
    scene = scene_of(tmp_path, cut, EDIT, "Done.")
    assert scene.run().exit_code == 0
    assert not answers(scene.client.asked[1].prompt)
    assert "cut off" in scene.client.asked[1].prompt.messages[-1].text


def test_a_mute_end_is_asked_to_go_on(tmp_path: Path) -> None:
    mute = AgentResponse("", finish=Finish.EMPTY, model="scripted")
    scene = scene_of(tmp_path, READ, mute, EDIT, "Done.")
    assert scene.run().exit_code == 0
    again = scene.client.asked[2].prompt
    assert "no text" in again.messages[-1].answers[-1].text


def test_announced_and_not_done_is_told_so(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, READ, "Updating it now:", EDIT, "Done.")
    assert scene.run().exit_code == 0
    assert (scene.folder / "a.txt").read_text() == "new\n"


def test_what_was_drafted_counts_as_a_change(tmp_path: Path) -> None:
    """Even where the last words say that none is needed."""
    scene = scene_of(tmp_path, EDIT, "NO CHANGE NEEDED: it is drafted already")
    assert scene.run().exit_code == 0
    assert (scene.folder / "a.txt").read_text() == "new\n"


def test_drafts_and_blocks_are_planned_together(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, EDIT, "And more." + whole("b.txt", "b\n"))
    assert scene.run().exit_code == 0
    assert (scene.folder / "b.txt").read_text() == "b\n"
    assert (scene.folder / "a.txt").read_text() == "new\n"


def test_a_key_in_its_own_items_sends_the_turn_in_words(tmp_path: Path) -> None:
    def leaking(context: CallContext) -> AgentResponse:
        raw = json.dumps([{"type": "thinking", "thinking": "the key is sk-very-secret-key-1"}])
        return evolve(READ, raw=raw)

    scene = scene_of(tmp_path, leaking, EDIT, "Done.")
    environment(scene, "sk-very-secret-key-1")
    assert scene.run().exit_code == 0
    said = scene.client.asked[1].prompt.messages[1]
    assert not said.raw
    assert not said.calls
    assert "read_file" in said.text


def test_a_key_that_was_taken_out_of_a_draft_is_not_written_as_a_mark(tmp_path: Path) -> None:
    """Whichever turn it was taken out of, and although the last reply has none."""
    key = "sk-very-secret-key-1"
    keeps = ("edit_file", {"path": "b.txt", "old_text": "", "new_text": f"key = {key}\n"})
    scene = scene_of(tmp_path, calling(keeps), EDIT, "Done.")
    environment(scene, key)
    assert scene.run().exit_code == 0
    (told,) = answers(scene.client.asked[1].prompt)
    assert "would write `[redacted]` where a secret was left out" in told
    assert not (scene.folder / "b.txt").exists()
    assert (scene.folder / "a.txt").read_text() == "new\n"


def environment(scene: Scene, key: str) -> None:
    scene.settings = {
        **scene.settings,
        "providers": {"replay": {"replies": ".", "tools": "native", "headers": {"x-api-key": key}}},
    }
    scene.write()


def long_talk(folder: Path, **prompt: int) -> Scene:
    reads = [calling(("read_file", {"path": f"{number}.txt"})) for number in range(12)]
    scene = scene_of(folder, *reads, EDIT, "Done.", prompt=prompt)
    for number in range(12):
        text = "".join(f"line {number} {line} of a long file\n" for line in range(200))
        (scene.folder / f"{number}.txt").write_text(text)
    return scene


def test_what_was_read_first_gives_way_at_once_and_seldom(tmp_path: Path) -> None:
    scene = long_talk(tmp_path, max_tokens=14_000)
    assert scene.run().exit_code == 0
    trimmed = [x.event for x in scene.watcher.entries if isinstance(x.event, e.Trimmed)]
    assert 1 <= len(trimmed) <= 4
    assert all(one.tokens_after <= 14_000 < one.tokens_before for one in trimmed)
    last = answers(scene.client.asked[-1].prompt)
    assert last[0] == "[not shown any more: read_file 0.txt; ask again if needed]"
    assert "line 11 199" in last[11]


def test_after_a_kill_a_shortened_conversation_is_the_same(tmp_path: Path) -> None:
    whole_run, killed = (
        long_talk(tmp_path / "a", max_tokens=14_000),
        long_talk(tmp_path / "b", max_tokens=14_000),
    )
    assert whole_run.run().exit_code == 0
    kills = iter(range(3, 40, 4))
    seen = 0
    at = next(kills)

    def react(entry: Entry | Signal) -> None:
        nonlocal seen, at
        if isinstance(getattr(entry, "event", None), e.Consulted):
            seen += 1
            if seen >= at:
                at = next(kills)
                dying_at(e.Consulted)(entry)

    killed.watcher.react = react
    while killed.killed():
        killed.watcher.react = react
    assert [digest_of(r.prompt) for r in killed.client.asked] == [
        digest_of(r.prompt) for r in whole_run.client.asked
    ]


def test_an_endpoint_that_takes_no_tools_is_asked_in_words(tmp_path: Path) -> None:
    declined = ToolsDeclinedError("tools are not supported", status=400)
    scene = scene_of(tmp_path, declined, whole("a.txt", "other\n"), whole("a.txt", "new\n"))
    assert scene.run().exit_code == 0
    first, second, third = (request.prompt for request in scene.client.asked)
    assert first.tools
    assert not second.tools
    assert not third.tools
    assert "SEARCH" in second.system
    assert scene.wiring.store.state.spending.no_tools == {"replay": ["replay"]}


def test_a_conversation_with_tools_goes_on_in_words_with_another_model(tmp_path: Path) -> None:
    def down(_context: CallContext) -> Exception:
        return TransientError("down", status=503)

    settings = {
        "providers": {
            "replay": {"replies": ".", "tools": "native", "fallback": ["second"]},
            "second": {"protocol": "replay", "replies": ".", "model": "another", "tools": "off"},
        },
        "retry": {"max_tries": 2},
    }
    scene = scene_of(tmp_path, READ, EDIT, *[down] * 2, "Done.", **settings)
    assert scene.run().exit_code == 0
    assert (scene.folder / "a.txt").read_text() == "new\n"
    prompt = scene.client.asked[-1].prompt
    assert all(not message.calls and not message.answers for message in prompt.messages)
    assert "edit_file" in prompt.messages[3].text


def test_a_first_message_tells_of_the_repository_and_nothing_hidden_is_in_any(
    tmp_path: Path,
) -> None:
    asked = calling(
        ("list_files", {}),
        ("read_file", {"path": "private/x.py"}),
        ("search", {"pattern": "hunter"}),
    )
    scene = scene_of(tmp_path, asked, EDIT, "Done.", prompt={"hide": ["private"]})
    for path, text in {
        "AGENTS.md": "Use tabs here.\n",
        "private/x.py": "def hunter2(): ...\n",
        "open.py": "def shown_name(): ...\n",
    }.items():
        (scene.folder / path).parent.mkdir(exist_ok=True)
        (scene.folder / path).write_text(text)
    (scene.folder / "a.txt").write_text("old\n")
    assert scene.run().exit_code == 0
    first = scene.client.asked[0].prompt.messages[0].text
    assert "AGENTS.md\n```\nUse tabs here.\n```" in first
    assert "open.py" in first
    listed, refused, found = answers(scene.client.asked[1].prompt)
    assert "private" not in listed
    assert "it is hidden" in refused
    assert "no match" in found
    for request in scene.client.asked:
        texts = [message.text for message in request.prompt.messages]
        assert "def hunter2" not in "".join(texts)
        assert "private/x.py" not in "".join(texts)


def looking(*lines: str) -> str:
    """A reply in words that looks."""
    return "\n".join(["Let me see.", "```look", *lines, "```", ""])


def test_without_tools_it_looks_in_words(tmp_path: Path) -> None:
    scene = scene_of(
        tmp_path,
        looking("read_file a.txt", 'search "old"'),
        whole("a.txt", "new\n"),
        providers={"replay": {"replies": ".", "tools": "text"}},
    )
    scene.client.capabilities = WORDS
    assert scene.run().exit_code == 0
    told = scene.client.asked[1].prompt.messages[-1]
    assert not told.answers
    assert "a.txt lines 1-1 of 1" in told.text
    assert "1 match" in told.text


def test_what_is_asked_for_again_in_words_is_the_last_look(tmp_path: Path) -> None:
    scene = scene_of(
        tmp_path,
        showing("a.txt"),
        showing("a.txt"),
        whole("a.txt", "new\n"),
        providers={"replay": {"replies": ".", "tools": "text"}},
    )
    scene.client.capabilities = WORDS
    assert scene.run().exit_code == 0
    told = scene.client.asked[2].prompt.messages[-1].text
    assert "old" in told
    assert "nothing new" in told
    assert "Now reply with your changes." in told


def test_a_check_is_run_on_the_drafts_once(tmp_path: Path) -> None:
    check = calling(("run_check", {"hook": "judge"}))
    judge = {"judge": {"command": "grep -q new a.txt", "agent": True}}
    scene = scene_of(tmp_path, EDIT, check, "Done.", hooks=judge)
    assert scene.run().exit_code == 0
    offered = {tool.name for tool in scene.client.asked[0].prompt.tools}
    said = answers(scene.client.asked[2].prompt)[-1]
    if "run_check" in offered:  # where nothing confines it, it is not
        assert said.startswith("exit code 0")
    assert (scene.folder / "a.txt").read_text() == "new\n"
