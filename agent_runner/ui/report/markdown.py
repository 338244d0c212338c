"""A report as Markdown: the body of a pull request, or the summary of a build."""

import re
from collections.abc import Iterator

from agent_runner.model.states import TaskState
from agent_runner.ui import words
from agent_runner.ui.outcomes import judged
from agent_runner.ui.report.content import Report, TaskPage

_SIGNS = re.compile(r"([\\`*_{}\[\]<>()#+!|~@-])")
"""What Markdown might take for more than text; `@`, since a forge would call somebody."""


def markdown(report: Report) -> Iterator[str]:
    """The report, line by line."""
    yield f"## {_text(report.name)}"
    yield ""
    yield _text(report.summary)
    if report.needs_person:
        yield from ("", "### Needs a person", "")
        waiting = {task.id: task for task in report.tasks}
        for name in report.needs_person:
            task = waiting[name]
            reason = _text(words.first_line(task.record.last_error))
            yield f"- **{_text(name)}** {_text(task.title)}: {reason}"
    yield from (
        "",
        "| | task | state | attempts | changed | judged by |",
        "|---|---|---|---|---|---|",
    )
    yield from map(_row, report.tasks)


_MARKS = {TaskState.PASSED: ":white_check_mark:", TaskState.ESCALATED: ":x:"}


def _row(task: TaskPage) -> str:
    record = task.record
    paths = list(record.change.paths)
    cells = (
        _MARKS.get(task.state, ""),
        f"**{_text(task.id)}** {_text(task.title)}",
        _text(task.word),
        str(record.counts.attempts or ""),
        _text(words.listed(paths)) if paths else "",
        _text(judged(record.judgement.proof)),
    )
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """Somebody else's text on one line, none of it markup."""
    return _SIGNS.sub(r"\\\1", words.clean(text))
