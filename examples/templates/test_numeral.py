"""Numbers are written in the shortest form."""

import unittest

from roman import numeral


class Numerals(unittest.TestCase):
    def test_shortest_form(self) -> None:
        self.assertEqual([numeral(n) for n in (4, 16, 90)], ["IV", "XVI", "XC"])
