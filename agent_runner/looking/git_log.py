"""The tool `git_log`: commits with the files they changed."""

from agent_runner.ground.escaping import on_one_line
from agent_runner.looking.arguments import Argument, Given, Kind
from agent_runner.looking.files import counted, shown
from agent_runner.looking.history import NOTHING_RUN, History
from agent_runner.looking.read_file import PATH_NAMES
from agent_runner.looking.tool import Said, Tool, ToolContext

MOST = 30
USUAL = 10
MOST_FILES = 12
_LONGEST_SUBJECT = 120
_RECORD, _FIELD = "\x1e", "\x1f"


def _answer(context: ToolContext, given: Given) -> Said:
    history = History.of(context.files)
    path, pattern = history.path(given.text("path")), given.text("pattern")
    count = max(1, min(given.number("count") or USUAL, MOST))
    asked = "commits" + (f" that changed {shown(path)}" if path != "." else "")
    asked += f' whose message has "{on_one_line(pattern[:100])}"' if pattern else ""
    if not history.repository.head:
        return Said("There is no commit yet.", "no commits")
    args = ["log", *NOTHING_RUN, f"--max-count={count + 1}", "--no-show-signature", "--relative"]
    args += ["--no-decorate", "--no-notes", "--name-only", "-z"]
    args += [f"--format={_RECORD}%h{_FIELD}%cs{_FIELD}%s{_FIELD}"]
    args += ["--extended-regexp", "--regexp-ignore-case", f"--grep={pattern}"] if pattern else []
    records = history.ask([*args, "HEAD", "--", path]).out.decode("utf-8", "surrogateescape")
    commits = [_commit(history, record) for record in records.split(_RECORD)[1:]]
    if not commits:
        return Said(f"no {asked}.", "no commits")
    shown_commits: list[str] = []
    room = context.room - 400
    for commit in commits[:count]:
        room -= len(commit) + 1
        if room < 0 and shown_commits:
            break
        shown_commits.append(commit)
    found = counted(len(shown_commits), "commit")
    lines = [f"{asked}, the newest {len(shown_commits)}:", *shown_commits]
    if len(commits) > len(shown_commits):
        lines.append(f"[older ones not shown: ask with count, at most {MOST}, a path or a pattern]")
    return Said("\n".join(lines), found)


def _commit(history: History, record: str) -> str:
    """`HASH DATE SUBJECT`, and below it the files that may be seen."""
    name, date, subject, names = record.split(_FIELD, 3)
    every = [path.strip("\n") for path in names.split("\0") if path.strip("\n")]
    files = [on_one_line(path) for path in every if history.shows(path)]
    more = [f"... {len(files) - MOST_FILES} more"] if len(files) > MOST_FILES else []
    line = f"{name} {date} {on_one_line(subject[:_LONGEST_SUBJECT])}"
    return "\n".join([line, *(f"    {path}" for path in [*files[:MOST_FILES], *more])])


TOOL = Tool(
    "git_log",
    "List commits, the newest first: hash, date, subject, and the files that each changed. Use it"
    " to see when and why something came to be as it is; git_diff shows what a commit changed.",
    (
        Argument(
            "path",
            Kind.TEXT,
            "Only commits that changed this file or folder; it need not exist any more.",
            aliases=(*PATH_NAMES, "dir", "directory", "folder"),
        ),
        Argument(
            "count",
            Kind.NUMBER,
            "How many, at most 30; 10 if not given.",
            aliases=("limit", "max_count", "n"),
        ),
        Argument(
            "pattern",
            Kind.TEXT,
            'A regular expression that the message must match, for example "fix.*parser".',
            aliases=("grep", "query", "regex"),
        ),
    ),
    _answer,
)
