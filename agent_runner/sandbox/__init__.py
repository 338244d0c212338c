"""Confines a command: what it may write, read and reach, and that all it started ends with it."""
