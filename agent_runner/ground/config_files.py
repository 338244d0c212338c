"""Where configuration files may lie, known without reading any of them."""

import os
from collections.abc import Mapping
from pathlib import Path

GLOBAL_VARIABLE = "AGENT_RUNNER_CONFIG"
"""The variable that names another global file; the null device means none."""

PROJECT_FILES = (Path(".agent-runner/config.yml"), Path("agent-runner.yml"))
"""Where a project's configuration may lie, beside the task list. Both at once is an error."""


def global_file(home: Path, cwd: Path, env: Mapping[str, str]) -> Path | None:
    """The user's own configuration file, whether it exists or not; None if there is to be none."""
    named = env.get(GLOBAL_VARIABLE)
    if not named:
        return home / ".agent-runner" / "config.yml"
    parts = Path(named).parts
    file = home.joinpath(*parts[1:]) if parts[0] == "~" else cwd / named
    return None if str(file) == os.devnull else file
