"""What `tools`, `edit_format` and `cached_tokens` come to for one provider and model. Pure.

Whether tools are offered and how edits are asked for are two questions: a local model may look at
files by tools and still write whole files. Only the forms that are tools themselves need tools.
"""

from attrs import evolve

from agent_runner.model.settings import (
    CachedTokens,
    EditFormat,
    LimitSettings,
    ProviderSettings,
    Settings,
    ToolUse,
)
from agent_runner.providers import catalogue
from agent_runner.providers.catalogue import ReadyMade, WireProtocol

_BY_TOOL = frozenset({EditFormat.REPLACE, EditFormat.PATCH})


def tool_use(own: ProviderSettings, protocol: WireProtocol) -> ToolUse:
    """How a model is given tools: as the settings say, else natively where its protocol can."""
    if own.tools is not ToolUse.AUTO:
        return own.tools
    return ToolUse.NATIVE if protocol.tools else ToolUse.TEXT


def edit_format(
    own: ProviderSettings, entry: ReadyMade, model: str, tools: ToolUse = ToolUse.NATIVE
) -> EditFormat:
    """The form in which edits are asked for: the settings', the ready-made entry's, the family's.

    The families' own forms are what they were trained on: GPT and Codex on patch envelopes, Claude
    and the others that take tools on replacing text.
    """
    wanted = own.edit_format if own.edit_format is not EditFormat.AUTO else entry.edit_format
    if wanted is EditFormat.AUTO:
        patches = catalogue.is_trained_on_patches(model)
        wanted = EditFormat.PATCH if patches else EditFormat.REPLACE
    return without_tools(wanted) if tools is not ToolUse.NATIVE else wanted


def with_cached_tokens(limits: LimitSettings, name: str, settings: Settings) -> LimitSettings:
    """The limits of a provider, saying whether cached input counts; of its models likewise.

    What the settings leave open is as the protocol's vendor has it.
    """
    own = settings.providers.get(name, ProviderSettings())
    ready = catalogue.READY_MADE.get(catalogue.ALIASES.get(name, name))
    protocol = catalogue.PROTOCOLS.get(own.protocol or (ready.protocol if ready else "") or "")
    by_itself = CachedTokens.FREE if protocol and protocol.cached_free else CachedTokens.COUNT
    rule = limits.cached_tokens or by_itself
    models = {
        model: evolve(group, cached_tokens=group.cached_tokens or rule)
        for model, group in limits.models.items()
    }
    return evolve(limits, cached_tokens=rule, models=models)


def without_tools(wanted: EditFormat) -> EditFormat:
    """The form that takes the place of `wanted` where an endpoint declines tools."""
    return EditFormat.BLOCKS if wanted in _BY_TOOL else wanted


def custom_tools(protocol: WireProtocol, model: str, tools: ToolUse, *, official: bool) -> bool:
    """Whether a tool may take free text: at OpenAI and Azure alone, other servers refuse the kind.

    Azure's models go by the names of deployments; one that does not say what it is takes functions.
    """
    known = official and protocol.custom_tools and catalogue.takes_custom_tools(model)
    return known and tools is ToolUse.NATIVE
