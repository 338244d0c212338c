"""One run, from first entry to exit code: signals, keys and screen around the engine's loop."""

import errno
import math
import os
import signal
import sys
import uuid
from pathlib import Path

import anyio
from attrs import define, field, frozen

from agent_runner import __version__
from agent_runner.app.notifications import Notifications
from agent_runner.app.preflight import prepare
from agent_runner.app.project import Project
from agent_runner.app.screens import Screen, ScreenOptions, make_screen
from agent_runner.app.self_check import self_check
from agent_runner.app.session import opened_store
from agent_runner.app.wiring import Choices, Wiring
from agent_runner.engine.control import Control
from agent_runner.engine.endings import EXIT_CODES
from agent_runner.engine.runner import Runner, RunOptions
from agent_runner.engine.schedule import EVERYTHING, Selection
from agent_runner.engine.waiting import Waiter
from agent_runner.ground.clock import Clock
from agent_runner.ground.collector import kept_from_collector
from agent_runner.ground.disk import reason_of
from agent_runner.model import events as e, exit_codes
from agent_runner.model.errors import AgentRunnerError
from agent_runner.model.signals import Observer
from agent_runner.model.states import FINAL
from agent_runner.model.task import Task
from agent_runner.store.store import Store, archive, read_entries, read_state
from agent_runner.ui.output import Output
from agent_runner.ui.summary import commands, findings

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # a terminal that is gone gives EIO

_SIGNALS = {
    signal.SIGINT: ("interrupted", exit_codes.INTERRUPTED),
    signal.SIGTERM: ("interrupted", exit_codes.TERMINATED),
    signal.SIGHUP: ("interrupted", exit_codes.HANGUP),
}


@frozen
class RunRequest:
    """What the command line asks of this run beside the settings; times in seconds."""

    screen: ScreenOptions = field(factory=ScreenOptions)
    fresh: bool = False
    preview: bool = False
    ignore_limits: bool = False
    rerun_changed: bool = False
    wait: bool = False
    wait_max: float | None = None
    record: Path | None = None
    selection: Selection = EVERYTHING


def run(project: Project, request: RunRequest, clock: Clock) -> int:
    """Run the list to its end or a stop; returns the exit code.

    Raises UsageError before anything is spent, StateError if the state cannot be used.
    """
    if request.fresh:
        kept = archive(project.place.state_dir, project=project.tasks.folder, clock=clock)
        if kept is not None:
            Output(sys.stderr).line(f"the old state is kept in {kept}")
    with opened_store(project, clock) as store:
        try:
            code = anyio.run(_Run(project, request, store, clock).main)
        except BaseExceptionGroup as group:
            raise _cause(group) from group
    if project.surroundings.env.get("GITHUB_STEP_SUMMARY"):
        from agent_runner.app.step_summary import add_step_summary  # lazy: seldom wanted

        problem = add_step_summary(project)
        if problem:
            Output(sys.stderr).line(f"warning: {problem}")
    return code


def nothing_to_resume(project: Project, chosen: Selection, *, rerun_changed: bool) -> str:
    """Why `resume` has nothing to do here; "" if it has."""
    state, _ = read_state(project.place.state_dir, project.tasks.id)
    if not state.seq:
        begin = project.place.invocation.command("run")
        return f"no run has started here yet. Start one with: {begin}"
    records = [state.record(task.id) for task in project.tasks.tasks if task.id in chosen]
    unfinished = any(one.state not in FINAL or one.change.uncommitted for one in records)
    if unfinished or rerun_changed:
        return ""
    which = "every task" if chosen.tasks is None else "every task that was chosen"
    return f"{which} has passed or was skipped."


def _cause(group: BaseExceptionGroup) -> BaseException:
    """The error to report of those that tasks side by side ended in: one for the user, if any."""
    errors: list[BaseException] = []
    groups: list[BaseExceptionGroup] = [group]
    while groups:
        for error in groups.pop().exceptions:
            if isinstance(error, BaseExceptionGroup):
                groups.append(error)
            else:
                errors.append(error)
    return next((error for error in errors if isinstance(error, AgentRunnerError)), errors[0])


