"""What git says that a repository is configured with; asked anew only where a file changed."""

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from agent_runner.model.errors import UsageError
from agent_runner.workspace.command import Answer, Git

OLDEST = "2.31"
"""The oldest git that is used: the first that takes settings from GIT_CONFIG_COUNT."""

_NEEDS_OLDEST = "--config-env=core.pager=PATH"
"""An option as old as that, harmless; an older git refuses it, which saves asking its version."""

_PROGRAMS_OF_A_FILTER = ("clean", "smudge", "process")
_RUN_AT_A_COMMIT = re.compile(
    r"filter\..*\.(?:clean|smudge|process)|core\.fsmonitor|gpg\.(?:.*\.)?(?:program|defaultkeycommand)"
)
"""Settings, as git lists them, whose values git runs when it commits."""


@frozen
class GitSettings:
    """What we need of git's configuration; `read`: each file it stands in, with its stamp."""

    config: dict[str, str]
    converts_all: bool
    sees_modes: bool
    obeyed: tuple[Path, ...]
    hooks: Path | None
    commands: tuple[str, ...]
    read: tuple[tuple[Path, tuple[int, ...]], ...]


def settings_of(git_dir: Path, work_tree: Path, common: Path) -> GitSettings | None:
    """Ask for the configuration, again only where a file has changed; None if git is too old.

    It makes settings that switch off every filter: which filter a file has is said by a
    .gitattributes of the tree, what it runs by a configuration, and none may run while we look.

    Raises:
        UsageError: git cannot read its configuration.
    """
    known = _known.get((git_dir, work_tree))
    if known and all(stamp_of(file) == stamp for file, stamp in known.read):
        return known
    args = [_NEEDS_OLDEST, "config", "-z", "--list", "--show-origin"]
    answer = Git(git_dir, work_tree).ask(work_tree, args)
    if answer.code == 129 and "config-env" in answer.err:
        return None
    if answer.code:
        raise refusal(work_tree, answer)
    settings = _said_by(answer.paths, work_tree, common)
    _known[git_dir, work_tree] = settings
    return settings


def _said_by(listed: Sequence[str], work_tree: Path, common: Path) -> GitSettings:
    """What a listing says: each file, and then what stands in it, as a name and its value."""
    found: dict[str, str] = {}
    files = [common / "config"]
    obeyed: list[Path] = []
    for origin, pair in zip(listed[::2], listed[1::2], strict=True):
        if not origin.startswith("file:"):
            continue  # ours: options over all files
        name, _, value = pair.partition("\n")
        file = work_tree / origin.removeprefix("file:")
        files.append(file)
        found[name] = value
        if re.fullmatch(r"include(if\..*)?\.path", name):
            files.append(file.parent / _from_home(value))
            obeyed.append(files[-1])
        elif name == "core.attributesfile" and value:
            obeyed.append(work_tree / _from_home(value))
    filters = {name.rpartition(".")[0] for name in found if name.startswith("filter.")}
    off = {f"{name}.{program}": "" for name in filters for program in _PROGRAMS_OF_A_FILTER}
    off |= {f"{name}.required": "false" for name in filters}
    converts = found.get("core.autocrlf", "false").lower() not in {"false", "no", "off", "0"}
    modes = (found.get(name, "true") for name in ("core.filemode", "core.symlinks"))
    hooks = found.get("core.hookspath")
    return GitSettings(
        off,
        converts,
        all(value.lower() in {"true", "yes", "on", "1"} for value in modes),
        tuple(obeyed),
        work_tree / _from_home(hooks) if hooks else None,
        tuple(value for name, value in found.items() if _RUN_AT_A_COMMIT.fullmatch(name)),
        tuple((file, stamp_of(file)) for file in dict.fromkeys(files)),
    )


def stamp_of(path: Path) -> tuple[int, ...]:
    """What changes when a file does; () if there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def refusal(root: Path, answer: Answer) -> UsageError:
    """Git's refusal, with the way out where there is a known one."""
    fix = f"try `git -C {root} status` and mend what it says"
    if "dubious ownership" in answer.err:
        fix = f"git config --global --add safe.directory {root}"
    first = answer.err.partition("\n")[0]
    return UsageError(f"git refuses the repository at {root}: {first}", fix=fix)


_known: dict[tuple[Path, Path], GitSettings] = {}
"""What was read in this process, for as long as the files stay as they were."""


def _from_home(path: str) -> Path:
    """The path as git reads it; `~` stands for the home folder."""
    with contextlib.suppress(RuntimeError):  # a user that the system does not know
        return Path(path).expanduser()
    return Path(path)
