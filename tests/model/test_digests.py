"""The digest of all that is sent, which says after a stop whether the same would be sent again."""

from hypothesis import given, strategies as st

from agent_runner.model.agent import Message, Prompt, ToolAnswer, ToolCall, ToolSpec
from agent_runner.model.conversation import Digests, digest_of

TEXTS = st.text(alphabet="ab1:", max_size=3)
CALLS = st.lists(st.builds(ToolCall, TEXTS, TEXTS, TEXTS, st.booleans()), max_size=2).map(tuple)
ANSWERS = st.lists(st.builds(ToolAnswer, TEXTS, TEXTS, TEXTS, st.booleans()), max_size=2).map(tuple)
MESSAGES = st.builds(Message, st.sampled_from(["user", "assistant"]), TEXTS, CALLS, ANSWERS, TEXTS)
TOOLS = st.lists(st.builds(ToolSpec, TEXTS, TEXTS, st.just({"a": 1})), max_size=1).map(tuple)
PROMPTS = st.builds(Prompt, TEXTS, st.lists(MESSAGES, max_size=4).map(tuple), TOOLS)


@given(turns=st.lists(st.tuples(st.booleans(), PROMPTS), max_size=6))
def test_what_is_hashed_turn_by_turn_is_what_is_hashed_at_once(
    turns: list[tuple[bool, Prompt]],
) -> None:
    digests, before = Digests(), Prompt("", ())
    for goes_on, prompt in turns:
        if goes_on:
            messages = (*before.messages, *prompt.messages)
            prompt = Prompt(before.system, messages, prompt.tools)  # noqa: PLW2901  # the next turn
        assert digests.of(prompt) == digest_of(prompt)
        before = prompt


@given(one=PROMPTS, other=PROMPTS)
def test_only_the_same_has_the_same_digest(one: Prompt, other: Prompt) -> None:
    assert (digest_of(one) == digest_of(other)) == (one == other)


def test_the_digest_is_that_of_earlier_releases() -> None:
    """It stands in requests that were kept: another one would close every conversation."""
    call, answer = ToolCall("1", "read_file", "{}"), ToolAnswer("1", "read_file", "text", True)
    messages = (
        Message("user", "Do it.\n"),
        Message("assistant", "é", (call,), raw="[]"),
        Message("user", "", answers=(answer,)),
    )
    tools = (ToolSpec("read_file", "Read.", {"type": "object"}),)
    assert digest_of(Prompt("system", messages, tools)) == (
        "6e38aadcab7db7f5bfeccbdb7d62fcf6d9389195ddee26c7ef84afa2601528c9"
    )
