"""What the proxy's full configuration costs, against a bare Envoy that forwards the same requests to the same upstream.

Full: 50 routes in 3 capabilities, two of them split at 40 % by a cookie, one on new with fallback; signed cohorts,
headers on every response, counts and histograms per route and side, delivered over ADS. Both run one worker on one
core; upstream and client have the other ones. Rounds alternate. Processor time a request is reported too: unlike the
rate, it doesn't depend on whether the client can keep the proxy busy.

    python -m benchmarks.proxy
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks import envoy, load
from benchmarks.result import Result, measured, report

ROUNDS = 9
SECONDS = 2.0
CONNECTIONS = 32
ROUTES = 50
TARGET = 0.85


@dataclass
class Figures:
    """One configuration's rounds."""

    server: envoy.Server
    rate: list[float] = field(default_factory=list)
    us: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    failed: int = 0

    def round(self, core: int | None) -> None:
        process = psutil.Process(self.server.process.pid)
        load.result(load.start(self.server.port, 0.2, CONNECTIONS, core=core))
        before = _processor_s(process)
        seen = load.result(load.start(self.server.port, SECONDS, CONNECTIONS, core=core))
        spent = _processor_s(process) - before
        self.rate.append(seen.rate)
        self.us.append(spent / seen.requests * 1e6)
        self.p50.append(seen.p50_ms)
        self.p99.append(seen.p99_ms)
        self.busy.append(spent / seen.seconds * 100)
        self.failed += sum(seen.failed.values())


def _processor_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def run(folder: Path) -> list[Result]:
    cores = sorted(os.sched_getaffinity(0))
    mine, others = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    upstream = envoy.upstream(folder, others)
    servers = [upstream]
    full = None
    try:
        bare = envoy.bare(folder, upstream.port, mine)
        servers.append(bare)
        lean = envoy.bare(folder, upstream.port, mine, lean=True)
        servers.append(lean)
        for server in servers:
            server.await_ready()
        full = await envoy.full(folder, ROUTES, upstream.port, mine)
        found = {"bare": Figures(bare), "full": Figures(full.server), "lean": Figures(lean)}
        for turn in range(ROUNDS):
            names = list(found) if turn % 2 else list(reversed(found))
            for name in names:
                await asyncio.to_thread(found[name].round, others)
    finally:
        if full is not None:
            await full.stop()
        for server in servers:
            server.stop()
    return _results(found)


def _results(found: dict[str, Figures]) -> list[Result]:
    bare, full, lean = found["bare"], found["full"], found["lean"]
    per_cpu = {name: [1e6 / us for us in each.us] for name, each in found.items()}
    added = [mine - theirs for mine, theirs in zip(full.p99, bare.p99, strict=True)]
    return [
        measured(
            "requests a second, full configuration",
            full.rate,
            "requests/s",
            "higher",
            peer="bare Envoy",
            peer_values=bare.rate,
            target=TARGET,
            against="ratio",
        ),
        measured(
            "requests a second of processor time",
            per_cpu["full"],
            "requests/s",
            "higher",
            peer="bare Envoy",
            peer_values=per_cpu["bare"],
            target=TARGET,
            against="ratio",
        ),
        measured(
            "the same against the leanest Envoy",
            per_cpu["full"],
            "requests/s",
            "higher",
            peer="Envoy without ids, headers, statistics",
            peer_values=per_cpu["lean"],
        ),
        measured("p50", full.p50, "ms", "lower", peer="bare Envoy", peer_values=bare.p50),
        measured("p99", full.p99, "ms", "lower", peer="bare Envoy", peer_values=bare.p99),
        measured("added to p99", added, "ms", "lower"),
        measured("the proxy's core is busy", full.busy, "%", "higher", peer="bare Envoy", peer_values=bare.busy),
        measured("failed requests", [full.failed + bare.failed + lean.failed], "requests", "lower", target=0),
    ]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="strangler-bench-") as name:
        return 0 if report("proxy", asyncio.run(run(Path(name)))) else 1


if __name__ == "__main__":
    sys.exit(main())
