"""Names that need no configuration to be known: providers and wire protocols that come along."""

PROTOCOLS = ("anthropic", "responses", "chat", "replay")
"""Wire protocols; plug-ins add theirs through the entry-point group `agent_runner.providers`."""

PROVIDERS = (
    "claude",
    "openai",
    "codex",
    "anthropic",
    "ollama",
    "vllm",
    "openrouter",
    "lmstudio",
    "llamacpp",
    "azure",
    "replay",
)
"""Providers that stand ready, and other names of them (`codex` is `openai`)."""
