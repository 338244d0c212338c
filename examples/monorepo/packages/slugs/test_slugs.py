"""What addresses look like."""

import unittest

from slugs import slug


class Slugs(unittest.TestCase):
    def test_words_are_joined_by_hyphens(self) -> None:
        self.assertEqual(slug("Hello, World!"), "hello-world")

    def test_accents_come_off(self) -> None:
        self.assertEqual(slug("Crème brûlée"), "creme-brulee")
        self.assertEqual(slug("Ångström"), "angstrom")

    def test_sharp_s_is_two(self) -> None:
        self.assertEqual(slug("Heißer Kakao"), "heisser-kakao")

    def test_nothing_is_left_of_signs(self) -> None:
        self.assertEqual(slug("?!"), "")


if __name__ == "__main__":
    unittest.main()
