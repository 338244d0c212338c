"""What a template may fill in: the names, what each stands for, and how its text is made."""

from collections.abc import Callable, Iterable, Mapping

from attrs import frozen

from agent_runner.ground.escaping import fenced, inline, on_one_line
from agent_runner.ground.tokens import Ruler
from agent_runner.model.hooks import Hook
from agent_runner.model.settings import EditFormat
from agent_runner.model.shown_files import FileText, Listing, NotShown
from agent_runner.prompts.situation import Situation

GROUPS = ("metadata",)
"""Names with a dot: `metadata.KEY` is the task's own `metadata`, "" where it has no such key."""

_FEEDBACK_SHARE = 0.2  # of the prompt's tokens
_DIFF_SHARE = 0.2
_NAMES_SHARE = 0.05
_STATUS_SHARE = 0.05
_INSTRUCTIONS_SHARE = 0.1
_REASONS = 40  # lines on what is not shown
_NO_ROOM = "no room for more than lines {}"
_WORTH_SHOWING = 400  # tokens: less room than this is not filled with the head of a file


@frozen
class Placeholder:
    """One name: a line of documentation, and its text for a situation within so many tokens."""

    doc: str
    text: Callable[[Situation, int], str]


def values(situation: Situation, max_tokens: int) -> dict[str, str]:
    """All that a template may fill in but `files`, for a prompt of `max_tokens` tokens."""
    texts = {
        name: placeholder.text(situation, max_tokens)
        for name, placeholder in PLACEHOLDERS.items()
        if name != "files"
    }
    metadata = situation.task.metadata
    return texts | {f"metadata.{key}": str(value) for key, value in metadata.items()}


def files_text(listing: Listing, tokens: int, ruler: Ruler) -> str:
    """The files in fences, as many as fit, and a list of what is not shown and why.

    The first file that does not fit is cut after a line if that leaves something worth reading.
    """
    left_out = list(listing.left_out)
    # The list of what is not shown takes room too, and it grows with every file that does not fit:
    # so room for the longest it can become is set aside first, unless all files fit.
    if sum(ruler.tokens(_file(file)) for file in listing.files) > tokens:
        unlucky = [NotShown(file.path, _NO_ROOM.format("1-100000")) for file in listing.files]
        tokens -= ruler.tokens(_reasons([*left_out, *unlucky]))
    else:
        tokens -= ruler.tokens(_reasons(left_out))
    parts: list[str] = []
    may_cut = True
    for file in listing.files:
        if ruler.tokens(_file(file)) <= tokens:
            parts.append(_file(file))
        elif may_cut and (cut := _cut(file, tokens, ruler)):
            may_cut = False
            parts.append(_file(cut))
            left_out = _with_reason(left_out, file.path, _NO_ROOM.format(cut.lines))
        else:
            left_out = _with_reason(left_out, file.path, "no room for it")
            continue
        tokens -= ruler.tokens(parts[-1]) + 1  # the blank line behind it
    if left_out:
        parts.append(f"Not shown:\n\n{_reasons(left_out)}")
    return "\n\n".join(parts)


def _file(file: FileText) -> str:
    """The path on a line of its own, then the content: as a whole file is replied."""
    note = f" (lines {file.lines})" if file.lines else ""
    note += " (no newline at its end)" if file.text and not file.text.endswith("\n") else ""
    return f"{on_one_line(file.path)}{note}\n{fenced(file.text)}"


def _with_reason(left_out: list[NotShown], path: str, reason: str) -> list[NotShown]:
    """One reason a file: what was said when it was read, with more room, is no longer so."""
    return [*(item for item in left_out if item.path != path), NotShown(path, reason)]


def _cut(file: FileText, tokens: int, ruler: Ruler) -> FileText | None:
    """The head of what there is of a file, as much as fits; None where that would be a scrap."""
    if tokens < _WORTH_SHOWING:
        return None
    head = ruler.head(file.text, tokens - ruler.tokens(file.path) - 20)
    first = int(file.lines.partition("-")[0] or 1)
    return FileText(file.path, head, f"{first}-{first - 1 + head.count(chr(10))}") if head else None


