"""Which of the user's secrets a project's own files would send where the user never sent them.

The rule: what the user said (global file, environment, flags) decides where a secret may go. A key
goes to the provider's own well-known address by the provider's own variable, to an address that the
user named with the key that the user named for it, and to this very machine. Whatever a project's
file makes of it beyond that is a wish that the user is asked about: another address, another
variable as a key, a header of the user's at another place, certificates that the user did not name.

It is asked by values and not by names: the pairs of address and secret that a run would send are
compared with those that it would send without the project's files.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

from agent_runner.ground.redaction import is_secret
from agent_runner.model.errors import UsageError
from agent_runner.model.settings import Settings
from agent_runner.providers.addresses import belongs_to, is_loopback, origin
from agent_runner.providers.catalogue import READY_MADE
from agent_runner.providers.keys import known_keys
from agent_runner.providers.profiles import Profile, canonical, fallbacks, sketch

_Place: TypeAlias = tuple[object, ...]
"""Where something is sent: scheme, host and port, and what decides who can read it on the way."""

_NO_PARAMS = ""

_OF_ADDRESS = ("base_url", "api_key_env", "headers", "ca_file", "protocol", "api_key")
_OF_COMMAND = ("command", "params", "api_key_env", "api_key")
"""Options that say where a key goes, the likeliest first."""


@frozen
class Wish:
    """One secret that would go to one address because a project's file says so.

    `secret` and `address` are for people; the secret's value is in neither. `options`: dotted
    paths of the options that may ask for it, the likeliest first.
    """

    provider: str
    secret: str
    address: str
    options: tuple[str, ...]


def wishes(
    names: Iterable[str], settings: Settings, users: Settings, env: Mapping[str, str]
) -> tuple[Wish, ...]:
    """What the providers `names`, and whoever stands in for them, would send beyond the rule.

    `users`: the settings without the project's files. Providers that cannot be resolved send
    nothing; why they cannot is told elsewhere.
    """
    mine = _secrets_of(users, env)
    allowed = {*_well_known(env), *_sent_by_user(users, env)}
    found = []
    for name in _with_fallbacks(names, settings):
        profile = _resolved(name, settings, env)
        if profile is None or is_loopback(profile.base_url):
            continue
        place = _place(profile)
        found += [
            _wish(profile, secret)
            for secret, value in _sent(profile)
            if value in mine and (place, value) not in allowed
        ]
    return tuple(dict.fromkeys(found))


def _wish(profile: Profile, secret: str) -> Wish:
    path = f"providers.{profile.name}"
    options = _OF_COMMAND if profile.program is not None else _OF_ADDRESS
    if profile.program is not None:
        address = f"the command {' '.join(profile.program.words) or profile.program.preset}"
    elif not profile.base_url:
        address = f"the plug-in {profile.protocol}"
    else:
        address = profile.base_url
        if profile.ca_file is not None:
            address += f", which is believed by the certificates in {profile.ca_file}"
    return Wish(profile.name, secret, address, tuple(f"{path}.{option}" for option in options))


def _with_fallbacks(names: Iterable[str], settings: Settings) -> Iterator[str]:
    pending = [canonical(name, settings) for name in names]
    seen = set[str]()
    while pending:
        name = pending.pop(0)
        if name not in seen:
            seen.add(name)
            yield name
            try:
                pending += fallbacks(name, settings)
            except UsageError:
                continue


def _resolved(name: str, settings: Settings, env: Mapping[str, str]) -> Profile | None:
    try:
        return sketch(name, settings, env)
    except UsageError:
        return None


def _sent(profile: Profile) -> Iterator[tuple[str, str]]:
    """What a profile sends that may be secret: a name for people, and the value."""
    key = profile.key.secret()
    if key and not profile.key.in_headers:
        where = profile.key.origin
        yield ("your own api_key" if where == "configuration" else where), key
    for name, value in profile.headers.items():
        yield f"your header {name}", value.strip()


def _secrets_of(users: Settings, env: Mapping[str, str]) -> frozenset[str]:
    """Every value that is the user's and may be secret; what a project's file holds is its own."""
    headers = (value for own in users.providers.values() for value in own.headers.values())
    # variables such as ANTHROPIC_CUSTOM_HEADERS hold headers, one a line
    lines = (line for value in env.values() for line in value.splitlines())
    written = (line.partition(":")[2] for line in lines)
    every = (
        value.strip() for value in (*env.values(), *known_keys(users, env), *headers, *written)
    )
    return frozenset(value for value in every if is_secret(value))


def _well_known(env: Mapping[str, str]) -> Iterator[tuple[_Place, str]]:
    """The keys of ready-made providers at their own addresses."""
    for entry in READY_MADE.values():
        if entry.base_url is not None:
            place: _Place = (origin(entry.base_url), None)
        elif entry.protocol == "command":
            place = (entry.protocol, entry.name, (), _NO_PARAMS)
        else:
            continue
        for variable in entry.keys:
            yield place, env.get(variable.name, "").strip()


def _sent_by_user(users: Settings, env: Mapping[str, str]) -> Iterator[tuple[_Place, str]]:
    for name in {*users.providers, *READY_MADE}:
        profile = _resolved(name, users, env)
        if profile is not None:
            for _, value in _sent(profile):
                yield _place(profile), value


def _place(profile: Profile) -> _Place:
    """Who reads what is sent. A vendor's regions count as the vendor."""
    if profile.program is not None:
        # whoever says what is started, and with which words, says who reads the key
        program = profile.program
        params = repr(sorted(profile.params.items())) if profile.params else _NO_PARAMS
        return (profile.protocol, program.preset, program.words, params)
    if not profile.base_url:
        return (profile.protocol, profile.ca_file)
    ca_file: Path | None = profile.ca_file
    for entry in READY_MADE.values():
        if entry.base_url is not None and belongs_to(profile.base_url, entry.base_url):
            return (origin(entry.base_url), ca_file)
    return (origin(profile.base_url), ca_file)
