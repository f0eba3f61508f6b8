"""How long a flip takes: from the call inside the control plane to the acknowledgement of every proxy.

Check, commit to the flag store (SQLite, durable), build, publish, ACK; with requests going through the proxy all the
time. 50 routes, and 1,000. Also: until the call returns, with the snapshot's file and the outcome written, and until
the worker answers the version probe with the new version.

    python -m benchmarks.flip
"""

from __future__ import annotations

import asyncio
import http.client
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import envoy, load
from benchmarks.result import Result, measured, report

ROUNDS = 5
FLIPS = {50: 60, 1_000: 20}
RATE = 300  # requests a second meanwhile: enough that none of them escapes, little enough to leave the flip its core
CONNECTIONS = 8
P50_MS, P95_MS = 5.0, 15.0


async def run(routes: int, folder: Path, to: int) -> list[Result]:
    proxy = await envoy.full(folder, routes, to)
    times: list[list[float]] = []
    returns: list[float] = []
    follows: list[float] = []
    sent, failed = 0, 0
    try:
        for number in range(10):
            await proxy.flip("c0", number)
        probe = http.client.HTTPConnection("127.0.0.1", proxy.server.port, timeout=5)
        for turn in range(ROUNDS):
            seconds = 60.0  # it is ended when the flips are done
            client = load.start(proxy.server.port, seconds, CONNECTIONS, rate=RATE)
            await asyncio.sleep(0.5)
            found = []
            for number in range(FLIPS[routes]):
                begun = time.perf_counter()
                found.append(await proxy.flip(f"c{number % 3}", (turn * 31 + number * 7) % 99 + 0.5))
                returns.append((time.perf_counter() - begun) * 1000)
                await asyncio.to_thread(_follow, probe, proxy.flipper.flags.version)
                follows.append((time.perf_counter() - begun) * 1000)
                await asyncio.sleep(0.02)
            times.append(sorted(found))
            client.terminate()
            seen = await asyncio.to_thread(load.result, client)
            sent, failed = sent + seen.requests, failed + sum(seen.failed.values())
    finally:
        await proxy.stop()
    limits = {"p50": P50_MS, "p95": P95_MS}
    results = [
        measured(
            f"{routes:,} routes: call to ACK {name}",
            [each[min(len(each) - 1, int(len(each) * part))] for each in times],
            "ms",
            "lower",
            target=limits[name] if routes == 50 else None,
        )
        for name, part in (("p50", 0.5), ("p95", 0.95))
    ]
    results.append(measured(f"{routes:,} routes: call to return p50", [statistics.median(returns)], "ms", "lower"))
    results.append(measured(f"{routes:,} routes: call to worker p50", [statistics.median(follows)], "ms", "lower"))
    results.append(measured(f"{routes:,} routes: requests meanwhile", [sent], "requests", "higher"))
    results.append(measured(f"{routes:,} routes: failed meanwhile", [failed], "requests", "lower", target=0))
    return results


def _follow(probe: http.client.HTTPConnection, version: int) -> None:
    """Ask the worker until it has the version."""
    while True:
        probe.request("GET", "/__strangler/version")
        if int(probe.getresponse().read()) >= version:
            return


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="strangler-bench-") as name:
        folder = Path(name)
        upstream = envoy.upstream(folder)
        try:
            upstream.await_ready()
            results = []
            for routes in FLIPS:
                (folder / str(routes)).mkdir()
                results += asyncio.run(run(routes, folder / str(routes), upstream.port))
        finally:
            upstream.stop()
    return 0 if report("flip", results) else 1


if __name__ == "__main__":
    sys.exit(main())
