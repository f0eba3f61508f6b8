"""What each side has answered, as Envoy counts it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import structlog

from proxy.routes import Side
from proxy.stats import RouteStats
from strangler.config import Resolved
from strangler.evidence import Traffic

log = structlog.get_logger()


class ReadStats(Protocol):
    async def __call__(self, admin: str) -> list[RouteStats]: ...


class TrafficMeter:
    """Reads the proxy's counters through its admin endpoint."""

    def __init__(self, resolved: Callable[[], Resolved], read: ReadStats) -> None:
        self._resolved, self._read = resolved, read

    async def routes(self) -> list[RouteStats] | None:
        """None when the proxy can't be asked."""
        envoy = self._resolved().ports.envoy
        if envoy is None:
            return None
        try:
            return await self._read(f"http://127.0.0.1:{envoy.admin}")
        except ConnectionError as error:
            log.warning("proxy.admin_unreachable", error=str(error))
            return None

    async def sides(self, routes: Iterable[str]) -> dict[str, Traffic] | None:
        """By side, over these routes. None when the proxy can't be asked."""
        stats = await self.routes()
        return None if stats is None else by_side(stats, set(routes))


def by_side(stats: Iterable[RouteStats], routes: set[str]) -> dict[str, Traffic]:
    total = {str(side): Traffic() for side in Side}
    for row in stats:
        if row.side is not None and row.route in routes:  # None: the proxy itself answered, no side did
            total[str(row.side)] += Traffic(row.requests, row.errors)
    return total


def since(total: Mapping[str, Traffic], baseline: Mapping[str, Traffic], side: Side) -> Traffic:
    return total.get(str(side), Traffic()).since(baseline.get(str(side), Traffic()))
