"""The client of `protocol: command`: lets an agent's command work in a copy of the task's files.

One call is one run of the program. It gets the prompt, an environment without anybody's keys but
the one that it needs, and a folder that the runner made; what it leaves there is the runner's to
look at. How the call ended is told by the program's own stream together with what it changed.
"""

import errno
import tempfile
from pathlib import Path
from typing import IO

from attrs import evolve

from agent_runner.ground.clock import Clock
from agent_runner.model.agent import AgentResponse, Prompt
from agent_runner.model.errors import (
    CallTooLargeError,
    FatalError,
    ProviderError,
    TransientError,
    UnknownOutcomeError,
    UsageError,
)
from agent_runner.providers.client import (
    IN_COPY,
    AgentClient,
    CallContext,
    Outfit,
    Start,
    Workplace,
    instructions_of,
)
from agent_runner.providers.commands.ending import Graces, Started
from agent_runner.providers.commands.preset import Asking, Preset
from agent_runner.providers.commands.presets import preset_of
from agent_runner.providers.commands.reader import Ended, Reader, SessionLostError
from agent_runner.providers.commands.running import (
    Patience,
    Run,
    Watchers,
    size_of,
    tail_of,
)
from agent_runner.providers.commands.starting import not_begun
from agent_runner.providers.commands.surroundings import (
    environment,
    found,
    sandbox_of,
    words_of,
)
from agent_runner.providers.costs import estimated_usage
from agent_runner.providers.profiles import Profile


def make_client(profile: Profile, clock: Clock) -> AgentClient:
    """A client that starts a program. Raises UsageError where it cannot work, or is not there."""
    preset = preset_of(profile)
    found(preset, profile)
    return CommandClient(profile, preset, clock)


