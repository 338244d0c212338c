"""Roman numerals."""

VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def value(numeral: str) -> int:
    """The number that a Roman numeral stands for."""
    return sum(VALUES[letter] for letter in numeral)
