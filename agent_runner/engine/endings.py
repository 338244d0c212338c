"""Why a run ends: the exit code of each reason, and what is left where nothing more can be done."""

from collections.abc import Iterable

from agent_runner.engine.work import Halt
from agent_runner.model import exit_codes
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import FINAL, TaskState

EXIT_CODES = {
    "finished": exit_codes.DONE,
    "preview": exit_codes.DONE,
    "held": exit_codes.PERSON_NEEDED,
    "uncommitted": exit_codes.PERSON_NEEDED,
    "escalations": exit_codes.PERSON_NEEDED,
    "aborted": exit_codes.PERSON_NEEDED,
    "auth": exit_codes.PERSON_NEEDED,
    "budget": exit_codes.PERSON_NEEDED,
    "fatal": exit_codes.PERSON_NEEDED,
    "storage": exit_codes.STATE_UNUSABLE,
    "limit": exit_codes.COME_BACK,
    "outage": exit_codes.COME_BACK,
}
"""What the command returns for each reason to stop; a signal's or a key's stop brings its own."""


def nothing_ready(records: Iterable[TaskRecord]) -> Halt:
    """Why the run ends where none of these tasks can be worked on any more."""
    left = [record for record in records if record.state not in FINAL]
    if not left:
        return Halt("finished", "nothing is left to do")
    escalated = [one.id for one in left if one.state is TaskState.ESCALATED]
    held = [one.id for one in left if one.state is not TaskState.ESCALATED]
    reasons = []
    if escalated:
        verb = "needs" if len(escalated) == 1 else "need"
        reasons.append(f"{', '.join(escalated)} {verb} a person")
    if held:
        verb = "is" if len(held) == 1 else "are"
        reasons.append(f"{', '.join(held)} {verb} held by tasks that have not passed")
    return Halt("held", "; ".join(reasons))
