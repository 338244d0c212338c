"""The repository keeps its layout, its commands and its links."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from agent_runner import __version__

ROOT = Path(__file__).parents[2]
TOP_LEVEL = {
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "agent_runner",
    "docs",
    "example.config.yml",
    "examples",
    "noxfile.py",
    "pyproject.toml",
    "tests",
}
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "examples/*/README.md")
    for page in ROOT.glob(pattern)
)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def _tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return listed.stdout.strip("\0").split("\0")


def _anchor(heading: str) -> str:
    """The anchor that a heading gets: lower case, signs dropped, spaces to hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _command(name: str) -> str:
    """The one command between the README's markers, as `.ci/run` takes it."""
    found = re.search(
        rf"^<!-- {name}:begin -->\n+```sh\n(.+)\n```\n+<!-- {name}:end -->$",
        (ROOT / "README.md").read_text(),
        re.MULTILINE,
    )
    assert found, f"the README has no single-line command {name!r}"
    return found[1]


def test_nothing_else_stands_at_the_top() -> None:
    entries = {path.split("/")[0] for path in _tracked()}
    assert {each for each in entries if not each.startswith(".")} <= TOP_LEVEL


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in {_anchor(each) for each in HEADING.findall(target.read_text())}, link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_knows_the_machine_that_it_was_written_on(page: Path) -> None:
    places = r"(?<![\w.~}])/(?:work|opt|root|mnt|Users|home/(?!me\b))\w*/"
    assert re.findall(places, page.read_text(encoding="utf-8")) == []


def test_the_index_lists_every_page() -> None:
    listed = set(LINK.findall((ROOT / "docs" / "index.md").read_text()))
    pages = {str(page.relative_to(ROOT / "docs")) for page in ROOT.glob("docs/**/*.md")}
    assert pages - {"index.md"} <= listed


@pytest.mark.parametrize("name", ["demo", "tests"])
def test_the_readme_gives_each_command_on_one_line(name: str) -> None:
    assert _command(name).startswith("sh .ci/setup")


@pytest.mark.parametrize("name", ["demo", "tests"])
def test_the_checks_run_the_very_command_of_the_readme(name: str) -> None:
    script = (ROOT / ".ci" / "run").read_text()
    reader = re.search(r"^readme\(\) \{$.*?^\}$", script, re.MULTILINE | re.DOTALL)
    assert reader
    assert f'"$(readme {name})"' in script
    taken = subprocess.run(
        ["bash", "-c", f"{reader[0]}\nreadme {name}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert taken.stdout.strip() == _command(name)


def test_every_session_stands_in_the_table_of_checks() -> None:
    defined = re.findall(
        r"^@nox\.session.*\ndef (\w+)", (ROOT / "noxfile.py").read_text(), re.MULTILINE
    )
    listed = re.findall(r"^\| `nox -s (\w+)`", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(defined)


def test_the_newest_release_in_the_changelog_is_this_version() -> None:
    changelog = (ROOT / "docs" / "CHANGELOG.md").read_text()
    assert re.findall(r"^## (\S+)", changelog, re.MULTILINE)[0] == __version__
    assert "version" not in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
