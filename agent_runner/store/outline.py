"""The state as `status` shows it, read from the snapshot alone: without events, without a fold."""

import json
import re
from pathlib import Path

from agent_runner.ground.plain_files import reading
from agent_runner.model.standing import StateOutline, last_run_of, standing_of
from agent_runner.store.layout import Layout
from agent_runner.store.sealed import read_sealed

SNAPSHOT_FORMAT = 2
"""Version of state.json. A newer one is refused; an older one is folded anew from the journal.

1: records of one level, without a checksum.
"""

_HEAD = re.compile(rb'\{"format":\d+,"list":("(?:[^"\\]|\\.)*")')
"""How every snapshot begins."""

_LONGEST_HEAD = 16 * 1024
"""Bytes after which neither a snapshot's head nor a first record goes on (`codec.MAX_RECORD`)."""

_TAIL = len(',"crc":"00000000"}\n')


def read_outline(folder: Path) -> StateOutline | None:
    """What the snapshot says of the state; None where only the journal knows.

    That is so when the snapshot is missing, damaged or of another format, when the journal has
    grown since, and when providers are set aside, which is shown in the words of the event.

    Raises StateError where the folder is not one of this user's, or holds something else.
    """
    layout = Layout(folder)
    layout.check()
    content = read_sealed(layout.snapshot)
    if content is None:
        return None
    try:
        if content["format"] != SNAPSHOT_FORMAT or content["spending"].get("set_aside"):
            return None
        if not _is_end(layout.journal, content["journal"]["offset"], content["journal"]["crc"]):
            return None
        if not isinstance(content["list"], str) or not isinstance(content["seq"], int):
            return None
        return StateOutline(
            content["list"],
            content["seq"],
            last_run_of(content["run"]) if content["run"] else None,
            content["current"],
            {task: standing_of(task, plain) for task, plain in content["tasks"].items()},
            content["spending"],
        )
    except Exception:  # noqa: BLE001  # any damage means the same: fold the journal instead
        return None


def list_of(folder: Path) -> str:
    """The id of the list whose state is in this folder, "" if there is none.

    The snapshot says it in its first bytes, or the journal in its first record where a kill came
    before the first snapshot.
    """
    layout = Layout(folder)
    try:
        with reading(layout.snapshot) as file:
            head = _HEAD.match(file.read(_LONGEST_HEAD))
        name = json.loads(head[1]) if head else _first_list(layout.journal)
    except (OSError, ValueError, RecursionError):
        name = _first_list(layout.journal)
    return name if isinstance(name, str) else ""


def _is_end(journal: Path, offset: int, crc: str) -> bool:
    """Whether the journal ends where the snapshot was taken, in the very same record."""
    with reading(journal) as file:
        if file.seek(0, 2) != offset or offset < _TAIL:
            return False
        file.seek(-_TAIL, 2)
        return file.read() == b',"crc":"%s"}\n' % crc.encode()


def _first_list(journal: Path) -> object:
    try:
        with reading(journal) as file:
            return json.loads(file.readline(_LONGEST_HEAD))["data"]["list_id"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
