"""A report as one HTML page that needs nothing else: no network, no script, no other file.

Everything in it that others wrote (models, hooks, files, titles) goes through `_text`, and nothing
of theirs becomes a tag, an attribute's name or a link. The policy in the page's head forbids
scripts, images, frames and connections, should anything slip through all the same.
"""

import html
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files

from agent_runner.ground.clock import local
from agent_runner.model.states import TaskState
from agent_runner.ui import words
from agent_runner.ui.report.content import Report, TaskPage, Turn
from agent_runner.ui.tables import counter_lines

MOST = 5_000_000
"""Bytes of others' texts in a page; with what stands around them it stays below 10 MB."""

_LONGEST = 100_000
"""Bytes of one task's texts, however few tasks there are."""

_SHORTEST = 300
"""Bytes of a text that are shown whatever else was."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

MARK = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
"""Stands near the beginning of every page."""

_MARKS = {
    TaskState.PASSED: "\N{CHECK MARK}",
    TaskState.ESCALATED: "\N{MULTIPLICATION X}",
    TaskState.SKIPPED: "\N{EN DASH}",
    TaskState.PENDING: "\N{MIDDLE DOT}",
}
_RUNNING = "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}"


def page(report: Report) -> Iterator[str]:
    """The page, in pieces: with a thousand tasks no more than one task's texts are in memory."""
    style = files("agent_runner.ui.report").joinpath("page.css").read_text("utf-8")
    title = f"{report.name}: {report.summary}"
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f"{MARK}\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_text(title)}</title>\n<style>{style}</style></head><body>\n"
    )
    yield from _head(report)
    yield from _timeline(report)
    yield from _use(report)
    yield "<section><h2>Tasks</h2>\n"
    share = min(_LONGEST, MOST // max(1, len(report.tasks)))
    for task in report.tasks:
        yield from _task(task, share)
    yield "</section>\n</body></html>\n"


def _head(report: Report) -> Iterator[str]:
    yield f"<header><h1>{_text(report.name)}</h1>\n<p>{_text(report.summary)}</p>\n"
    if report.begin:
        yield f"<p>{_time(report.begin)} to {_time(report.end)}</p>\n"
    yield "</header>\n"
    if report.next_steps:
        yield '<section class="next"><h2>Next</h2>\n'
        yield from (f"<p>{_text(line)}</p>\n" for line in report.next_steps)
        yield "</section>\n"
    if report.needs_person:
        yield '<section class="person"><h2>Needs a person</h2>\n<ul>\n'
        waiting = {task.id: task for task in report.tasks}
        for name in report.needs_person:
            task = waiting[name]
            reason = words.first_line(task.record.last_error)
            command = _text(report.command("retry", name))
            yield f"<li>{_link(task)}: {_text(reason)}<br><code>{command}</code></li>\n"
        yield "</ul></section>\n"


def _timeline(report: Report) -> Iterator[str]:
    """A bar for each task, from the first entry of the journal to the last."""
    length = report.end - report.begin
    shown = [task for task in report.tasks if task.spans]
    if not shown or length <= 0:
        return
    yield '<section><h2>When</h2>\n<div class="legend">'
    yield from (f'<span class="{one}">{one}</span> ' for one in _STEPS)
    yield '</div>\n<div class="times">\n'
    for task in shown:
        bars = "".join(
            f'<i class="{span.state.value}" style="left:{_share(span.begin - report.begin, length)}'
            f';width:{_share(span.end - span.begin, length)}"></i>'
            for span in task.spans
        )
        spent = words.duration(task.record.spent.seconds)
        name = f'<a href="#{_anchor(task.id)}">{_text(task.id)}</a>'
        yield f"<div>{name}<b>{bars}</b><span>{spent}</span></div>\n"
    begin, end = _time(report.begin), _time(report.end)
    yield f'</div><p class="axis"><span>{begin}</span><span>{end}</span></p></section>\n'


_STEPS = ("pre_hooks", "agent", "apply", "post_hooks")


def _use(report: Report) -> Iterator[str]:
    if not report.spent and not report.counters:
        return
    yield "<section><h2>Use</h2>\n"
    if report.spent:
        tokens = [(one.at, float(one.tokens)) for one in report.spent]
        yield _curve("tokens", tokens, report, words.count(report.spent[-1].tokens))
        if report.spent[-1].cost:
            cost = [(one.at, one.cost) for one in report.spent]
            yield _curve("cost", cost, report, words.money(report.spent[-1].cost))
    for counter, line in zip(report.counters, counter_lines(report.counters), strict=True):
        share = counter.fraction
        value = "" if share is None else f'min="0" max="1" high="0.8" value="{share:.3f}"'
        meter = f"<meter {value}></meter> " if value else ""
        yield f"<p>{meter}{_text(line)}</p>\n"
    yield "</section>\n"


def _curve(name: str, values: list[tuple[float, float]], report: Report, total: str) -> str:
    """What was used over time, as steps: nothing is used between two calls."""
    length, top = max(report.end - report.begin, 1e-9), max(value for _, value in values) or 1.0
    points, last = ["0,100"], 100.0
    for at, value in _thinned(values):
        x, y = 1000 * (at - report.begin) / length, 100 - 100 * value / top
        points += [f"{x:.1f},{last:.1f}", f"{x:.1f},{y:.1f}"]
        last = y
    points.append(f"1000,{last:.1f}")
    return (
        f'<figure><figcaption>{name}: {_text(total)}</figcaption><svg viewBox="0 0 1000 100" '
        f'preserveAspectRatio="none" role="img" aria-label="{name} over time"><polyline '
        f'points="{" ".join(points)}"/></svg></figure>\n'
    )


def _thinned(values: list[tuple[float, float]], most: int = 500) -> list[tuple[float, float]]:
    """At most so many of the values, the last among them."""
    step = max(1, len(values) // most)
    return [*values[::step], values[-1]]


def _task(task: TaskPage, share: int) -> Iterator[str]:
    record = task.record
    opened = " open" if task.state is TaskState.ESCALATED else ""
    mark = _MARKS.get(task.state, _RUNNING)
    facts = [f"{words.plural(record.counts.attempts, 'attempt')}"] if record.counts.attempts else []
    facts += [f"{words.count(record.spent.usage.total)} tokens"] if record.spent.usage.total else []
    facts += [words.money(record.spent.cost)] if record.spent.cost else []
    facts += [words.duration(record.spent.seconds)] if record.spent.seconds else []
    facts += [f"held by {words.listed(task.held_by)}"] if task.held_by else []
    yield (
        f'<details class="task {task.state.value}" id="{_anchor(task.id)}"{opened}><summary>'
        f'<span class="mark">{mark}</span> <b>{_text(task.id)}</b> {_text(task.title)} '
        f"<em>{_text(task.word)}</em> <small>{_text(', '.join(facts))}</small></summary>\n"
    )
    budget = _Budget(share)
    yield from _story(task, budget)
    if task.attempts:
        lines = (f"<li>{_text(budget.clipped(one.line, ''))}</li>" for one in task.attempts)
        yield f"<ul>{''.join(lines)}</ul>\n"
    yield from _failures(task, budget)
    yield from _fold("What it changed", budget.clipped(task.diff(), ""), _diff_lines)
    yield from _conversation(task.turns(), budget)
    yield "</details>\n"


def _story(task: TaskPage, budget: "_Budget") -> Iterator[str]:
    if not task.story:
        yield "<p>Nothing has happened yet.</p>\n"
        return
    yield "<table>\n"
    for line in task.story:
        told = (_text(budget.clipped(one, "")) for one in line.details)
        details = "".join(f"<br><code>{one}</code>" for one in told)
        text = _text(budget.clipped(line.text, ""))
        yield f"<tr><td>{_time(line.at)}</td><td>{text}{details}</td></tr>\n"
        if budget.left <= 0:
            yield "<tr><td></td><td>... (agent-runner why has the rest)</td></tr>\n"
            break
    yield "</table>\n"


def _failures(task: TaskPage, budget: "_Budget") -> Iterator[str]:
    for failure in task.failures:
        result = failure.result
        where = result.log if result else ""
        text = budget.clipped(result.excerpt if result else failure.reason, where)
        yield from _fold(f"{failure.hook} was red, attempt {failure.attempt}", text, _text)


def _conversation(turns: Iterable[Turn], budget: "_Budget") -> Iterator[str]:
    for turn in turns:
        asked = _text(budget.clipped(turn.asked, turn.folder))
        answered = _text(budget.clipped(turn.answered, turn.folder))
        yield (
            f"<details><summary>{_text(turn.call)}: what was asked and answered</summary>"
            f"<h4>Asked</h4><pre>{asked}</pre><h4>Answered</h4><pre>{answered}</pre></details>\n"
        )


def _fold(title: str, text: str, shown: Callable[[str], str]) -> Iterator[str]:
    if text:
        yield f"<details><summary>{_text(title)}</summary><pre>{shown(text)}</pre></details>\n"


def _diff_lines(text: str) -> str:
    """A patch with its lines marked by what they do."""
    kinds = {"+": "ins", "-": "del"}
    lines = []
    for line in text.split("\n"):
        tag = kinds.get(line[:1], "span") if line[:3] not in {"+++", "---"} else "b"
        lines.append(f"<{tag}>{_text(line)}</{tag}>")
    return "\n".join(lines)


class _Budget:
    """How many bytes of others' texts, as they stand in the page, may still be shown of a task."""

    def __init__(self, most: int) -> None:
        self.left = most

    def clipped(self, text: str, whole: str) -> str:
        """Head and tail of a text that is too long; `whole` names the file that has all of it."""
        most = max(_SHORTEST, self.left)
        sample = text[:most]  # no text is shorter in the page than it is by itself
        size = len(_text(sample).encode())
        self.left -= min(size, most)
        if size <= most and len(sample) == len(text):
            return text
        kept = len(sample) * most // size  # what is escaped takes several times its own length
        head, tail = text[: kept * 2 // 3], text[len(text) - kept // 3 :]
        left_out = len(text) - len(head) - len(tail)
        where = f"; the whole is in {whole}" if whole else ""
        return f"{head}\n[... {left_out} characters left out{where} ...]\n{tail}"


def _link(task: TaskPage) -> str:
    return f'<a href="#{_anchor(task.id)}">{_text(task.id)}</a> {_text(task.title)}'


def _anchor(task_id: str) -> str:
    """A name for a place in the page that any id makes, and no id can break out of."""
    return "t-" + "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):x}_" for c in task_id)


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.3f}%"


def _time(at: float) -> str:
    return _text(local(at, seconds=True))


def _text(text: str) -> str:
    """Somebody else's text: nothing in it is markup, nothing in it is hidden."""
    return html.escape(words.harmless(text), quote=True)
