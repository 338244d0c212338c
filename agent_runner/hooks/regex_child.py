"""Looks for a hook's own regex in its output, in a process of its own: some never come to an end.

Run as a script, alone, by `regex.py`; JSON in, JSON out. It imports nothing of ours.
"""

import json
import re
import resource
import sys
from collections.abc import Iterable


def found(regex: str, blocks: Iterable[str], most: int, longest: int) -> dict[str, object]:
    """The first `most` different names, each cut to `longest` characters, and how many more."""
    pattern = re.compile(regex, re.MULTILINE)
    kept: dict[str, None] = {}
    more = 0
    for block in blocks:
        for match in pattern.finditer(block):
            name = ((match[1] if pattern.groups else match[0]) or "").strip()[:longest]
            if name and name not in kept:
                if len(kept) < most:
                    kept[name] = None
                else:
                    more += 1
    return {"names": list(kept), "more": more}


def main() -> None:
    """Answer one request; the system ends this process when it has worked too long."""
    request = json.load(sys.stdin)
    seconds = request.pop("seconds")
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    json.dump(found(**request), sys.stdout)


if __name__ == "__main__":
    main()
