"""Waiting until no write of a capability is under way on a side, and how many waited in a hold: Envoy's own counters.

Ask after every proxy has acknowledged a hold. Its workers may take a few milliseconds more than that to act on it, so
that one look at zero says little: a side is drained when two looks some time apart find nothing under way and nothing
begun in between.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from proxy.envoy import names
from proxy.routes import Side

APART_SECONDS = 0.02
_COUNTERS = ("upstream_rq_active", "upstream_rq_pending_active", "upstream_rq_total")


class NotDrained(Exception):
    """Requests are still under way when time ran out. ``active``: how many, by proxy id."""

    def __init__(self, capability: str, side: Side, active: Mapping[str, int], seconds: float) -> None:
        total = sum(active.values())
        super().__init__(
            f"{total} {'write' if total == 1 else 'writes'} of {capability} on {side} did not end within {seconds:g} s"
        )
        self.active = dict(active)


@dataclass(frozen=True)
class _Look:
    """What one proxy counted: requests under way, waiting for a connection too, and all there ever were."""

    active: int
    total: int


class Drain:
    """Asks the admin endpoints of proxies. ``admins``: their addresses by proxy id, None where it isn't known."""

    def __init__(self, admins: Mapping[str, str | None]) -> None:
        """Raises ConnectionError naming proxies that don't say where they can be asked."""
        unknown = sorted(name for name, admin in admins.items() if admin is None)
        if unknown:
            raise ConnectionError(
                f"{', '.join(unknown)}: no admin address in the proxy's node metadata, so nobody knows whether its"
                " requests have ended; write its bootstrap anew"
            )
        self._admins = {name: admin for name, admin in admins.items() if admin is not None}

    async def wait(self, capability: str, side: Side, timeout_seconds: float) -> None:
        """Until nothing is under way. Raises NotDrained, and ConnectionError for a proxy that can't be asked."""
        stats = names.writes_stats(capability, side)
        until = asyncio.get_running_loop().time() + timeout_seconds
        async with httpx.AsyncClient(trust_env=False, timeout=max(timeout_seconds, 0.1)) as client:
            before: dict[str, _Look] = {}
            while True:
                seen = await self._look(client, stats)
                active = {name: one.active for name, one in seen.items() if one.active}
                if not active and seen == before:
                    return
                if asyncio.get_running_loop().time() >= until:
                    raise NotDrained(capability, side, active, timeout_seconds)
                before = seen
                await asyncio.sleep(APART_SECONDS)

    async def released(self, capability: str, epoch: str) -> int:
        """How many requests have gone through the hold of that epoch. Raises ConnectionError."""
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            seen = await self._look(client, names.hold_stats(capability, epoch))
        return sum(one.total for one in seen.values())

    async def _look(self, client: httpx.AsyncClient, stats: str) -> dict[str, _Look]:
        found = await asyncio.gather(*(self._ask(client, admin, stats) for admin in self._admins.values()))
        return dict(zip(self._admins, found, strict=True))

    @staticmethod
    async def _ask(client: httpx.AsyncClient, admin: str, stats: str) -> _Look:
        asked = {"filter": rf"^cluster\.{re.escape(stats)}\.({'|'.join(_COUNTERS)})$", "format": "json"}
        try:
            answer = (await client.get(f"{admin}/stats", params=asked)).raise_for_status()
        except httpx.HTTPError as error:
            raise ConnectionError(
                f"Envoy's admin endpoint {admin} gives no figures: {error or type(error).__name__}"
            ) from error
        counted = [item for item in answer.json()["stats"] if "name" in item]
        values = {item["name"].rpartition(".")[2]: int(item["value"]) for item in counted}
        active = values.get("upstream_rq_active", 0) + values.get("upstream_rq_pending_active", 0)
        return _Look(active, values.get("upstream_rq_total", 0))
