"""The answer to "where are we"."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from cdc.state import StreamState, StreamStatus
from proxy.flags import Flag
from proxy.routes import Access, Route, Side
from proxy.stats import RouteStats
from strangler.config import Config
from strangler.control.continuous import Continuous
from strangler.control.flagging import Flagging
from strangler.control.models import (
    CapabilityOut,
    CheckOut,
    ContinuousOut,
    EvidenceOut,
    NextOut,
    OperationOut,
    ProxyOut,
    RollbackOut,
    RouteOut,
    Sides,
    SidesMs,
    StatusOut,
    SyncOut,
)
from strangler.control.observe import Observer, View, stream_json
from strangler.control.operation import Operation, Operations
from strangler.control.ownership import MOST_LAG_SECONDS
from strangler.gates import allowed, duration, in_quarantine, reasons
from strangler.phases import Phase, after


class StatusBoard:
    def __init__(
        self,
        config: Config,
        flagging: Flagging,
        observer: Observer,
        operations: Operations,
        continuous: Continuous,
        now: Callable[[], datetime],
    ) -> None:
        self._config, self._flagging, self._observer, self._continuous = config, flagging, observer, continuous
        self._operations, self._now = operations, now

    async def read(self, capabilities: Iterable[str] | None = None) -> StatusOut:
        """All capabilities, or these, in the file's order. Everything is asked at once; what can't be asked is None."""
        names = [n for n in self._config.capabilities if capabilities is None or n in capabilities]
        stats = await self._observer.stats()
        views = await asyncio.gather(*(self._observer.look(name, stats) for name in names))
        return StatusOut(
            project=self._config.project.name,
            now=self._now(),
            version=self._flagging.flags.version,
            applied=self._flagging.applied,
            capabilities=[self._capability(name, view) for name, view in zip(names, views, strict=True)],
            proxies=[ProxyOut(**vars(p)) for p in self._flagging.proxies],
        )

    def _capability(self, name: str, view: View) -> CapabilityOut:
        routes = [_route(r, self._flagging.flags.of(r.name), view.stats) for r in self._flagging.routes(name)]
        standing = view.standing
        return CapabilityOut(
            name=name,
            phase=standing.phase,
            since=standing.since,
            actor=standing.actor,
            reason=standing.reason,
            owner=view.owner or (Side.NEW if standing.phase is Phase.WRITES else Side.LEGACY),
            tables=len(self._config.capabilities[name].tables),
            percent=_percent(routes),
            routes=routes,
            sync=SyncOut(**_sync(name, view)),
            continuous=None if (seen := self._continuous.seen(name)) is None else ContinuousOut(**seen),
            evidence=[EvidenceOut(**e.to_json()) for e in view.evidence.values()],
            next=self._next(name, view),
            rollback=_rollback(standing.phase, view),
            operation=_operation(self._operations.holder(name)),
        )

    def _next(self, name: str, view: View) -> NextOut:
        target = after(view.standing.phase)
        if target is None:
            return NextOut(
                phase=None,
                allowed=False,
                reasons=["this is as far as capabilities go yet: retiring the legacy side is not built"],
                checks=[],
            )
        checks = self._observer.checks(name, target, view.seen)
        return NextOut(
            phase=target, allowed=allowed(checks), reasons=reasons(checks), checks=[CheckOut(**vars(c)) for c in checks]
        )


def _route(route: Route, flag: Flag, stats: list[RouteStats] | None) -> RouteOut:
    sides = {s.side: s for s in stats if s.route == route.name} if stats is not None else None
    legacy, new = (sides.get(Side.LEGACY), sides.get(Side.NEW)) if sides is not None else (None, None)
    return RouteOut(
        route=route.name,
        access=route.access,
        percent=flag.percent,
        shadow_percent=flag.shadow_percent,
        pin=flag.pin,
        cohorts=sorted(flag.cohorts),
        fallback=flag.fallback,
        served=None
        if sides is None
        else Sides(legacy=legacy.requests if legacy else 0, new=new.requests if new else 0),
        errors=None if sides is None else Sides(legacy=legacy.errors if legacy else 0, new=new.errors if new else 0),
        p50_ms=None
        if sides is None
        else SidesMs(legacy=legacy.p50_ms if legacy else None, new=new.p50_ms if new else None),
        p99_ms=None
        if sides is None
        else SidesMs(legacy=legacy.p99_ms if legacy else None, new=new.p99_ms if new else None),
    )


def _percent(routes: list[RouteOut]) -> float | None:
    """What users meet: a pin counts as 0 or 100."""
    met = {100.0 if r.pin is Side.NEW else 0.0 if r.pin is Side.LEGACY else r.percent for r in routes if _reads(r)}
    return met.pop() if len(met) == 1 else None


def _reads(route: RouteOut) -> bool:
    return route.access is Access.READ


def _rollback(phase: Phase, view: View) -> RollbackOut:
    """Legacy owns every row up to phase reads, so that going back loses nothing, not even what waits in quarantine."""
    seen = view.seen
    if phase is Phase.LEGACY:
        return RollbackOut(safe=True, reasons=["there is nothing to roll back"], rows_at_risk=0)
    if phase is Phase.WRITES:
        return _way_back(view.back)
    reasons = ["legacy owns all rows: a rollback loses nothing"]
    if seen.quarantined:
        waiting = in_quarantine(seen.quarantined, seen.quarantined_first)
        reasons.append(f"{waiting}; legacy has these changes, new does not")
    return RollbackOut(safe=True, reasons=reasons, rows_at_risk=0)


def _sync(name: str, view: View) -> dict[str, Any]:
    """The stream that carries the owner's rows."""
    if view.standing.phase is Phase.WRITES:
        error = None if view.back is not None else "the legacy database can't be asked how far the way back is"
        return stream_json(name, view.back, error)
    return stream_json(name, view.stream, view.stream_error)


def _way_back(back: StreamStatus | None) -> RollbackOut:
    """New owns: what legacy does not have yet, or can't have, would be lost if writes went back without it."""
    if back is None:
        return RollbackOut(safe=False, reasons=["the stream to legacy can't be asked how far it is"], rows_at_risk=0)
    reasons = []
    if back.state is not StreamState.STREAMING:
        reasons.append(f"the stream to legacy is {back.state}")
    elif back.lag_seconds is None or back.lag_seconds > MOST_LAG_SECONDS:
        lag = "not measured yet" if back.lag_seconds is None else duration(back.lag_seconds)
        reasons.append(f"legacy's rows are old, lag {lag}: a rollback waits until they are not")
    if back.quarantined:
        waiting = in_quarantine(back.quarantined, back.quarantine.first)
        reasons.append(f"on the way to legacy {waiting}")
    if reasons:
        return RollbackOut(safe=False, reasons=reasons, rows_at_risk=back.quarantined)
    return RollbackOut(
        safe=True, reasons=["legacy has all that new has written: a rollback loses nothing"], rows_at_risk=0
    )


def _operation(op: Operation | None) -> OperationOut | None:
    if op is None:
        return None
    return OperationOut(id=op.id, kind=op.kind, actor=op.actor, reason=op.reason, since=op.started_at)
