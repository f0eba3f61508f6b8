"""Evidence, kept."""

from __future__ import annotations

from sqlalchemy import Engine, Row, insert, select

from strangler.control.tables import evidence
from strangler.evidence import Evidence, Kind


class EvidenceStore:
    """Nothing is overwritten. Blocking, about a millisecond a call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, found: Evidence) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                insert(evidence).values(
                    capability=found.capability,
                    kind=str(found.kind),
                    at=found.at,
                    ok=found.ok,
                    summary=found.summary,
                    data=dict(found.data),
                )
            )

    def latest(self, capability: str, kind: Kind) -> Evidence | None:
        found = self.list(capability, kind=kind, limit=1)
        return found[0] if found else None

    def list(self, capability: str, *, kind: Kind | None = None, limit: int = 50) -> list[Evidence]:
        """Newest first."""
        query = select(evidence).where(evidence.c.capability == capability)
        if kind is not None:
            query = query.where(evidence.c.kind == str(kind))
        with self._engine.connect() as connection:
            return [_read(row) for row in connection.execute(query.order_by(evidence.c.id.desc()).limit(limit))]


def _read(row: Row[tuple[object, ...]]) -> Evidence:
    return Evidence(row.capability, Kind(row.kind), row.at, row.ok, row.summary, row.data)
