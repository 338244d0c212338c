"""Files as they are shown to the agent: what the workspace reads and the prompt prints."""

from attrs import frozen


@frozen
class FileText:
    """A text file as it stands in the tree; `path` relative to the task's root with `/`.

    `lines` is "" for a whole file, else which of its lines these are, as `1-200`.
    """

    path: str
    text: str
    lines: str = ""


@frozen
class NotShown:
    """A path (or glob) that was asked for and is not shown, and why, as words for the agent."""

    path: str
    reason: str


@frozen
class Listing:
    """The answer to "show me these": the files, and what of it is not shown."""

    files: tuple[FileText, ...] = ()
    left_out: tuple[NotShown, ...] = ()
