"""A command that is known, as data: what it is called with, what it obeys, how it is read.

Flags and variables are those of the versions named in each preset's file, seen to work by running
them (November 2026).
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import field, frozen

from agent_runner.providers.commands.reader import Reader


@frozen
class Asking:
    """One call, as far as it decides on words and variables.

    Attributes:
        prompt: All that there is to say.
        model: The model; "" for the command's own.
        session: The session to go on with; "" for a new one.
        commands: What the agent may run beside reading and editing: the task's own hooks.
        extra: Further words, as the user wants them.
        beside: A private folder of this call, outside of the copy; removed after it.
    """

    prompt: str
    beside: Path
    model: str = ""
    session: str = ""
    commands: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def prompt_file(self) -> Path:
        """Where the prompt is, for commands that take it from a file."""
        return self.beside / "prompt.md"


def no_log(_session: str, _asking: Asking, _env: Mapping[str, str]) -> Path | None:
    """No log: its stream has all that it tells."""
    return None


def _nothing(_asking: Asking) -> Mapping[str, str]:
    return {}


def _no_homes(_env: Mapping[str, str]) -> tuple[Path, ...]:
    return ()


def _unknown(_env: Mapping[str, str]) -> str:
    return ""


@frozen
class Preset:
    """One known command.

    Attributes:
        name: The provider that it is; `program`: its name on PATH.
        title: Its name for people.
        lead: Words that go before its arguments, where it is started by another program.
        arguments: Its words behind the program's name. The prompt goes to its standard input, or is
            in `Asking.prompt_file`.
        reader: Makes the reader of one call.
        environment: Variables that are set for it: its own retries to nought, no updates, no
            telemetry.
        key_names: Under which other variable it takes a key, by the variable in which it was found.
        login: What of a login can be known from the environment and its own files; "" for nothing.
        log_in: What to do where it is not logged in.
        install: How to install it.
        taken_out: Names of files and folders of a repository that steer it and that no flag
            switches off: they are not in its copy, at any depth.
        leavings: Globs of what it leaves in its folder for itself: no part of the change.
        homes: Its own files and folders, from the environment: logins, sessions, caches.
        sandbox: As `Outfit.sandbox`, unless its user says otherwise.
        tells_cost: Whether it says how many dollars a call was.
        sessions: Whether it can go on with an earlier session.
        log: Where it keeps exact counts beside its stream, by session; None: nowhere.
        waits_silently: Whether silence means that it waits for a limit, since it says none.
    """

    name: str
    program: str
    title: str
    arguments: Callable[[Asking], tuple[str, ...]]
    reader: Callable[[], Reader]
    environment: Callable[[Asking], Mapping[str, str]] = _nothing
    key_names: Mapping[str, str] = field(factory=dict, hash=False)
    login: Callable[[Mapping[str, str]], str] = _unknown
    log_in: str = ""
    install: str = ""
    taken_out: tuple[str, ...] = ()
    leavings: tuple[str, ...] = ()
    homes: Callable[[Mapping[str, str]], tuple[Path, ...]] = _no_homes
    sandbox: str = ""
    tells_cost: bool = False
    sessions: bool = False
    log: Callable[[str, Asking, Mapping[str, str]], Path | None] = no_log
    lead: tuple[str, ...] = ()
    waits_silently: bool = False


STEERING = frozenset(
    {
        *(".claude", ".mcp.json", ".codex", ".opencode", "opencode.json", "opencode.jsonc"),
        *(".gemini", ".qwen", ".env", ".aider.conf.yml", ".aider.model.settings.yml"),
        ".aider.model.metadata.json",
    }
)
"""Names of files and folders by which a repository steers some agent's command: what they say runs
with the user's key at hand, so no command may change them."""


def home(env: Mapping[str, str]) -> Path:
    """The user's home folder, where these commands keep logins and sessions."""
    return Path(env.get("HOME") or "/nonexistent")


def logged_in(file: Path, holding: str | None = None) -> str:
    """That a command's own login is in a file of its own; "" where it is not.

    `holding`: the file is a JSON object that has something there ("": anything at all).
    """
    if holding is None:
        return f"logged in ({file})" if file.is_file() else ""
    try:
        known = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return ""
    held = known.get(holding) if holding and isinstance(known, dict) else known
    return f"logged in ({file})" if held and isinstance(known, dict) else ""


def is_plain(command: str) -> bool:
    """Whether a command can stand in a rule of permission, whose own signs it must not hold."""
    return bool(command.strip()) and not set(command) & set("(),*?\n\r\\")
