"""The plug-in that the docs show is one: installed as pip leaves it, and asked."""

import re
import sys
from pathlib import Path

from agent_runner.model.settings import ProviderSettings, Settings
from agent_runner.providers.profiles import plugged_in, resolve
from tests.providers.one_call import ask

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"


def _block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.+?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_the_shown_plug_in_answers(tmp_path: Path) -> None:
    (tmp_path / "agent_runner_command.py").write_text(_block("python"))
    metadata = tmp_path / "agent_runner_command-0.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: x\nVersion: 0.1\n")
    entry = re.search(r'^my-command = "(.+)"$', _block("toml"), re.MULTILINE)
    assert entry
    group = "[agent_runner.providers]\n"
    (metadata / "entry_points.txt").write_text(f"{group}my-command = {entry[1]}\n")
    sys.path.insert(0, str(tmp_path))
    plugged_in.cache_clear()
    try:
        own = ProviderSettings(protocol="my-command", params={"command": "cat"})
        answer = ask(resolve("mine", Settings(providers={"mine": own}), {})).answer
    finally:
        sys.path.remove(str(tmp_path))
        plugged_in.cache_clear()
        sys.modules.pop("agent_runner_command", None)
    assert answer.text == "Be brief.\n\nSay grün."
    assert answer.usage.estimated
