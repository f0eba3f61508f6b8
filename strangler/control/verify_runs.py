"""Comparisons that are under way: what each was asked and how far it is, so that a restart goes on there."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, delete, insert, select, update

from cdc.verify import Mark
from strangler.control.tables import verify_run

STALE_AFTER = timedelta(hours=24)  # what was compared longer ago is compared again


class RunKind(StrEnum):
    ASKED = "asked"  # by somebody, once
    ROUND = "round"  # of continuous mode


@dataclass(frozen=True)
class Unfinished:
    """A comparison that was cut off. ``tables`` are all of the capability's when empty."""

    capability: str
    tables: tuple[str, ...]
    began_at: datetime


class Run:
    """One comparison's marks (``cdc.verify.Marks``); thread-safe."""

    def __init__(
        self, engine: Engine, capability: str, kind: RunKind, began_at: datetime, marks: Mapping[str, Mark]
    ) -> None:
        self._engine, self._key, self._marks = engine, _key(capability, kind), dict(marks)
        self._lock = threading.Lock()
        self.began_at = began_at

    @property
    def rows(self) -> int:
        """How many have been compared, as far as is kept."""
        return sum(mark.rows for mark in self._marks.values())

    def of(self, table: str) -> Mark | None:
        return self._marks.get(table)

    def keep(self, table: str, mark: Mark) -> None:
        with self._lock:
            self._marks[table] = mark
            marks = {name: kept.to_json() for name, kept in self._marks.items()}
            with self._engine.begin() as connection:
                connection.execute(update(verify_run).where(self._key).values(marks=marks))


class VerifyRuns:
    """One comparison per capability and kind. Blocking, about a millisecond a call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(
        self, capability: str, kind: RunKind, tables: Collection[str], now: datetime, *, anew: bool = False
    ) -> Run:
        """Go on with the one that was cut off, unless that began long ago or ``anew`` is asked for."""
        with self._engine.begin() as connection:
            row = connection.execute(select(verify_run).where(_key(capability, kind))).one_or_none()
            marks: dict[str, Any] = {}
            began_at = now
            if row is not None and not anew and now - row.began_at <= STALE_AFTER:
                marks, began_at = row.marks, row.began_at
            connection.execute(delete(verify_run).where(_key(capability, kind)))
            connection.execute(
                insert(verify_run).values(
                    capability=capability, kind=str(kind), tables=sorted(tables), began_at=began_at, marks=marks
                )
            )
        return Run(
            self._engine, capability, kind, began_at, {name: Mark.from_json(mark) for name, mark in marks.items()}
        )

    def end(self, capability: str, kind: RunKind) -> None:
        """It is done: the next one begins anew."""
        with self._engine.begin() as connection:
            connection.execute(delete(verify_run).where(_key(capability, kind)))

    def unfinished(self, kind: RunKind) -> list[Unfinished]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(verify_run).where(verify_run.c.kind == str(kind)))
            return [Unfinished(row.capability, tuple(row.tables), row.began_at) for row in rows]


def _key(capability: str, kind: RunKind) -> Any:
    return (verify_run.c.capability == capability) & (verify_run.c.kind == str(kind))
