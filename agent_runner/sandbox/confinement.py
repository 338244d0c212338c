"""What a confined command may do, as values; nothing here runs or looks at anything."""

import enum
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from attrs import frozen


class Tier(enum.StrEnum):
    """By what means commands are confined on this machine, strongest first."""

    BWRAP_OVERLAY = "bwrap with overlays"
    BWRAP = "bwrap"
    LANDLOCK = "Landlock"
    SEATBELT = "sandbox-exec"
    NONE = "none"

    @property
    def overlays(self) -> bool:
        """Whether `Overlay` works: a copy of a folder that takes no time to make."""
        return self is Tier.BWRAP_OVERLAY

    @property
    def mounts(self) -> bool:
        """Whether a copy can stand at the path of its original (`Copied`)."""
        return self in {Tier.BWRAP_OVERLAY, Tier.BWRAP}

    @property
    def confines(self) -> bool:
        """Whether anything is confined at all."""
        return self is not Tier.NONE


BORROWED = "borrowed"
"""The empty folder in the `.git` of a copy where the original's objects are seen: see `Copied`."""


@frozen
class Overlay:
    """The command sees `original` and may write in it, but what it writes goes elsewhere.

    `kept`: an existing folder outside of `original`, on a local disk, that collects what is written
    (made and read by `overlay_upper.py`) and is seen again by the next command with the same one.
    None: what is written is gone when the command ends.
    """

    original: Path
    kept: Path | None = None


@frozen
class Copied:
    """`copy`, made by the caller and writable, stands in for `original`.

    Where the tier mounts, it is seen at the path of the original (and at its own, as links in it
    may lead there). Elsewhere the command runs in the copy at its own path, and the original is
    left readable.

    `linked`: folders of installed dependencies, relative to `original`, that are no copies but
    links to the original's. Where the tier mounts, such a link would lead to itself: there an empty
    folder has to take its place (`copies.copied`), and the original's is seen in it, read-only.

    A copy's repository may refer to the objects of the original's, which the copy then hides. So
    they are seen in its `.git/borrowed`, read-only, where it has such a folder.
    """

    original: Path
    copy: Path
    linked: tuple[str, ...] = ()


Mount: TypeAlias = Overlay | Copied


@frozen
class Seen:
    """`source`, a file or folder, is seen at `path` where the tier mounts.

    For the repository of a copy (`.git`), in place of the original's, wherever that lies. A folder
    stands in for a folder alone, and a file for a file.
    """

    path: Path
    source: Path
    is_writable: bool = True


@frozen
class Confinement:
    """What one command may do. Everything else of the disk is read-only; paths are absolute.

    Of two paths that lie within each other, the longer one decides. It may write in its own
    temporary folder, too. Its processes never outlive it, nor the runner.

    Attributes:
        writable: Files and folders that are written in place.
        read_only: Exceptions below those, as a repository's `.git`.
        masked: Files that cannot be read, and folders that seem empty. What is not there is left
            out.
        network: Whether anything beyond this machine can be reached. Without, the command has a
            loopback of its own, or, by Landlock, no TCP at all.
        mount: What stands in for the folder that the command works on; None: that folder itself.
        instead: What is seen in place of something else.
    """

    writable: tuple[Path, ...] = ()
    read_only: tuple[Path, ...] = ()
    masked: tuple[Path, ...] = ()
    network: bool = False
    mount: Mount | None = None
    instead: tuple[Seen, ...] = ()


@frozen
class Wrapped:
    """How the confined command is started: directly, without a shell, in a session of its own.

    From the main thread, as with `bwrap` it ends with the thread that started it.

    Attributes:
        argv: The words, the program first.
        cwd: Where to start it.
        env: Variables to set, and with None those to leave out.
        gaps: What was wanted and is not held by this tier, each a few words for people.
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str | None]
    gaps: tuple[str, ...] = ()

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """`given` with the changes made."""
        merged = {**given, **self.env}
        return {name: value for name, value in merged.items() if value is not None}


_SECRETS = (
    *(".ssh", ".aws", ".gnupg", ".kube", ".docker", ".config", ".azure", ".oci", ".password-store"),
    *(".netrc", ".git-credentials", ".npmrc", ".yarnrc.yml", ".pypirc", ".pgpass", ".my.cnf"),
    *(".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials", ".terraform.d"),
    *(".m2/settings.xml", ".gradle/gradle.properties", ".vault-token", ".boto", ".s3cfg"),
    *(".local/share/keyrings", ".local/share/opencode", ".mozilla", ".thunderbird"),
    *(".claude", ".claude.json", ".codex", ".gemini", ".qwen", ".aider.conf.yml", ".agent-runner"),
    *(".bash_history", ".zsh_history", ".python_history", ".psql_history", ".mysql_history"),
    *("Library/Keychains", "Library/Application Support", "Library/Cookies", "Library/Mail"),
)


def home_secrets(home: Path) -> tuple[Path, ...]:
    """What programs keep keys, logins and typed lines in, below the home folder.

    A caller who needs one of them (an agent's own login) names it in `Confinement.writable`.
    """
    return tuple(home / name for name in _SECRETS)
