"""A model on the wire: what a real HTTP server answers to a whole run, and the settings to ask it.

Answers are in the words of the three protocols, so that everything between the command line and
the socket is the product's own.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field

from tests.cli.scene import Scene, reply
from tests.providers.dialects import ALL, Spoken
from tests.providers.server import Request, Script, Wire, answer, stream

KEY = "sk-planted-4f9a8b7c6d5e"
SPOKEN = {spoken.protocol: spoken for spoken in ALL}
CHAT = SPOKEN["chat"]
FAST = {"max_tries": 3, "first_wait": "50ms", "max_backoff": "200ms", "max_wait": "5s"}
"""Waits that a test can sit out."""


def says(text: str, spoken: Spoken = CHAT, headers: Mapping[str, str] | None = None) -> Script:
    """A full streamed answer, in pieces."""
    pieces = (text[: len(text) // 2], text[len(text) // 2 :])
    return stream(*spoken.events(pieces, spoken.complete), headers=headers)


def says_whole(text: str, spoken: Spoken = CHAT) -> Script:
    """A full answer in one body."""
    return answer(spoken.whole((text,), spoken.complete))


def writes(name: str, content: str = "done", **headers: str) -> Script:
    """An answer that writes one file whole, in the chat protocol."""
    return says(
        reply(**{name: content}), headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def fails(status: int, words: str = "no", **headers: str) -> Script:
    """An error; `retry_after="2"` is a header."""
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(CHAT.error("some_error", words), status=status, headers=spelled)


@define(eq=False)
class Silence:
    """A server that takes the request and never answers; `met`: somebody asked."""

    met: threading.Event = field(factory=threading.Event)

    def __call__(self, wire: Wire, _request: Request) -> None:
        self.met.set()
        wire.wait_for_client_to_leave()


def settings(url: str, *, protocol: str = "chat", **own: Any) -> dict[str, Any]:
    """A configuration whose one provider is the server at `url`."""
    base = url + ("" if protocol == "anthropic" else "/v1")
    served = {
        "protocol": protocol,
        "base_url": base,
        "model": "some-model",
        "api_key_env": "THE_KEY",
    }
    return {
        "provider": "served",
        "providers": {"served": {**served, **own.pop("provider", {})}},
        "retry": FAST,
        "max_output_tokens": 500,
        "baseline": "never",
        "nothing_changed": "pass",  # most servers say the same to every task
        "ledger": False,
        **own,
    }


def with_key(root: Path) -> Scene:
    """A scene whose environment holds the server's key."""
    return Scene(root, {"THE_KEY": KEY})


def entries(scene: Scene, kind: str = "") -> list[dict[str, Any]]:
    """The journal's records, of one kind if named."""
    lines = (scene.project / ".agent-runner/journal.jsonl").read_bytes().split(b"\n")
    records = [json.loads(line) for line in lines if line]
    return [record for record in records if not kind or record["kind"] == kind]


def events_of(out: str, kind: str) -> Iterator[dict[str, Any]]:
    """The `--json` lines of one kind."""
    for line in out.splitlines():
        told = json.loads(line)
        if told.get("kind") == kind:
            yield told
