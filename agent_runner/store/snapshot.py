"""state.json: the fold of the journal as of one sequence number.

A cache: when in doubt it is thrown away. `store/outline.py` reads the part that `status` shows.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from attrs import evolve, frozen

from agent_runner.model.errors import StateVersionError
from agent_runner.model.fold import RunInfo, RunState
from agent_runner.model.meters import Amount, Track
from agent_runner.model.record import TaskRecord
from agent_runner.model.spending import Spending
from agent_runner.store.codec import from_plain, to_plain
from agent_runner.store.journal import Position
from agent_runner.store.outline import SNAPSHOT_FORMAT
from agent_runner.store.sealed import read_sealed, sealed

T = TypeVar("T")


@frozen
class Snapshot:
    """A fold, and the position in the journal up to which it is one."""

    state: RunState
    position: Position


_WINDOWS = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
"""Seconds of the windows whose use stands in `usage`, for people and scripts."""


def render_snapshot(snapshot: Snapshot, now: float) -> Iterator[bytes]:
    """The bytes of state.json in pieces; `usage` is what the last minute, hour, ... used.

    Task by task: ten thousand of them as one tree of dicts, or as one text, would take a fifth of
    all memory of a run.
    """
    return sealed(_pieces(snapshot, now))


def _pieces(snapshot: Snapshot, now: float) -> Iterator[bytes]:
    state = snapshot.state
    content = {
        "format": SNAPSHOT_FORMAT,
        "list": state.list_id,
        "seq": snapshot.position.seq,
        "journal": {"crc": snapshot.position.crc, "offset": snapshot.position.offset},
        "run": to_plain(state.run) if state.run else None,
        "current": state.current,
        "usage": _usage(state.spending, now),
    }
    yield _json(content)[:-1]
    yield b',"spending":{"tasks":{'
    yield from _members(state.spending.tasks, to_plain)
    beside = _json(to_plain(evolve(state.spending, tasks={})))[1:-1]
    yield b"}" + (b"," if beside else b"") + beside
    yield b'},"tasks":{'
    yield from _members(state.tasks, _task)
    yield b"}"


def _members(values: Mapping[str, T], plain: Callable[[T], object]) -> Iterator[bytes]:
    for number, (name, value) in enumerate(values.items()):
        yield b"%s%s:%s" % (b"," if number else b"", _json(name), _json(plain(value)))


def load_snapshot(path: Path) -> Snapshot | None:
    """The snapshot, or None where it is missing or damaged.

    Raises:
        StateVersionError: a newer version wrote it.
    """
    content = read_sealed(path)
    if content is None:
        return None
    version = content.get("format")
    if isinstance(version, int) and version > SNAPSHOT_FORMAT:
        raise StateVersionError(
            f"{path} was written by a newer version (format {version}); nothing was changed",
            fix="upgrade: pip install -U agent-runner",
        )
    try:
        return _parse(content)
    except Exception:  # noqa: BLE001  # any damage means the same: fold the journal instead
        return None


def _task(record: TaskRecord) -> dict[str, Any]:
    """What people and scripts look for, first and always; the rest where it is not the default."""
    always = {
        "state": record.state.value,
        "attempts": record.counts.attempts,
        "failures": record.counts.failures,
        "last_error": record.last_error,
    }
    return {**always, **to_plain(record)}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


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
    position = Position(content["seq"], journal["crc"], journal["offset"])
    texts, numbers = (state.list_id, position.crc), (position.seq, position.offset)
    if not all(isinstance(one, str) for one in texts):
        raise TypeError("not a text")
    if not all(isinstance(one, int) for one in numbers):
        raise TypeError("not a number")
    if state.current is not None and state.current not in state.tasks:
        raise ValueError("its task in hand is none of its tasks")
    return Snapshot(state, position)
