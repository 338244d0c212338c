"""From a provider's name to everything a client needs, with every mistake found before a call.

Settings win over the environment variables of the ecosystem, and those over what stands ready in
`catalogue`. A key goes to no host that it was not meant for: a provider of the user's own sends one
only if its settings name it.
"""

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from agent_runner.ground.suggestions import did_you_mean
from agent_runner.model.errors import UsageError
from agent_runner.model.names import KnownNames
from agent_runner.model.settings import EditFormat, ProviderSettings, Settings, ToolUse
from agent_runner.providers import catalogue, offers
from agent_runner.providers.addresses import address_of
from agent_runner.providers.catalogue import (
    PROTOCOLS,
    READY_MADE,
    KeyVariable,
    ReadyMade,
    protocol_of,
)
from agent_runner.providers.keys import (
    KeySource,
    carries_key,
    key_source,
    key_variables,
    secret_variables,
)
from agent_runner.providers.proxies import Proxy, check_certificates, proxy_for
from agent_runner.providers.recordings import recorded_offers
from agent_runner.providers.served import check_served

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "agent_runner.providers"
"""The entry-point group of other packages: a protocol's name = the factory of its clients."""


@frozen
class Program:
    """The program that a provider is.

    Attributes:
        preset: The name of the command that is known; "" for any other.
        words: Those of any other, or of what is started in the known one's place.
        env: What it gets of the user's environment: no variable with a key.
    """

    preset: str
    words: tuple[str, ...] = ()
    env: Mapping[str, str] = field(factory=dict, repr=False, eq=False)


@frozen
class Profile:
    """One provider, resolved. Holds no key: `key` reads it when it is needed. `repr` shows none.

    Attributes:
        name: The provider's name under `providers`.
        protocol: How it is asked.
        base_url: Its address, without a slash at its end; "" for protocols without a network.
        model: The model, as the provider spells it.
        key: Where its key is found.
        headers: The user's own, sent with every call.
        params: The user's own fields of a request's body; for plug-ins, whatever they want to know.
        timeout: Seconds without a word after which a call has failed.
        total_timeout: Seconds that a call may take in all.
        stream: Whether to ask for answers piece by piece.
        background: Whether the provider keeps answers to be fetched.
        replies: The folder of recorded answers.
        ca_file: Certificates to trust beside the usual ones.
        cap: The field of Chat Completions that caps an answer.
        official: Whether the address is the vendor's own.
        withheld: Environment variables with keys of others, for no program that a client starts.
        proxy: By which its address is asked; None: directly.
        tools: How the model is given tools; never `AUTO`.
        edit_format: The form in which it is asked for edits; never `AUTO`, and never a tool where
            none is offered.
        custom_tools: Whether a tool may be offered whose argument is free text.
        program: What it starts; None for all that are asked otherwise.
    """

    name: str
    protocol: str
    base_url: str
    model: str
    key: KeySource
    headers: Mapping[str, str] = field(factory=dict, repr=False, hash=False)
    params: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)
    timeout: float = 600.0
    total_timeout: float = 3600.0
    stream: bool = True
    background: bool = False
    replies: Path | None = None
    ca_file: Path | None = None
    cap: str = "max_tokens"
    official: bool = False
    withheld: frozenset[str] = frozenset()
    proxy: Proxy | None = None
    tools: ToolUse = ToolUse.TEXT
    edit_format: EditFormat = EditFormat.BLOCKS
    custom_tools: bool = False
    program: Program | None = None

    @property
    def offers_tools(self) -> bool:
        """Whether tools may be offered by the protocol's own fields, if its client can."""
        return self.tools is ToolUse.NATIVE


def resolve(
    name: str, settings: Settings, env: Mapping[str, str], *, model: str | None = None
) -> Profile:
    """The profile of provider `name`, ready to be used; `model` wins over all settings.

    Raises UsageError for whatever would make the first call fail: an unknown name or protocol, a
    model that the protocol cannot serve, a bad address, a missing key.
    """
    profile = outline(name, settings, env, model=model)
    profile.key.demand(profile.name)
    return profile


