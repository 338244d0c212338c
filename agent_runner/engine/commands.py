"""Commands that a reply proposes: run only as the user allows, one by one, journaled like hooks."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from attrs import frozen

from agent_runner.engine.hooks import failure_text
from agent_runner.engine.work import Work
from agent_runner.hooks.allowed import is_allowed
from agent_runner.hooks.runner import HookRunner
from agent_runner.model.events import CommandFinished, CommandStarted, HookStarted
from agent_runner.model.hooks import Hook, Phase
from agent_runner.model.settings import ApplySettings, CommandsRule
from agent_runner.model.signals import HookOutput

Ask: TypeAlias = Callable[[str], Awaitable[bool]]
"""Asks the person about one command; whether it may run."""


@frozen
class CommandsOutcome:
    """What came of a reply's commands.

    Attributes:
        failure: What the agent reads about the one that failed, "" if none did.
        declined: Those that were not run because the user did not allow them.
    """

    failure: str = ""
    declined: tuple[str, ...] = ()


@frozen
class Commands:
    """Runs proposed commands in order, after the files are changed.

    `ask` is None where there is nobody to ask.
    """

    settings: ApplySettings
    runner: HookRunner
    ask: Ask | None

    async def run(self, work: Work, commands: tuple[str, ...]) -> CommandsOutcome:
        """Run what is allowed and not yet done, up to the first that fails."""
        declined: list[str] = []
        for number, command in enumerate(commands, start=1):
            if number <= work.record.change.commands_done:
                continue
            if not await self._may_run(command):
                declined.append(command)
                continue
            failure = await self._run_one(work, number, command)
            if failure:
                return CommandsOutcome(failure, tuple(declined))
        return CommandsOutcome(declined=tuple(declined))

    async def _may_run(self, command: str) -> bool:
        match rule_of(self.settings, can_ask=self.ask is not None):
            case CommandsRule.ALLOW:
                return is_allowed(command, self.settings.allow)
            case CommandsRule.ASK:
                return self.ask is not None and await self.ask(command)
            case CommandsRule.NEVER:
                return False

    async def _run_one(self, work: Work, number: int, command: str) -> str:
        hook = Hook(
            id=f"command-{number}",
            command=command,
            timeout=self.settings.command_timeout,
            sandbox=self.settings.sandbox,
            network=self.settings.network,
        )
        work.journal(CommandStarted(command, number))
        result = await self.runner.run(
            hook,
            phase=Phase.POST,
            task=work.task,
            attempt=work.record.counts.attempts,
            run_id=work.run,
            changed=tuple,
            on_start=lambda pid, start: work.journal(
                HookStarted(Phase.POST, hook.id, pid, start, work.run)
            ),
            on_output=lambda chunk: work.signal(HookOutput(work.task.id, hook.id, chunk)),
            log_name="commands",
        )
        work.journal(CommandFinished(number, result))
        return "" if result.green else failure_text(hook, result)


def rule_of(settings: ApplySettings, *, can_ask: bool) -> CommandsRule:
    """What holds: what the settings say, else asking where there is somebody to ask."""
    chosen = settings.commands or CommandsRule.ASK
    return CommandsRule.NEVER if chosen is CommandsRule.ASK and not can_ask else chosen
