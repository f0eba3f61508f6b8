"""Who did what, when and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, insert, select

from strangler.control.tables import audit


@dataclass(frozen=True)
class Entry:
    """One action. ``done`` is False for what was tried and failed; ``detail`` then says why."""

    at: datetime
    actor: str
    action: str
    capability: str | None
    reason: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    version: int | None = None
    done: bool = True
    detail: str = ""


class Audit:
    """Append only. Blocking, about a millisecond a call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, entry: Entry) -> None:
        with self._engine.begin() as connection:
            connection.execute(insert(audit).values(**vars(entry)))

    def list(self, *, capability: str | None = None, limit: int = 50) -> list[Entry]:
        """Newest first."""
        query = select(audit)
        if capability is not None:
            query = query.where(audit.c.capability == capability)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(audit.c.id.desc()).limit(limit)).mappings()
            return [Entry(**{key: value for key, value in row.items() if key != "id"}) for row in rows]
