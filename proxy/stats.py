"""What Envoy counted, per route and side, read from its admin endpoint."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import httpx

from proxy.envoy import names
from proxy.envoy.listener import REQUESTS, TIME
from proxy.routes import Side

_REQUESTS = re.compile(
    re.escape(REQUESTS) + r"\.route\.(?P<route>.*)\.side\.(?P<side>[^.]*)\.code\.(?P<code>\d*)\.tries\.(?P<tries>\d*)"
)
_TIME = re.compile(re.escape(TIME) + r"\.route\.(?P<route>.*)\.side\.(?P<side>[^.]*)")

_SIDES = {str(side): side for side in Side}

TIMEOUT_S = 5.0
MERGE_S = 0.01


@dataclass(frozen=True)
class RouteStats:
    """Counted since Envoy's start; latencies in ms, None before the first request.

    ``errors`` are 5xx answers; on new also the requests that failed there and were answered by legacy (``fallbacks``).
    Side None: the proxy answered itself, because nobody could be asked.
    """

    route: str  # "GET /api/items/{id}", or "*" for what no capability claims
    side: Side | None
    requests: int
    errors: int
    p50_ms: float | None
    p99_ms: float | None
    fallbacks: int = 0


async def read(admin: str) -> list[RouteStats]:
    """``admin`` is ``http://127.0.0.1:port``. Raises ConnectionError when Envoy's admin endpoint isn't there."""
    url = f"{admin}/stats"
    query = {"filter": "^strangler\\.", "format": "json"}
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_S) as client:
            # Any question makes Envoy merge its workers' histograms, but doesn't wait for it: ask, then ask again.
            await client.get(url, params={"filter": "^$"})
            await asyncio.sleep(MERGE_S)
            response = await client.get(url, params=query)
            response.raise_for_status()
    except httpx.HTTPError as error:
        raise ConnectionError(
            f"Envoy's admin endpoint {url} gives no figures: {error or type(error).__name__}"
        ) from error
    return parse(response.json())


def parse(stats: dict[str, Any]) -> list[RouteStats]:
    """Envoy's JSON as figures per route and side, ordered by route."""
    requests: dict[tuple[str, str], int] = defaultdict(int)
    errors: dict[tuple[str, str], int] = defaultdict(int)
    fallbacks: dict[tuple[str, str], int] = defaultdict(int)
    quantiles: dict[tuple[str, str], dict[float, float | None]] = {}
    for item in stats["stats"]:
        if "histograms" in item:
            supported = item["histograms"].get("supported_quantiles", [])
            for histogram in item["histograms"].get("computed_quantiles", []):
                if match := _TIME.fullmatch(histogram["name"]):
                    values = [value["cumulative"] for value in histogram["values"]]
                    quantiles[match["route"], match["side"]] = dict(zip(supported, values, strict=True))
        elif match := _REQUESTS.fullmatch(item["name"]):
            key = match["route"], match["side"]
            requests[key] += item["value"]
            if match["code"].startswith("5"):
                errors[key] += item["value"]
            if match["side"] == Side.LEGACY and match["tries"] not in ("", "0", "1"):
                # Only requests on their way to new are tried again, and only on legacy.
                failed = match["route"], str(Side.NEW)
                requests[failed] += item["value"]
                errors[failed] += item["value"]
                fallbacks[failed] += item["value"]
    return [
        RouteStats(
            route=route,
            side=_SIDES.get(side),
            requests=requests[route, side],
            errors=errors[route, side],
            p50_ms=_ms(quantiles.get((route, side), {}).get(50)),
            p99_ms=_ms(quantiles.get((route, side), {}).get(99)),
            fallbacks=fallbacks[route, side],
        )
        for route, side in sorted(requests)
        if route != names.VERSION_PATH
    ]


def _ms(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds / 1000
