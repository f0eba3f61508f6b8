"""Looking at one capability: what its gates are asked about, and what people see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cdc.state import Direction, StreamStatus
from proxy.routes import Side
from proxy.stats import RouteStats
from strangler.config import Config
from strangler.config.model import Gate
from strangler.control.evidence_store import EvidenceStore
from strangler.control.ownership import DatabaseRows
from strangler.control.phase_store import PhaseStore, Standing
from strangler.control.streams import Streams
from strangler.control.traffic import TrafficMeter, by_side, since
from strangler.evidence import Evidence, Kind
from strangler.exits import Failed
from strangler.gates import Check, Observation, evaluate
from strangler.phases import GATED, Phase

_PATIENCE_SECONDS = 12.0  # for a database that doesn't answer


@dataclass(frozen=True)
class View:
    """One capability at one moment. ``stream_error`` says why ``stream`` is None although there are tables. ``back`` is
    the stream to legacy, ``owner`` what the databases say; None where there is none, or they can't be asked."""

    standing: Standing
    stream: StreamStatus | None
    stream_error: str | None
    stats: list[RouteStats] | None
    evidence: Mapping[Kind, Evidence]
    seen: Observation
    back: StreamStatus | None = None
    owner: Side | None = None


class Observer:
    """Gathers; decides nothing."""

    def __init__(
        self,
        config: Config,
        phases: PhaseStore,
        evidence: EvidenceStore,
        streams: Streams,
        rows: DatabaseRows,
        meter: TrafficMeter,
        now: Callable[[], datetime],
    ) -> None:
        self._config, self._phases, self._evidence = config, phases, evidence
        self._streams, self._rows, self._meter, self._now = streams, rows, meter, now

    async def look(self, capability: str, stats: list[RouteStats] | None) -> View:
        """``stats``: what ``TrafficMeter.routes`` gave; one reading serves all capabilities."""
        standing, evidence, (stream, error), back, owner = await asyncio.gather(
            asyncio.to_thread(self._phases.of, capability),
            asyncio.to_thread(self._newest, capability),
            self._stream(capability),
            self._back(capability),
            self._owner(capability),
        )
        routes = {r.name for r in self._config.routes if r.capability == capability}
        total = None if stats is None else by_side(stats, routes)
        has_tables = self._streams.exists(capability)
        seen = Observation(
            capability=capability,
            now=self._now(),
            stream=None if not has_tables else str(stream.state) if stream else "unreachable",
            lag_seconds=stream.lag_seconds if stream else None,
            quarantined=stream.quarantined if stream else 0,
            quarantined_first=stream.quarantine.first if stream else (),
            legacy=None if total is None else since(total, standing.baseline, Side.LEGACY),
            new=None if total is None else since(total, standing.baseline, Side.NEW),
            verify=evidence.get(Kind.VERIFY),
            contract=evidence.get(Kind.CONTRACT),
            load=evidence.get(Kind.LOAD),
        )
        return View(standing, stream, error, stats, evidence, seen, back, owner)

    async def stats(self) -> list[RouteStats] | None:
        return await self._meter.routes()

    def checks(self, capability: str, target: Phase, seen: Observation) -> list[Check]:
        """The gate's answer for entering ``target``; empty where no gate stands."""
        if target not in GATED:
            return []
        return evaluate(self._config.capabilities[capability].gates.get(target, Gate()), seen)

    def _newest(self, capability: str) -> dict[Kind, Evidence]:
        found = {kind: self._evidence.latest(capability, kind) for kind in Kind}
        return {kind: evidence for kind, evidence in found.items() if evidence is not None}

    async def _back(self, capability: str) -> StreamStatus | None:
        if not self._streams.exists(capability) or Direction.TO_LEGACY not in self._streams.directions(capability):
            return None
        with suppress(Failed, TimeoutError):
            return await asyncio.wait_for(self._streams.status(capability, Direction.TO_LEGACY), _PATIENCE_SECONDS)
        return None

    async def _owner(self, capability: str) -> Side | None:
        """Who may write now; None also in the moment in which nobody may."""
        if not self._streams.exists(capability):
            return None
        with suppress(Failed, TimeoutError):
            owners = await asyncio.wait_for(self._rows.owners(capability), _PATIENCE_SECONDS)
            return next((side for side in Side if owners.row(side) == side), None)
        return None

    async def _stream(self, capability: str) -> tuple[StreamStatus | None, str | None]:
        if not self._streams.exists(capability):
            return None, None
        try:
            return await asyncio.wait_for(self._streams.status(capability), _PATIENCE_SECONDS), None
        except Failed as failed:
            return None, failed.message
        except TimeoutError:
            return None, f"its database did not answer within {_PATIENCE_SECONDS:g} s"


def stream_json(capability: str, status: StreamStatus | None, error: str | None) -> dict[str, Any]:
    """The keys of ``sync status --json``, whatever could be learnt."""
    if status is not None:
        return status.to_json()
    return {
        "capability": capability,
        "direction": None,
        "state": "none" if error is None else "unreachable",
        "position": None,
        "lag_seconds": None,
        "behind_events": None,
        "quarantined": 0,
        "events": 0,
        "rows_per_second": 0.0,
        "note": error,
    }
