"""Agents that people have as commands: Claude Code, Codex, Gemini CLI, opencode, aider, any."""