@define
class _Run:
    """Everything of one run that is not the engine's."""

    project: Project
    request: RunRequest
    store: Store
    clock: Clock
    control: Control = field(factory=Control)
    _screen: Screen = field(init=False)
    _wiring: Wiring = field(init=False)
    _impatient: bool = field(init=False, default=False)
    _interrupts: int = field(init=False, default=0)

    async def main(self) -> int:
        """Build the engine around the open store and let it run."""
        self._screen = make_screen(
            self.project, self.store.state.tasks, self.request.screen, self.clock
        )
        notifications = Notifications(self.project, self.store.state, self.clock)
        choices = Choices(
            self.request.ignore_limits,
            self.request.record,
            self._screen.person.ask_command if self._screen.person else None,
            self._takes_impatience,
            self._screen.preview if self.request.preview else None,
        )
        observers: tuple[Observer, ...] = (
            *self_check(self.project.surroundings.env, self.store),
            self._screen.observers,
            notifications,
            _StopWhenBroken(self._screen, self.control),
        )
        self._wiring = Wiring(self.project, self.store, observers, self.clock, choices)
        chosen, again = self.request.selection, self.request.rerun_changed
        prepare(self.project, self._wiring, chosen, rerun_changed=again)
        try:
            with kept_from_collector():
                return await self._supervised(self._runner(), notifications)
        finally:
            with anyio.CancelScope(shield=True):
                await self._wiring.clients.aclose()
            self._screen.close()

    async def _supervised(self, runner: Runner, notifications: Notifications) -> int:
        screen = self._screen
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch_signals)
            group.start_soon(notifications.deliver)
            group.start_soon(self._stop_in_time)
            if screen.console is not None:
                group.start_soon(screen.console.tick)
                group.start_soon(screen.keyboard.read, self._key)
            stopped = await runner.run(self._started())
            await notifications.finish()
            self._warn(notifications.problems)
            group.cancel_scope.cancel()
        return stopped.exit_code

    async def _stop_in_time(self) -> None:
        """Stop the run as a limit does when its own time is over; the next run has all of it."""
        minutes = self.project.settings.max_minutes_run
        if minutes is not None:
            await self.clock.sleep(minutes * 60)
            over = f"the {minutes:g} minutes of a run are over (max_minutes_run)"
            self.control.stop("limit", EXIT_CODES["limit"], over)

    def _warn(self, problems: list[str]) -> None:
        """Say what went wrong beside the run: notify commands, a report that was not written."""
        texts = [f"notify command for {text}" for text in problems]
        texts += [f"not shown or written: {one}" for one in self._screen.observers.broken]
        for text in texts:
            Output(sys.stderr).line(f"warning: {text}")

    def _started(self) -> e.RunStarted:
        run, list_id = uuid.uuid4().hex[:12], self.project.tasks.id
        ignored = self.request.ignore_limits
        return e.RunStarted(run, os.getpid(), __version__, list_id, ignored)

    def _runner(self) -> Runner:
        settings, wiring = self.project.settings, self._wiring
        longest = None
        if self.request.wait:
            longest = self.request.wait_max if self.request.wait_max is not None else math.inf
        return Runner(
            wiring.core,
            self.project.tasks,
            wiring.steps,
            wiring.recovery,
            self.control,
            Waiter(self.clock, wiring.core.signal, longest, wiring.project.settings.retry.max_wait),
            wiring.trees,
            wiring.commits,
            wiring.reverting,
            RunOptions(
                settings.on_escalation,
                settings.max_escalations_in_row,
                self.project.place.invocation,
                self.request.selection,
            ),
            self._screen.person,
            self._summary,
            self._explain,
        )

    def _summary(self, task: Task) -> tuple[str, ...]:
        """What a person is shown before the question."""
        return findings(
            self.store.state.record(task.id),
            read_entries(self.project.place.state_dir),
            self.project.settings_of(task.id),
            self.project.place.state_dir,
        )

    def _explain(self, task: Task) -> None:
        """The same, and the commands, where nobody can be asked."""
        typed = commands(self.store.state.record(task.id), self.project.place.invocation)
        self._screen.explain((*self._summary(task), "", *typed))

    def _takes_impatience(self) -> bool:
        """Whether a key asked to try the next call now; counts once."""
        impatient, self._impatient = self._impatient, False
        return impatient

    def _key(self, key: str) -> None:
        console = self._screen.console
        match key:
            case "q":
                self.control.stop("quit", exit_codes.INTERRUPTED)
            case "s":
                self.control.skip()
            case "p":
                pausing = self.control.toggle_pause()
                if console:
                    console.show_pausing(pausing=pausing)
            case "r":
                self._impatient = True
                self.control.retry_now()
            case "v" if console:
                console.toggle_verbose()
            case "?" if console:
                console.show_keys()

    async def _watch_signals(self) -> None:
        """Once: stop the step and save.

        Again: kill the hook's group. A third time: leave at once.
        """
        with anyio.open_signal_receiver(*_SIGNALS) as signals:
            async for number in signals:
                reason, code = _SIGNALS[signal.Signals(number)]
                self._interrupts += 1
                if self._interrupts == 1:
                    self.control.stop(reason, code)
                elif self._interrupts == 2:
                    self._wiring.runner.kill_now()
                else:
                    self._screen.close()
                    os._exit(code)  # everything appended so far is in the journal


@define
class _StopWhenBroken:
    """An observer: nobody reads our output any more, or it cannot be written: stop and save."""

    screen: Screen
    control: Control

    def entry(self, *_entry: object) -> None:
        broken = self.screen.output.broken
        if isinstance(broken, OSError) and broken.errno in _FULL:
            why = f"the output: {reason_of(broken)}"
            self.control.stop("interrupted", exit_codes.OUTPUT_LOST, why)
        elif broken is not None:
            self.control.stop("interrupted", exit_codes.BROKEN_PIPE)

    def signal(self, _signal: object) -> None:
        self.entry()
