"""Warns of a key that stands in a file which git would publish."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from agent_runner.config.layers import Layer
from agent_runner.documents import Fields, Scalar
from agent_runner.model.errors import Problem

_PATIENCE = 5.0


def warn_of_tracked_keys(layers: Iterable[Layer], warnings: list[Problem]) -> None:
    """Notes every `api_key` in a project's file that git tracks. Asks git only if there is one."""
    for layer in layers:
        keys = _keys(layer.root)
        if layer.project and keys and layer.file is not None and _is_tracked(layer.file):
            hint = "name a variable with api_key_env, and change the key"
            warnings += [k.problem("git tracks this file, and the key in it", hint) for k in keys]


def _keys(root: Fields) -> list[Scalar]:
    providers = root.values.get("providers")
    entries = providers.values.values() if isinstance(providers, Fields) else ()
    return [
        entry.keys["api_key"]
        for entry in entries
        if isinstance(entry, Fields)
        and isinstance(value := entry.values.get("api_key"), Scalar)
        and value.value is not None
    ]


def _is_tracked(file: Path) -> bool:
    """Whether git knows the file; without git, or where it does not answer, it does not."""
    command = ["git", "-C", str(file.parent), "ls-files", "--error-unmatch", "--", file.name]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
