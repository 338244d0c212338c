"""Whether a failed call failed because tools were offered, so that it may work without them.

Asked only of calls that offered some, and only after every other kind of failure was ruled out:
what is too long, unpaid or forbidden stays that without tools. Servers as of November 2026: OpenAI
("Function tools with reasoning_effort are not supported"), Ollama ("does not support tools"), vLLM
('"auto" tool choice requires --enable-auto-tool-choice'), llama.cpp ("tools param requires --jinja
flag", under 500), OpenRouter (404, "No endpoints found that support tool use"), FastAPI (422, with
the field in `loc`).
"""

import re

from agent_runner.providers.http.failed_call import FailedCall
from agent_runner.providers.http.reply import items_of, text_of

_STATUSES = frozenset({400, 404, 405, 422, 500, 501})
_OF_THE_MODEL = frozenset({"model_not_found"})
_FIELDS = re.compile(r"tools|tool_choice|functions|function_call")
_NAMED = re.compile(
    r"(?<![\w-])tools(?![\w-])|\btool[ -](?:use|using|calls|calling|choice)\b|\btool_choice\b"
    r"|\bfunctions?[ -](?:calls|calling|tools)\b",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"\bnot? (?:\w+ )?(?:support|available|allowed|permitted|implemented|enabled|found|possible)"
    r"|n't support|unsupported|unrecognized|unknown|unexpected|extra inputs|unavailable|disabled"
    r"|requires?\b|must be set|\bno endpoints\b|\bcannot\b|\bcan't\b|\bwithout\b|\binvalid\b",
    re.IGNORECASE,
)


def declines_tools(failure: FailedCall, model: str) -> bool:
    """Whether the server blames the tools: by the field it names, or in words of both kinds.

    A message that speaks of calls or their answers (`tool_use`, `tool_call_id`) is about the
    conversation, which no other request would mend.
    """
    if failure.status not in _STATUSES or failure.has(_OF_THE_MODEL):
        return False
    if failure.status < 500 and any(_FIELDS.match(name) for name in _blamed(failure)):
        return True
    message = failure.message.replace(model, "") if model else failure.message
    return bool(_NAMED.search(message) and _REFUSED.search(message))


def _blamed(failure: FailedCall) -> list[str]:
    """The top-level fields of the request that the failure blames."""
    places = [complaint.get("loc") for complaint in items_of(failure.body.get("detail"))]
    fields = [
        text_of(step)
        for place in places
        if isinstance(place, list)
        for step in [one for one in place if one != "body"][:1]
    ]
    return [failure.param, *fields]
