"""What is known of a list, read without changing anything: for `status` and `usage`.

While the list is the one of the last run, and the snapshot is as new as the journal, this reads two
JSON files. Else it reads YAML and folds the journal, and takes some ten times as long; imports that
only that way needs stand in the functions.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_runner.app.list_cache import cached_list
from agent_runner.app.place import Place, Surroundings, find, invocation_of, project_folder
from agent_runner.ground.clock import SystemClock, local, show_times_in
from agent_runner.ground.timings import part
from agent_runner.model.standing import ListOutline, StateOutline, TaskOutline
from agent_runner.store.layout import FOLDER, Layout
from agent_runner.store.outline import read_outline
from agent_runner.ui.status import status_object as tasks_object
from agent_runner.ui.tables import TextTable, counter_lines, status_table
from agent_runner.ui.tally import Tally

if TYPE_CHECKING:
    from datetime import tzinfo

    from agent_runner.limits.report import Counter
    from agent_runner.model.events import SetAside
    from agent_runner.model.fold import RunState
    from agent_runner.model.settings import Settings
    from agent_runner.model.spending import Spending
    from agent_runner.model.task import TaskList

Part = str | TextTable
"""What is shown: a line, or a table that is fitted to the screen."""


class KnownList(NamedTuple):
    """The task list and what its limits are.

    Attributes:
        place: Where list and state lie.
        tasks: The list, or its outline.
        settings: The configuration; None if it has neither limits nor a time zone.
        home: The user's home folder, where the shared ledger lies.
    """

    place: Place
    tasks: "TaskList | ListOutline"
    settings: "Settings | None"
    home: Path

    @property
    def zone(self) -> "tzinfo | None":
        """The time zone of the limits, and of all times shown; None: the machine's."""
        if self.settings is None:
            return None
        from agent_runner.limits.windows import zone_of

        return zone_of(self.settings.limits)


class Overview(NamedTuple):
    """A list and its state as they are now.

    Attributes:
        known: The list.
        state: The fold of the journal, or its outline.
        warnings: What was odd about the journal but did not hinder reading it.
    """

    known: KnownList
    state: "RunState | StateOutline"
    warnings: tuple[str, ...] = ()

    @property
    def tally(self) -> Tally:
        """The tasks with their records."""
        place, tasks = self.known.place, self.known.tasks
        tally = Tally(tasks, self.state.tasks, self.known.zone, place.invocation)
        tally.run_is_on = self.run_is_on
        return tally

    @property
    def run_is_on(self) -> bool:
        """Whether the last run is still at work; one that was killed has no last word, but no lock.

        Looked at anew each time.
        """
        run = self.state.run
        if run is None or run.stopped is not None:
            return False
        from agent_runner.store.holder import is_held_by

        return is_held_by(Layout(self.known.place.state_dir), run.started.pid)

    @property
    def set_aside(self) -> "tuple[SetAside, ...]":
        """Providers that are not asked for now; there are none where an outline was enough."""
        state = self.state
        return () if isinstance(state, StateOutline) else (*state.spending.set_aside.values(),)

    @property
    def spending(self) -> "Spending":
        """What was used."""
        from agent_runner.model.spending import Spending
        from agent_runner.store.codec import from_plain

        state = self.state
        if isinstance(state, StateOutline):
            return from_plain(state.spending, Spending)
        return state.spending

    @property
    def counters(self) -> "list[Counter]":
        """How full the limits are, configured and reported ones."""
        state, settings = self.state, self.known.settings
        reported = not isinstance(state, StateOutline) or state.spending.get("reported")
        if settings is None and not reported:
            return []
        from agent_runner.app.sharing import gate_of
        from agent_runner.limits.report import counters
        from agent_runner.model.settings import Settings

        clock, settings = SystemClock(), settings or Settings()
        gate = gate_of(settings, self.known.place.state_dir, self.known.home, clock)
        others = gate.others() if settings.rate_limits else None
        return counters(self.spending, settings, clock.now(), others)


def read(tasks: Path | None, state_dir: Path | None, here: Surroundings) -> Overview:
    """Read list and state, also while a run is going on.

    Raises:
        UsageError: there is no such list, or list or configuration have mistakes.
        StateError: the state cannot be read.
    """
    return of_list(read_list(tasks, state_dir, here))


def read_list(tasks: Path | None, state_dir: Path | None, here: Surroundings) -> KnownList:
    """Find the list and read it. Raises UsageError as `read` does."""
    place = find(tasks, state_dir, here)
    with part("load"):
        cached = cached_list(place, here)
    if cached is not None:
        known = KnownList(place, *cached, here.home)
        show_times_in(known.zone)
        return known
    from agent_runner.app.project import load

    project = load(place, here)
    return KnownList(place, project.tasks, project.settings, here.home)


