"""The picture in the docs is of the screen as it is."""

import html
import re
from pathlib import Path

from tests.ui.picture import picture

FILE = Path(__file__).parents[2] / "docs" / "screen.svg"


def texts(svg: str) -> list[str]:
    """What can be read in a picture; how it is laid out is rich's affair."""
    return [html.unescape(text) for text in re.findall(r"<text[^>]*>(.*?)</text>", svg)]


def test_the_picture_shows_what_a_run_shows() -> None:
    again = "python -m tests.ui.picture > docs/screen.svg"
    assert texts(FILE.read_text("utf-8")) == texts(picture()), f"draw it anew: {again}"
