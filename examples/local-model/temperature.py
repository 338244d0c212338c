"""Converts temperatures."""


def to_celsius(fahrenheit: float) -> float:
    return (fahrenheit - 32) * 5 / 9
