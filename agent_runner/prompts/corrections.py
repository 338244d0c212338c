"""What the model reads at the end of a question whose last answer was of no use.

The same question would bring the same answer: one that was cut off at the cap once is cut off there
again, and is paid for again.
"""

from agent_runner.ground.escaping import fenced
from agent_runner.ground.tokens import Ruler
from agent_runner.model.agent import Finish, Message
from agent_runner.model.record import TaskRecord

_FEEDBACK_SHARE = 0.2
"""Of the tokens of a whole conversation, at the most."""

_NOT_APPLIED = (
    "Your reply could not be applied. Send the blocks that are at fault again, corrected:"
)

_WHY = {
    Finish.TRUNCATED: "it was cut off at {cap} output tokens, thinking included",
    Finish.WINDOW: "it was cut off at the end of your context window",
    Finish.EMPTY: "it held no text",
    Finish.COMPLETE: "it held no text",  # blanks are all that a complete answer is refused for
}
_NOTHING_CHANGED = "no file is another than before, and the same reply would change nothing again."

_TOO_LONG = frozenset({Finish.TRUNCATED, Finish.WINDOW})

# a number alone is no other question: who is asked the same says the same
_ONCE_MORE = (
    "Begin at once with the path of the first file that you change.",
    "Change one file only, and say in a sentence what is to be done in the others.",
)
_SMALLER = (
    "Make one small step of the task only, that stands on its own.",
    "Change one place of one file, in at most ten lines, and nothing else.",
)


def note_on_unusable(finish: Finish | None, *, times: int, cap: int, tool: bool = False) -> str:
    """The note, ending in a newline.

    `finish`: how the last answer ended, None where that is no longer known. `times`: how many
    answers in a row were of no use, so that no two notes are alike. `cap`: the most output tokens
    of an answer. `tool`: whether the model asked for a tool.
    """
    why = "you asked for a tool, and there are none" if tool else "it could not be read"
    if finish is not None:
        why = _WHY.get(finish, why).format(cap=cap)
    which = "Your last answer was" if times == 1 else f"Your last {times} answers were"
    text = f"{which} of no use: {why}. Nothing of it was applied."
    if finish not in _TOO_LONG:
        text += " Answer in words, with your edits in one of the forms described above."
        return f"{text} {_ONCE_MORE[times % 2]}\n" if times > 1 else f"{text}\n"
    text += (
        " Answer more briefly: think less, explain nothing, and change only the lines that must"
        " change, in small SEARCH/REPLACE blocks and never by whole files."
    )
    if times > 1:
        text += f" {_SMALLER[times % 2]}"
    return f"{text}\n"


def not_applied(problems: str) -> Message:
    """Our turn after a reply that could not be applied: what is wrong with it."""
    return Message("user", f"{_NOT_APPLIED}\n\n{fenced(problems)}\n")


def after_failure(record: TaskRecord, attempt: int, max_tokens: int, ruler: Ruler) -> Message:
    """Our turn after changes that were applied, and did not satisfy what judges them."""
    shown = ruler.head_and_tail(record.feedback, int(max_tokens * _FEEDBACK_SHARE))
    did = "the files are as it left them. "
    if record.change.idle_attempt:
        did = "\n- ".join((_NOTHING_CHANGED, *record.change.notes)) + "\n\n"
    parts = [f"Your reply was carried out: {did}But the task is not done yet:", fenced(shown)]
    parts += [f"A hint from the person in charge:\n\n{record.hint}"] if record.hint else []
    parts.append(
        f"This is attempt {attempt}. Find out why, then reply with the changes that are still"
        " needed, based on the files as they are now."
    )
    return Message("user", "\n\n".join(parts) + "\n")
