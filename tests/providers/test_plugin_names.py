"""The public names for plug-ins: complete, documented, and all that a plug-in imports."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from agent_runner import plugin
from agent_runner.model import errors

TOP = Path(__file__).parents[2]
EXAMPLE = TOP / "examples" / "provider-plugin" / "agent_runner_cli_agent.py"


def _shown() -> str:
    """The plug-in that the documentation shows."""
    page = (TOP / "docs" / "providers.md").read_text(encoding="utf-8")
    found = re.search(r"^```python\n(.+?)^```$", page, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize(
    "code", [EXAMPLE.read_text(encoding="utf-8"), _shown()], ids=["example", "docs"]
)
def test_a_plug_in_imports_nothing_else_of_this_package(code: str) -> None:
    imported = {
        name
        for node in ast.walk(ast.parse(code))
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert {name for name in imported if name.startswith("agent_runner")} == {"agent_runner.plugin"}


def test_its_public_names_are_those_it_lists() -> None:
    public = {
        name
        for name, value in vars(plugin).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("agent_runner")
    }
    inner = {"Repository", "Scope", "file_names"}
    assert set(plugin.__all__) >= public - inner
    for name in plugin.__all__:
        value = getattr(plugin, name)
        assert (value.__doc__ or "").strip() or isinstance(value, plugin.Capabilities), name


def test_it_has_every_error_that_a_client_may_raise() -> None:
    kinds = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.ProviderError)
    }
    assert kinds <= set(plugin.__all__)


def test_the_files_of_a_task_are_those_that_git_does_not_ignore(tmp_path: Path) -> None:
    for name in ("src/a.py", "out/b.txt", "node_modules/c.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x\n")
    assert plugin.task_files(tmp_path) == ["out/b.txt", "src/a.py"]
    assert plugin.ignored_files(tmp_path, ["out/b.txt"]) == set()
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("out/\n")
    assert plugin.task_files(tmp_path) == [".gitignore", "src/a.py"]
    assert plugin.ignored_files(tmp_path, ["out/new.txt", "src/a.py"]) == {"out/new.txt"}
