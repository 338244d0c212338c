"""Takes known keys out of what a client brings, before any of it reaches the disk or the screen.

Clients take their own key out; a plug-in may not, and a gateway may say back another one's.
"""

from typing import Any

import attrs

from agent_runner.ground.redaction import Redactor
from agent_runner.model.agent import AgentResponse
from agent_runner.model.errors import ProviderError


def clean_response(response: AgentResponse, redactor: Redactor) -> AgentResponse:
    """The answer without known keys; everything else as it came."""
    cleaned: AgentResponse = _clean(response, redactor)
    return cleaned


def clean_error(error: ProviderError, redactor: Redactor) -> ProviderError:
    """The same error without known keys in its words."""
    error.args = tuple(_clean(one, redactor) for one in error.args)
    error.fix = redactor.exact(error.fix)
    error.request_id = _clean(error.request_id, redactor)
    return error


def _clean(value: Any, redactor: Redactor) -> Any:
    """`value` without known keys, whatever it is made of."""
    if type(value) is str:  # words of an enumeration stay
        return redactor.exact(value)
    if isinstance(value, dict):
        return {_clean(name, redactor): _clean(inner, redactor) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_clean(inner, redactor) for inner in value)
    if attrs.has(type(value)):
        inner = attrs.asdict(value, recurse=False)
        return attrs.evolve(value, **{name: _clean(one, redactor) for name, one in inner.items()})
    return value
