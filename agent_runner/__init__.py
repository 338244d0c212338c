"""Drives an LLM coding agent through a list of tasks, one durable state machine per task."""

__version__ = "0.1.0"
