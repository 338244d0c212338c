"""The tool `git_diff`: what differs between two commits, or between a commit and the files."""

from attrs import frozen

from agent_runner.ground.escaping import on_one_line
from agent_runner.looking.arguments import Argument, AskError, Given, Kind
from agent_runner.looking.files import counted, shown
from agent_runner.looking.history import NOTHING_RUN, Blob, History
from agent_runner.looking.pages import LONGEST_LINE, MOST_CHARACTERS, rows_of
from agent_runner.looking.read_file import PATH_NAMES
from agent_runner.looking.tool import Said, Tool, ToolContext

MOST_OF_ONE = 8_000
"""Characters of one file's diff where several files differ."""

MOST_NAMED = 50
_FOOTER = 3_000


@frozen
class Changed:
    """A file that differs, and its contents before and after."""

    path: str
    blobs: tuple[Blob, ...]


def _answer(context: ToolContext, given: Given) -> Said:
    history = History.of(context.files)
    path = history.path(given.text("path"))
    if not history.repository.head:
        raise AskError("there is no commit yet to compare with.", "no commits")
    names = [given.text("from_revision") or "HEAD"]
    names += [given.text("to_revision")] if given.text("to_revision") else []
    commits = [history.commit(name) for name in names]
    asked = " to ".join(on_one_line(name) for name in [*names, "the files"][:2])
    asked += f" in {shown(path)}" if path != "." else ""
    changed = _changed(history, commits, path)
    notes = [_drafts(context), _untracked(history, path) if len(commits) == 1 else ""]
    if not changed:
        return Said("\n".join([f"no difference from {asked}.", *filter(None, notes)]), "no changes")
    room = min(MOST_CHARACTERS, context.room) - _FOOTER
    texts: list[str] = []
    for at, one in enumerate(changed):
        text = _diff(history, commits, one)
        if len(changed) > 1 or len(text) > room:
            text = _cut(text, min(MOST_OF_ONE, room) if len(changed) > 1 else room, one.path)
        room -= len(text)
        if room < 0 and texts:
            notes.insert(0, _not_shown(changed[at:]))
            break
        texts.append(text)
    total = counted(len(changed), "file")
    title = f"from {asked}: {total} changed"
    return Said("\n".join([title, "".join(texts), *filter(None, notes)]), f"{total} changed")


def _changed(history: History, commits: list[str], path: str) -> list[Changed]:
    """The files that differ and may be seen."""
    args = ["diff", *NOTHING_RUN, "--raw", "-z", "--no-abbrev", "--relative", "--no-renames"]
    args += ["--ignore-submodules=all", *commits, "--", path]
    fields = history.ask(args).paths
    found = []
    for raw, name in zip(fields[::2], fields[1::2], strict=False):
        _, _, before, after, _ = raw.split(" ", 4)
        if history.shows(name):
            found.append(Changed(name, (Blob(before), Blob(after))))
    return found


def _diff(history: History, commits: list[str], changed: Changed) -> str:
    name = on_one_line(changed.path)
    if history.holds_secret(changed.path, changed.blobs) or _hides_now(history, changed):
        return f"{name}: not shown, it holds a key or an access token\n"
    args = ["diff", *NOTHING_RUN, "--relative", "--no-renames", "--ignore-submodules=all"]
    out = history.ask([*args, *commits, "--", changed.path]).out
    text = out.decode("utf-8", "replace").replace("\r\n", "\n")
    return text if text.endswith("\n") or not text else f"{text}\n"


def _hides_now(history: History, changed: Changed) -> bool:
    """Whether the file as it stands holds a secret, where that is what is compared."""
    if changed.blobs[1].is_stored or not history.files.shows(changed.path):
        return False
    try:
        history.files.text(changed.path)
    except AskError as error:
        return "key" in error.outcome
    return False


def _cut(text: str, most: int, path: str) -> str:
    if len(text) <= most:
        return text
    rows = [
        row if len(row) <= LONGEST_LINE else f"{row[:LONGEST_LINE]}...\n" for row in rows_of(text)
    ]
    taken = 0
    for at, row in enumerate(rows):
        taken += len(row)
        if taken > most:
            more = counted(len(rows) - at, "line")
            return "".join(rows[:at]) + f'[{more} of it not shown: ask with path "{path}"]\n'
    return "".join(rows)


def _not_shown(changed: list[Changed]) -> str:
    names = ", ".join(on_one_line(one.path) for one in changed[:MOST_NAMED])
    more = f" and {len(changed) - MOST_NAMED} more" if len(changed) > MOST_NAMED else ""
    return f"[not shown: {names}{more}; ask with path]"


def _drafts(context: ToolContext) -> str:
    drafted = ", ".join(map(on_one_line, list(context.files.drafts)[:MOST_NAMED]))
    return f"[your drafts are not in it: {drafted}]" if drafted else ""


def _untracked(history: History, path: str) -> str:
    """New files, which git does not compare."""
    args = ["ls-files", "-z", "--others", "--exclude-standard", "--", path]
    new = [name for name in history.ask(args).paths if history.files.shows(name)]
    if not new:
        return ""
    names = ", ".join(map(on_one_line, new[:MOST_NAMED]))
    more = f" and {len(new) - MOST_NAMED} more" if len(new) > MOST_NAMED else ""
    return f"[new, not known to git: {names}{more}; read_file shows them]"


def _brief(given: Given) -> str:
    names = [given.text("from_revision", "HEAD"), given.text("to_revision")]
    return f"{'..'.join(filter(None, names))} {given.text('path')}".strip()


TOOL = Tool(
    "git_diff",
    "Show what differs between a commit and the files as they stand, or between two commits, as a"
    " unified diff. What a commit changed: from_revision HASH~1, to_revision HASH.",
    (
        Argument(
            "from_revision",
            Kind.TEXT,
            'A commit, for example "HEAD~3" or a hash of git_log; HEAD if not given.',
            aliases=("from", "base", "revision", "commit", "rev", "old"),
        ),
        Argument(
            "to_revision",
            Kind.TEXT,
            "A commit; the files as they stand if not given.",
            aliases=("to", "head", "target", "new"),
        ),
        Argument(
            "path",
            Kind.TEXT,
            "Only this file or folder.",
            aliases=(*PATH_NAMES, "dir", "directory", "folder"),
        ),
    ),
    _answer,
    brief=_brief,
)
