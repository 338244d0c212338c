"""What recorded answers tell of how they were asked for: by which tools, if by any.

A conversation is replayed as it went only if the tools that its answers call are there again.
"""

import json
from pathlib import Path

from agent_runner.ground.plain_files import read_plain
from agent_runner.model.settings import EditFormat, ProviderSettings, ToolUse

_PATCH_TOOL = "apply_patch"


def recorded_offers(own: ProviderSettings) -> tuple[ToolUse, EditFormat] | None:
    """How tools are offered and edits asked for where recorded answers call tools; None: otherwise.

    What the settings say of either stays. Files that cannot be read say nothing here; they are
    named when their answer is due.
    """
    called = _tools_called(own.replies) if own.replies is not None else frozenset()
    if own.tools is not ToolUse.AUTO or not called:
        return None
    by_tool = EditFormat.PATCH if _PATCH_TOOL in called else EditFormat.REPLACE
    return ToolUse.NATIVE, by_tool if own.edit_format is EditFormat.AUTO else own.edit_format


def _tools_called(folder: Path) -> frozenset[str]:
    """The names of all tools that the answers below `folder` call."""
    names: set[object] = set()
    for path in sorted(folder.glob("*/*.json")):
        try:
            raw = read_plain(path, follow=True)
            calls = json.loads(raw).get("tool_calls") if b'"tool_calls"' in raw else ()
            names.update(call["name"] for call in calls or ())
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue
    return frozenset(name for name in names if isinstance(name, str))
