"""What a call costs above bare httpx, on loopback: run `python -m tests.bench.bench_providers`.

The same server answers both, streamed, over one kept connection; figures are medians.
"""

import statistics
import sys
import time

import anyio
import httpx

from agent_runner.ground.clock import SystemClock
from agent_runner.providers.client import CallContext
from agent_runner.providers.registry import make_client
from tests.bench.rows import row
from tests.providers import dialects
from tests.providers.one_call import PROMPT, profile_for, request_for
from tests.providers.server import serving, stream

CALLS = 200
LIMIT = 0.002
"""Seconds above bare httpx that a call may take at the median."""


async def measured(protocol: str, path: str, url: str) -> tuple[float, float]:
    """Median seconds of a call through the client, and with httpx alone.

    The two take turns, so that whatever else the machine does meets both.
    """
    client = make_client(profile_for(protocol, url), SystemClock())
    context = CallContext(request_for())
    full, plain = [], []
    async with httpx.AsyncClient(timeout=5.0) as bare:
        for _ in range(CALLS):
            began = time.perf_counter()
            await client.generate_completion(PROMPT, context)
            between = time.perf_counter()
            async with bare.stream("POST", url + path, json={"stream": True}) as response:
                async for _chunk in response.aiter_bytes():
                    pass
            plain.append(time.perf_counter() - between)
            full.append(between - began)
    await client.aclose()
    return statistics.median(full), statistics.median(plain)


def main() -> int:
    """Measure; the exit code says whether the bound holds."""
    holds = []
    for spoken in dialects.ALL:
        script = stream(*spoken.events(("some words ",) * 20, spoken.complete))
        with serving(script) as server:
            full, plain = anyio.run(measured, spoken.protocol, spoken.path, server.url)
        what = f"a streamed call, {spoken.protocol}"
        note = f"{full * 1e3:.2f} and {plain * 1e3:.2f} ms"
        holds.append(row(what, (full - plain) * 1e3, "ms above bare httpx", LIMIT * 1e3, note))
    return 0 if all(holds) else 1


if __name__ == "__main__":
    sys.exit(main())
