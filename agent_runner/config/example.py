"""Writes `example.config.yml`: every option with its default and its one line.

As it stands the file sets every option to its default. Sample entries of providers, hooks, limits
and prices are commented out; taking away `# ` in front of them gives a file that loads too.
"""

from collections.abc import Iterator, Mapping

from attrs import NOTHING

from agent_runner.config.schema import Kind, Option, options_of
from agent_runner.config.writing import written_option
from agent_runner.model.settings import Settings

_HEAD = """\
# All options of agent-runner. Every value below is the default; copy what you want to change.
#
# For one project:     agent-runner.yml or .agent-runner/config.yml beside the task list
# For all of yours:    ~/.agent-runner/config.yml
# For one run:         AGENT_RUNNER_... variables, or flags
#
# Each of these wins over those above it; mappings merge key by key, lists are replaced.
# `agent-runner config show --origin` tells where each value came from.
"""

_SAMPLES: Mapping[str, tuple[str, str]] = {
    "providers": ("claude", "claude, openai (codex) and local servers are known without an entry"),
    "rate_limits": ("claude", "a provider's name"),
    "prices": ("claude-sonnet-5-5", "a model's name"),
    "hooks": ("unit-tests", "an id of your own; tasks name it in pre_hooks and post_hooks"),
}
"""For options with entries: the name of the sample entry, and what that name is."""

_WITH_LINES_BELOW = frozenset({Kind.GROUP, Kind.ENTRIES})
_COLUMN = 34


def render_example() -> str:
    """The text of `example.config.yml`."""
    blocks: list[list[str]] = [[]]
    for option in options_of(Settings).values():
        if option.kind in _WITH_LINES_BELOW:
            blocks += [list(_option(option, "")), []]
        else:
            blocks[-1] += _option(option, "")
    return "\n".join([_HEAD, *("\n".join(block) + "\n" for block in blocks if block)])


def _option(option: Option, indent: str) -> Iterator[str]:
    if option.kind is Kind.GROUP:
        yield _line(f"{indent}{option.name}:", option.doc)
        for inner in options_of(option.cls).values():
            yield from _option(inner, indent + "  ")
    elif option.kind is Kind.ENTRIES:
        yield _line(f"{indent}{option.name}:", option.doc)
        yield from _sample(option, indent)
    else:
        yield _line(f"{indent}{option.name}: {_value(option)}", _doc(option))


def _sample(option: Option, indent: str) -> Iterator[str]:
    """The commented sample entry of an option with entries."""
    name, meaning = _SAMPLES[option.name]
    inner = indent + "  # "
    yield _line(f"{inner}{name}:", meaning)
    for one in options_of(option.cls).values():
        if one.kind is Kind.ENTRIES and one.cls is option.cls:
            yield _line(f"{inner}  {one.name}: {{}}", one.doc)
        else:
            yield from _option(one, inner + "  ")


def _value(option: Option) -> str:
    return option.example if option.default is NOTHING else written_option(option, option.default)


def _doc(option: Option) -> str:
    if option.example and option.default is not NOTHING:
        return f"{option.doc}; e.g. {option.example}"
    return option.doc


def _line(text: str, doc: str) -> str:
    """Code and comment in one line, the comments below one another where they fit."""
    return f"{text:<{_COLUMN}}  # {doc}" if len(text) <= _COLUMN else f"{text}  # {doc}"