def outline(
    name: str, settings: Settings, env: Mapping[str, str], *, model: str | None = None
) -> Profile:
    """The profile of a provider whose key may be missing, for previews and listings."""
    profile = sketch(name, settings, env, model=model)
    own = settings.providers.get(profile.name, ProviderSettings())
    _check(profile, _ready_made(profile.name, own, settings))
    check_certificates(profile.base_url, profile.ca_file, f"providers.{profile.name}", env)
    recorded = recorded_offers(own) if profile.protocol == "replay" else None
    if recorded is not None:
        profile = evolve(profile, tools=recorded[0], edit_format=recorded[1])
    return evolve(profile, proxy=proxy_for(profile.base_url, env))


def sketch(
    name: str, settings: Settings, env: Mapping[str, str], *, model: str | None = None
) -> Profile:
    """The profile as it is written, whether or not it can work with the model that it names.

    Where it sends what does not depend on the model, which a task or a flag may give.
    """
    # in this order, since each needs what was found before it: the protocol of an OpenAI model
    # depends on where it is asked, and the key on whether that is the vendor's own address
    name = canonical(name, settings)
    own = settings.providers.get(name, ProviderSettings())
    entry = _ready_made(name, own, settings)
    model = model or _run_model(name, settings) or own.model or entry.model or ""
    url, official = address_of(name, entry, own, env)
    protocol = own.protocol or entry.protocol or _openai_protocol(model, official=official)
    entry = evolve(entry, keys=_keys_for(entry.keys, model))
    headers = {**_ambient_headers(entry, env, official=official), **own.headers}
    tools = offers.tool_use(own, protocol_of(protocol))
    return Profile(
        name=name,
        protocol=protocol,
        base_url=url,
        model=model,
        key=key_source(entry, own, env, official=official, in_headers=carries_key(headers)),
        headers=headers,
        params=own.params,
        timeout=own.timeout,
        total_timeout=own.total_timeout,
        stream=own.stream,
        background=own.background,
        replies=own.replies,
        ca_file=own.ca_file,
        # elsewhere the older name: every compatible server knows it, and some ignore the newer one
        cap=entry.cap if official else "max_tokens",
        official=official,
        withheld=key_variables(settings) - {own.api_key_env or ""},
        program=_program(entry, own, settings, env) if protocol_of(protocol).command else None,
        tools=tools,
        edit_format=offers.edit_format(own, entry, model, tools),
        custom_tools=offers.custom_tools(protocol_of(protocol), model, tools, official=official),
    )


def canonical(name: str, settings: Settings) -> str:
    """The one name of a provider: an alias gives way unless it is configured itself."""
    return name if name in settings.providers else catalogue.ALIASES.get(name, name)


def fallbacks(name: str, settings: Settings) -> tuple[str, ...]:
    """The providers that `name` names as its fallbacks, in turn, by their one names.

    Raises UsageError where it names itself.
    """
    own = settings.providers.get(name, ProviderSettings())
    others = tuple(canonical(other, settings) for other in own.fallback)
    if name in others:
        raise UsageError(
            f'provider "{name}" cannot be its own fallback',
            fix=f"name another under providers.{name}.fallback",
            option=f"providers.{name}.fallback",
        )
    return others


@functools.cache
def plugged_in() -> Mapping[str, "EntryPoint"]:
    """Entry points by protocol name. Reads every installed package's metadata, once: slow."""
    from importlib.metadata import entry_points  # with email and csv, a thirtieth of a run's start

    return {entry.name: entry for entry in entry_points(group=GROUP)}


KNOWN_NAMES = KnownNames(
    providers=(*READY_MADE, *catalogue.ALIASES),
    protocols=tuple(PROTOCOLS),
    plugged_in=plugged_in,
)
"""Names that a configuration or a task list may use though it does not define them."""


