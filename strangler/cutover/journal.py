"""The journal of moves: begun before anything is changed, marked at the point of no return, ended when all is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, insert, select, update

from proxy.routes import Side
from strangler.control.tables import cutover
from strangler.cutover.steps import Move


class State(StrEnum):
    """How far a move came."""

    BEGUN = "begun"  # whatever it did is undone
    MARKED = "marked"  # whatever is missing is completed
    DONE = "done"
    UNDONE = "undone"


@dataclass(frozen=True)
class Entry:
    """One move as it was written down. ``epoch`` is the hold's; ``detail`` says how it ended."""

    id: str
    move: Move
    epoch: str
    state: State
    fence: str | None
    steps: tuple[Mapping[str, Any], ...]
    detail: str


class Journal:
    """Blocking, about a millisecond a call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self, id: str, move: Move, epoch: str, at: datetime) -> None:
        values = {
            "id": id,
            "capability": move.capability,
            "owner": str(move.owner),
            "budget_ms": move.budget_ms,
            "limit_ms": move.limit_ms,
            "epoch": epoch,
            "state": str(State.BEGUN),
            "steps": [],
            "detail": "",
            "started_at": at,
        }
        with self._engine.begin() as connection:
            connection.execute(insert(cutover).values(**values))

    def mark(self, id: str, fence: str) -> None:
        """The point of no return."""
        self._set(id, state=str(State.MARKED), fence=fence)

    def end(self, id: str, state: State, at: datetime, steps: list[dict[str, Any]], detail: str) -> None:
        self._set(id, state=str(state), ended_at=at, steps=steps, detail=detail)

    def unfinished(self) -> list[Entry]:
        """Begun and never ended, oldest first."""
        query = select(cutover).where(cutover.c.ended_at.is_(None)).order_by(cutover.c.started_at)
        with self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def of(self, id: str) -> Entry | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(cutover).where(cutover.c.id == id)).one_or_none()
        return None if row is None else _entry(row)

    def _set(self, id: str, **values: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(cutover).where(cutover.c.id == id).values(**values))


def _entry(row: Any) -> Entry:
    move = Move(row.capability, Side(row.owner), row.budget_ms, row.limit_ms)
    return Entry(row.id, move, row.epoch, State(row.state), row.fence, tuple(row.steps), row.detail)
