"""The commands that a person is told to type next: each names the task list as this one did."""

import shlex
from typing import NamedTuple

PLACEHOLDER = '"..."'
"""A word that the person is to replace by their own; it is shown as it is, quotes and all."""


PROGRAM = "agent-runner"


class Invocation(NamedTuple):
    """How the task list and its state were named on this command line.

    Attributes:
        tasks: Value of `--tasks`; "" if the list needs no name.
        state_dir: Value of `--state-dir`; "" if the state lies beside the list.
        folder: Value of `-C`; "" where the command was to begin in the current folder.
    """

    tasks: str = ""
    state_dir: str = ""
    folder: str = ""

    def command(self, *words: str) -> str:
        """A command line that does the same to the same list, quoted for a POSIX shell.

        `command("retry", "T1")` is `agent-runner retry T1 --tasks 'my list.yml'`.
        """
        quoted = [word if word == PLACEHOLDER else shlex.quote(word) for word in words]
        named = (("--tasks", self.tasks), ("--state-dir", self.state_dir))
        options = [f"{option} {shlex.quote(value)}" for option, value in named if value]
        start = ("-C", shlex.quote(self.folder)) if self.folder else ()
        return " ".join((PROGRAM, *start, *quoted, *options))
