"""Fields that one server wants and another turns away, learnt from its 400, once for each field.

Such a 400 costs nothing, so the same question is asked again at once, changed; later calls of the
run begin with what was learnt. No table of servers could replace this: which field is taken depends
on the model, and on the version of a server that somebody else runs.
"""

import re
from collections.abc import Mapping
from typing import Any

from agent_runner.providers.http.failed_call import FailedCall

_RENAMED = {
    "max_tokens": "max_completion_tokens",
    "max_completion_tokens": "max_tokens",
}
_DROPPED = (
    "temperature",
    "top_p",
    "top_k",
    "stream_options",
    "store",
    "include",
    "parallel_tool_calls",
    "prompt_cache_key",
)
_REFUSED = re.compile(
    r"unsupported|not supported|not support|unrecognized|unknown|not permitted|not allowed"
    r"|extra inputs|unexpected|deprecated|no longer|cannot|can't|does not|only the default",
    re.IGNORECASE,
)


class Remedies:
    """What was learnt of one server."""

    def __init__(self) -> None:
        self._learnt: dict[str, str | None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """One line for people for each field changed."""
        return tuple(
            f"the server does not take {field}: " + (f"sent as {other}" if other else "left out")
            for field, other in self._learnt.items()
        )

    def on(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """`body` as this server takes it."""
        changed = dict(body)
        for field, other in self._learnt.items():
            if field in changed:
                value = changed.pop(field)
                if other is not None:
                    changed[other] = value
        return changed

    def learn(self, failure: FailedCall, body: Mapping[str, Any]) -> bool:
        """Whether the failure is about a field that can be changed and was not changed yet."""
        # 422 is what FastAPI servers answer where others say 400
        if failure.status not in {400, 422}:
            return False
        field = next((name for name in self.on(body) if _blames(failure, name)), None)
        # a field that was renamed already and is refused again is not renamed back: the two names
        # would take turns for ever
        if field is None or field in self._learnt or field in self._learnt.values():
            return False
        self._learnt[field] = _RENAMED.get(field)
        return True


def _blames(failure: FailedCall, field: str) -> bool:
    """Whether the server minds that this field is there, and not what its value is."""
    if field not in _RENAMED and field not in _DROPPED:
        return False
    named = failure.param == field or _names_first(failure.message, field)
    coded = failure.has(frozenset({"unsupported_parameter", "unsupported_value"}))
    return named and (coded or bool(_REFUSED.search(failure.message)))


def _names_first(message: str, field: str) -> bool:
    """Whether `field` is the first of ours that the message names, the one that it is about.

    OpenAI's "use max_completion_tokens instead" names the other one too.
    """
    found = re.search(r"\b(" + "|".join((*_RENAMED, *_DROPPED)) + r")\b", message)
    return found is not None and found[1] == field
