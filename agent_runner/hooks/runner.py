"""Runs one hook or proposed command: conditions, tries, log and result."""

import contextlib
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from attrs import define, evolve, field, frozen

from agent_runner.ground.clock import Clock, iso
from agent_runner.ground.globs import Globs
from agent_runner.ground.processes import ProcessTable, this_machine
from agent_runner.ground.redaction import Redactor
from agent_runner.ground.timings import part
from agent_runner.hooks import ending as endings
from agent_runner.hooks.child import Child
from agent_runner.hooks.confining import Confining, StandIn, start_of, why_not_confined
from agent_runner.hooks.ending import Ending
from agent_runner.hooks.excerpt import excerpt
from agent_runner.hooks.log import HookLog
from agent_runner.hooks.missing import absent_program, said_missing
from agent_runner.hooks.session import Graces, ServicePipes
from agent_runner.hooks.starting import start_held_command
from agent_runner.hooks.verdict import FailureReader, failure_reader
from agent_runner.hooks.watch import WatchFactory, watch_exit
from agent_runner.model.errors import StorageError, UsageError
from agent_runner.model.hooks import Hook, HookOutcome, HookResult, Phase, SandboxRule
from agent_runner.model.task import Task

_RED = frozenset({HookOutcome.FAILED, HookOutcome.TIMED_OUT})
"""Outcomes that are tried again, judged, and may be allowed; what cannot start is none of them."""

_MOST_LEFT = 20  # pids of left processes that are kept in a result


@frozen
class _Order:
    """One hook with all that its tries need."""

    hook: Hook
    phase: Phase
    task: Task
    attempt: int
    cwd: Path
    env: Mapping[str, str]
    log_name: str
    on_start: Callable[[int, str], None]
    on_output: Callable[[bytes], None]
    on_long: Callable[[], None]
    stand_in: StandIn | None


