"""How a call ended, as the journal has it."""

from agent_runner.engine.calls.clients import Provider
from agent_runner.model.agent import AgentResponse
from agent_runner.model.errors import ProviderError
from agent_runner.model.events import CallSettled
from agent_runner.model.usage import Usage
from agent_runner.providers import decide


def answered(call: str, provider: Provider | None, response: AgentResponse) -> CallSettled:
    """A call with its answer. `provider`: None for one that is configured no more."""
    return CallSettled(
        call,
        "answered",
        provider.name if provider else "",
        usage=response.usage,
        cost=_cost(provider, response.usage, response.cost),
        request_id=response.request_id,
        response_id=response.response_id,
        limits=response.limits,
    )


def unanswered(
    call: str, provider: Provider, error: ProviderError, decision: decide.Consequence
) -> CallSettled:
    """A call that brought an error in place of an answer, with what was decided upon it."""
    return CallSettled(
        call,
        decide.outcome(error),
        provider.name,
        usage=error.usage,
        cost=_cost(provider, error.usage, error.cost),
        request_id=error.request_id,
        not_before=decision.until if isinstance(decision, decide.Wait) else None,
        reason=str(error),
        limits=error.limits,
    )


def lost(call: str, provider: str, reason: str) -> CallSettled:
    """A call whose end nobody saw: it may have been billed."""
    return CallSettled(call, "lost", provider, reason=reason, caused_by_runner=True)


def _cost(provider: Provider | None, usage: Usage | None, told: float | None) -> float | None:
    """Dollars: as the agent's own command says, else by the price of its model."""
    if told is not None or provider is None or usage is None:
        return told
    return provider.cost(usage)
