"""Looking every few seconds: metrics are set from it, and changes of streams and proxies are logged."""

from __future__ import annotations

import asyncio

import structlog

from cdc.state import StreamState
from strangler.control import metric_defs as metrics
from strangler.control.models import CapabilityOut, StatusOut
from strangler.control.status import StatusBoard
from strangler.phases import Phase

log = structlog.get_logger()

_EVERY_SECONDS = 2.0


class Watch:
    def __init__(self, board: StatusBoard) -> None:
        self._board = board
        self._before: dict[str, object] = {}

    async def run(self) -> None:
        """Until cancelled. A look that fails is logged; the next one is tried all the same."""
        while True:
            try:
                self.note(await self._board.read())
            except Exception:
                log.exception("watch.failed")
            await asyncio.sleep(_EVERY_SECONDS)

    def note(self, status: StatusOut) -> None:
        metrics.VERSION.set(status.version)
        metrics.PROXIES.set(len(status.proxies))
        metrics.PROXIES_APPLIED.set(sum(p.applied == status.version for p in status.proxies))
        self._changed("proxies", sorted(p.id for p in status.proxies), "proxies.connected")
        for capability in status.capabilities:
            _set(capability)
            self._changed(f"stream {capability.name}", capability.sync.state, "stream.state", name=capability.name)

    def _changed(self, key: str, value: object, event: str, **fields: object) -> None:
        if self._before.get(key) != value:
            log.info(event, now=value, before=self._before.get(key), **fields)
            self._before[key] = value


def _set(capability: CapabilityOut) -> None:
    name, sync = capability.name, capability.sync
    for phase in Phase:
        metrics.PHASE.labels(name, phase).set(phase is capability.phase)
    for state in (*map(str, StreamState), "unreachable", "none"):
        metrics.STREAM_STATE.labels(name, state).set(state == sync.state)
    if sync.lag_seconds is None:
        metrics.LAG.remove_by_labels({"capability": name})
    else:
        metrics.LAG.labels(name).set(sync.lag_seconds)
    metrics.EVENTS.labels(name).set((sync.model_extra or {}).get("events", 0))
    metrics.QUARANTINED.labels(name).set(sync.quarantined)
    held = (sync.model_extra or {}).get("quarantine") or {}
    metrics.QUARANTINED_EVENTS.labels(name).set(held.get("events", 0))
    metrics.QUARANTINED_BYTES.labels(name).set(held.get("bytes", 0))
    for route in capability.routes:
        metrics.PERCENT.labels(name, route.route).set(route.percent)
        if route.served is not None and route.errors is not None:
            for side in ("legacy", "new"):
                metrics.REQUESTS.labels(name, route.route, side).set(getattr(route.served, side))
                metrics.ERRORS.labels(name, route.route, side).set(getattr(route.errors, side))
