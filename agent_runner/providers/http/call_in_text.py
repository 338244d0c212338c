"""Calls of tools that a model wrote as the words of its reply, in place of the protocol's field.

Small models and servers without a parser for a model's template do so: the whole text is the call,
`{"name": "read_file", "arguments": {"path": "a.py"}}`, alone, in a fence, or in the tags of Qwen's
and Hermes' templates. The rule is strict, since a text that merely shows JSON is no request.
"""

import json
import re
from collections.abc import Collection, Mapping

_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*)\n[ \t]*```", re.DOTALL | re.IGNORECASE)
_TAGGED = re.compile(r"<tool_call>(.*?)</tool_call>\s*", re.DOTALL)


def calls_in_text(text: str, offered: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Name and arguments (JSON) of each call that the text is made of; () for any other text.

    A call is one JSON object of two members: `name`, which is one of `offered`, and an object, the
    arguments. Tagged calls may follow each other, as the templates allow.
    """
    bare = text.strip()
    if not offered or bare[:1] not in "{`<" or not bare:
        return ()
    fenced = _FENCE.fullmatch(bare)
    pieces = [fenced[1] if fenced else bare]
    if _TAGGED.sub("", bare) == "":
        pieces = _TAGGED.findall(bare)
    calls = [_call(piece, offered) for piece in pieces]
    return tuple(call for call in calls if call is not None) if all(calls) else ()


def _call(text: str, offered: Collection[str]) -> tuple[str, str] | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, Mapping) or len(content) != 2 or "name" not in content:
        return None
    arguments = next(value for name, value in content.items() if name != "name")
    known = isinstance(content["name"], str) and content["name"] in offered
    if not known or not isinstance(arguments, Mapping):
        return None
    return content["name"], json.dumps(arguments, ensure_ascii=False)
