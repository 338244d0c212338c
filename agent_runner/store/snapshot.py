"""state.json: the fold of the journal as of one sequence number.

A cache: when in doubt it is thrown away. Its last member is a CRC-32 over all bytes before it,
since most flipped bits leave good JSON: a passed task read as pending would be paid for again.
"""

import json
import zlib
from pathlib import Path
from typing import Any

from attrs import frozen

from agent_runner.model.errors import StateVersionError
from agent_runner.model.fold import RunInfo, RunState
from agent_runner.model.meters import Amount, Track
from agent_runner.model.record import TaskRecord
from agent_runner.model.spending import Spending
from agent_runner.store.codec import MAX_RECORD, from_plain, to_plain
from agent_runner.store.journal import Position
from agent_runner.store.layout import Layout

FORMAT = 2
"""Version of state.json. A newer one is refused; an older one is folded anew from the journal.

1: records of one level, without a checksum.
"""

_TAIL = len(',"crc":"00000000"}\n')


@frozen
class Snapshot:
    """A fold, and the position in the journal up to which it is one."""

    state: RunState
    position: Position


_WINDOWS = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
"""Seconds of the windows whose use stands in `usage`, for people and scripts."""


def render_snapshot(snapshot: Snapshot, now: float) -> bytes:
    """The snapshot as the bytes of state.json; `usage` is what the last minute, hour, ... used."""
    state = snapshot.state
    content = {
        "format": FORMAT,
        "list": state.list_id,
        "seq": snapshot.position.seq,
        "journal": {"crc": snapshot.position.crc, "offset": snapshot.position.offset},
        "run": to_plain(state.run) if state.run else None,
        "current": state.current,
        "usage": _usage(state.spending, now),
        "spending": to_plain(state.spending),
    }
    # task by task: ten thousand of them as one tree of dicts would take half of all memory
    tasks = b",".join(
        b"%s:%s" % (_json(task), _json(_task(record))) for task, record in state.tasks.items()
    )
    body = b'%s,"tasks":{%s}' % (_json(content)[:-1], tasks)
    return b'%s,"crc":"%08x"}\n' % (body, zlib.crc32(body))


def load_snapshot(path: Path) -> Snapshot | None:
    """The snapshot, or None where it is missing or damaged.

    Raises:
        StateVersionError: a newer version wrote it.
    """
    try:
        raw = path.read_bytes()
        content = json.loads(raw)
        version = content["format"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if raw[-_TAIL:] != b',"crc":"%08x"}\n' % zlib.crc32(raw[:-_TAIL]):
        return None  # damaged, or of format 1, which had no checksum
    if not isinstance(version, int) or version > FORMAT:
        raise StateVersionError(
            f"{path} was written by a newer version (format {version}); nothing was changed",
            fix="upgrade: pip install -U agent-runner",
        )
    try:
        return _parse(content)
    except Exception:  # noqa: BLE001  # any damage means the same: fold the journal instead
        return None


def list_of(folder: Path) -> str:
    """The id of the list whose state is in this folder, "" if there is none: quick, for finding it.

    The snapshot says it, or the journal's first record where a kill came before the first snapshot.
    """
    layout = Layout(folder)
    try:
        name = json.loads(layout.snapshot.read_bytes())["list"]
    except (OSError, ValueError, KeyError, TypeError):
        name = _first_list(layout.journal)
    return name if isinstance(name, str) else ""


def _first_list(journal: Path) -> object:
    try:
        with journal.open("rb") as file:
            return json.loads(file.readline(MAX_RECORD))["data"]["list_id"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""


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
    return Snapshot(state, Position(content["seq"], journal["crc"], journal["offset"]))
