"""The mistakes can be made: what they replace stands in the program, and their tests are there."""

from pathlib import Path

import pytest

from tests.mutants.seeded import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.title)
def test_a_mutant_is_up_to_date(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.good) == 1
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert name.partition("[")[0] in (ROOT / file).read_text(encoding="utf-8")
