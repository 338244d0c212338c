"""What `agent-runner providers` shows: who could be asked, who will be, and why."""

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from agent_runner.model.errors import UsageError
from agent_runner.model.settings import ProviderSettings, Settings
from agent_runner.providers.catalogue import READY_MADE
from agent_runner.providers.profiles import Profile, canonical, fallbacks, outline


@frozen
class ChosenProvider:
    """The provider that a run asks, and why that one."""

    name: str
    why: str


@frozen
class ProviderRow:
    """One line of the listing.

    Attributes:
        base_url: Its address; the program and its version of one that is a command.
        key: Where the key comes from, never itself; of a command also where its own login was
            found, "" where nobody can tell.
        chosen: Why this is the one that is asked; "" if it is not.
        trouble: Why a call would fail; "" if nothing is in its way, as far as can be told without
            one.
        fallback: Who is asked in its place while it is down, in turn.
        tools, edit_format: How the model is given tools and asked for its edits; "" where that is
            not known.
    """

    name: str
    protocol: str = ""
    model: str = ""
    base_url: str = ""
    key: str = ""
    chosen: str = ""
    trouble: str = ""
    fallback: tuple[str, ...] = ()
    tools: str = ""
    edit_format: str = ""

    @property
    def ready(self) -> bool:
        """Whether nothing stands in the way of a call, as far as can be told without one."""
        return not self.trouble


def chosen(settings: Settings, env: Mapping[str, str]) -> ChosenProvider:
    """The provider of a task that names none. Raises UsageError where nothing decides.

    The settings decide; without them the only one configured, or the only one with a key.
    """
    if settings.provider:
        return ChosenProvider(canonical(settings.provider, settings), "`provider` says so")
    configured = list(settings.providers)
    if len(configured) == 1:
        return ChosenProvider(configured[0], "the only one configured")
    # of the ready-made ones those without a key do not count: a local server may not be running.
    # Nor do commands: the keys that they look for are those of others
    ready = configured or [name for name in READY_MADE if not _is_command(name)]
    with_key = {name: source for name in ready if (source := _key(name, settings, env))}
    if len(with_key) == 1:
        name, source = next(iter(with_key.items()))
        return ChosenProvider(name, f"the only one with a key ({source})")
    names = ", ".join(with_key or ready)
    raise UsageError(
        "it is not clear which provider to ask",
        fix=f"set `provider` or give --provider: {names}",
        option="provider",
    )


def rows(settings: Settings, env: Mapping[str, str]) -> tuple[ProviderRow, ...]:
    """One row for each provider that is configured, chosen, or ready with its key at hand."""
    try:
        choice = chosen(settings, env)
    except UsageError:
        choice = ChosenProvider("", "")
    names = dict.fromkeys((*settings.providers, *filter(None, [choice.name])))
    others = [other for own in settings.providers.values() for other in own.fallback]
    names |= dict.fromkeys(canonical(other, settings) for other in others)
    others = [name for name in READY_MADE if name not in names and not _is_command(name)]
    names |= {name: None for name in others if _key(name, settings, env)}
    commands = [name for name in READY_MADE if name not in names and _is_command(name)]
    names |= {name: None for name in commands if _is_installed(name, settings, env)}
    return tuple(_row(name, settings, env, choice) for name in names)


def _is_command(name: str) -> bool:
    return READY_MADE[name].protocol == "command"


def _key(name: str, settings: Settings, env: Mapping[str, str]) -> str:
    """Where the provider's key comes from, "" if there is none or the provider cannot be used."""
    try:
        return outline(name, settings, env).key.origin
    except UsageError:
        return ""


def _row(
    name: str, settings: Settings, env: Mapping[str, str], choice: ChosenProvider
) -> ProviderRow:
    why = choice.why if name == choice.name else ""
    own = settings.providers.get(name, ProviderSettings())
    try:
        profile = outline(name, settings, env)
        others = fallbacks(profile.name, settings)
    except UsageError as error:
        trouble = f"{error}; {error.fix}" if error.fix else str(error)
        return ProviderRow(name, own.protocol or "", own.model or "", chosen=why, trouble=trouble)
    return _row_of(profile, why, others, settings.sandbox.writable)


def _is_installed(name: str, settings: Settings, env: Mapping[str, str]) -> bool:
    from agent_runner.providers.commands.looking import is_there  # as below

    try:
        return is_there(outline(name, settings, env), Path.cwd())
    except UsageError:
        return False


def _row_of_command(
    profile: Profile, why: str, others: tuple[str, ...], writable: tuple[str, ...]
) -> ProviderRow:
    # every start imports this file, and hardly any looks for commands
    from agent_runner.providers.commands.looking import Found, look

    try:
        found = look(profile, writable, Path.cwd())
    except UsageError as error:
        found = Found(trouble=f"{error}; {error.fix}")
    return ProviderRow(
        profile.name,
        profile.protocol,
        profile.model,
        found.where,
        found.login,
        why,
        found.trouble,
        others,
    )


def _row_of(
    profile: Profile, why: str, others: tuple[str, ...], writable: tuple[str, ...]
) -> ProviderRow:
    if profile.program is not None:
        return _row_of_command(profile, why, others, writable)
    trouble = ""
    try:
        profile.key.demand(profile.name)
        profile.key.header()
    except UsageError as error:
        trouble = f"{error}; {error.fix}"
    return ProviderRow(
        profile.name,
        profile.protocol,
        profile.model,
        profile.base_url or str(profile.replies or ""),
        profile.key.origin,
        why,
        trouble,
        others,
        profile.tools.value,
        profile.edit_format.value,
    )
