"""A letter before a larger one counts against it."""

import unittest

from roman import value


class Values(unittest.TestCase):
    def test_letters_add_up(self) -> None:
        self.assertEqual(value("XVI"), 16)

    def test_a_smaller_one_before_is_taken_off(self) -> None:
        self.assertEqual((value("IV"), value("XC")), (4, 90))
