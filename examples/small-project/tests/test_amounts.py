"""Amounts are read the way cookbooks print them."""

from fractions import Fraction

import pytest

from ladle.amounts import read_amount, write_amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("3", Fraction(3)),
        ("2/3", Fraction(2, 3)),
        ("0.25", Fraction(1, 4)),
        ("1 1/2", Fraction(3, 2)),
        ("½", Fraction(1, 2)),
        ("2¾", Fraction(11, 4)),
        ("  1 ⅓ ", Fraction(4, 3)),
    ],
)
def test_reads_what_cookbooks_print(text, amount):
    assert read_amount(text) == amount


@pytest.mark.parametrize("text", ["", "a pinch", "1 2", "1/0", "-1"])
def test_says_what_it_cannot_read(text):
    with pytest.raises(ValueError, match="amount"):
        read_amount(text)


@pytest.mark.parametrize("text", ["3", "2/3", "1 1/2"])
def test_writes_what_it_reads(text):
    assert write_amount(read_amount(text)) == text