@define(eq=False)
class HookRunner:
    """Runs hooks one after another.

    `state_dir`: the logs go below it. `environment`: what hooks are given, but for the variables
    named in `key_names`. `redactor` takes known secrets out of everything that is logged or shown.
    `confining` makes the sandboxes of hooks that want one; without it, those are not run.
    """

    clock: Clock
    state_dir: Path
    environment: Mapping[str, str]
    key_names: Collection[str] = ()
    redactor: Redactor = field(factory=Redactor)
    watch: WatchFactory = watch_exit
    table: ProcessTable = field(factory=this_machine)
    graces: Graces = field(factory=Graces)
    confining: Confining | None = None
    _live: set[Child] = field(factory=set, init=False)
    _inherited: dict[bool, dict[str, str]] = field(factory=dict, init=False)
    _service_pipes: ServicePipes = field(factory=ServicePipes, init=False)

    async def run(  # noqa: PLR0913 - each is another fact of the run, given by name
        self,
        hook: Hook,
        *,
        phase: Phase,
        task: Task,
        attempt: int,
        run_id: str,
        changed: Callable[[], Collection[str]],
        on_start: Callable[[int, str], None],
        on_output: Callable[[bytes], None],
        on_long: Callable[[], None] = lambda: None,
        log_name: str = "",
        stand_in: StandIn | None = None,
    ) -> HookResult:
        """Run `hook` in the task's folder until it ends, is timed out, or we are cancelled.

        `changed` tells the paths changed since the task began, relative to its root, and is asked
        only if the hook wants to know. `on_start` gets the pid and start time of each try,
        `on_output` each piece of its output (at most 64 KiB), keys taken out. `on_long` is called
        once for a try that takes long and has no time-out. The log is
        `logs/TASK/LOG_NAME.log`, by default named after the phase; a command that a reply proposes
        is a `Hook` made on the spot with a log of its own. Where there is a `stand_in`, the hook
        runs in a sandbox in which that is the task's folder, and touches nothing.

        A red hook is run again up to `hook.retries` times; the result is the last try's, with
        `flaky` the number of red ones before a green one. Exit codes 126 and 127, a missing folder
        or program are BROKEN: neither tried again nor allowed, as they say nothing of the code. Nor
        is one whose output says the same (`missing`); for a judge that is no success either.
        What a pre-hook that passed leaves running stays (`left_running`: it may be a service
        for the tasks); whatever else is left is ended, or a judge's server would meet the next one.

        When cancelled, or when a callback or the log fails (StorageError: the disk refuses), the
        whole session is ended first and there is no result.
        """
        if hook.when.changed and not Globs(hook.when.changed).covered(changed()):
            reason = "no file that it watches has changed"
            return HookResult(hook.id, HookOutcome.SKIPPED, reason=reason)
        ours = {
            "AGENT_RUNNER_TASK": task.id,
            "AGENT_RUNNER_ATTEMPT": str(attempt),
            "AGENT_RUNNER_RUN_ID": run_id,
        }
        order = _Order(
            hook,
            phase,
            task,
            attempt,
            cwd=task.root / (hook.cwd or "."),
            env={**self.inherited(keys=hook.pass_keys), **hook.env, **ours},
            log_name=f"logs/{task.id}/{log_name or phase.value}.log",
            on_start=on_start,
            on_output=on_output,
            on_long=on_long,
            stand_in=stand_in,
        )
        with HookLog.open(self.state_dir, order.log_name) as log, part(f"hook {hook.id}"):
            result = await self._tries(order, log)
        if hook.allow_failure and result.outcome in _RED and not result.missing:
            return evolve(result, outcome=HookOutcome.ALLOWED)
        return result

    def absent_program(self, hook: Hook) -> str:
        """The program that the hook would start and that is nowhere on its PATH; "" if it is."""
        return absent_program(hook.command, {**self.inherited(keys=hook.pass_keys), **hook.env})

    def kill_now(self) -> None:
        """SIGKILL what runs: the second Ctrl+C, cutting the grace of a `run` that was cancelled."""
        for child in self._live:
            child.kill()

    def close(self) -> None:
        """Let go of the output of services that pre-hooks left. Call it in the loop of the run."""
        self._service_pipes.close()

    def inherited(self, *, keys: bool = False) -> dict[str, str]:
        """What a program of the user's sees of our own environment: everything but provider keys.

        Keys that are configured as `AGENT_RUNNER_..._API_KEY` are among them without being named.
        """
        if keys not in self._inherited:
            hidden = set() if keys else set(self.key_names)

            def is_key(name: str) -> bool:
                ours = name.startswith("AGENT_RUNNER_") and name.endswith("API_KEY")
                return name in hidden or (ours and not keys)

            given = self.environment.items()
            self._inherited[keys] = {name: value for name, value in given if not is_key(name)}
        return dict(self._inherited[keys])

    async def _tries(self, order: _Order, log: HookLog) -> HookResult:
        result = await self._try(order, log, 1)
        for number in range(2, order.hook.retries + 2):
            if result.outcome not in _RED or result.missing:
                break
            result = await self._try(order, log, number)
            if result.outcome is HookOutcome.PASSED:
                return evolve(result, flaky=number - 1)
        return result

    async def _try(self, order: _Order, log: HookLog, number: int) -> HookResult:
        """One try, logged from header to trailer, and judged if it is red."""
        log.begin(self.redactor.text(_header(order, number, self.clock.now())))
        started_at = self.clock.monotonic()
        started = self._started(order)
        if isinstance(started, Ending):
            log.finish(_trailer(started, 0.0))
            return _result(order, log, started)
        child, judge = started
        self._live.add(child)
        try:
            ending = await self._followed(order, log, child)
            outlived, left = self._outlived(order, child, ending)
        except BaseException:
            await child.close()  # before the trailer, so that its last output stands above that
            with contextlib.suppress(StorageError):  # the first problem is the one to tell
                log.finish(f"=== stopped after {self.clock.monotonic() - started_at:.2f} s\n")
            raise
        finally:
            await child.close()
            self._live.discard(child)
        seconds = self.clock.monotonic() - started_at
        unconfined = why_not_confined(order.hook, ending.exit_code, log)
        if unconfined:
            ending = endings.broken(unconfined)
        ending, missing = said_missing(order.phase, ending, log)
        log.finish(_trailer(ending, seconds, outlived))
        result = evolve(
            _result(order, log, ending), seconds=seconds, left_running=left, missing=missing
        )
        if ending.outcome not in _RED:
            return result
        verdict = await judge.read(log, ending.reason)
        return evolve(result, failing=verdict.failing, fingerprint=verdict.fingerprint)

    def _started(self, order: _Order) -> tuple[Child, FailureReader] | Ending:
        """The running command and how to judge it; or why it cannot start."""
        hook = order.hook
        if not order.cwd.is_dir():
            return endings.broken(f"there is no folder {order.cwd}")
        try:
            judge = failure_reader(
                hook.failures,
                root=order.task.root,
                cwd=order.cwd,
                env=order.env,
            )
            root, cwd, env = order.task.root, order.cwd, order.env
            start = start_of(hook, self.confining, order.stand_in, root=root, cwd=cwd, env=env)
            child = start_held_command(
                start.command,
                cwd=start.cwd,
                env=start.env,
                watch=self.watch,
                graces=self.graces,
                table=self.table,
            )
        except (re.error, OverflowError, RecursionError) as error:
            return endings.broken(f"failures.regex is not a regular expression: {error}")
        except UsageError as error:
            return endings.broken(f"{error}; {error.fix}")
        except OSError as error:
            return endings.broken(f"cannot start {error.filename or hook.shown}: {error.strerror}")
        except ValueError as error:  # a NUL in a word, or a "=" in a variable's name
            return endings.broken(f"cannot start {hook.shown}: {error}")
        return child, judge

    async def _followed(self, order: _Order, log: HookLog, child: Child) -> Ending:
        """Log and show its output until it has ended."""
        clean = self.redactor.stream(shapes=True)

        def take(piece: bytes) -> None:
            log.write(piece)
            if piece:
                order.on_output(piece)

        # the journal knows of the process before its command begins: had we died in between, nobody
        # could find and end what it started
        order.on_start(child.pid, self.table.start_time(child.pid))
        child.release()
        timeout = order.hook.timeout
        timed_out = await child.follow(
            lambda piece: take(clean.feed(piece)), timeout=timeout, on_long=order.on_long
        )
        take(clean.end())
        if timed_out and timeout is not None:
            return endings.timed_out(timeout)
        return endings.exited(child.exit_code)

    def _outlived(self, order: _Order, child: Child, ending: Ending) -> tuple[str, tuple[int, ...]]:
        """What outlives the command, as words for the log, and the pids of those that are spared.

        Those that are not are ended when the child is closed.
        """
        if order.hook.sandbox is SandboxRule.AUTO:
            return "", ()  # all that is left of it is on the point of being ended
        pids = child.survivors()[:_MOST_LEFT]
        if not pids:
            return "", ()
        if order.phase is not Phase.PRE or ending.outcome is not HookOutcome.PASSED:
            return f", ended what it left running: {_listed(pids)}", ()
        output = child.leave_running()
        if output is not None:
            self._service_pipes.adopt(output)
        return f", left running: {_listed(pids)}", pids


def _result(order: _Order, log: HookLog, ending: Ending) -> HookResult:
    return HookResult(
        order.hook.id,
        ending.outcome,
        exit_code=ending.exit_code,
        excerpt=excerpt(log.read, log.length, closing=ending.reason),
        log=order.log_name,
        offset=log.offset,
        length=log.length,
        reason=ending.reason,
    )


def _header(order: _Order, number: int, now: float) -> str:
    again = f", try {number}" if number > 1 else ""
    what = f"=== hook {order.hook.id}, attempt {order.attempt}{again}, {iso(now)}\n"
    return what + "".join(f"=== $ {line}\n" for line in order.hook.shown.splitlines() or [""])


def _trailer(ending: Ending, seconds: float, outlived: str = "") -> str:
    how = ending.reason or f"exit code {ending.exit_code}"
    return f"=== {how} after {seconds:.2f} s{outlived}\n"


def _listed(pids: tuple[int, ...]) -> str:
    return ", ".join(map(str, pids))
