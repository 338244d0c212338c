"""list.json: what `status` needs of the task list and its limits, so that it need not read YAML.

A run writes it. It is used only while everything that it was made from is the same: the list, every
file that may be a configuration, the environment's options, the program's version. When in doubt
it is thrown away and the files are read.
"""

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_runner import __version__
from agent_runner.app.place import Place, Surroundings
from agent_runner.ground.config_files import PROJECT_FILES, global_file
from agent_runner.ground.presence import is_file
from agent_runner.model.standing import ListOutline, TaskOutline
from agent_runner.store.layout import Layout
from agent_runner.store.sealed import read_sealed, sealed

if TYPE_CHECKING:
    from agent_runner.app.project import Project
    from agent_runner.model.settings import Settings

_PREFIX = "AGENT_RUNNER_"
_KEPT = ("limits", "rate_limits", "ledger")
"""The settings by which `status` tells how full the limits are. None of them holds a key."""


def cached_list(place: Place, here: Surroundings) -> "tuple[ListOutline, Settings | None] | None":
    """The list, and the settings if they have limits or a time zone; None: read the files."""
    content = read_sealed(Layout(place.state_dir).list_outline)
    if content is None or content.get("made_from") != _made_from(place, here):
        return None
    try:
        tasks = tuple(_task(*one) for one in content["tasks"])
        return ListOutline(_text(content["list"]), tasks), _settings(content)
    except Exception:  # noqa: BLE001  # whatever is wrong with it, the files themselves are there
        return None


def write_list_cache(project: "Project") -> None:
    """Keep the list's outline for the next `status`; the state must be locked.

    Not synced: whatever a power cut leaves of it is thrown away.
    """
    import json

    import attrs

    from agent_runner.ground.disk import Disk, storage_errors
    from agent_runner.ground.plain_files import read_plain
    from agent_runner.model.settings import LimitSettings
    from agent_runner.store.codec import to_plain

    attrs.resolve_types(LimitSettings)  # it names itself: a model may have limits of its own
    settings, tasks = project.settings, project.tasks
    content = {
        "made_from": _made_from(project.place, project.surroundings),
        "list": tasks.id,
        **{name: to_plain(getattr(settings, name)) for name in _KEPT},
        "tasks": [[t.id, t.title, t.depends_on, t.definition] for t in tasks.tasks],
    }
    body = b"".join(sealed([json.dumps(content, separators=(",", ":")).encode("ascii")[:-1]]))
    file = project.layout.list_outline
    with storage_errors(file):
        if not file.exists() or read_plain(file) != body:
            Disk().write_file(file, body, durable=False)


def _made_from(place: Place, here: Surroundings) -> dict[str, Any]:
    folder = place.tasks_file.parent
    own = global_file(here.home, here.cwd, here.env)
    files = [place.tasks_file, *(folder / file for file in PROJECT_FILES), *([own] if own else [])]
    options = sorted((name, here.env[name]) for name in here.env if name.startswith(_PREFIX))
    return {
        "version": __version__,
        "files": {str(file): _digest(file) for file in files},
        "options": _checksum(repr(options).encode()),
    }


def _digest(file: Path) -> str | None:
    try:
        # a named pipe would be waited for, for ever
        return _checksum(file.read_bytes()) if is_file(file) else None
    except OSError:
        return None


def _checksum(content: bytes) -> str:
    """Size and CRC-32: enough against mistakes, and there is nothing to gain by a forgery.

    hashlib would take as long to import as all of our own files together.
    """
    return f"{len(content)}-{zlib.crc32(content):08x}"


def _task(task: object, title: object, depends_on: object, definition: object) -> TaskOutline:
    needed = tuple(map(_text, depends_on if isinstance(depends_on, list) else [depends_on]))
    return TaskOutline(_text(task), _text(title), needed, _text(definition))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _settings(content: dict[str, Any]) -> "Settings | None":
    if not content["limits"] and not content["rate_limits"]:
        return None
    import attrs

    from agent_runner.model.settings import LimitSettings, Settings, WindowSettings
    from agent_runner.store.codec import from_plain

    attrs.resolve_types(LimitSettings)  # as above
    limits = {name: from_plain(one, LimitSettings) for name, one in content["rate_limits"].items()}
    windows = from_plain(content["limits"], WindowSettings)
    return Settings(limits=windows, rate_limits=limits, ledger=content["ledger"])
