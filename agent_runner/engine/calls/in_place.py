"""Where an agent works that changes files itself: in a copy, of which only what differs comes back.

The copy is made before the start of the call is journaled: an agent that cannot be given one is
never asked. What it left is kept among the blobs before its answer is: the answer names it.
"""

import hashlib
import json
import shlex
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
from attrs import define, evolve, frozen

from agent_runner.engine.calls.clients import Provider
from agent_runner.engine.calls.confining import Cell
from agent_runner.engine.trees import Trees
from agent_runner.engine.work import Work
from agent_runner.ground.globs import Globs
from agent_runner.ground.redaction import Redactor
from agent_runner.hooks.confining import Confining
from agent_runner.limits.limit import caps_in
from agent_runner.limits.room import Need
from agent_runner.model.agent import AgentResponse, WrittenFile
from agent_runner.model.errors import (
    AuthError,
    BudgetError,
    ProviderError,
    RateLimitedError,
    TransientError,
)
from agent_runner.model.meters import NANO, Amount
from agent_runner.model.settings import Settings
from agent_runner.model.signals import Said
from agent_runner.model.spending import Spending, Total
from agent_runner.model.usage import Usage
from agent_runner.providers.client import Outfit, Workplace
from agent_runner.providers.commands.preset import STEERING
from agent_runner.sandbox.probe import overlays
from agent_runner.store.blobs import Blobs
from agent_runner.workspace.workshop import Left, Workshop, paused_at

_STEERS = "it steers agents' commands, so it stays as it is (`may_change` would allow it)"
_KEY = "it would write a key into a file"

_SLOW = 3.0
"""Seconds of preparing a copy from which on that is said."""

_MOST_NAMED = 4
"""Paths that a note names; the rest is counted."""


@frozen
class WorkingCopy:
    """One call's place: the copy, and what is allowed and known there."""

    workshop: Workshop
    workplace: Workplace
    tree: str
    """The snapshot of the user's own files when the copy was made; "" where nobody looked."""


