"""Where each capability stands, since when, and who put it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, insert, select

from strangler.control.tables import capability_phase
from strangler.evidence import Traffic
from strangler.phases import Phase


@dataclass(frozen=True)
class Standing:
    """``baseline``: what each side had answered when the phase began, by side; the gate counts from there."""

    capability: str
    phase: Phase
    since: datetime | None = None
    actor: str = ""
    reason: str = ""
    baseline: Mapping[str, Traffic] = field(default_factory=dict)


class PhaseStore:
    """Blocking, about a millisecond a call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, capability: str) -> Standing:
        """``legacy`` for a capability that never moved."""
        with self._engine.connect() as connection:
            row = connection.execute(
                select(capability_phase).where(capability_phase.c.capability == capability)
            ).one_or_none()
        if row is None:
            return Standing(capability, Phase.LEGACY)
        baseline = {side: Traffic(**counts) for side, counts in row.baseline.items()}
        return Standing(capability, Phase(row.phase), row.since, row.actor, row.reason, baseline)

    def enter(self, standing: Standing) -> None:
        """Replace what was there, in one transaction."""
        baseline: dict[str, Any] = {
            side: {"requests": t.requests, "errors": t.errors} for side, t in standing.baseline.items()
        }
        with self._engine.begin() as connection:
            connection.execute(delete(capability_phase).where(capability_phase.c.capability == standing.capability))
            connection.execute(
                insert(capability_phase).values(
                    capability=standing.capability,
                    phase=str(standing.phase),
                    since=standing.since,
                    actor=standing.actor,
                    reason=standing.reason,
                    baseline=baseline,
                )
            )
