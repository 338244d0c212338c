"""Scales recipes and writes shopping lists, in exact kitchen fractions."""
