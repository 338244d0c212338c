"""The site: every Markdown page of the repository, built strictly by `nox -s docs`.

The whole checkout is the source: links that work in the repository work on the site, too.
The order of the pages is that of docs/index.md: its tables of links are the table of contents.
"""

import re
import sys
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from agent_runner import __version__  # noqa: E402  # found in the checkout, installed or not

project = "agent-runner"
author = "the agent-runner authors"
release = version = __version__

extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md", "docs/how-to/*.md", "examples/*/README.md"]
exclude_patterns = [".*", "agent_runner", "tests", "build", "dist"]
myst_heading_anchors = 4
nitpicky = True

html_theme = "furo"
html_title = f"agent-runner {__version__}"
html_show_sourcelink = False
html_extra_path = ["root"]

OWN_LANGUAGES = ("cron", "mermaid", "reply")
"""Languages of fences that Pygments does not know; they are shown as they stand."""

_SECTION = re.compile(r"^## (.+)\n+((?:.+\n)*)", re.MULTILINE)
_PAGE = re.compile(r"^\| \[[^\]]+\]\(([^)#]+)\.md\)", re.MULTILINE)


def setup(app: Sphinx) -> None:
    """Take part in the build."""
    for name in OWN_LANGUAGES:
        app.add_lexer(name, TextLexer)
    app.connect("source-read", _add_contents)


def _add_contents(_app: Sphinx, page: str, source: list[str]) -> None:
    """Give the index a table of contents for each of its sections, from the links in its table."""
    if page != root_doc:
        return
    for title, table in _SECTION.findall(source[0]):
        pages = "\n".join(_PAGE.findall(table))
        source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{pages}\n```\n"