def _reasons(left_out: list[NotShown]) -> str:
    lines = [f"{on_one_line(item.path)}: {on_one_line(item.reason)}" for item in left_out]
    more = len(lines) - _REASONS
    return fenced("\n".join(lines[:_REASONS] + ([f"... and {more} more"] if more > 0 else [])))


def _lines(lines: Iterable[str], tokens: int, ruler: Ruler) -> str:
    """Lines of names in a fence; "" for none."""
    text = "".join(f"{on_one_line(line)}\n" for line in lines)
    cut = ruler.head(text, tokens)
    return fenced(cut + ("" if cut == text else "...\n")) if text else ""


def _instructions(situation: Situation, tokens: int) -> str:
    """The files in fences, each with its path above, as far as there is room."""
    parts: list[str] = []
    for file in situation.instructions:
        head = situation.ruler.head(file.text, tokens)
        if head.strip():
            parts.append(_file(FileText(file.path, head, file.lines)))
            tokens -= situation.ruler.tokens(parts[-1])
    return "\n\n".join(parts)


def _share(of: float, text: Callable[[Situation], str]) -> Callable[[Situation, int], str]:
    """A text in a fence, its middle cut out where it takes more than its share of the prompt."""

    def fitting(situation: Situation, max_tokens: int) -> str:
        cut = situation.ruler.head_and_tail(text(situation), int(max_tokens * of))
        return fenced(cut) if cut.strip() else ""

    return fitting


def _short(text: Callable[[Situation], str]) -> Callable[[Situation, int], str]:
    """A text that is never cut."""
    return lambda situation, _max_tokens: text(situation).strip()


def _commands(hooks: Iterable[Hook]) -> str:
    return "\n".join(_command(hook) for hook in hooks)


def _command(hook: Hook) -> str:
    notes = [f"hook {hook.id}"]
    notes += [f"in {on_one_line(hook.cwd)}"] if hook.cwd else []
    notes += ["only if files like these change: " + ", ".join(hook.when.changed)] * bool(
        hook.when.changed
    )
    notes += ["may fail"] if hook.allow_failure else []
    return f"- {inline(hook.shown)} ({'; '.join(notes)})"


def _baseline(situation: Situation) -> str:
    """What the judging commands said before the first change."""
    baseline = situation.record.judgement.baseline
    if baseline is None:
        return ""
    if baseline.green:
        return "All of them succeeded before your first change."
    if not baseline.failing:
        return "Some of them failed before your first change."
    failing = _lines(baseline.failing, 500, situation.ruler)
    return f"Before your first change these checks failed:\n\n{failing}"


def _branch(situation: Situation) -> str:
    git = situation.git
    if git is None:
        return ""
    return inline(git.branch) if git.branch else "(detached)"


def _status(situation: Situation, max_tokens: int) -> str:
    git = situation.git
    if git is None or not git.status:
        return ""
    more = (f"... and {git.more} more",) if git.more else ()
    return _lines((*git.status, *more), int(max_tokens * _STATUS_SHARE), situation.ruler)


_TOOLS = frozenset({EditFormat.REPLACE, EditFormat.PATCH})


def _example(situation: Situation) -> str:
    """Small models write to the path of an example, so it is one that the task is about."""
    shown = [file.path for file in situation.files.files]
    there = [name for name in situation.names if not name.endswith(")")]
    return on_one_line(next(iter([*shown, *there]), "<path of the file>"))


