"""state.json: the fold of the journal as of one sequence number.

A cache: when in doubt it is thrown away.
"""

import json
from pathlib import Path
from typing import Any

from attrs import frozen

from agent_runner.model.errors import StateMismatchError, StateVersionError
from agent_runner.model.fold import RunInfo, RunState
from agent_runner.model.meters import Amount, Track
from agent_runner.model.record import TaskRecord
from agent_runner.model.spending import Spending
from agent_runner.store.codec import FORMAT, from_plain, to_plain
from agent_runner.store.journal import Place
from agent_runner.store.layout import Layout

_TAIL = 1 << 20
"""How far back from the snapshot's place the record before it is looked for, in bytes."""


@frozen
class Snapshot:
    """A fold and the place in the journal that it stands for."""

    state: RunState
    place: Place


_WINDOWS = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
"""Seconds of the windows whose use stands in `usage`, for people and scripts."""


def render(snapshot: Snapshot, now: float) -> bytes:
    """The snapshot as the bytes of state.json; `usage` is what the last minute, hour, ... used."""
    state = snapshot.state
    content = {
        "format": FORMAT,
        "list": state.list_id,
        "seq": snapshot.place.seq,
        "journal": {"crc": snapshot.place.crc, "offset": snapshot.place.offset},
        "run": to_plain(state.run) if state.run else None,
        "current": state.current,
        "tasks": {task: _task(record) for task, record in state.tasks.items()},
        "usage": _usage(state.spending, now),
        "spending": to_plain(state.spending),
    }
    return json.dumps(content, separators=(",", ":")).encode("ascii") + b"\n"


def load(path: Path, journal: Path) -> Snapshot | None:
    """The snapshot, or None where it is missing, damaged or does not fit the journal.

    Then the journal is folded anew.

    Raises:
        StateMismatchError: it knows more than the journal does.
        StateVersionError: a newer version wrote it.
    """
    try:
        content = json.loads(path.read_bytes())
        version = content["format"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(version, int) or version > FORMAT:
        raise StateVersionError(
            f"{path} was written by a newer version (format {version}); nothing was changed",
            fix="upgrade: pip install -U agent-runner",
        )
    try:
        snapshot = _parse(content)
    except Exception:  # noqa: BLE001  # any damage means the same: fold the journal instead
        return None
    return snapshot if _fits(snapshot.place, path, journal) else None


def list_of(folder: Path) -> str:
    """The id of the list whose state is here, as the snapshot says it; "" if there is none."""
    try:
        name = json.loads(Layout(folder).snapshot.read_bytes())["list"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return name if isinstance(name, str) else ""


def _task(record: TaskRecord) -> dict[str, Any]:
    """What people and scripts look for stands first and always.

    The rest only where it differs from a fresh record.
    """
    always = {
        "state": record.state.value,
        "attempts": record.attempts,
        "failures": record.failures,
        "last_error": record.last_error,
    }
    return {**always, **to_plain(record)}


def _usage(spending: Spending, now: float) -> dict[str, dict[str, dict[str, float]]]:
    return {
        provider: {
            window: _amount(spending.meters.of(provider), now - seconds)
            for window, seconds in _WINDOWS.items()
        }
        for provider in spending.meters.tracks
    }


def _amount(tracks: tuple[Track, ...], start: float) -> dict[str, float]:
    used = sum((track.since(start) for track in tracks), Amount())
    return {"requests": used.requests, "tokens": used.tokens, "cost": used.cost}


def _parse(content: dict[str, Any]) -> Snapshot:
    state = RunState(
        list_id=content["list"],
        seq=content["seq"],
        run=from_plain(content["run"], RunInfo) if content["run"] else None,
        current=content["current"],
        tasks={task: from_plain(plain, TaskRecord) for task, plain in content["tasks"].items()},
        spending=from_plain(content["spending"], Spending),
    )
    journal = content["journal"]
    return Snapshot(state, Place(content["seq"], journal["crc"], journal["offset"]))


def _fits(place: Place, path: Path, journal: Path) -> bool:
    """Whether the journal has, right before the place, the record that the snapshot ends with."""
    if place.seq == 0:
        return place.offset == 0
    size = journal.stat().st_size if journal.exists() else 0
    if size < place.offset:
        raise StateMismatchError(
            f"{path} is ahead of {journal} (record {place.seq} is missing there):"
            " the journal was cut or replaced; nothing was changed",
            fix=f"restore {journal.name} from a backup,"
            " or begin anew with: agent-runner run --fresh",
        )
    with journal.open("rb") as file:
        start = max(0, place.offset - _TAIL)
        file.seek(start)
        before = file.read(place.offset - start)
    return before.endswith(b',"crc":"%s"}\n' % place.crc.encode("ascii"))
