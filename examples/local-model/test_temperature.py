"""Both directions, and back again."""

import unittest

from temperature import to_celsius, to_fahrenheit


class Temperatures(unittest.TestCase):
    def test_water_freezes_and_boils(self) -> None:
        self.assertEqual((to_celsius(32), to_celsius(212)), (0, 100))
        self.assertEqual((to_fahrenheit(0), to_fahrenheit(100)), (32, 212))
