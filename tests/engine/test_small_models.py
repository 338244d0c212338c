"""What small models do, and what helps them: a question, and never the same one twice."""

from pathlib import Path

import pytest

from agent_runner.model import events as e
from agent_runner.model.agent import AgentResponse, Finish, Prompt
from agent_runner.model.conversation import digest_of
from tests.engine.scene import Scene, dying_at, hooks
from tests.engine.scripted import Line, showing, whole
from tests.engine.test_tools import looking

JUDGE = hooks(judge="grep -q new a.txt")


def scene_of(folder: Path, *script: Line, **settings: object) -> Scene:
    """A model that is asked for whole files, and is listed one."""
    given = {
        "hooks": JUDGE,
        "providers": {"replay": {"replies": ".", "tools": "text", "edit_format": "whole"}},
        **settings,
    }
    task = {"id": "T1", "post_hooks": ["judge"], "files": ["a.txt", "b/*"]}
    scene = Scene(folder / "p", [task], given, script)
    (scene.folder / "a.txt").write_text("old\n")
    (scene.folder / "c.txt").write_text("not listed\n")
    return scene


def last(prompt: Prompt) -> str:
    return prompt.messages[-1].text


def without_digits(text: str) -> str:
    return "".join(character for character in text if not character.isdigit())


@pytest.mark.parametrize("path", ["src/a.txt", "./src/a.txt", "src/main/a.txt"])
def test_a_file_below_a_folder_that_is_not_there_is_asked_about(tmp_path: Path, path: str) -> None:
    scene = scene_of(tmp_path, whole(path, "new\n"), whole("a.txt", "new\n"))
    assert scene.run().exit_code == 0
    asked = last(scene.client.asked[1].prompt)
    assert f"`{path}` is not there, and `a.txt` is: which of them is meant?" in asked
    assert not (scene.folder / "src").exists()
    assert (scene.folder / "a.txt").read_text() == "new\n"


def test_who_means_a_new_file_says_so(tmp_path: Path) -> None:
    meant = "Whole file: src/a.txt\n```\nx\n```\n" + whole("a.txt", "new\n")
    scene = scene_of(tmp_path, whole("src/a.txt", "x\n"), meant)
    assert scene.run().exit_code == 0
    assert (scene.folder / "src/a.txt").exists()


@pytest.mark.parametrize("path", ["src/c.txt", "there/a.txt", "src/new.txt"])
def test_nobody_is_asked_where_there_is_no_doubt(tmp_path: Path, path: str) -> None:
    """The other was never shown, the folder is there, or there is no other."""
    scene = scene_of(tmp_path, whole(path, "x\n") + whole("a.txt", "new\n"))
    (scene.folder / "there").mkdir()
    assert scene.run().exit_code == 0
    assert len(scene.client.asked) == 1
    assert (scene.folder / path).exists()


def test_what_it_asked_to_see_counts_as_shown(tmp_path: Path) -> None:
    settings = {"providers": {"replay": {"replies": ".", "tools": "text"}}}
    for name, look in (("a", showing("c.txt")), ("b", looking("read_file c.txt"))):
        right = whole("a.txt", "new\n")
        scene = scene_of(tmp_path / name, look, whole("src/c.txt", "x\n"), right, **settings)
        assert scene.run().exit_code == 0
        assert "which of them is meant" in last(scene.client.asked[2].prompt)
        assert not (scene.folder / "src").exists()


def test_a_repeated_look_is_known_after_a_stop(tmp_path: Path) -> None:
    settings = {"providers": {"replay": {"replies": ".", "tools": "text"}}}
    look = looking("read_file c.txt", 'search "```\\n"')
    script = (look, looking("list_files"), look, whole("a.txt", "new\n"))
    one, two = (scene_of(tmp_path / name, *script, **settings) for name in ("a", "b"))
    assert one.run().exit_code == 0
    assert "you have been shown this before" in last(one.client.asked[3].prompt)
    assert "No more looks" in last(one.client.asked[3].prompt)
    two.watcher.react = dying_at(e.Consulted)
    assert two.killed()
    while two.killed():
        pass
    assert two.states() == {"T1": "passed"}
    assert [digest_of(r.prompt) for r in two.client.asked] == [
        digest_of(r.prompt) for r in one.client.asked
    ]


def test_a_reply_that_changed_nothing_is_told_so(tmp_path: Path) -> None:
    same = whole("a.txt", "old\n")
    scene = scene_of(tmp_path, same, same, whole("a.txt", "new\n"), max_no_progress=9)
    assert scene.run().exit_code == 0
    told = last(scene.client.asked[1].prompt)
    assert "no file is another than before" in told
    assert "already as asked: block 1 (a.txt)" in told


@pytest.mark.parametrize("rule", ["continue", "fresh"])
def test_no_two_questions_are_alike_but_for_a_number(tmp_path: Path, rule: str) -> None:
    same = whole("a.txt", "old\n")
    wrong = whole("a.txt", "other\n")
    scene = scene_of(
        tmp_path,
        *(same, same, wrong, wrong, whole("a.txt", "new\n")),
        conversation=rule,
        max_no_progress=9,
        max_attempts_per_task=9,
    )
    assert scene.run().exit_code == 0
    prompts = [request.prompt.messages for request in scene.client.asked]
    texts = {without_digits("".join(one.text for one in messages)) for messages in prompts}
    assert len(texts) == len(prompts) == 5


def test_no_two_notes_on_useless_answers_are_alike(tmp_path: Path) -> None:
    empty = AgentResponse("", finish=Finish.EMPTY, model="scripted")
    cut = AgentResponse("a.txt", finish=Finish.TRUNCATED, model="scripted")
    for name, answer in (("a", empty), ("b", cut)):
        scene = scene_of(
            tmp_path / name, *[answer] * 3, whole("a.txt", "new\n"), max_unusable_replies=3
        )
        assert scene.run().exit_code == 0
        assert len({without_digits(last(r.prompt)) for r in scene.client.asked}) == 4


def test_a_fresh_conversation_says_what_was_seen_and_done_before(tmp_path: Path) -> None:
    settings = {"providers": {"replay": {"replies": ".", "tools": "text"}}}
    scene = scene_of(
        tmp_path,
        looking("read_file c.txt 1-1", 'search "old"'),
        whole("a.txt", "old\n"),
        showing("c.txt"),
        whole("a.txt", "old\n"),
        whole("a.txt", "new\n"),
        conversation="fresh",
        max_no_progress=9,
        **settings,
    )
    assert scene.run().exit_code == 0
    second, third = scene.client.asked[2].prompt, scene.client.asked[4].prompt
    assert len(second.messages) == len(third.messages) == 1
    seen = "- attempt 1: looked at `read_file c.txt 1 1`, `search old`; sent changes of `a.txt`"
    assert f"{seen}, and changed no file; already as asked: block 1 (a.txt)" in last(second)
    assert seen in last(third)
    assert (
        "- attempt 2: looked at `c.txt`; replied as attempt 1 did, word for word; sent changes of"
        " `a.txt`, and changed no file" in last(third)
    )
    assert "What you did before" not in last(scene.client.asked[0].prompt)
