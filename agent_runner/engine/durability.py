"""Which entries of the journal must be on the disk itself before the run goes on.

Every entry survives the end of the process the moment it is appended. A power cut takes what was
not synced, and a sync is what a small task costs most. So only those are synced on which something
depends that a power cut would not undo as well; all others ride on the next sync.
"""

from agent_runner.model import events as e

_LATER = (e.HookStarted, e.HookFinished, e.BaselineTaken)
"""A hook dies with the machine, and running it again does no harm."""


def must_be_synced(event: e.Event) -> bool:
    """Whether the run may go on only once this entry is on the disk."""
    return not isinstance(event, _LATER)
