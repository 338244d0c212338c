"""What earlier conversations about a task came to, for a message that begins another one.

A message in which nothing of them is said would be the first one once more, but for the number of
the attempt; and a model that is asked the same says the same again.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from agent_runner.engine.calls.conversation import Conversations, Turn, call_id
from agent_runner.engine.calls.tool_answers import brief_of, may_be_dropped, requests_of
from agent_runner.ground.escaping import inline, on_one_line
from agent_runner.model.agent import Finish
from agent_runner.model.record import TaskRecord

_MOST_CALLS = 60
_MOST_NAMES = 20


def earlier_attempts(
    conversations: Conversations, task: str, record: TaskRecord
) -> tuple[str, ...]:
    """A line for each attempt: what it looked at, what it replied, and what that changed.

    () where nothing was answered yet. Reads the answers that are kept.
    """
    lines: list[str] = []
    known: dict[object, int] = {}
    turns = list(_turns(conversations, task, record))[::-1]
    for attempt, group in groupby(turns, key=_attempt):
        said = list(group)
        looks = [brief for turn in said for brief in _looks(turn)]
        last = said[-1].response
        reply = (last.text, tuple((call.name, call.arguments) for call in last.tool_calls))
        earlier = known.setdefault(reply, attempt)
        words = f"looked at {_listed(looks)}; " if looks else ""
        words += f"replied as attempt {earlier} did, word for word; " * (earlier != attempt)
        words += _changes(said)
        if attempt == record.change.idle_attempt:
            words += _outcome(record)
        lines.append(f"attempt {attempt}: {words}")
    return tuple(lines)


def _turns(conversations: Conversations, task: str, record: TaskRecord) -> Iterator[Turn]:
    """The answers to this task since it was begun, or begun over, newest first.

    But for those that were of no use: the same question is asked again then, and has to begin as it
    did, or the provider's cache misses it.
    """
    last = record.counts.calls_started
    for number in range(last, max(0, last - _MOST_CALLS), -1):
        turn = conversations.turn(task, record.counts.attempts, call_id(task, number))
        if turn is None or turn.request is None:
            continue
        response = turn.response
        if response.finish is Finish.COMPLETE and (response.text.strip() or response.tool_calls):
            yield turn
        if turn.request.number == 1:
            return


def _attempt(turn: Turn) -> int:
    return turn.request.attempt if turn.request is not None else 0


def _looks(turn: Turn) -> Iterator[str]:
    yield from turn.reply.asks
    yield from (brief_of(call) for call in requests_of(turn).calls if may_be_dropped(call.name))


def _changes(turns: Sequence[Turn]) -> str:
    drafts = [
        brief_of(call).partition(" ")[2]
        for turn in turns
        for call in turn.response.tool_calls
        if not may_be_dropped(call.name)
    ]
    paths = [edit.path for turn in turns for edit in turn.reply.edits if edit.path]
    return f"sent changes of {_listed(paths + drafts)}" if paths or drafts else "sent no change"


def _outcome(record: TaskRecord) -> str:
    """What came of an attempt that changed no file."""
    notes = "".join(f"; {on_one_line(note)}" for note in record.change.notes)
    return f", and changed no file{notes}"


def _listed(names: Sequence[str]) -> str:
    every = list(dict.fromkeys(inline(on_one_line(name)) for name in names))
    more = f" and {len(every) - _MOST_NAMES} more" if len(every) > _MOST_NAMES else ""
    return ", ".join(every[:_MOST_NAMES]) + more