PLACEHOLDERS: Mapping[str, Placeholder] = {
    "id": Placeholder("the task's id", _short(lambda s: s.task.id)),
    "title": Placeholder("the task's title", _short(lambda s: s.task.title)),
    "description": Placeholder("the task's description", _short(lambda s: s.task.description)),
    "path": Placeholder(
        "the task's folder, as the task list has it", _short(lambda s: s.task.path)
    ),
    "attempt": Placeholder("number of the attempt, from 1", _short(lambda s: str(s.attempt))),
    "branch": Placeholder("the git branch; empty without git", _short(_branch)),
    "head": Placeholder(
        "the last git commit, shortened; empty if there is none",
        _short(lambda s: s.git.head[:12] if s.git else ""),
    ),
    "status": Placeholder("what differs from the last commit, fenced; empty if nothing", _status),
    "names": Placeholder(
        "names of all files, fenced; folders with a count where there are many",
        lambda s, most: _lines(s.names, int(most * _NAMES_SHARE), s.ruler),
    ),
    "symbols": Placeholder(
        "names that files define which the task, the feedback or the diff names, fenced",
        lambda s, most: _lines(s.symbols, int(most * _NAMES_SHARE), s.ruler),
    ),
    "instructions": Placeholder(
        "the repository's own instructions for agents (AGENTS.md, CLAUDE.md), fenced; at most 8 KB",
        lambda s, most: _instructions(s, int(most * _INSTRUCTIONS_SHARE)),
    ),
    "named": Placeholder(
        "files of the task that the feedback names, with the lines, fenced",
        lambda s, most: _lines(s.named, int(most * _NAMES_SHARE), s.ruler),
    ),
    "files": Placeholder(
        "the files that the task lists, path and content, as many as there is room for, and what "
        "is not shown with the reason",
        lambda s, most: files_text(s.files, most, s.ruler),
    ),
    "pre_conditions": Placeholder(
        "the pre-hooks' commands, as a list", _short(lambda s: _commands(s.pre_hooks))
    ),
    "post_conditions": Placeholder(
        "the post-hooks' commands, as a list", _short(lambda s: _commands(s.post_hooks))
    ),
    "baseline": Placeholder(
        "what the post-hooks said before the first change; empty if they were not run",
        _short(_baseline),
    ),
    "protect": Placeholder(
        "globs of files that may not be changed, fenced",
        lambda s, most: _lines(s.protect, int(most * _NAMES_SHARE), s.ruler),
    ),
    "earlier": Placeholder(
        "what earlier conversations about the task looked at and replied, a line for each attempt",
        _share(_FEEDBACK_SHARE, lambda s: "\n".join(f"- {line}" for line in s.earlier)),
    ),
    "feedback": Placeholder(
        "why the last attempt failed: the hook's output, or what could not be applied; fenced",
        _share(_FEEDBACK_SHARE, lambda s: s.record.feedback),
    ),
    "diff": Placeholder(
        "what earlier attempts changed, as a fenced diff", _share(_DIFF_SHARE, lambda s: s.diff)
    ),
    "taken_back": Placeholder(
        "what earlier attempts changed and was taken back since, as a fenced diff",
        _share(_DIFF_SHARE, lambda s: s.taken_back),
    ),
    "kept": Placeholder(
        "files of those that were kept as somebody had edited them, fenced",
        lambda s, most: _lines(
            s.record.change.kept if s.taken_back else (), int(most * _NAMES_SHARE), s.ruler
        ),
    ),
    "hint": Placeholder("the hint a person gave with a retry", _short(lambda s: s.record.hint)),
    "looks": Placeholder(
        "how often the agent may still ask to see files; empty if not at all",
        _short(lambda s: str(s.looks_left or "")),
    ),
    "tools": Placeholder(
        "`yes` if the agent looks at files by tools", _short(lambda s: "yes" if s.tools else "")
    ),
    "by_tools": Placeholder(
        "`yes` if it also edits by tools",
        _short(lambda s: "yes" if s.tools and s.edit_format in _TOOLS else ""),
    ),
    "patch": Placeholder(
        "`yes` if it is asked for patches",
        _short(lambda s: "yes" if s.edit_format is EditFormat.PATCH else ""),
    ),
    "example": Placeholder(
        "a path for examples: of a file that the task lists, or that is there",
        _short(_example),
    ),
    "commands": Placeholder(
        "`yes` if the agent may propose commands", _short(lambda s: "yes" if s.commands else "")
    ),
    "in_place": Placeholder(
        "`yes` if the agent changes files itself, in a copy, instead of replying with changes",
        _short(lambda s: "yes" if s.in_place else ""),
    ),
}
"""Every name there is; docs/prompt-templates.md lists them in this order."""
