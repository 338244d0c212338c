"""Why a run cannot go on although no task is at fault."""

from attrs import frozen


@frozen
class Halt:
    """Returned by a step in place of an event: the task stays where it is, the run stops.

    `reason` is a word of `model.events.STOP_REASONS`; `fix` what to do or type; `not_before` in
    epoch seconds.
    """

    reason: str
    detail: str
    fix: str = ""
    not_before: float | None = None
