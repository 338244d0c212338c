"""Random changes of the repository's own files, as models write them: right, or refused."""

import random
from collections import Counter

import pytest

from tests.edits.fuzzing import outcome, random_case
from tests.edits.real_changes import real_files
from tests.edits.slips import SLIPS, Slip

FILES = real_files()


def run(first: int, count: int) -> Counter[str]:
    """How many came out right and how many were refused; the first that did neither is shown.

    Those from which nothing can be read, so that only a refusal is right, count by themselves.
    """
    counts: Counter[str] = Counter()
    for seed in range(first, first + count):
        one = random_case(random.Random(seed), FILES)
        if one is None:
            continue
        said = outcome(one)
        assert said in {"right", "refused"}, f"seed {seed}, {one.slips}: {said}\n\n{one.reply}"
        counts["nothing to read" if one.impossible else said] += 1
    return counts


def test_a_change_comes_out_right_or_is_refused() -> None:
    counts = run(0, 400)
    assert counts["right"] > 2 * counts["refused"], "what is clear is taken"


@pytest.mark.parametrize(
    "slip", sorted(set(SLIPS), key=SLIPS.index), ids=lambda slip: slip.__name__
)
def test_no_slip_of_the_pen_becomes_a_wrong_file(slip: Slip) -> None:
    for seed in range(30):
        one = random_case(random.Random(seed), FILES, (slip,))
        said = "right" if one is None else outcome(one)
        assert said in {"right", "refused"}, f"seed {seed}: {said}\n\n{one and one.reply}"


@pytest.mark.long
def test_a_change_comes_out_right_or_is_refused_twenty_thousand_times() -> None:
    counts = run(1_000_000, 23_000)
    assert counts.total() >= 20_000, "changes that come to nothing do not count"
