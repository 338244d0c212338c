"""Suggested commands: what a shell makes of them is what was meant."""

import shlex

from hypothesis import given, strategies as st

from agent_runner.ground.invocation import PLACEHOLDER, Invocation

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@given(NAMES, NAMES, st.lists(NAMES, max_size=3))
def test_a_shell_reads_the_words_that_were_given(
    tasks: str, state_dir: str, words: list[str]
) -> None:
    typed = shlex.split(Invocation(tasks, state_dir).command(*words))
    options = ["--tasks", tasks] * bool(tasks) + ["--state-dir", state_dir] * bool(state_dir)
    shown = ["..." if word == PLACEHOLDER else word for word in words]
    assert typed == ["agent-runner", *shown, *options]


def test_what_needs_no_quotes_has_none() -> None:
    assert Invocation().command("retry", "T1", "--hint", PLACEHOLDER) == (
        'agent-runner retry T1 --hint "..."'
    )
    assert Invocation("my list.yml").command("run") == "agent-runner run --tasks 'my list.yml'"
