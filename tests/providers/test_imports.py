"""What is slow to import stays behind the moment it is needed."""

import subprocess
import sys

PROGRAM = """
import sys
from agent_runner.ground.clock import SystemClock
from agent_runner.model.settings import Settings
from agent_runner.providers import decide, keys, listing, probe, profiles, registry
env = {"ANTHROPIC_API_KEY": "sk-ant-1234", "OPENAI_API_KEY": "sk-1234"}
for name in ("claude", "openai"):
    registry.make_client(profiles.resolve(name, Settings(), env), SystemClock())
listing.rows(Settings(provider="claude"), env)
print(*sorted({"httpx", "httpcore", "ssl", "importlib.metadata"} & set(sys.modules)))
"""


def test_making_a_client_imports_neither_httpx_nor_package_metadata() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert not {"httpx", "httpcore"} & loaded, loaded
