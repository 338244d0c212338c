"""What can only be judged with the whole configuration in view, such as names that must exist."""

import re
import zoneinfo
from collections.abc import Callable, Iterator

from attrs import field, frozen

from agent_runner.config.layers import Places
from agent_runner.documents import Expect, Fields, Items, Node, Scalar, Suggestions, quoted
from agent_runner.ground.calendar import week_start, zone
from agent_runner.ground.presence import is_file
from agent_runner.ground.redaction import Redactor
from agent_runner.model.errors import Problem
from agent_runner.model.names import KnownNames
from agent_runner.model.settings import (
    BranchRule,
    CommandsRule,
    CommitRule,
    ProviderSettings,
    Settings,
)

TEST_HOOK = "test"
"""The id of the hook that `test_command` makes."""


_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE = re.compile(
    r"(?:[A-Za-z]+ +)?(?:\$\{(?:env:)?|\$(?:env:)?|env:|\{\{ *(?:env\.|secrets\.)?|%|os\.environ/)"
    r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:\}| *\}\}|%)?"
)
"""How other programs have a variable filled in: `${NAME}`, `$NAME`, `env:NAME`, `{{ NAME }}`."""


@frozen
class Subject:
    """What is checked: the merged tree, and the settings made from it."""

    tree: Fields
    settings: Settings
    places: Places
    names: KnownNames
    expect: Expect
    warnings: list[Problem] = field(factory=list)

    def at(self, *path: str) -> Node | None:
        """What stands at `path`, if anything was set there."""
        node: Node = self.tree
        for name in path:
            if not isinstance(node, Fields) or name not in node.values:
                return None
            node = node.values[name]
        return node

    def key(self, *path: str) -> Scalar | None:
        """The key of what stands at `path`."""
        above = self.at(*path[:-1])
        return above.keys.get(path[-1]) if isinstance(above, Fields) else None

    def note(self, node: Node | None, message: str, hint: str = "") -> None:
        """A mistake at `node`; values that nobody set are right."""
        if node is not None:
            self.expect.note(node, message, hint)

    def warn(self, node: Node | None, message: str, hint: str = "") -> None:
        """Something that is allowed and probably not meant."""
        if node is not None:
            self.warnings.append(node.problem(message, hint))


def check_settings(subject: Subject) -> None:
    """Notes everything wrong or odd in `subject`."""
    for one in _CHECKS:
        one(subject)


def _branches(subject: Subject) -> None:
    git = subject.settings.git
    if git.branch is not BranchRule.OFF and git.commit is CommitRule.OFF:
        hint = "set git.commit to task or attempt"
        subject.note(
            subject.at("git", "branch"), "git.branch is on, and nothing is committed", hint
        )


def _hooks(subject: Subject) -> None:
    for name, hook in subject.settings.hooks.items():
        key = subject.key("hooks", name)
        if not hook.command and subject.at("hooks", name, "command") is None:
            subject.note(key, f"the hook {quoted(name)} has no command")
        if hook.failures.regex is not None:
            try:
                re.compile(hook.failures.regex)
            except (re.error, OverflowError, RecursionError) as error:
                at = subject.at("hooks", name, "failures", "regex")
                subject.note(at, f"this is not a regular expression: {error}")
    if subject.settings.test_command is not None and TEST_HOOK in subject.settings.hooks:
        message = f"test_command defines the hook {TEST_HOOK}, but hooks has one of that name"
        subject.note(subject.key("test_command"), message, "keep one of them")


def _default_hooks(subject: Subject) -> None:
    made = [TEST_HOOK] if subject.settings.test_command is not None else []
    known = Suggestions([*subject.settings.hooks, *made])
    for name in ("pre_hooks", "post_hooks"):
        for item in _texts(subject.at("defaults", name)):
            if item.text not in known.words:
                message = f"there is no hook {quoted(item.text)}"
                subject.note(item, message, known.hint(item.text) or "define it under hooks")


def _providers(subject: Subject) -> None:
    names = Suggestions([*subject.settings.providers, *subject.names.providers])
    if subject.settings.provider is not None:
        _known(subject, subject.at("provider"), subject.settings.provider, "provider", names)
    for name in subject.settings.rate_limits:
        _known(subject, subject.key("rate_limits", name), name, "provider", names)
    protocols = Suggestions(subject.names.protocols)
    for name, provider in subject.settings.providers.items():
        if provider.protocol is not None:
            at = subject.at("providers", name, "protocol")
            _known(subject, at, provider.protocol, "protocol", protocols)
        _fallbacks(subject, name, names)
        _keys(subject, name, provider)