class CommandClient:
    """An `AgentClient` that starts a program."""

    def __init__(
        self, profile: Profile, preset: Preset, clock: Clock, graces: Graces | None = None
    ) -> None:
        self._profile, self._preset, self._clock = profile, preset, clock
        self._graces = graces or Graces()
        homes = preset.homes(profile.program.env) if profile.program is not None else ()
        sandbox = sandbox_of(preset, profile)
        self.capabilities = evolve(
            IN_COPY,
            outfit=Outfit(preset.taken_out, preset.leavings, homes, sandbox, preset.tells_cost),
        )

    async def generate_completion(self, prompt: Prompt, context: CallContext) -> AgentResponse:
        """Run the program once; a session that it does not know any more is begun anew.

        Without a copy, for `agent-runner providers check`, it is asked in an empty folder.
        """
        if context.workplace.kept is not None:
            return await self._found(prompt, context)
        with tempfile.TemporaryDirectory(prefix="agent-runner-call-") as made:
            beside = Path(made).resolve()
            for name in ("empty", "tmp"):
                (beside / name).mkdir()
            asking = Asking(
                instructions_of(prompt),
                beside,
                self._profile.model,
                context.workplace.session if self._preset.sessions else "",
                (*context.workplace.commands, *words_of(self._profile, "allow")),
                words_of(self._profile, "args"),
            )
            asking.prompt_file.write_text(asking.prompt, encoding="utf-8", errors="replace")
            try:
                return await self._call(prompt, asking, context)
            except SessionLostError:
                context.note(f"{self._preset.title} does not know its session any more: a new one")
                return await self._call(prompt, evolve(asking, session=""), context)

    async def aclose(self) -> None:
        """Close nothing: a program is ended with its call."""

    async def _call(self, prompt: Prompt, asking: Asking, context: CallContext) -> AgentResponse:
        preset, reader = self._preset, self._preset.reader()
        folder = context.workplace.folder or asking.beside / "empty"
        env = environment(preset, self._profile, asking, folder)
        log = preset.log(asking.session, asking, env)
        skip = size_of(log)  # a session that goes on writes on in its old log
        words = (self._program(context), *preset.lead, *preset.arguments(asking))
        start = context.workplace.confine(Start(words, folder, env, asking.beside))
        context.progress(0)
        with asking.prompt_file.open("rb") as file:
            run = await self._run(start, file, reader, context)
        ended = Ended(
            run.exit_code,
            await context.workplace.changed(),
            run.errors,
            tail_of(preset.log(reader.session, asking, env), skip),
            self._clock.now(),
            run.silent,
        )
        try:
            return self._concluded(prompt, reader, ended, run)
        except ProviderError as error:
            if error.usage is not None and error.cost is None:  # else its use costs nothing
                error.cost = context.workplace.dollars(error.usage)
            if preset.sessions and ended.changed:
                error.session = reader.session
            elif ended.changed:
                context.note(f"{preset.title} has no sessions: what it had changed is dropped")
            raise

    def _program(self, context: CallContext) -> str:
        try:
            return found(self._preset, self._profile, context.root)
        except UsageError as error:
            raise FatalError(str(error), fix=error.fix) from error

    async def _run(
        self, start: Start, prompt: IO[bytes], reader: Reader, context: CallContext
    ) -> Run:
        title, profile = self._preset.title, self._profile
        watchers = Watchers(
            context.keep,
            context.activity,
            context.progress,
            silent=lambda seconds: context.activity(f"{title}: silent for {seconds:.0f} s"),
            cap=lambda: _over(reader, context.workplace),
        )
        patience = Patience(profile.timeout, profile.total_timeout)
        run = Run(start, prompt, reader, patience, watchers, self._graces)
        try:
            await run.to_the_end()
        except OSError as error:
            raise _not_started(start.words[0], error) from error
        return run

    def _concluded(self, prompt: Prompt, reader: Reader, ended: Ended, run: Run) -> AgentResponse:
        if run.over_cap:
            # it is asked again at once, and then the budget says what it says to every call
            used = reader.usage if reader.usage.total else None
            words = f"{self._preset.title}: {run.stopped}"
            capped = TransientError(words, retry_after=0, usage=used)
            capped.cost = reader.cost
            raise capped
        if run.stopped and not reader.wants_stop and not reader.finished:
            words = f"{self._preset.title}: {run.stopped}; it may have been billed"
            raise UnknownOutcomeError(words, fix=f"raise providers.{self._profile.name}.timeout")
        error = not_begun(reader, ended, self._preset, self._profile.name)
        if error is not None:
            raise error
        return self._counted(prompt, reader.conclude(ended))

    async def _found(self, prompt: Prompt, context: CallContext) -> AgentResponse:
        """What came of a call whose end nobody saw, by its kept stream and its copy.

        Only a program that said itself that its work is done has done it.
        """
        if context.workplace.folder is not None:  # it may still be at work
            await Started(context.workplace.folder).end(self._graces)
        reader = self._preset.reader()
        for line in (context.workplace.kept or b"").splitlines():
            reader.read_line(line)
        if not reader.finished:
            raise UnknownOutcomeError(
                f"{self._preset.title} was at work when the run ended; what it had done is dropped",
                usage=reader.usage if reader.usage.total else None,
            )
        ended = Ended(0, await context.workplace.changed(), now=self._clock.now())
        try:
            return self._counted(prompt, reader.conclude(ended))
        except SessionLostError as error:
            raise UnknownOutcomeError(str(error)) from error

    def _counted(self, prompt: Prompt, response: AgentResponse) -> AgentResponse:
        """The answer; what nobody counted is guessed from the words, as a least."""
        if response.usage.total:
            return response
        guess = estimated_usage(prompt, response.text, self._profile.model)
        return evolve(response, usage=evolve(guess, at_least=True))


def _over(reader: Reader, workplace: Workplace) -> str:
    """Why it may use no more; dollars are those that it tells, else what its tokens cost."""
    used, most = reader.usage.total, workplace.most_tokens
    if most is not None and used > most:
        return f"stopped at {used:,} tokens: the budget had {most:,} left"
    if workplace.most_dollars is None:
        return ""
    dollars = reader.cost if reader.cost is not None else workplace.dollars(reader.usage)
    if dollars is None or dollars <= workplace.most_dollars:
        return ""
    left = f"${workplace.most_dollars:,.2f}"
    return f"stopped at ${dollars:,.2f}: the budget had {left} left"


def _not_started(program: str, error: OSError) -> ProviderError:
    if error.errno == errno.E2BIG:
        return CallTooLargeError(
            "the prompt is too long for a command line",
            fix="use {prompt_file}, or leave it out: it then goes to the standard input",
        )
    return FatalError(f"{program} cannot be started: {error.strerror or error}")
