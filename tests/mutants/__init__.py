"""Mistakes of durability, made on purpose in a copy of the program: each has to be noticed."""