@define
class InPlace:
    """Gives agents their copies, and takes what they left.

    Attributes:
        spending: What the journal knows of past calls, as of now.
        confining: What confines commands here.
    """

    trees: Trees
    blobs: Blobs
    redactor: Redactor
    spending: Callable[[], Spending]
    confining: Confining

    @asynccontextmanager
    async def copy_for(
        self, work: Work, provider: Provider, call: str, need: Need | None = None
    ) -> AsyncIterator[WorkingCopy | None]:
        """The place for one call; None for an agent that needs none.

        `need`: None to take the place as a killed runner left it, if there is one.

        Raises UsageError (another process works there) and StorageError, before anything is spent.
        """
        agent = provider.client.capabilities
        if not agent.in_copy:
            yield None
            return
        outfit, overlays = agent.outfit, None
        if need is not None:
            overlays = await anyio.to_thread.run_sync(self._overlays, work, outfit)
        workshop = self.trees.workshop(
            work.task, outfit.taken_out, outfit.leavings, overlays=overlays
        )
        await anyio.to_thread.run_sync(workshop.__enter__)
        try:
            if need is None:
                found = await anyio.to_thread.run_sync(workshop.find, call)
                yield WorkingCopy(workshop, self._workplace(work, workshop), "") if found else None
                return
            session = await anyio.to_thread.run_sync(self._went_on, work, provider, workshop, call)
            if not session:
                began = anyio.current_time()
                await anyio.to_thread.run_sync(workshop.fill, call)
                self._say_slow(work, anyio.current_time() - began, overlays=bool(overlays))
                session = self._session(work, provider)
            self._say_guess(work, provider, need)
            cell = Cell(self.confining, outfit, work.task, workshop)
            holds = await anyio.to_thread.run_sync(lambda: cell.holds)
            tree = "" if holds else (await self.trees.last(work.task)).id
            workplace = self._workplace(work, workshop, session, need)
            workplace = evolve(workplace, dollars=self._pricing(provider))
            yield WorkingCopy(workshop, evolve(workplace, confine=cell.start), tree)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(workshop.__exit__, None, None, None)

    async def taken(self, work: Work, copy: WorkingCopy, response: AgentResponse) -> AgentResponse:
        """The answer with what the agent left, whose contents are kept."""
        left = await anyio.to_thread.run_sync(copy.workshop.left)
        allowed = Globs((*work.settings.apply.may_change, *work.task.may_change))
        files = tuple(self._kept(one, allowed) for one in left)
        notes = (*response.notes, *await self._outside(work, copy))
        return evolve(response, edits=(), files=files, notes=notes)

    async def pause(self, copy: WorkingCopy, provider: Provider, error: ProviderError) -> None:
        """Keep the copy of a call that a limit, an overload or the like ended in the middle.

        Where the agent can go on in its session with what it had changed, its next call does.
        """
        passes = isinstance(error, RateLimitedError | TransientError | AuthError | BudgetError)
        if error.session and passes:
            by = {**_agent(provider), "session": error.session}
            await anyio.to_thread.run_sync(copy.workshop.pause, by)

    def remember(self, work: Work, provider: Provider, response: AgentResponse) -> None:
        """Keep the name of the agent's session, durable with its answer."""
        session = response.service.get("session")
        if isinstance(session, str):
            kept = {**_agent(provider), "session": session}
            self.blobs.write(_session_of(work), json.dumps(kept).encode())

    def _workplace(
        self,
        work: Work,
        workshop: Workshop,
        session: str = "",
        need: Need | None = None,
    ) -> Workplace:
        async def changed() -> tuple[str, ...]:
            return await anyio.to_thread.run_sync(workshop.changed)

        workplace = Workplace(workshop.folder, changed)
        if need is None:
            return workplace
        dollars = self._left(work, "cost", need.amount)
        return evolve(
            workplace,
            session=session,
            commands=_commands(work),
            most_tokens=self._left(work, "tokens", need.amount),
            most_dollars=None if dollars is None else dollars / NANO,
        )

    def _overlays(self, work: Work, outfit: Outfit) -> bool:
        """Whether the agent can work over an overlay; finds out what confines here, and waits."""
        if outfit.sandbox == "off" or not self.confining.sandbox.tier.overlays:
            return False
        return overlays(self.confining.sandbox, work.task.root, self.trees.copies)

    @staticmethod
    def _say_slow(work: Work, seconds: float, *, overlays: bool) -> None:
        """Say what made a call wait, and what would spare it."""
        if seconds >= _SLOW:
            fix = "" if overlays else "; with bubblewrap 0.11 nothing is copied, where it confines"
            words = f"it took {seconds:.0f} s to give the agent its files{fix}"
            work.signal(Said(work.task.id, words))

    def _went_on(self, work: Work, provider: Provider, workshop: Workshop, call: str) -> str:
        """The session that goes on in the copy as a limit left it; "" where it is to be filled."""
        paused = dict(paused_at(workshop.workplace.place))
        session = paused.pop("session", "")
        if not session or paused != _agent(provider):
            return ""
        if workshop.go_on(call):
            words = f"{provider.name} goes on in its session, with what it had changed so far"
            work.signal(Said(work.task.id, words))
            return session
        words = f"files were changed since {provider.name} was interrupted: it begins anew"
        work.signal(Said(work.task.id, words, "warning"))
        return ""

    def _say_guess(self, work: Work, provider: Provider, need: Need) -> None:
        """Say that a limit is compared with a mere guess: nothing is known of its calls yet."""
        limited = provider.name in work.settings.rate_limits or any(caps_in(work.settings.budget))
        if limited and not self.spending().recent.get(provider.name):
            words = f"{provider.name}: {need.tokens:,} tokens are reserved, a first guess"
            work.signal(Said(work.task.id, words))

    def _session(self, work: Work, provider: Provider) -> str:
        """The session that the task's last answer came from, if the same agent is asked again."""
        content = self.blobs.read(_session_of(work)) if work.record.counts.calls_answered else None
        if content is None:
            return ""
        try:
            kept = json.loads(content)
            same = (kept["provider"], kept["model"]) == (provider.name, provider.model)
            return str(kept["session"]) if same else ""
        except (ValueError, KeyError, TypeError):
            return ""

    def _left(self, work: Work, measure: str, reserved: Amount) -> int | None:
        """What the budgets leave of a measure, and at least what is reserved for this very call."""
        spending = self.spending()
        totals = {"run": spending.run_total, "task": spending.tasks.get(work.task.id) or Total()}
        left = [
            max(cap.most - cap.of(totals[cap.scope].amount), cap.of(reserved))
            for cap in caps_in(work.settings.budget)
            if cap.measure == measure
        ]
        return min(left) if left else None

    def _pricing(self, provider: Provider) -> Callable[[Usage], float | None]:
        """What tokens cost: by the price of the model, else as they did until now."""
        total = self.spending().models.get(provider.name, {}).get(provider.model)
        known = total is not None and total.tokens and total.nanodollars
        each = total.nanodollars / NANO / total.tokens if total is not None and known else None

        def dollars(usage: Usage) -> float | None:
            if provider.price is not None:
                return provider.cost(usage)
            return None if each is None else each * usage.total

        return dollars

    def _kept(self, left: Left, allowed: Globs) -> WrittenFile:
        odd = left.odd
        if not allowed.covers(left.path) and STEERING.intersection(left.path.casefold().split("/")):
            odd = _STEERS
        if left.content is None:
            return WrittenFile(left.path, left.base, None, odd=odd)
        if self.redactor.exact_raw(left.content) != left.content:
            sha256 = hashlib.sha256(left.content).hexdigest()
            return WrittenFile(left.path, left.base, sha256, odd=odd or _KEY)
        return WrittenFile(left.path, left.base, self.blobs.put(left.content), left.executable, odd)

    async def _outside(self, work: Work, copy: WorkingCopy) -> tuple[str, ...]:
        """A note on what was changed in the user's own files meanwhile; nothing keeps it from that.

        Where it is confined, or in folders that nobody looks at, there is nothing to find.
        """
        if not copy.tree:
            return ()
        self.trees.expire()
        changed = await self.trees.changed_since(work.task, copy.tree)
        if not changed:
            return ()
        named = ", ".join(changed[:_MOST_NAMED])
        more = f" and {len(changed) - _MOST_NAMED} more" if len(changed) > _MOST_NAMED else ""
        return (f"changed outside of its copy while it worked, by it or by you: {named}{more}",)


def _commands(work: Work) -> tuple[str, ...]:
    """What the agent may run: the commands that judge its work, so that it can see for itself."""
    hooks: Settings = work.settings
    found = (hooks.hooks[name].command for name in work.task.post_hooks)
    return tuple(one if isinstance(one, str) else shlex.join(one) for one in found)


def _agent(provider: Provider) -> dict[str, str]:
    return {"provider": provider.name, "model": provider.model}


def _session_of(work: Work) -> str:
    return f"{work.task.id}/session"
