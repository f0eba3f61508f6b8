"""What Envoy counted, per route and side, read from its admin endpoint."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import httpx

from proxy.envoy import names
from proxy.envoy.listener import ABANDONED, SEPARATOR, TAG, TIME
from proxy.routes import Side

_SIDES = {str(side): side for side in Side}

TIMEOUT_S = 5.0
MERGE_S = 0.01


@dataclass(frozen=True)
class RouteStats:
    """Counted since Envoy's start; latencies in ms, None before the first request.

    ``errors`` are 5xx answers; on new also the requests that failed there and were answered by legacy (``fallbacks``).
    ``abandoned`` are those whose client left before the answer; they are in no other figure. Side None: the proxy
    answered itself, because nobody could be asked.
    """

    route: str  # "GET /api/items/{id}", or "*" for what no capability claims
    side: Side | None
    requests: int
    errors: int
    p50_ms: float | None
    p99_ms: float | None
    fallbacks: int = 0
    abandoned: int = 0


@dataclass
class _Figures:
    requests: int = 0
    errors: int = 0
    fallbacks: int = 0
    abandoned: int = 0
    buckets: Counter[float] = field(default_factory=Counter)  # requests by microseconds

    def ms(self, part: float) -> float | None:
        """The time within which that part of the requests was answered."""
        rank = part * self.buckets.total()
        for microseconds, count in sorted(self.buckets.items()):
            rank -= count
            if rank <= 0:
                return microseconds / 1000
        return None


async def read(admin: str) -> list[RouteStats]:
    """``admin`` is ``http://127.0.0.1:port``. Raises ConnectionError when Envoy's admin endpoint isn't there."""
    url = f"{admin}/stats"
    asked = {"filter": "^strangler\\.", "format": "json"}
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_S) as client:
            counters = (await client.get(url, params=asked)).raise_for_status()
            # Any question makes Envoy merge its workers' histograms, but doesn't wait for it.
            await asyncio.sleep(MERGE_S)
            times = (await client.get(url, params={**asked, "histogram_buckets": "detailed"})).raise_for_status()
    except httpx.HTTPError as error:
        raise ConnectionError(
            f"Envoy's admin endpoint {url} gives no figures: {error or type(error).__name__}"
        ) from error
    return parse(counters.json(), times.json())


def parse(counters: dict[str, Any], times: dict[str, Any]) -> list[RouteStats]:
    """Envoy's counters and detailed histograms as figures per route and side, ordered by route."""
    found: dict[tuple[str, str], _Figures] = defaultdict(_Figures)
    for item in counters["stats"]:
        if named := _split(item.get("name", ""), ABANDONED):
            found[named[0], named[1]].abandoned += item["value"]
    for histogram in (one for item in times["stats"] for one in item.get("histograms", {}).get("details", ())):
        named = _split(histogram["name"], TIME)
        if named is None:
            continue
        route, side, status, tries = named
        figures = found[route, side]
        for bucket in histogram["totals"]:
            figures.buckets[bucket["lower_bound"] + bucket["width"] / 2] += bucket["count"]
        count = sum(bucket["count"] for bucket in histogram["totals"])
        figures.requests += count
        figures.errors += count if status.startswith("5") else 0
        if side == Side.LEGACY and tries not in ("", "0", "1"):
            # Only requests on their way to new are tried again, and only on legacy.
            failed = found[route, Side.NEW]
            failed.requests += count
            failed.errors += count
            failed.fallbacks += count
    return [
        RouteStats(
            route=route,
            side=_SIDES.get(side),
            requests=figures.requests,
            errors=figures.errors,
            p50_ms=figures.ms(0.5),
            p99_ms=figures.ms(0.99),
            fallbacks=figures.fallbacks,
            abandoned=figures.abandoned,
        )
        for (route, side), figures in sorted(found.items())
        if route != names.VERSION_PATH
    ]


def _split(name: str, metric: str) -> tuple[str, str, str, str] | None:
    """Route, side, status and tries out of a statistic's name, if it is one of that metric."""
    prefix = f"{metric}.{TAG}."
    if not name.startswith(prefix):
        return None
    route, side, status, tries = name.removeprefix(prefix).rsplit(SEPARATOR, 3)
    return route, side, status, tries
