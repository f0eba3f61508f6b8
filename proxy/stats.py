"""What Envoy counted, per route and side, read from its admin endpoint."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.routes import Side


@dataclass(frozen=True)
class RouteStats:
    """Counted since Envoy's start; latencies in ms, None before the first request.

    ``errors`` are 5xx answers; on new also the requests that failed there and were answered by legacy (``fallbacks``).
    """

    route: str  # "GET /api/items/{id}", or "*" for what no capability claims
    side: Side
    requests: int
    errors: int
    p50_ms: float | None
    p99_ms: float | None
    fallbacks: int = 0


async def read(admin: str) -> list[RouteStats]:
    """``admin`` is ``http://127.0.0.1:port``. Raises ConnectionError when Envoy's admin endpoint isn't there."""
    raise NotImplementedError