def _keys(subject: Subject, name: str, provider: ProviderSettings) -> None:
    """A key stands where it is meant to stand: nothing here is a shell, and nothing shows a key."""
    variable, key = provider.api_key_env, provider.api_key
    if variable and (not _VARIABLE.fullmatch(variable) or _looks_like_a_key(variable)):
        message = f"providers.{name}.api_key_env must be the name of an environment variable"
        looks = " and looks like the key itself" if _looks_like_a_key(variable) else ""
        hint = "export the key as a variable and write its name here, such as MY_API_KEY"
        subject.note(subject.at("providers", name, "api_key_env"), f"{message}{looks}", hint)
    if key and (named := _REFERENCE.fullmatch(key.strip())):
        message = f"providers.{name}.api_key is sent as it stands; variables are not filled in"
        hint = f"write it as api_key_env: {named['name']}"
        subject.note(subject.at("providers", name, "api_key"), message, hint)
    for header, value in provider.headers.items():
        if named := _REFERENCE.fullmatch(value.strip()):
            message = f"the header {header} is sent as it stands; variables are not filled in"
            hint = f"a key is named with api_key_env: {named['name']}"
            subject.note(subject.at("providers", name, "headers", header), message, hint)


def _looks_like_a_key(word: str) -> bool:
    """Whether a word is a key rather than a name: by the shapes of keys, or by letters and digits.

    Names of variables are written in capitals and are words; keys mix what they are made of.
    """
    if Redactor().text(word) != word:
        return True
    kinds = (str.islower, str.isupper, str.isdigit)
    mixed = sum(any(map(kind, word)) for kind in kinds)
    return len(word) >= 20 and (mixed == len(kinds) or sum(map(str.isdigit, word)) > 6)


def _fallbacks(subject: Subject, provider: str, names: Suggestions) -> None:
    """Fallbacks must be known and others than the provider itself."""
    for item in _texts(subject.at("providers", provider, "fallback")):
        _known(subject, item, item.text, "provider", names)
        if item.text == provider:
            subject.note(item, f"{quoted(provider)} cannot be its own fallback", "name another")


def _known(subject: Subject, at: Node | None, name: str, what: str, known: Suggestions) -> None:
    if name not in known.words and name not in set(subject.names.plugged_in()):
        subject.note(at, f"there is no {what} {quoted(name)}", known.hint(name))


def _windows(subject: Subject) -> None:
    limits = subject.settings.limits
    try:
        week_start(limits.week_starts)
    except ValueError:
        message = f"limits.week_starts is not a weekday and time: {quoted(limits.week_starts)}"
        subject.note(subject.at("limits", "week_starts"), message, "write it as monday 00:00")
    if limits.timezone is not None:
        try:
            zone(limits.timezone)
        except ValueError:
            message = f"there is no time zone {quoted(limits.timezone)}"
            nearest = Suggestions(zoneinfo.available_timezones()).nearest(limits.timezone)
            hint = f"did you mean {nearest}?" if nearest else "write it as Europe/Berlin"
            subject.note(subject.at("limits", "timezone"), message, hint)


def _template(subject: Subject) -> None:
    settings = subject.settings
    templates = (
        (("template",), settings.template),
        (("prompt", "system_template"), settings.prompt.system_template),
    )
    for place, template in templates:
        if template is not None and not is_file(template):
            shown = subject.places.shown(template)
            message = f"the template {shown} does not exist, or is not a file"
            subject.note(subject.at(*place), message)


def _commands(subject: Subject) -> None:
    apply = subject.settings.apply
    if apply.commands is CommandsRule.ALLOW and not apply.allow:
        message = "apply.commands is allow, but no command is listed"
        subject.note(subject.at("apply", "commands"), message, "list them: {allow: [pytest]}")


def _texts(node: Node | None) -> Iterator[Scalar]:
    for item in node.items if isinstance(node, Items) else ():
        if isinstance(item, Scalar) and isinstance(item.value, str):
            yield item


_CHECKS: tuple[Callable[[Subject], None], ...] = (
    _hooks,
    _default_hooks,
    _providers,
    _windows,
    _template,
    _commands,
    _branches,
)
