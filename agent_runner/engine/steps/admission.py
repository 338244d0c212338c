"""Whether a call may be made now: what the limits' decision means for the task or the run."""

from collections.abc import Callable

from attrs import frozen

from agent_runner.engine.halt import Halt
from agent_runner.engine.steps.asking import Question
from agent_runner.engine.steps.step import Work
from agent_runner.limits.decision import Decision, Fits, Full, Never, OverBudget
from agent_runner.limits.gate import Gate
from agent_runner.model.events import Deferred, Refused, TaskEvent
from agent_runner.model.spending import Spending


@frozen
class Admission:
    """Asks the limits before every call."""

    gate: Gate
    spending: Callable[[], Spending]

    def forbids(self, work: Work, question: Question) -> TaskEvent | Halt | None:
        """What the call's worst case runs into; None: it fits and is reserved."""
        profile = question.served.profile
        decision = self.gate.admit(
            self.spending(),
            question.request.call,
            profile.name,
            profile.model,
            question.need,
            task=work.task.id,
        )
        return _meaning(decision, profile.name)

    def would_forbid(self, work: Work, question: Question) -> TaskEvent | Halt | None:
        """The same without reserving: what is said before anything is done for the call."""
        profile = question.served.profile
        decision = self.gate.look(
            self.spending(), profile.name, profile.model, question.need, task=work.task.id
        )
        return _meaning(decision, profile.name)


def _meaning(decision: Decision, provider: str) -> TaskEvent | Halt | None:
    match decision:
        case Fits():
            return None
        case Full(window, not_before, reason):
            return Deferred(provider, window, not_before, reason)
        case Never(reason):
            return Refused(reason)
        case OverBudget("run", reason):
            return Halt("budget", reason, "the next run begins its budget anew")
        case OverBudget(_, reason):
            return Refused(f"{reason}; raise it under budget, then retry the task")
