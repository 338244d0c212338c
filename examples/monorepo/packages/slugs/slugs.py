"""Makes addresses from titles: `Hello, World` is found at `hello-world`."""

import re


def slug(title: str) -> str:
    """`title` in lower case, everything but a-z and 0-9 turned into single hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
