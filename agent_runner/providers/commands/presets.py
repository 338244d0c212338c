"""The commands that are known by name; a further one is one file and one line here."""

from collections.abc import Mapping

from attrs import evolve

from agent_runner.model.errors import UsageError
from agent_runner.providers.commands.aider import AIDER
from agent_runner.providers.commands.claude_code import CLAUDE_CODE
from agent_runner.providers.commands.codex_cli import CODEX_CLI
from agent_runner.providers.commands.free_form import PATTERNS, free_form
from agent_runner.providers.commands.gemini_cli import GEMINI_CLI
from agent_runner.providers.commands.opencode import OPENCODE
from agent_runner.providers.commands.preset import Preset
from agent_runner.providers.profiles import Profile

PRESETS: Mapping[str, Preset] = {
    preset.name: preset for preset in (CLAUDE_CODE, CODEX_CLI, GEMINI_CLI, OPENCODE, AIDER)
}
"""By the name of the provider."""

PARAMS = frozenset({"reads", "args", "allow", "sandbox", *PATTERNS})
"""What `params` may hold."""


def preset_of(profile: Profile) -> Preset:
    """The command that a provider is. Raises UsageError for a configuration that cannot work."""
    where = f"providers.{profile.name}"
    unknown = sorted(set(profile.params) - PARAMS)
    if unknown:
        raise UsageError(
            f"{where}.params: {unknown[0]} means nothing to a command",
            fix=f"known are {', '.join(sorted(PARAMS))}",
            option=f"{where}.params",
        )
    assert profile.program is not None  # noqa: S101  # no other profile comes here
    known, words = PRESETS.get(profile.program.preset), profile.program.words
    if known is None:
        return free_form(profile.name, words, profile.params, PRESETS)
    return evolve(known, program=words[0], lead=words[1:]) if words else known
