"""The merged configuration as text: every option, its value, where it came from; no keys."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from agent_runner.config.loading import Loaded
from agent_runner.config.schema import Option, OptionKind, options_of
from agent_runner.config.writing import written, written_option
from agent_runner.ground.redaction import MARK, Redactor
from agent_runner.model.options import Reading
from agent_runner.model.settings import Settings

_SECRET_NAME = re.compile(r"key|token|secret|passw|auth|credential|cookie", re.IGNORECASE)
_URL_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_WIDEST = 60


@frozen
class _OptionLine:
    text: str
    origin: str = ""


def settings_lines(loaded: Loaded) -> list[str]:
    """The merged configuration as YAML, one option a line; keys and logins are taken out."""
    redactor = Redactor(_keys(loaded.settings))
    return [redactor.text(line.text) for line in _group(loaded, Settings, loaded.settings, ())]


def settings_lines_with_origins(loaded: Loaded) -> list[str]:
    """The same with a comment behind every value that says where it came from."""
    redactor = Redactor(_keys(loaded.settings))
    lines = list(_group(loaded, Settings, loaded.settings, ()))
    shown = [redactor.text(line.text) for line in lines]
    width = min(max(map(len, shown)), _WIDEST)
    return [
        f"{text:<{width}}  # {line.origin}" if line.origin else text
        for text, line in zip(shown, lines, strict=True)
    ]


def _group(loaded: Loaded, cls: type, value: Any, path: tuple[str, ...]) -> Iterator[_OptionLine]:
    for name, option in options_of(cls).items():
        yield from _option(loaded, option, getattr(value, name), (*path, name))


def _option(
    loaded: Loaded, option: Option, value: Any, path: tuple[str, ...]
) -> Iterator[_OptionLine]:
    indent = "  " * (len(path) - 1)
    if option.kind is OptionKind.GROUP:
        yield _OptionLine(f"{indent}{option.name}:")
        yield from _group(loaded, option.cls, value, path)
    elif option.kind is OptionKind.ENTRIES and value:
        yield _OptionLine(f"{indent}{option.name}:")
        for name, entry in value.items():
            yield _OptionLine(f"{indent}  {written(name)}:")
            yield from _group(loaded, option.cls, entry, (*path, name))
    else:
        origin = loaded.origin(".".join(path))
        yield _OptionLine(f"{indent}{option.name}: {_shown(option, value)}", origin)


def _shown(option: Option, value: Any) -> str:
    if option.reading is Reading.SECRET:
        return "null" if value is None else f'"{MARK}"'
    if isinstance(value, Mapping):
        return written(_without_secrets(value))
    return _URL_LOGIN.sub(MARK, written_option(option, value))


def _without_secrets(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping with the values of telling names taken out, at every depth."""
    return {
        name: _without_secrets(value)
        if isinstance(value, Mapping)
        else MARK
        if _SECRET_NAME.search(name) and isinstance(value, str)
        else value
        for name, value in mapping.items()
    }


def _keys(settings: Settings) -> list[str]:
    return [one.api_key for one in settings.providers.values() if one.api_key is not None]
