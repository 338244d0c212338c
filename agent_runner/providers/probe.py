"""The smallest real call to a provider: whether key, address and model work together."""

from attrs import field, frozen

from agent_runner.ground.clock import Clock
from agent_runner.model.agent import AgentRequest, Finish, Message, Prompt
from agent_runner.model.errors import FatalError, ProviderError, UsageError
from agent_runner.model.usage import ReportedLimit, Usage
from agent_runner.providers.client import CallContext
from agent_runner.providers.faults import fault_of
from agent_runner.providers.profiles import Profile
from agent_runner.providers.registry import make_client

CAP = 16
"""Tokens of the answer: the least that every protocol accepts."""

_PROMPT = Prompt("", (Message("user", "Answer with the one word: ok"),))

_REACHED = frozenset({Finish.COMPLETE, Finish.TRUNCATED, Finish.EMPTY})
"""Ends that show a working call: a model that thinks first has no words left within the cap."""


@frozen
class ProbeResult:
    """What came of a probe.

    `text` is one line for people, `fix` what to do if it is not `ok`; `model` as the server names
    it; `seconds` until its answer was whole.
    """

    name: str
    ok: bool
    text: str
    fix: str = ""
    model: str = ""
    seconds: float = 0.0
    usage: Usage = field(factory=Usage)
    limits: tuple[ReportedLimit, ...] = ()


async def probe(profile: Profile, clock: Clock) -> ProbeResult:
    """Make the call and say what came of it; a provider's troubles are results, not errors."""
    if profile.protocol == "replay":
        return _recordings(profile)
    request = AgentRequest(
        call="check",
        task="check",
        number=1,
        attempt=1,
        turn=1,
        provider=profile.name,
        model=profile.model,
        prompt=_PROMPT,
        max_output_tokens=CAP,
    )
    started_at = clock.monotonic()
    try:
        # in words, without a task's folder: an agent that works in place is asked too, and changes
        # nothing
        client = make_client(profile, clock)
        try:
            reply = await client.generate_completion(_PROMPT, CallContext(request))
        finally:
            await client.aclose()
        fault = fault_of(reply, profile, clock.now())
        if fault is not None:
            raise fault
    except (ProviderError, UsageError) as error:
        return ProbeResult(profile.name, ok=False, text=str(error), fix=error.fix)
    seconds = clock.monotonic() - started_at
    ok = reply.finish in _REACHED
    text = f"{reply.model or profile.model} answered in {seconds:.1f} s"
    return ProbeResult(
        profile.name,
        ok=ok,
        text=text if ok else f"{text}, but the answer is {reply.finish}: {reply.detail}",
        model=reply.model,
        seconds=seconds,
        usage=reply.usage,
        limits=reply.limits,
    )


def _recordings(profile: Profile) -> ProbeResult:
    """Replay asks nobody: the folder and its answers are what there is to look at."""
    folder = profile.replies
    if folder is None or not folder.is_dir():
        missing = FatalError(f"replay: the folder {folder} is missing", fix="check `replies`")
        return ProbeResult(profile.name, ok=False, text=str(missing), fix=missing.fix)
    count = sum(1 for path in folder.glob("*/*") if path.suffix in {".md", ".json"})
    return ProbeResult(profile.name, ok=count > 0, text=f"{count} answers in {folder}")
