"""Where a provider's key is found, read at the moment of use and held by nothing that is shown."""

from collections.abc import Iterator, Mapping

from attrs import field, frozen

from agent_runner.ground.redaction import is_secret
from agent_runner.model.errors import UsageError
from agent_runner.model.settings import ProviderSettings, Settings
from agent_runner.providers.catalogue import PROTOCOLS, READY_MADE, Auth, KeyVariable, ReadyMade

_KEY_HEADERS = frozenset(
    {"authorization", "x-api-key", "api-key", "proxy-authorization", "x-goog-api-key", "cookie"}
)
_FURTHER_VARIABLES = (
    "ANTHROPIC_CUSTOM_HEADERS",
    "ANTHROPIC_IDENTITY_TOKEN",
    "ANTHROPIC_WEBHOOK_SIGNING_KEY",
    "OPENAI_ADMIN_KEY",
    "OPENAI_CUSTOM_HEADERS",
    "OPENAI_WEBHOOK_SECRET",
)


@frozen
class KeySource:
    """Where a provider's key is looked for: in the settings, then in `variables` in their order.

    needed: without it no call can be made. forced: the settings say how the key is sent, whatever
    the variable. in_headers: the user's own headers carry a key, so that no other is sent.
    """

    variables: tuple[KeyVariable, ...]
    auth: Auth
    needed: bool
    forced: bool = False
    in_headers: bool = False
    _env: Mapping[str, str] = field(factory=dict, repr=False, eq=False, alias="env")
    _literal: str | None = field(default=None, repr=False, eq=False, alias="literal")

    @property
    def origin(self) -> str:
        """Where the key comes from: a variable's name, `configuration`, `headers`; "" if absent."""
        if self.in_headers:
            return "headers"
        if self._literal and self._literal.strip():
            return "configuration"
        return next((v.name for v in self.variables if self._env.get(v.name, "").strip()), "")

    def secret(self) -> str | None:
        """The key itself, for redaction; None if there is none."""
        found = self._found()
        return found[0] if found else None

    def header(self) -> tuple[str, str] | None:
        """Name and value of the header that carries the key, read now; None without a key.

        Raises UsageError for a key that no header can carry (without showing it).
        """
        found = None if self.in_headers else self._found()
        if found is None:
            return None
        key, auth = found
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise UsageError(
                f"the key in {self.origin} holds characters that no key has",
                fix="set it again, without quotes, spaces or line breaks",
            )
        # Anthropic takes the token of a subscription in this header alone, never in x-api-key
        subscription = key.startswith("sk-ant-oat") and not self.forced
        return (Auth.BEARER if subscription else auth).header(key)

    def demand(self, name: str) -> None:
        """Raise UsageError if provider `name` needs a key and there is none."""
        if self.needed and not self.origin:
            looked = " or ".join(v.name for v in self.variables)
            variable = self.variables[0].name if self.variables else "API_KEY"
            raise UsageError(
                f'no key for provider "{name}": looked for {looked or "api_key"} '
                "in the environment",
                fix=f"export {variable}=..., or name another variable with "
                f"providers.{name}.api_key_env",
                option=f"providers.{name}.api_key_env",
            )

    def _found(self) -> tuple[str, Auth] | None:
        if self._literal and self._literal.strip():
            return self._literal.strip(), self.auth
        for variable in self.variables:
            value = self._env.get(variable.name, "").strip()
            if value:
                return value, self.auth if self.forced else variable.auth
        return None


def key_source(
    entry: ReadyMade,
    own: ProviderSettings,
    env: Mapping[str, str],
    *,
    official: bool,
    in_headers: bool,
) -> KeySource:
    """Where the key of a provider is found. A variable that the settings name is the only one.

    A key is needed at the vendor's own address and where the settings name a variable; a gateway
    may do without. Raises UsageError for an unknown way to send it.
    """
    protocol = PROTOCOLS.get(own.protocol or "")
    auth = (protocol.auth if protocol else None) or entry.auth
    if own.auth is not None:
        try:
            auth = Auth(own.auth)
        except ValueError:
            raise UsageError(
                f'there is no way "{own.auth}" to send a key', fix=f"use one of {', '.join(Auth)}"
            ) from None
    variables = entry.keys
    if own.api_key_env:
        # by its usual name, as in ANTHROPIC_AUTH_TOKEN: a token is sent as bearer wherever it goes
        token = own.api_key_env.endswith("AUTH_TOKEN") and own.auth is None
        variables = (KeyVariable(own.api_key_env, Auth.BEARER if token else auth),)
    return KeySource(
        variables=variables,
        auth=auth,
        needed=not in_headers and bool(own.api_key_env or (entry.key_needed and official)),
        forced=own.auth is not None,
        in_headers=in_headers,
        env=env,
        literal=own.api_key,
    )


def carries_key(headers: Mapping[str, str]) -> bool:
    """Whether the user's own headers hold a key, so that no other is sent."""
    return any(name.lower() in {"authorization", "x-api-key", "api-key"} for name in headers)


def key_variables(settings: Settings) -> frozenset[str]:
    """All environment variables that may hold a key: what hooks are not given.

    Also those of providers that nobody configured: the user has them for other programs.
    """
    ready = {variable.name for entry in READY_MADE.values() for variable in entry.keys}
    named = {own.api_key_env for own in settings.providers.values() if own.api_key_env}
    return frozenset({*ready, *named, *_FURTHER_VARIABLES})


def secret_variables(settings: Settings, env: Mapping[str, str]) -> frozenset[str]:
    """The variables that no hook, notify command or git hook is given.

    Those that may hold a key by their name, and those that do hold a known one.
    """
    keys = [key for key in known_keys(settings, env) if is_secret(key)]
    ours = (name for name in env if name.startswith("AGENT_RUNNER_") and name.endswith("API_KEY"))
    holding = (name for name, value in env.items() if any(key in value for key in keys))
    return key_variables(settings).union(ours, holding)


def known_keys(settings: Settings, env: Mapping[str, str]) -> frozenset[str]:
    """Every key there is, for the `Redactor`: in the environment, the settings, their headers."""
    return frozenset(key.strip() for key in _all_keys(settings, env) if key.strip())


def header_secrets(headers: Mapping[str, str]) -> Iterator[str]:
    """Keys that stand in headers, with and without the word in front of them (`Bearer`).

    With it too, for a server may repeat the whole header in its error.
    """
    for name, value in headers.items():
        if name.lower() in _KEY_HEADERS:
            yield value
            yield value.rpartition(" ")[2]


def _all_keys(settings: Settings, env: Mapping[str, str]) -> Iterator[str]:
    for variable in key_variables(settings):
        value = env.get(variable, "")
        if variable.endswith("_CUSTOM_HEADERS"):
            lines = (line.partition(":") for line in value.splitlines())
            yield from header_secrets({name.strip(): rest.strip() for name, _, rest in lines})
        else:
            yield value
    for own in settings.providers.values():
        yield own.api_key or ""
        yield from header_secrets(own.headers)