def _ready_made(name: str, own: ProviderSettings, settings: Settings) -> ReadyMade:
    """What stands ready under that name, or what a provider of the user's own begins with."""
    base = catalogue.ALIASES.get(name, name)
    if base in READY_MADE:
        return READY_MADE[base]
    if name in settings.providers:
        # no address is the vendor's address; with one it is a gateway, and gets no vendor's key
        vendor = protocol_of(own.protocol or "chat").vendor
        if vendor and not own.base_url:
            return READY_MADE[vendor]
        return ReadyMade(name, own.protocol or "chat")
    if name in plugged_in():  # asked last: it reads the metadata of every installed package
        return ReadyMade(name, name)
    known = sorted({*READY_MADE, *catalogue.ALIASES, *settings.providers})
    raise UsageError(
        f'there is no provider "{name}"',
        fix=f"{did_you_mean(name, known)} Known: {', '.join(known)}; your own stands under "
        f"`providers: {{{name}: {{base_url: ..., model: ...}}}}`".strip(),
        option="provider",
    )


def _run_model(name: str, settings: Settings) -> str | None:
    """The model given for the whole run, which is meant for the run's own provider alone."""
    chosen = settings.provider
    return settings.model if chosen is None or canonical(chosen, settings) == name else None


def _openai_protocol(model: str, *, official: bool) -> str:
    """By the model at OpenAI itself; elsewhere Chat, which every compatible server knows.

    A model that only Responses serves is asked so at a gateway too: it most likely passes it on.
    """
    if official or not catalogue.serves("chat", model):
        return catalogue.openai_protocol(model)
    return "chat"


def _program(
    entry: ReadyMade, own: ProviderSettings, settings: Settings, env: Mapping[str, str]
) -> Program:
    """What a provider starts. The one key that it needs is put in by its client."""
    secret = secret_variables(settings, env)
    given = {name: value for name, value in env.items() if name not in secret}
    return Program(entry.name if entry.name in READY_MADE else "", own.command, given)


def _keys_for(keys: tuple[KeyVariable, ...], model: str) -> tuple[KeyVariable, ...]:
    """The variables that may hold the key for a model; all of them where none is known."""
    return tuple(key for key in keys if not model or re.match(key.family, model))


def _ambient_headers(entry: ReadyMade, env: Mapping[str, str], *, official: bool) -> dict[str, str]:
    """Headers that the vendor's own environment variables ask for."""
    found = {}
    # organisation and project are no secrets, but nobody else's business either
    if official:
        found = {name: env[var] for name, var in entry.headers_from.items() if env.get(var)}
    for line in env.get(entry.lines_from, "").splitlines() if entry.lines_from else ():
        name, colon, value = line.partition(":")
        if colon and name.strip():
            found[name.strip()] = value.strip()
    return found


def _check(profile: Profile, entry: ReadyMade) -> None:
    """Raise UsageError for what cannot work together."""
    where = f"providers.{profile.name}"
    if profile.protocol not in PROTOCOLS:
        _check_plugged_in(profile, where)
        return
    if profile.protocol == "replay":
        if profile.replies is None:
            raise UsageError(
                f'provider "{profile.name}" has no answers to replay',
                fix=f"set {where}.replies to the folder of recorded answers",
                option=f"{where}.replies",
            )
        return
    if profile.program is not None:  # it has a model of its own
        return
    if not profile.model:
        raise UsageError(
            f'provider "{profile.name}" has no model',
            fix=f"set {where}.model or give --model",
            option=f"{where}.model",
        )
    if profile.background and not protocol_of(profile.protocol).background:
        raise UsageError(
            f"{where}.background needs protocol responses, not {profile.protocol}",
            fix=f"remove {where}.background, or set {where}.protocol to responses",
            option=f"{where}.background",
        )
    if profile.official:  # what a gateway makes of a name is its own matter
        check_served(profile.name, profile.protocol, profile.model, profile.base_url, entry)


def _check_plugged_in(profile: Profile, where: str) -> None:
    known = (*PROTOCOLS, *plugged_in())
    if profile.protocol not in known:
        raise UsageError(
            f'{where}.protocol: there is no protocol "{profile.protocol}"',
            fix=f"{did_you_mean(profile.protocol, known)} Known: {', '.join(known)}".strip(),
            option=f"{where}.protocol",
        )
