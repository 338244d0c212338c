"""What the current task is doing right now, in a few words, from entries and signals."""

from attrs import evolve, frozen

from agent_runner.ground.clock import Clock
from agent_runner.model import events as e, signals as s
from agent_runner.model.fold import Entry
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import TaskState
from agent_runner.ui import words
from agent_runner.ui.looks import looks_line
from agent_runner.ui.outcomes import hook_title

_MOST_TAIL = 64 * 1024
"""Bytes of a hook's output that are kept for its last line and for verbose mode."""


@frozen
class _Turn:
    """How far the conversation of an attempt has come: `, turn 4, 9 looks: reading src/a.py`."""

    number: int = 1
    looks: int = 0
    last: str = ""

    def __str__(self) -> str:
        if self.number == 1:
            return ""
        looks = f", {words.plural(self.looks, 'look')}: {self.last}" if self.looks else ""
        return f", turn {self.number}{looks}"


class Activity:
    """What is going on. One task works at a time, so there is one thing to follow."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._doing = ""  # "": the words of the step have to do
        self._since = clock.monotonic()
        self._until: float | None = None
        self._tail = b""
        self._turn = _Turn()

    @property
    def waiting(self) -> bool:
        """Whether the task waits for a time to come."""
        return self._until is not None

    def entry(self, entry: Entry, after: TaskRecord | None) -> None:
        """Take in what was journaled, `after` being the task's record then."""
        event = entry.event
        self._until = None
        if isinstance(event, e.HookStarted):
            self._tail = b""
            state = TaskState.PENDING if after is None else after.state
            self._begin(hook_title(event.phase, event.hook, state))
        elif isinstance(event, e.HookFinished):
            self._tail = b""
            self._begin("")
        elif isinstance(event, e.CallStarted):
            self._turn = evolve(self._turn, number=event.turn) if event.turn > 1 else _Turn()
            self._begin(f"asking {event.provider}{self._turn}")
        elif isinstance(event, e.Consulted):
            asked = f"reading {words.listed(event.requested, most=2)}"
            said = looks_line(event.looks) if event.looks else asked
            looks = self._turn.looks + (len(event.looks) or len(event.requested))
            self._turn = evolve(self._turn, looks=looks, last=said)
            self._begin(said)
        elif isinstance(event, e.CommandStarted):
            self._begin(f"command {words.clean(event.command)}")
        elif entry.to is not None:
            self._begin("")

    def signal(self, signal: s.Signal) -> None:
        """Take in what passes."""
        if isinstance(signal, s.HookOutput):
            self._tail = (self._tail + signal.chunk)[-_MOST_TAIL:]
            return
        self._until = signal.until if isinstance(signal, s.Waiting) else None
        if isinstance(signal, s.Waiting):
            self._doing = words.clean(signal.why)
        elif isinstance(signal, s.Receiving) and signal.tokens:
            self._doing = f"receiving {words.count(signal.tokens)} tokens{self._turn}"
        elif isinstance(signal, s.Working):
            self._begin(words.clean(signal.what))

    def now(self, state: TaskState) -> tuple[str, str]:
        """What it does and for how long: `post-hook unit-tests`, `12s`.

        Where it waits, for how long still, and why: `waiting 45s: throttled`, "".
        """
        if self._until is not None:
            left = max(0.0, self._until - self._clock.now())
            return f"waiting {words.ticking(left)}: {self._doing}", ""
        doing = self._doing or _STEP_WORDS.get(state, state.value)
        return doing, words.ticking(self._clock.monotonic() - self._since)

    def last_line(self) -> str:
        """The last line of the running hook's output that is not blank, made safe; "" if none."""
        end = self._tail[-4096:].replace(b"\r", b"\n").rstrip(b"\n \t")
        return words.clean(end.rpartition(b"\n")[2].decode("utf-8", "replace"))

    def full_lines(self) -> list[str]:
        """The finished lines of the output that were not returned before, made safe."""
        finished, newline, self._tail = self._tail.rpartition(b"\n")
        if not newline:
            return []
        return [words.clean(line.decode("utf-8", "replace")) for line in finished.split(b"\n")]

    def _begin(self, doing: str) -> None:
        self._doing = doing
        self._since = self._clock.monotonic()


_STEP_WORDS = {
    TaskState.PRE_HOOKS: "preparing",
    TaskState.AGENT: "building the prompt",
    TaskState.APPLY: "applying the reply",
    TaskState.POST_HOOKS: "judging",
}
