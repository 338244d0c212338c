"""A home, a project, and short ways to load a configuration from them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from agent_runner.config import Loaded, load_settings, survey_settings
from agent_runner.model.errors import InputError
from agent_runner.providers.profiles import KNOWN_NAMES


@frozen
class World:
    """`home` holds the global file, `folder` the project's; both are empty at first."""

    home: Path
    folder: Path

    def write(self, where: str, text: str) -> Path:
        """Write a file: `global` and `project` are names for the two usual ones."""
        named = {
            "global": self.home / ".agent-runner" / "config.yml",
            "project": self.folder / "agent-runner.yml",
        }
        file = named.get(where, self.folder / where)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def load(self, env: Mapping[str, str] | None = None, **flags: Any) -> Loaded:
        return load_settings(**self._arguments(env, flags))

    def survey(self, env: Mapping[str, str] | None = None, **flags: Any) -> Loaded:
        return survey_settings(**self._arguments(env, flags))

    def mistakes(self, env: Mapping[str, str] | None = None, **flags: Any) -> list[str]:
        with pytest.raises(InputError) as caught:
            self.load(env, **flags)
        return [str(problem) for problem in caught.value.problems]

    def _arguments(self, env: Mapping[str, str] | None, flags: Mapping[str, Any]) -> Any:
        return {
            "folder": self.folder,
            "env": env or {},
            "home": self.home,
            "flags": {name.replace("__", "."): value for name, value in flags.items()},
            "cwd": self.folder,
            "names": KNOWN_NAMES,
        }


@pytest.fixture
def world(tmp_path: Path) -> World:
    home, folder = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    folder.mkdir()
    return World(home, folder)
