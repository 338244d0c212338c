"""The reverse of parsing.

A change of files, written down in each format, as a model would that makes no mistakes.
"""

import re

from attrs import frozen
from hypothesis import strategies as st

from agent_runner.edits.doubt import strange
from agent_runner.files.tree import sha256
from agent_runner.ground.diff import diff
from agent_runner.ground.linediff import ADD, DROP, KEEP, hunk_lines
from agent_runner.model.changes import ABSENT, ChangeSet, FileChange, Image, Kind
from tests.files.trees import MemoryBlobs

LINES = st.sampled_from(
    [
        "",
        "x",
        "y",
        "  x",
        "\tx",
        "x  ",
        "def f():",
        "    return 1",
        "=======",
        "```",
        "```python",
        "~~~",
        "<<<<<<< SEARCH",
        ">>>>>>> REPLACE",
        "--- a/a.py",
        "+++ b/a.py",
        "@@ -1,2 +1,2 @@",
        "-x",
        "+x",
        "- a",
        "*** Begin Patch",
        "*** End Patch",
        "*** End of File",
        "*** Add File: q",
        "\\ No newline",
        "diff --git a/a b/a",
        "a.py",
        "# x",
        "\u201cq\u201d \u2014 \u00a0z",
        "\x0c",
        "e\u0301",
        "\u2028",
        "\x1c",
    ]
)
PATHS = st.sampled_from(
    ["a.py", "b.txt", "src/c.py", "src/deep/d.md", "my file.txt", "\u00e9.py", "[x]/+y.js"]
)


@frozen
class FileText:
    """A text as lines with one kind of ending; `final`: whether the last line has it."""

    lines: tuple[str, ...]
    ending: str = "\n"
    final: bool = True
    bom: bool = False

    @property
    def content(self) -> bytes:
        text = self.ending.join(self.lines) + (self.ending if self.final and self.lines else "")
        return (b"\xef\xbb\xbf" if self.bom else b"") + text.encode()


@frozen
class Change:
    """What becomes of one path; None is "not there"."""

    path: str
    before: FileText | None
    after: FileText | None


@st.composite
def file_texts(draw: st.DrawFn) -> FileText:
    lines = draw(st.lists(LINES, min_size=1, max_size=12))
    final = draw(st.booleans()) or not lines[-1]
    ending = draw(st.sampled_from(["\n", "\n", "\r\n"])) if len(lines) > 1 or final else "\n"
    return FileText(tuple(lines), ending, final, draw(st.booleans()))


@st.composite
def changes(draw: st.DrawFn, path: str) -> Change:
    before = draw(st.none() | file_texts())
    if before is None:
        return Change(path, None, FileText(tuple(draw(st.lists(LINES, min_size=1, max_size=8)))))
    if draw(st.integers(0, 5)) == 0:
        return Change(path, before, None)
    lines = list(before.lines)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines)))
        lines[at : at + draw(st.integers(0, 2))] = draw(st.lists(LINES, max_size=3))
    lines = lines or ["x"]
    if not before.final and not lines[-1]:
        lines.append("x")
    return Change(path, before, FileText(tuple(lines), before.ending, before.final, before.bom))


@st.composite
def change_lists(draw: st.DrawFn) -> list[Change]:
    paths = draw(st.lists(PATHS, min_size=1, max_size=4, unique=True))
    drawn = [draw(changes(path)) for path in paths]
    return [change for change in drawn if change.before != change.after]


def images(change: Change) -> tuple[Image, Image]:
    """Before and after, as they stand in a change set."""

    def image(text: FileText | None) -> Image:
        return ABSENT if text is None else Image(Kind.FILE, 0o644, sha256(text.content))

    return image(change.before), image(change.after)


@st.composite
def rendered(draw: st.DrawFn, change: Change) -> str:
    """The change in a format that can express it."""
    ways = [as_diff]
    if change.after is None:
        ways = [as_diff, as_envelope]
    else:
        # A fence inside is doubt, unless the one around it is longer than all in the reply.
        has_fence = any("```" in line or "~~~" in line for line in change.after.lines)
        same_end = change.before is None or change.before.final == change.after.final
        if same_end:
            ways.append(as_envelope)
            before = change.before.lines if change.before else ("x",)
            is_plain = not strange(change.after.lines, change.path, before)
            is_plain = is_plain and not has_fence
            if is_plain and any(line.strip() for line in before):
                ways.append(as_search_replace)
        if same_end and any(change.after.lines) and not has_fence:
            ways.append(as_whole_file)
    way = draw(st.sampled_from(ways))
    text = way(change)
    fence = draw(st.sampled_from(["", "```", "~~~~", "```text"]))
    if fence and way is as_envelope:
        text = f"{fence}\n{text}\n{fence[:4].rstrip('t')}"
    elif fence and way is as_search_replace:
        head, body = text.split("\n", 1)
        text = f"{head}\n{fence}\n{body}\n{fence[:4].rstrip('t')}"
    elif fence and way is as_diff:
        text = f"```diff\n{text}```"
    prose = draw(st.sampled_from(["", "Now this:\n\n", "A sentence about `a.py`.\n\n"]))
    return prose + text + "\n" + draw(st.sampled_from(["", "\n", "That was it.\n\n"]))


@st.composite
def replies(draw: st.DrawFn) -> tuple[list[Change], str]:
    """Changes, and a reply that makes them, each in a format of its own."""
    drawn = draw(change_lists())
    return drawn, "\n".join(draw(rendered(change)) for change in drawn)


def as_whole_file(change: Change) -> str:
    assert change.after is not None
    lines = change.after.lines
    fence = "`" * (max([3, *(len(run) for line in lines for run in re.findall("`+", line))]) + 1)
    return "\n".join([f"Whole file: `{change.path}`", f"{fence}text", *lines, fence, ""])


def as_search_replace(change: Change) -> str:
    assert change.after is not None
    search = change.before.lines if change.before else ()
    body = ["<<<<<<<<< SEARCH", *search, "=========", *change.after.lines, ">>>>>>>>> REPLACE"]
    return "\n".join([f"File: `{change.path}`", *body])


def as_diff(change: Change) -> str:
    before, after = images(change)
    contents = [text.content for text in (change.before, change.after) if text is not None]
    blobs = MemoryBlobs({sha256(content): content for content in contents})
    return diff(ChangeSet("x", (FileChange(change.path, before, after),)), blobs).decode()


def as_envelope(change: Change) -> str:
    head = ["*** Begin Patch"]
    if change.after is None:
        return "\n".join([*head, f"*** Delete File: {change.path}", "*** End Patch"])
    if change.before is None:
        lines = [f"*** Add File: {change.path}", *(f"+{line}" for line in change.after.lines)]
        return "\n".join([*head, *lines, "*** End Patch"])
    ops = hunk_lines(list(change.before.lines), list(change.after.lines))
    signs = {KEEP: " ", DROP: "-", ADD: "+"}
    lines = [f"*** Update File: {change.path}", "@@", *(signs[op] + text for op, text in ops)]
    return "\n".join([*head, *lines, "*** End Patch"])
