"""The protocols, providers and models that are known without configuration: all of it data.

A ready-made provider is one entry here, and nothing anywhere else. Prices, windows and lists of
models go stale, so nothing here decides more than it must: a model that is not listed is sent as it
is, and the server has the last word.

Facts are from the vendors' documentation and SDKs, and for the servers that one runs oneself from
their own documentation and source, all as of November 2026.
"""

import enum
import re
from collections.abc import Mapping

from attrs import field, frozen

from agent_runner.model.settings import EditFormat


class Auth(enum.StrEnum):
    """The header that carries the key."""

    BEARER = "bearer"
    X_API_KEY = "x-api-key"
    API_KEY = "api-key"

    def header(self, key: str) -> tuple[str, str]:
        """Name and value of the header."""
        return ("authorization", f"Bearer {key}") if self is Auth.BEARER else (self.value, key)


@frozen
class KeyVariable:
    """An environment variable that may hold the key, and how that key is sent.

    `family`: a regular expression for the start of the names of the models that it is for; "" where
    it is for all.
    """

    name: str
    auth: Auth = Auth.BEARER
    family: str = ""


@frozen
class WireProtocol:
    """A way to ask that is built in.

    Attributes:
        factory: `module:function` that makes the client, imported when it is first used, as with
            the entry points of other packages.
        networked: Whether it has an address and a model.
        auth: The header that carries the key; None where that is the provider's matter.
        own_prefix: What it puts in front of its paths itself, so that it is taken off the end of an
            address.
        vendor: The ready-made provider whose address and key stand in where a provider of the
            user's own names this protocol and no address.
        background: Whether the provider can keep an answer.
        cached_free: Whether its vendor's own limits leave out input that is read from the cache.
        tools: Whether it has fields for tools and their calls.
        custom_tools: Whether it has tools whose argument is free text.
        command: Whether it starts a program, which may know its model and its key by itself.
    """

    factory: str
    networked: bool = True
    auth: Auth | None = None
    own_prefix: str = ""
    vendor: str = ""
    background: bool = False
    cached_free: bool = False
    tools: bool = True
    custom_tools: bool = False
    command: bool = False


@frozen
class ReadyMade:
    """A provider as it stands ready. None and empty mean that the user must say it, or need not.

    Attributes:
        name: Its name; `aliases` are others for it.
        protocol: How it is asked; None lets the model decide.
        base_url: Its own address, to which its key may go.
        model: The model that is asked for unless another is set.
        keys: Variables in which its key is looked for, in order.
        key_needed: Whether no call can be made without one.
        base_urls: Variables that may hold another address; `base_path` is put behind one without a
            path.
        auth: The header that carries a key from the configuration.
        headers_from: Header names, and the variables that hold their values.
        lines_from: A variable with further headers, one `Name: value` a line.
        cap: The field of Chat Completions that caps the answer.
        family: A regular expression for the start of the names of models served at `base_url`.
        edit_format: The form of edits that its models are asked for; AUTO lets the model decide.
        about: A note for its users, in the table of docs/providers.md.
    """

    name: str
    protocol: str | None
    base_url: str | None = None
    model: str | None = None
    aliases: tuple[str, ...] = ()
    keys: tuple[KeyVariable, ...] = ()
    key_needed: bool = False
    base_urls: tuple[str, ...] = ()
    base_path: str = ""
    auth: Auth = Auth.BEARER
    headers_from: Mapping[str, str] = field(factory=dict, hash=False)
    lines_from: str = ""
    cap: str = "max_tokens"
    family: str = ""
    edit_format: EditFormat = EditFormat.AUTO
    about: str = ""


_HTTP = "agent_runner.providers.http"

PROTOCOLS: Mapping[str, WireProtocol] = {
    "anthropic": WireProtocol(
        f"{_HTTP}.anthropic:make_client",
        auth=Auth.X_API_KEY,
        own_prefix="/v1",
        vendor="claude",
        cached_free=True,
    ),
    "responses": WireProtocol(
        f"{_HTTP}.responses:make_client", vendor="openai", background=True, custom_tools=True
    ),
    "chat": WireProtocol(f"{_HTTP}.chat:make_client"),
    "replay": WireProtocol(
        "agent_runner.providers.replay:make_client", networked=False, tools=False
    ),
    "command": WireProtocol(
        "agent_runner.providers.commands.client:make_client",
        networked=False,
        tools=False,
        command=True,
    ),
}
"""By name; a further one is one file and one line here."""