def of_list(known: KnownList) -> Overview:
    """The list with its state. Raises StateError if the state cannot be read."""
    with part("state"):
        outline = read_outline(known.place.state_dir)
    if outline is not None and outline.list_id in {"", known.tasks.id}:
        return Overview(known, outline)
    from agent_runner.store.store import read_state

    state, warnings = read_state(known.place.state_dir, known.tasks.id)
    return Overview(known, state, warnings)


def without_list(tasks: Path | None, state_dir: Path | None, here: Surroundings) -> Overview:
    """What the state knows of its tasks where the list or the configuration cannot be read."""
    from agent_runner.store.store import read_state

    beside = here.cwd / tasks.parent if tasks else project_folder(here)
    folder = here.cwd / state_dir if state_dir else beside / FOLDER
    state, _ = read_state(folder)
    title = "(the list cannot be read)"
    known = tuple(
        TaskOutline(name, title, (), record.definition) for name, record in state.tasks.items()
    )
    place = Place(Path(), folder, invocation_of(tasks, state_dir, here.entered))
    return Overview(KnownList(place, ListOutline(state.list_id, known), None, here.home), state)


def known_object(view: Overview, wanted: frozenset[str] = frozenset()) -> dict[str, Any]:
    """What `status --json` prints where the list cannot be read."""
    return tasks_object(view.tally, view.state, view.set_aside, wanted)


def status_object(view: Overview, wanted: frozenset[str] = frozenset()) -> dict[str, Any]:
    """What `status --json` prints (docs/json.md). `wanted`: as `Tally.in_words` takes them."""
    return {**known_object(view, wanted), "limits": _counter_objects(view)}


def status_parts(view: Overview, wanted: frozenset[str] = frozenset()) -> Iterator[Part]:
    """Every task, or those in a `wanted` state; the sums, the limits, and what to do next."""
    tally, run = view.tally, view.state.run
    yield status_table(tally, wanted)
    yield tally.closing_line()
    yield from tally.lost_calls()
    yield from tally.not_committed()
    yield from counter_lines(view.counters, view.known.zone)
    if view.set_aside:
        from agent_runner.ui.outcomes import set_aside_words

        now = SystemClock().now()
        yield from (set_aside_words(one) for one in view.set_aside if one.until > now)
    if run is None:
        return
    if run.stopped is not None:
        yield from tally.next_steps(run.stopped)
        return
    since = local(run.started_at, seconds=True)
    if tally.run_is_on:
        yield f"A run is on: process {run.started.pid}, since {since}"
    else:
        resume = tally.command("resume")
        yield f"The run of {since} (process {run.started.pid}) was killed. Continue with `{resume}`"


def usage_object(view: Overview, by: str) -> dict[str, Any]:
    """What `usage --json` prints (docs/json.md)."""
    import attrs

    from agent_runner.limits.report import By, usage_rows, usage_total

    spending = view.spending
    return {
        "by": by,
        "rows": [attrs.asdict(row) for row in usage_rows(spending, By(by))],
        "total": attrs.asdict(usage_total(spending)),
        "limits": _counter_objects(view),
    }


def usage_parts(view: Overview, by: str) -> Iterator[Part]:
    """What was used by task, model or day, and how full the limits are."""
    from agent_runner.limits.report import By, usage_rows, usage_total
    from agent_runner.ui.tables import MORE, usage_table

    spending = view.spending
    total = usage_total(spending)
    yield usage_table(by, [*usage_rows(spending, By(by)), total])
    if total.at_least:
        yield f"{MORE} at least: an agent did not report all of its tokens"
    if total.cost:
        yield _on_prices(SystemClock().now())
    yield from counter_lines(view.counters, view.known.zone)


def _on_prices(now: float) -> str:
    """By which prices costs are counted, and that these are old, where they are."""
    from datetime import UTC, datetime

    from agent_runner.model.usage import LIST_PRICES_OF, LIST_PRICES_OLD_AFTER

    age = datetime.fromtimestamp(now, UTC).date() - datetime.fromisoformat(LIST_PRICES_OF).date()
    exact = "about right: " if age.days > LIST_PRICES_OLD_AFTER else ""
    return f"Costs are {exact}by your prices, else by the vendors' list prices of {LIST_PRICES_OF}"


def _counter_objects(view: Overview) -> list[dict[str, Any]]:
    counters = view.counters
    if not counters:
        return []
    import attrs

    return [attrs.asdict(counter) for counter in counters]
