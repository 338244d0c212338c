"""The protocols that other packages bring, through entry points."""

import functools
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

GROUP = "agent_runner.providers"
"""The entry-point group: a protocol's name = its `ClientFactory`."""


@functools.cache
def plugged_in() -> Mapping[str, EntryPoint]:
    """Entry points by protocol name. Reads every installed package's metadata, once: slow."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}
