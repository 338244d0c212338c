"""What counts as the same word."""

import unittest

from words import count


class Words(unittest.TestCase):
    def test_words_are_counted(self) -> None:
        self.assertEqual(count("a b a"), {"a": 2, "b": 1})

    def test_case_and_signs_do_not_matter(self) -> None:
        self.assertEqual(count("Yes, yes. No!"), {"yes": 2, "no": 1})
