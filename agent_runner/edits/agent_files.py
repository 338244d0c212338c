"""Files as an agent left them in its copy: whole contents that take the place of known ones.

Nothing is searched for and nothing guessed. What is put must replace the very content that the
agent was given; where that changed meanwhile, somebody else's work would be lost.
"""

import hashlib
from collections.abc import Callable, Iterable

from attrs import field, frozen

from agent_runner.edits.edit import Edit, Origin, Reply
from agent_runner.edits.outcome import MISSING, Carried, Failed, Outcome
from agent_runner.files.tree import Entry, Tree
from agent_runner.model.agent import WrittenFile
from agent_runner.model.errors import StateError


@frozen
class Put(Edit):
    """The file holds `content`, or is not there (None).

    `base`: sha256 of what it takes the place of; None where that was no file. `odd`: why it cannot
    be done, in words that complete "not allowed: ...".
    """

    content: bytes | None = field(repr=False)
    base: str | None
    executable: bool = False
    odd: str = ""


def reply_of(files: Iterable[WrittenFile], contents: Callable[[str], bytes]) -> Reply:
    """The reply of an agent that left these files; `contents` has what they hold, by sha256."""
    edits = []
    for number, file in enumerate(files, start=1):
        odd, content = file.odd, None
        if file.sha256 is not None and not odd:
            try:
                content = contents(file.sha256)
            except StateError:
                odd = "what it should hold is lost"
        origin = Origin(number, 0, "file")
        edits.append(Put(file.path, origin, content, file.base, file.executable, odd))
    return Reply(tuple(edits), exact=True)


def put(tree: Tree, edit: Put, entry: Entry) -> Outcome:
    """Carry it out on the tree in memory."""
    if edit.odd:
        return Failed(f"not allowed: {edit.odd}")
    standing = None
    if entry.original is not None:
        standing = hashlib.sha256(entry.original).hexdigest()
    if standing != edit.base:
        return Failed("somebody else changed it meanwhile", "  Look at it and change it again.")
    if edit.content is None:
        if not entry.exists:
            return MISSING
        entry.put(None)
        return Carried()
    blocked = None if entry.exists else tree.make_way(entry.path)
    if blocked is not None:
        return Failed(f"not allowed: {blocked}")
    entry.replace(edit.content)
    entry.executable(on=edit.executable)
    return Carried()
