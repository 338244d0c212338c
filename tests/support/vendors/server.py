"""A stand-in for the vendors' servers, as strict as they are with conversations that hold tools.

It speaks all three protocols at one address. What it is sent is judged first: results without a
call, calls without a result, words before results, thoughts that were changed or left out, fields
that nobody knows are each turned away with the vendor's own status and words. What passes is
answered by a function of the test's, from the request's body, and charged:

    strict = StrictServer(lambda body: Say("done") if asked_before(body) else Say(calls=[...]))
    with serving(strict) as server:
        ...
    assert [charge.output for charge in strict.charges] == [...]
"""

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field, frozen

from tests.providers.server import Request, Script, Wire, answer, stream
from tests.support.vendors import chat, messages, responses
from tests.support.vendors.said import Protocol, RefusedError, Say, Used, tokens_of

PROTOCOLS: tuple[Protocol, ...] = (messages.MESSAGES, responses.RESPONSES, chat.CHAT)
Body = Mapping[str, Any]
Speaker = Callable[[Body], "Say | Script"]
"""What a model says to a request; a script in its place does as it likes, and is charged."""

_LOOK_BACK = 20
"""Blocks before a mark among which Anthropic looks for what it has in its cache."""


@frozen
class Charge:
    """What one request cost: tokens, and a digest of its body (the same body: paid twice)."""

    protocol: str
    used: Used
    digest: str
    body: Body


@define
class StrictServer:
    """Answers with what `speaker` says to each request.

    Attributes:
        whole: Never stream, whatever is asked for.
        pieces: In how many pieces a stream is sent, at most.
        charges: What was charged, in order; what was turned away costs nothing.
        refused: What was said to requests that were turned away.
        begun: Told of each charge before the first byte of its answer is sent.
    """

    speaker: Speaker
    whole: bool = False
    pieces: int = 1_000
    begun: Callable[[Charge], None] = lambda _charge: None
    charges: list[Charge] = field(factory=list)
    refused: list[str] = field(factory=list)
    _issued: dict[str, list[Any]] = field(factory=dict)
    _cached: set[str] = field(factory=set)
    _lock: threading.Lock = field(factory=threading.Lock)

    def __call__(self, wire: Wire, request: Request) -> None:
        with self._lock:
            script = self._script(request)
        script(wire, request)

    def charged(self) -> int:
        """All tokens charged so far, read from the cache or not."""
        return sum(charge.used.input + charge.used.output for charge in self.charges)

    def paid_twice(self) -> list[str]:
        """Digests of bodies that were charged more than once."""
        seen = [charge.digest for charge in self.charges]
        return sorted({digest for digest in seen if seen.count(digest) > 1})

    def _script(self, request: Request) -> Script:
        protocol = next((p for p in PROTOCOLS if request.path.endswith(p.path)), None)
        if protocol is None:
            return answer({"error": {"message": f"no route {request.path}"}}, status=404)
        issued = self._issued.setdefault(protocol.name, [])
        try:
            protocol.check(request.body, issued)
        except RefusedError as error:
            self.refused.append(str(error))
            return answer(protocol.error(error), status=error.status)
        said = self.speaker(request.body)
        used = self._used(protocol, request.body, said)
        charge = Charge(protocol.name, used, _digest(request.body), request.body)
        self.charges.append(charge)
        self.begun(charge)
        if not isinstance(said, Say):
            return said
        # who asks the same again is answered in the same words, the names of calls among them
        number = [*dict.fromkeys(charge.digest for charge in self.charges)].index(charge.digest)
        whole = protocol.answer(said, number + 1, request.body, used)
        issued.append(whole)
        if self.whole or not request.body.get("stream"):
            return answer(whole)
        events = protocol.events(whole)
        size = -(-len(events) // self.pieces)
        return stream(*(b"".join(events[at : at + size]) for at in range(0, len(events), size)))

    def _used(self, protocol: Protocol, body: Body, said: "Say | Script") -> Used:
        """Input by the length of the prompt's pieces, the part that an earlier request has cached.

        A piece that is marked has everything up to it kept; protocols without marks keep all.
        """
        pieces, prefixes, sizes = protocol.pieces(body), [], [0]
        digest = hashlib.sha256()
        for piece, _marked in pieces:
            digest.update(piece.encode())
            prefixes.append(digest.hexdigest())
            sizes.append(sizes[-1] + tokens_of(piece))
        marks = [at for at, (_, marked) in enumerate(pieces) if marked]
        reach = {at for mark in marks for at in range(max(0, mark - _LOOK_BACK), mark + 1)}
        read = max((sizes[at + 1] for at in reach if prefixes[at] in self._cached), default=0)
        written = max((sizes[at + 1] for at in marks), default=0) - read
        self._cached |= {prefixes[at] for at in marks}
        words = [said.text, *(call.text for call in said.calls)] if isinstance(said, Say) else []
        return Used(sizes[-1], read, max(0, written), 1 + sum(map(tokens_of, words)))


def _digest(body: Body) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
