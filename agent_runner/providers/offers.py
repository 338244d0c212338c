"""What `tools` and `edit_format` come to for one provider and model. Pure.

Whether tools are offered and how edits are asked for are two questions: a local model may look at
files by tools and still write whole files. Only the forms that are tools themselves need tools.
"""

from agent_runner.model.settings import EditFormat, ProviderSettings, ToolUse
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


def without_tools(wanted: EditFormat) -> EditFormat:
    """The form that takes the place of `wanted` where an endpoint declines tools."""
    return EditFormat.BLOCKS if wanted in _BY_TOOL else wanted


def custom_tools(protocol: WireProtocol, model: str, tools: ToolUse, *, official: bool) -> bool:
    """Whether a tool may take free text: at OpenAI and Azure alone, other servers refuse the kind.

    Azure's models go by the names of deployments; one that does not say what it is takes functions.
    """
    known = official and protocol.custom_tools and catalogue.takes_custom_tools(model)
    return known and tools is ToolUse.NATIVE
