"""A hook's own regex for the names of its failures, searched within a limit that can be enforced.

`(a+)+$` tries every way of splitting a line, which for forty letters takes hours, and nothing can
stop it within a process: signals wait until it is over. So a child looks, and is killed.
"""

import json
import math
import subprocess
import sys
from pathlib import Path

import anyio
from attrs import define, field

from agent_runner.hooks.checks import LONGEST, MOST, Names

LIMIT = 10.0
"""Seconds for all of one output (at most `verdict.READ` bytes). Linear ones take a tenth."""

_CHILD = Path(__file__).with_name("regex_child.py")


@define
class ByRegex:
    """Looked for in every line: group 1, or all that matched. `^` and `$` hold at every line."""

    regex: str
    limit: float = LIMIT
    _blocks: list[str] = field(factory=list, init=False)

    def feed(self, block: bytes) -> None:
        """Take whole lines, free of escape sequences."""
        self._blocks.append(block.decode(errors="replace"))

    async def search(self) -> Names:
        """What was found in all of them; one name that says so where it took too long."""
        request = {
            "regex": self.regex,
            "blocks": self._blocks,
            "most": MOST,
            "longest": LONGEST,
            "seconds": math.ceil(self.limit) + 1,  # should we be killed meanwhile
        }
        names = Names()
        with anyio.move_on_after(self.limit):
            done = await anyio.run_process(
                [sys.executable, "-I", "-S", str(_CHILD)],
                input=json.dumps(request).encode(),
                stderr=subprocess.DEVNULL,
                check=False,
                start_new_session=True,  # Ctrl+C at a terminal is ours to answer
            )
            if done.returncode == 0:
                found = json.loads(done.stdout)
                names.take(found["names"], found["more"])
                return names
        names.add(f"failures.regex did not come to an end within {self.limit:g} s")
        return names