_OF_MODEL = (
    KeyVariable("ANTHROPIC_API_KEY", family=r"anthropic/|claude|sonnet|opus|haiku"),
    KeyVariable("OPENAI_API_KEY", family=r"openai/|gpt-|o\d"),
    KeyVariable("GEMINI_API_KEY", family=r"gemini|google/"),
    KeyVariable("OPENROUTER_API_KEY", family=r"openrouter/"),
    KeyVariable("DEEPSEEK_API_KEY", family=r"deepseek"),
    KeyVariable("MISTRAL_API_KEY", family=r"mistral"),
    KeyVariable("GROQ_API_KEY", family=r"groq/"),
    KeyVariable("XAI_API_KEY", family=r"xai/|grok"),
)
"""Keys of commands that ask the providers of others, by the models that each is for."""

_NO_NETWORK = WireProtocol("", networked=False)
"""What is known of a protocol that another package brings: nothing."""

READY_MADE: Mapping[str, ReadyMade] = {
    entry.name: entry
    for entry in (
        ReadyMade(
            "claude",
            "anthropic",
            "https://api.anthropic.com",
            "claude-sonnet-5-5",
            aliases=("anthropic",),
            keys=(
                KeyVariable("ANTHROPIC_API_KEY", Auth.X_API_KEY),
                KeyVariable("ANTHROPIC_AUTH_TOKEN", Auth.BEARER),
            ),
            key_needed=True,
            base_urls=("ANTHROPIC_BASE_URL",),
            auth=Auth.X_API_KEY,
            lines_from="ANTHROPIC_CUSTOM_HEADERS",
            family=r"claude-",
        ),
        ReadyMade(
            "openai",
            None,
            "https://api.openai.com/v1",
            "gpt-6.1-sol",
            aliases=("codex",),
            keys=(KeyVariable("OPENAI_API_KEY", Auth.BEARER),),
            key_needed=True,
            base_urls=("OPENAI_BASE_URL",),
            headers_from={
                "OpenAI-Organization": "OPENAI_ORG_ID",
                "OpenAI-Project": "OPENAI_PROJECT_ID",
            },
            lines_from="OPENAI_CUSTOM_HEADERS",
            cap="max_completion_tokens",
            family=r"(?!(?:claude|gemini|llama|qwen|mistral|deepseek)[-/0-9])",
            about="Responses, or Chat Completions for models that know only that",
        ),
        ReadyMade(
            "ollama",
            "chat",
            "http://localhost:11434/v1",
            keys=(KeyVariable("OLLAMA_API_KEY", Auth.BEARER),),
            edit_format=EditFormat.WHOLE,
            about="knows `max_tokens` only; the key is for its cloud",
        ),
        ReadyMade(
            "vllm",
            "chat",
            "http://localhost:8000/v1",
            keys=(KeyVariable("VLLM_API_KEY", Auth.BEARER),),
            edit_format=EditFormat.WHOLE,
            about="the key is what the server's `--api-key` was given",
        ),
        ReadyMade(
            "openrouter",
            "chat",
            "https://openrouter.ai/api/v1",
            keys=(KeyVariable("OPENROUTER_API_KEY", Auth.BEARER),),
            key_needed=True,
            about="reports failures inside of a 200 too",
        ),
        ReadyMade(
            "lmstudio",
            "chat",
            "http://localhost:1234/v1",
            edit_format=EditFormat.WHOLE,
            about="loads a model at its first call: the first byte may be late",
        ),
        ReadyMade(
            "llamacpp",
            "chat",
            "http://localhost:8080/v1",
            "default",
            keys=(KeyVariable("LLAMA_API_KEY", Auth.BEARER),),
            edit_format=EditFormat.WHOLE,
            about="ignores the model's name unless it routes; the key as for vllm",
        ),
        ReadyMade(
            "azure",
            "responses",
            None,
            keys=(
                KeyVariable("AZURE_OPENAI_API_KEY", Auth.API_KEY),
                KeyVariable("AZURE_OPENAI_AD_TOKEN", Auth.BEARER),
            ),
            key_needed=True,
            base_urls=("AZURE_OPENAI_ENDPOINT",),
            base_path="/openai/v1",
            auth=Auth.API_KEY,
            cap="max_completion_tokens",
            about="v1 API; `model` is the name of your deployment",
        ),
        ReadyMade("replay", "replay", model="replay", about="answers from files, see below"),
        ReadyMade(
            "claude-code",
            "command",
            keys=(
                KeyVariable("CLAUDE_CODE_OAUTH_TOKEN"),
                KeyVariable("ANTHROPIC_API_KEY"),
                KeyVariable("ANTHROPIC_AUTH_TOKEN"),
            ),
            about="the command `claude`",
        ),
        ReadyMade(
            "codex-cli",
            "command",
            keys=(KeyVariable("CODEX_API_KEY"), KeyVariable("OPENAI_API_KEY")),
            about="the command `codex`",
        ),
        ReadyMade(
            "gemini-cli",
            "command",
            keys=(KeyVariable("GEMINI_API_KEY"), KeyVariable("GOOGLE_API_KEY")),
            about="the command `gemini`",
        ),
        ReadyMade("opencode", "command", keys=_OF_MODEL, about="the command `opencode`"),
        ReadyMade("aider", "command", keys=_OF_MODEL, about="the command `aider`"),
    )
}

