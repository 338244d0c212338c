"""What a call costs above bare httpx, on loopback: run `python -m tests.bench.bench_providers`.

The same server answers both, streamed, over one kept connection; figures are medians.
"""

import statistics
import sys
import time

import anyio
import httpx

from agent_runner.clock import SystemClock
from agent_runner.providers.client import CallContext
from agent_runner.providers.registry import make_client
from tests.providers import dialects
from tests.providers.asking import PROMPT, profile_for, request_for
from tests.providers.server import serving, stream

CALLS = 200
LIMIT = 0.002
"""Seconds above bare httpx that a call may take at the median."""


async def ours(protocol: str, url: str) -> list[float]:
    """Seconds of each call through the client."""
    client = make_client(profile_for(protocol, url), SystemClock())
    context, taken = CallContext(request_for()), []
    for _ in range(CALLS):
        began = time.perf_counter()
        await client.generate_completion(PROMPT, context)
        taken.append(time.perf_counter() - began)
    await client.aclose()
    return taken


async def bare(path: str, url: str) -> list[float]:
    """Seconds of each call with httpx alone, the answer's bytes thrown away."""
    taken = []
    async with httpx.AsyncClient(timeout=5.0) as client:
        for _ in range(CALLS):
            began = time.perf_counter()
            async with client.stream("POST", url + path, json={"stream": True}) as response:
                async for _chunk in response.aiter_bytes():
                    pass
            taken.append(time.perf_counter() - began)
    return taken


def main() -> int:
    """Print one line for each protocol; 1 if one of them is above the limit."""
    worst = 0.0
    for spoken in dialects.ALL:
        script = stream(*spoken.events(("some words ",) * 20, spoken.complete))
        with serving(script) as server:
            plain = statistics.median(anyio.run(bare, spoken.path, server.url))
            full = statistics.median(anyio.run(ours, spoken.protocol, server.url))
        worst = max(worst, full - plain)
        print(
            f"{spoken.protocol:10} bare {plain * 1000:.2f} ms, ours {full * 1000:.2f} ms, "
            f"overhead {(full - plain) * 1000:.2f} ms"
        )
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
