"""Questions to the person at the terminal: what to do with a task, whether a command may run."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from agent_runner.model.decisions import Choice, Decision, Escalation
from agent_runner.ui import terminal, words
from agent_runner.ui.keyboard import Keyboard
from agent_runner.ui.output import Output
from agent_runner.ui.painting import Painter

_CHOICES = "[R]etry once more  [H]int  [E]dit by hand, then check  [S]kip  [A]bort"
_OR_PASS = f"[P]ass it as it is  {_CHOICES}"

_SHORTEST = {
    "r": Decision(Choice.RETRY),
    "s": Decision(Choice.SKIP),
    "a": Decision(Choice.ABORT),
}

_WORDS = {
    "pass": "p",
    "accept": "p",
    "retry": "r",
    "hint": "h",
    "edit": "e",
    "check": "e",
    "skip": "s",
    "abort": "a",
}


class TerminalPerson:
    """Asks on the controlling terminal. End of input counts as the careful answer: abort, or no.

    Meanwhile `keyboard` leaves the terminal alone, and `hide_screen` (`Console.hidden`) takes the
    live part away.
    """

    def __init__(
        self,
        out: Output,
        keyboard: Keyboard,
        *,
        hide_screen: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._out = out
        self._keyboard = keyboard
        self._hide_screen = hide_screen

    async def decide(self, escalation: Escalation) -> Decision:
        """Show the summary and ask until there is an answer; cancellable while it waits."""
        with self._hide_screen(), self._keyboard.released(), terminal.open_terminal() as descriptor:
            lines = TypedLines(descriptor, self._out)
            self._out.line()
            for line in escalation.summary:
                for part in Painter(self._out, {}).paragraph(words.shown(line)):
                    self._out.line(part)
            self._out.line()
            choices = _OR_PASS if escalation.record.may_be_passed else _CHOICES
            while True:
                answer = await lines.ask(f"{choices}: ")
                if answer is None:
                    return Decision(Choice.ABORT)
                decision = await self._follow(answer, escalation, lines)
                if decision is not None:
                    return decision

    async def ask_command(self, command: str) -> bool:
        """Show a proposed command, with nothing in it hidden, and ask whether to run it.

        Only `y` or `yes` is a yes.
        """
        with self._hide_screen(), self._keyboard.released(), terminal.open_terminal() as descriptor:
            self._out.line("The agent proposes to run:")
            for line in words.visible(command).split("\n"):
                self._out.line(f"  $ {line}")
            answer = await TypedLines(descriptor, self._out).ask("Run it? [y]es  [N]o: ")
        return answer is not None and answer.strip().lower() in {"y", "yes"}

    async def _follow(
        self, answer: str, escalation: Escalation, lines: "TypedLines"
    ) -> Decision | None:
        """The decision, or None to ask again."""
        word = answer.strip().lower()
        letter = _WORDS.get(word, word)
        if letter in _SHORTEST:
            return _SHORTEST[letter]
        if letter == "h":
            return await self._hint(lines)
        if letter == "e":
            return await self._edited(escalation, lines)
        may_pass = escalation.record.may_be_passed
        if letter == "p" and may_pass:
            return Decision(Choice.CHECK)  # green hooks and a person's word are enough
        if word:
            self._out.line(f"Please type {'p, ' if may_pass else ''}r, h, e, s or a.")
        return None

    @staticmethod
    async def _hint(lines: "TypedLines") -> Decision | None:
        hint = await lines.ask("Hint for the agent (empty to go back): ")
        if hint is None:
            return Decision(Choice.ABORT)
        return Decision(Choice.RETRY, hint.strip()) if hint.strip() else None

    async def _edited(self, escalation: Escalation, lines: "TypedLines") -> Decision | None:
        self._out.line(f"Edit the files in {escalation.task.root}")
        ready = await lines.ask("Then press Enter to run the post-hooks on them (b to go back): ")
        if ready is None:
            return Decision(Choice.ABORT)
        return None if ready.strip().lower() in {"b", "back"} else Decision(Choice.CHECK)


class TypedLines:
    """Lines typed at a terminal.

    Without one (`descriptor` None) every answer is end of input.
    """

    def __init__(self, descriptor: int | None, out: Output) -> None:
        self._descriptor = descriptor
        self._out = out
        self._typed = b""
        if descriptor is not None:
            terminal.drop_pending(descriptor)  # a key that was meant for the run is no answer

    async def ask(self, question: str) -> str | None:
        """Write the question and wait for a line, cancellable.

        None is end of input: Ctrl+D, or a terminal that is gone.
        """
        self._out.write(question)
        while b"\n" not in self._typed:
            received = await self._receive()
            if not received:
                self._out.line()
                return None
            self._typed += received
        line, _, self._typed = self._typed.partition(b"\n")
        return line.decode("utf-8", "replace")

    async def _receive(self) -> bytes:
        if self._descriptor is None:
            return b""
        await terminal.input_ready(self._descriptor)
        return terminal.take_input(self._descriptor)
