"""Notices when a model is shown the same again and again.

The same is a tool, its arguments as they were understood, and its answer: who reads a file again
after drafting a change to it is shown something new. A cycle of several looks is found at the same
time as a single one, since each of them is counted wherever it stands.
"""

import hashlib
import json
from collections.abc import Mapping

from attrs import evolve, frozen

NOTE = "[you have been shown this before, word for word: there is nothing new in it]"
"""Stands below what is shown again; never in its place, since the model may have lost it."""

PATIENCE = 2
"""Repetitions after which no more looks should be given: the third time that the same is shown."""


@frozen
class Shown:
    """What a conversation has shown so far, as a digest for each answer."""

    digests: tuple[str, ...] = ()

    def times(self, digest: str) -> int:
        """How often this has been shown."""
        return self.digests.count(digest)

    def adding(self, digest: str) -> "Shown":
        """The same with one more answer."""
        return evolve(self, digests=(*self.digests, digest))


def digest_of(tool: str, arguments: Mapping[str, object] | str, answer: str) -> str:
    """The name of an answer; a note below it does not count."""
    text = answer.removesuffix(NOTE).rstrip("\n")
    said = json.dumps([tool, arguments, text], sort_keys=True, default=dict)
    return hashlib.sha256(said.encode()).hexdigest()[:24]
