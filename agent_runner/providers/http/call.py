"""One call over HTTP, the same for every protocol: send, collect, judge, and put it into one form.

Where an answer ends badly depends on how far it came. Before anything of it came, the call failed
and an error is raised; afterwards it is a reply that is no full answer, with its partial text, for
it may have been billed.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import anyio
import attrs
from attrs import field, frozen

from agent_runner.ground.clock import Clock
from agent_runner.ground.tokens import characters_per_token
from agent_runner.model.agent import AgentRequest, AgentResponse, Finish, Prompt
from agent_runner.model.errors import TransientError, UnknownOutcomeError
from agent_runner.providers.client import CallContext, capabilities_of, clean_response
from agent_runner.providers.costs import estimated_usage
from agent_runner.providers.http.connection import Connection
from agent_runner.providers.http.exchange import Exchange, Receiver, beginning
from agent_runner.providers.http.failed_call import FailedCall, failure_in_answer, read_failure
from agent_runner.providers.http.failures import classify, reason_of_decline
from agent_runner.providers.http.headers import limits_of, request_id
from agent_runner.providers.http.remedies import Remedies
from agent_runner.providers.http.reply import GrowingReply, ReplyReader, conclude
from agent_runner.providers.profiles import Profile

if TYPE_CHECKING:
    pass

_CAPS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""The fields by which the protocols cap an answer."""

_RECEIPT = 8
"""Tokens of output that some servers report before the first word of an answer."""


@frozen
class Dialect:
    """What one wire protocol is made of.

    Attributes:
        path: What is put behind the base URL.
        body: Makes the request's body, to be sent as JSON.
        reader: Makes what understands one answer.
        headers: Sent with every call.
    """

    path: str
    body: Callable[[Profile, Prompt, AgentRequest], dict[str, Any]]
    reader: Callable[[], ReplyReader]
    headers: Mapping[str, str] = field(factory=dict)


class HttpClient:
    """An `AgentClient` for one profile and dialect."""

    def __init__(self, profile: Profile, clock: Clock, dialect: Dialect) -> None:
        self.capabilities = capabilities_of(profile)
        self._profile = profile
        self._clock = clock
        self._dialect = dialect
        self._connection = Connection(profile)
        self._receiver = Receiver(profile, clock, dialect.reader)
        self._remedies = Remedies()

    async def generate_completion(self, prompt: Prompt, context: CallContext) -> AgentResponse:
        """Ask once. See `client` for what comes back and what is raised."""
        return self.response(await self.ask(prompt, context), prompt, context.request)

    async def ask(self, prompt: Prompt, context: CallContext) -> Exchange:
        """Send the question; once more where the server only minds how a field is named."""
        body = self._dialect.body(self._profile, prompt, context.request)
        body |= self._profile.params  # the user's own fields win, and null takes one of ours out
        body = {name: value for name, value in body.items() if value is not None}
        context.progress(0)
        # ends: each field is learnt at most once, and there are only so many of them
        while True:
            outcome = await self._send("POST", self._dialect.path, self._remedies.on(body), context)
            if isinstance(outcome, Exchange):
                return outcome
            if not self._remedies.learn(outcome, body):
                return self._declined_or_raise(outcome, tools=bool(prompt.tools))

    async def fetch(self, path: str, context: CallContext) -> Exchange:
        """Get an answer that the server keeps."""
        outcome = await self._send("GET", path, None, context)
        return outcome if isinstance(outcome, Exchange) else self._declined_or_raise(outcome)

    def response(self, exchange: Exchange, prompt: Prompt, request: AgentRequest) -> AgentResponse:
        """The exchange in the form that is the same for all; raises if no answer began."""
        reply, redactor = exchange.reply, self._receiver.redactor()
        response = conclude(
            exchange.reader,
            prompt,
            cut=exchange.cut,
            cap=_cap(self._profile, request),
            number=request.number,
        )
        if reply.failure is not None:
            response = self._failed(exchange, response, tools=bool(prompt.tools))
        usage = response.usage
        if reply.usage is None:
            usage = estimated_usage(prompt, _written(response), self._profile.model)
        elif response.finish is Finish.CUT:
            # the report came with the first event; what was written since is not in it
            written = round(reply.received / characters_per_token(self._profile.model))
            usage = attrs.evolve(usage, output=max(usage.output, written), estimated=True)
        return attrs.evolve(
            clean_response(response, redactor),
            detail=redactor.text(response.detail),
            usage=usage,
            model=response.model or self._profile.model,
            request_id=request_id(exchange.headers),
            limits=limits_of(exchange.headers, self._clock.now()),
            logs=self._remedies.notes,
        )

    async def aclose(self) -> None:
        """Close the connection; a second time does nothing."""
        await self._connection.aclose()

    async def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, context: CallContext
    ) -> Exchange | FailedCall:
        headers, most = self._dialect.headers, self._profile.total_timeout
        try:
            with anyio.fail_after(most):
                async with self._connection.send(method, path, body, headers) as response:
                    if response.is_success:
                        return await self._receiver.collect(response, context, streamed=bool(body))
                    raw = await beginning(response)
                    return read_failure(
                        response.status_code, response.headers, raw, self._receiver.redactor()
                    )
        except TimeoutError as error:
            raise UnknownOutcomeError(
                f"{self._profile.name} was not done after {most:g} s; it may have been billed",
                fix=f"raise providers.{self._profile.name}.total_timeout if answers take longer",
            ) from error

    def _declined_or_raise(self, failure: FailedCall, *, tools: bool = False) -> Exchange:
        """A filter's refusal as the answer it is; every other failure raises its error."""
        reason = reason_of_decline(failure)
        if reason is None:
            raise classify(failure, self._profile, self._clock.now(), tools=tools)
        reader, reply = self._dialect.reader(), GrowingReply(started=True, ended=True)
        reader.reply, reply.finish, reply.detail = reply, Finish.REFUSED, reason
        return Exchange(reader, failure.headers)

    def _failed(self, exchange: Exchange, response: AgentResponse, *, tools: bool) -> AgentResponse:
        """An error inside of a 200, raised as what it is.

        After the first word an overload is a reply that failed, since it is likely to be billed;
        a limit, a budget, a key are what they are wherever they come.
        """
        reply = exchange.reply
        failure = failure_in_answer(
            reply.failure or {}, exchange.headers, self._receiver.redactor()
        )
        reason = reason_of_decline(failure)
        if reason is not None:
            return attrs.evolve(response, finish=Finish.REFUSED, detail=reason)
        known = classify(failure, self._profile, self._clock.now(), tools=tools)
        if not _nothing_came(reply):
            if isinstance(known, TransientError):
                return response
            known.usage = reply.usage
        raise known


def _cap(profile: Profile, request: AgentRequest) -> int | None:
    """The most tokens of output that were asked for; the user's own field wins over ours."""
    for name in _CAPS:
        if name in profile.params:
            cap = profile.params[name]
            return cap if isinstance(cap, int) else None
    return request.max_output_tokens


def _written(response: AgentResponse) -> str:
    """All that the model wrote: its words and its calls."""
    calls = (f"{call.name}{call.arguments}" for call in response.tool_calls)
    return "\n".join([response.text, *calls])


def _nothing_came(reply: GrowingReply) -> bool:
    """No word, no thought, no tool: at most the few tokens with which a message begins."""
    used = reply.usage.output if reply.usage is not None else 0
    return not reply.received and not reply.tool_calls and used <= _RECEIPT
