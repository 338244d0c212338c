"""What `report` shows, gathered from a list and its state folder."""

from collections.abc import Iterator
from pathlib import Path

from agent_runner.app.inspection import inspect
from agent_runner.app.outputs import refuse_other_files
from agent_runner.app.overview import KnownList, Overview
from agent_runner.ground.diff import diff
from agent_runner.ground.disk import Disk, storage_errors
from agent_runner.ground.redaction import Redactor
from agent_runner.model import events as e
from agent_runner.model.agent import Message
from agent_runner.model.applied import applied
from agent_runner.model.changes import combined
from agent_runner.model.errors import StateError
from agent_runner.model.fold import Entry
from agent_runner.store.blobs import Blobs
from agent_runner.store.calls import CallFiles
from agent_runner.store.layout import Layout
from agent_runner.ui.report.content import Report, Sources, Turn, gather
from agent_runner.ui.report.markdown import markdown
from agent_runner.ui.report.page import MARK, page


def report_of(known: KnownList) -> Report:
    """The list as it stands. Raises StateError if its state cannot be read."""
    seen = inspect(known)
    view = Overview(known, seen.state)
    layout = Layout(known.place.state_dir)
    blobs, by_task = Blobs(layout.blobs, Disk()), _by_task(seen.entries)
    stopped = seen.state.run.stopped if seen.state.run else None
    steps = view.tally.next_steps(stopped) if stopped and seen.state.tasks else ()

    def diff_of(task_id: str) -> str:
        done = applied(seen.state.record(task_id), iter(by_task.get(task_id, ())))
        if not done:
            return ""
        change_set = combined([one.change_set for one in done], task_id)
        try:
            return diff(change_set, blobs).decode(errors="backslashreplace")
        except StateError as error:
            return f"(cannot be shown: {error})"

    def turns_of(task_id: str) -> Iterator[Turn]:
        return _turns(layout, blobs, by_task.get(task_id, []))

    sources = Sources(seen.state.record, diff_of, turns_of)
    return gather(view.tally, seen.entries, view.counters, steps, sources)


def write_page(report: Report, known: KnownList, named: Path | None) -> Path:
    """Write the page into the file that a person named, else beside the state; the file's path.

    Raises UsageError for a file that is no such page, StorageError if the disk refuses.
    """
    if named is not None:
        refuse_other_files("--output", named, MARK)
    file = named or Layout(known.place.state_dir).report
    with storage_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        if named is None:  # a link in its place, which a downloaded project may bring, is replaced
            Disk().write_file(file, "".join(page(report)).encode(errors="backslashreplace"))
            return file
        with file.open("w", encoding="utf-8", errors="backslashreplace") as out:
            out.writelines(page(report))
    return file


def markdown_text(report: Report) -> str:
    """The report as Markdown."""
    return "\n".join(markdown(report))


def _turns(layout: Layout, blobs: Blobs, entries: list[Entry]) -> Iterator[Turn]:
    """The calls of a task that were answered, in order; one whose files are gone is left out."""
    for entry in entries:
        event = entry.event
        if isinstance(event, e.CallStarted):
            folder = layout.call(entry.task, event.attempt, Path(event.call).name)
            files = CallFiles(event.call, layout.folder, folder, blobs, Disk())
            request, response = files.request(), files.response()
            if response is None:
                continue
            where = str(folder.relative_to(layout.folder.parent))
            asked = "\n\n".join(map(_words, request.messages)) if request else ""
            answer = Message("assistant", response.text, response.tool_calls)
            yield Turn(event.call, asked, _words(answer), where)


def _words(message: Message) -> str:
    """A message as text: what was said, which tools were asked for, what they answered.

    Known keys are not in what was kept; here goes what only looks like one.
    """
    calls = (f"[{call.name} {call.arguments}]" for call in message.calls)
    answers = (f"[{answer.name}]\n{answer.text}" for answer in message.answers)
    return Redactor().text("\n\n".join(filter(None, (*answers, message.text, *calls))))


def _by_task(entries: tuple[Entry, ...]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.task, []).append(entry)
    return found
