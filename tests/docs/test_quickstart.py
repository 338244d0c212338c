"""The quickstart, typed word for word by a new user, with a recorded answer for the model."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.scene import COMMAND, environment
from tests.docs.blocks import Block, blocks

pytestmark = pytest.mark.slow

BLOCKS = [block for block in blocks() if block.page == "docs/quickstart.md"]
ANSWER = """\
greet.py
```python
<<<<<<< SEARCH
    return "Hello"
=======
    return f"Hello, {name}!"
>>>>>>> REPLACE
```
"""


@pytest.fixture
def user(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has a key, and the command on the PATH."""
    home, programs = tmp_path / "home", tmp_path / "programs"
    (tmp_path / "replies/T1").mkdir(parents=True)
    (tmp_path / "replies/T1/1.md").write_text(ANSWER)
    (tmp_path / "replies/T1/2.md").write_text(ANSWER)
    home.mkdir()
    programs.mkdir()
    python, *rest = COMMAND
    for name, words in (("agent-runner", ["-P", *rest]), ("python3", [])):
        (programs / name).write_text(f'#!/bin/sh\nexec "{python}" {" ".join(words)} "$@"\n')
        (programs / name).chmod(0o755)
    return environment(
        home,
        {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "ANTHROPIC_API_KEY": "made-up",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
    )


def typed(block: Block, folder: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        ["sh", "-e", "-c", block.text],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    return done.stdout


def fits(shown: str, printed: str) -> bool:
    """Whether a page's output is what was printed, where `...` stands for anything."""
    pattern = re.escape(shown.strip()).replace(re.escape("..."), ".*?")
    return re.search(f"(^|\n){pattern}", printed, re.DOTALL) is not None


def test_it_leads_to_a_first_task_of_ones_own(tmp_path: Path, user: dict[str, str]) -> None:
    first, *rest = BLOCKS
    typed(first, tmp_path, user)
    project = tmp_path / "greeter"
    printed, compared = "", 0
    for block in rest:
        if block.language == "sh":
            printed = typed(block, project, user)
        elif block.language == "yaml":
            (project / "tasks.yml").write_text(block.text)
            # from here on recorded answers stand in for the model that its key would reach
            user["AGENT_RUNNER_PROVIDER"] = "replay"
            user["AGENT_RUNNER_PROVIDERS__REPLAY__REPLIES"] = str(tmp_path / "replies")
        else:
            assert fits(block.text, printed), printed
            compared += 1
    assert compared == 2
    again = next(b for b in rest if b.text == "agent-runner run\n")
    assert "T1 passed: " in typed(again, project, user)
    assert (project / "greet.py").read_text().endswith('return f"Hello, {name}!"\n')
