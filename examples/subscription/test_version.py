"""Versions are compared by their numbers."""

import unittest

from version import newer


class Versions(unittest.TestCase):
    def test_by_number(self) -> None:
        self.assertTrue(newer("1.10", "1.9"))
        self.assertFalse(newer("1.9", "1.10"))

    def test_the_same_is_not_newer(self) -> None:
        self.assertFalse(newer("2.0", "2.0"))
