"""Every block of code in the pages holds, and so does every command named within a sentence."""

from pathlib import Path

import pytest

from tests.docs import blocks as read
from tests.docs.blocks import CHECKS, Block, Words

BLOCKS = list(read.blocks())
WORDS = list(read.words())
SETTINGS = list(read.settings_in_sentences())


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_can_be_relied_on(block: Block, tmp_path: Path) -> None:
    assert block.language in CHECKS, "say after the fence what it is"
    CHECKS[block.language](block.text, tmp_path)


@pytest.mark.parametrize("words", WORDS, ids=str)
def test_a_command_in_a_sentence_is_there_with_its_options(words: Words) -> None:
    read.check_words(words.text)


@pytest.mark.parametrize("words", SETTINGS, ids=str)
def test_a_setting_in_a_sentence_is_one(words: Words) -> None:
    read.check_setting(words.text)


def test_they_are_found() -> None:
    assert {block.language for block in BLOCKS} == set(CHECKS)
    assert any(block.page.startswith("examples/") for block in BLOCKS)
    assert len(WORDS) > 30
    assert len(SETTINGS) > 30


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("sh", "agent-runner runn\n"),
        ("sh", "agent-runner run --no-such-option\n"),
        ("sh", 'x="$(agent-runner status --no-such)"\n'),
        ("sh", "cd x && agent-runner why\n"),
        ("sh", "for x in; agent-runner run\n"),
        ("sh", "nox -s no-such\n"),
        ("yaml", "max_attempts: 3\n"),
        ("yaml", "tasks: [{id: T1}]\n"),
        ("yaml", "jobs: {a: {steps: [{run: agent-runner rnu}]}}\n"),
        ("json", '{"kind": "NoSuchKind"}\n'),
        ("python", "def\n"),
        ("cron", "*/10 * * * agent-runner resume\n"),
        ("ini", "# x.service\n[Service]\nExecStart=agent-runner resume --no-such\n"),
        ("markdown", "{{ titel }}\n"),
        ("reply", "Nothing to see.\n"),
    ],
)
def test_a_mistake_is_found(language: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(BaseException):  # noqa: B017, PT011  # each has an error of its own
        CHECKS[language](text, tmp_path)


@pytest.mark.parametrize("text", ["run --no-such", "debug no-such", "no-such"])
def test_a_mistake_in_a_sentence_is_found(text: str) -> None:
    with pytest.raises(AssertionError):
        read.check_words(text)


@pytest.mark.parametrize("text", ["git.comit", "git.commit: always", "max_output_tokens: many"])
def test_a_mistake_in_a_setting_is_found(text: str) -> None:
    with pytest.raises(AssertionError):
        read.check_setting(text)