ALIASES: Mapping[str, str] = {
    alias: entry.name for entry in READY_MADE.values() for alias in entry.aliases
}
"""Other names of ready-made providers, and the names that they stand for."""

KNOWN_MODELS = (
    "claude-fable-5-2",
    "claude-fable-5-1",
    "claude-fable-5",
    "claude-opus-5-5",
    "claude-opus-5",
    "claude-opus-4-8",
    "claude-sonnet-5-5",
    "claude-sonnet-5",
    "claude-sonnet-4-6",
    "claude-haiku-5-5",
    "claude-haiku-4-5",
    "gpt-6.2-astra",
    "gpt-6.2-sol",
    "gpt-6.1-sol",
    "gpt-6.1-terra",
    "gpt-6-astra",
    "gpt-6-sol",
    "gpt-6-luna",
    "gpt-5.6-sol",
    "gpt-5.6-terra",
    "gpt-5.6-luna",
    "gpt-5.5",
    "gpt-5.5-pro",
    "gpt-5.4",
    "gpt-5.4-mini",
    "gpt-5.3-codex",
    "gpt-5.2",
    "gpt-5.2-codex",
)
"""Names to guess from when a server does not know a model; no list of what may be used."""

_RESPONSES_ONLY = re.compile(
    r"gpt-5[\d.]*-codex.*|codex-.*|(?:gpt-|o)[\d.]+-pro(?:-\d{4}-.*)?|.*-deep-research.*"
    r"|computer-use-.*|.*-cyber|gpt-daybreak-.*|.*rosalind.*|.*-astra-law"
)
_CHAT_ONLY = re.compile(
    r"gpt-audio.*|gpt-4o(?:-mini)?-(?:audio|search)-preview.*|gpt-3\.5-.*|gpt-4(?:-0.*|-32k.*)?"
)


_TRAINED_ON_PATCHES = re.compile(r"(?:.*/)?(?:gpt-|codex|o[34]\b).*")
_NO_REASONING = re.compile(r"(?:chatgpt-|gpt-(?:3|4)|computer-use-|.*-chat-latest).*")
_CUSTOM_TOOLS = re.compile(r"gpt-(?:[5-9]|\d\d).*|codex-.*")


def protocol_of(name: str) -> WireProtocol:
    """What is known of a protocol."""
    return PROTOCOLS.get(name, _NO_NETWORK)


def openai_protocol(model: str) -> str:
    """The protocol that an OpenAI model is asked through: Responses, which nearly all of them know.

    Newer models take tools and effort only there; the audio and search previews only know Chat.
    """
    return "chat" if _CHAT_ONLY.fullmatch(model) else "responses"


def serves(protocol: str, model: str) -> bool:
    """Whether OpenAI serves `model` through `protocol`, as far as is known."""
    if protocol == "chat":
        return not _RESPONSES_ONLY.fullmatch(model)
    return protocol != "responses" or not _CHAT_ONLY.fullmatch(model)


def is_trained_on_patches(model: str) -> bool:
    """Whether a model writes `*** Begin Patch` envelopes best: OpenAI's own, at any address."""
    return bool(_TRAINED_ON_PATCHES.fullmatch(model))


def reasons(model: str) -> bool:
    """Whether an OpenAI model thinks before it answers; a name that is not known may."""
    return not _NO_REASONING.fullmatch(model)


def takes_custom_tools(model: str) -> bool:
    """Whether an OpenAI model takes tools whose argument is free text: those from GPT-5 on."""
    return bool(_CUSTOM_TOOLS.fullmatch(model))
