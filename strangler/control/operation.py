"""Operations: one at a time per capability, written down before they begin so that a restart finds what was cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, insert, select, update

from strangler.control.tables import operation
from strangler.exits import Busy, Failed, StranglerError
from strangler.phases import Phase

Emit = Callable[[dict[str, Any]], None]
Work = Callable[[Emit], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Operation:
    """What is being done, and what it would have to go back to."""

    id: str
    capability: str
    kind: str
    actor: str
    reason: str
    started_at: datetime
    phase_before: Phase
    flags_before: int
    phase_wanted: Phase | None = None

    @property
    def said(self) -> str:
        return f"{self.kind} by {self.actor} since {self.started_at.astimezone():%H:%M:%S} ({self.reason})"


class OperationStore:
    """Blocking, about a millisecond a call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self, op: Operation) -> None:
        with self._engine.begin() as connection:
            values = {**vars(op), "phase_before": str(op.phase_before), "detail": ""}
            values["phase_wanted"] = None if op.phase_wanted is None else str(op.phase_wanted)
            connection.execute(insert(operation).values(**values))

    def end(self, id: str, at: datetime, outcome: str, detail: str = "") -> None:
        with self._engine.begin() as connection:
            connection.execute(
                update(operation).where(operation.c.id == id).values(ended_at=at, outcome=outcome, detail=detail)
            )

    def unfinished(self) -> list[Operation]:
        """Begun and never ended, oldest first."""
        query = select(operation).where(operation.c.outcome.is_(None)).order_by(operation.c.started_at)
        with self._engine.connect() as connection:
            return [
                Operation(
                    row.id,
                    row.capability,
                    row.kind,
                    row.actor,
                    row.reason,
                    row.started_at,
                    Phase(row.phase_before),
                    row.flags_before,
                    Phase(row.phase_wanted) if row.phase_wanted else None,
                )
                for row in connection.execute(query)
            ]


@dataclass
class _Running:
    operation: Operation
    task: asyncio.Task[None] | None = None
    events: asyncio.Queue[dict[str, Any] | None] = field(default_factory=asyncio.Queue)


class Operations:
    """The locks. Everything that changes a capability runs through ``hold`` (short) or ``run`` (long)."""

    def __init__(self, store: OperationStore, now: Callable[[], datetime]) -> None:
        self._store, self._now = store, now
        self._held: dict[str, _Running] = {}

    def holder(self, capability: str) -> Operation | None:
        running = self._held.get(capability)
        return running.operation if running else None

    @contextmanager
    def hold(self, op: Operation) -> Iterator[None]:
        """The lock alone, for what takes milliseconds. Raises Busy."""
        self._refuse_if_held(op.capability)
        running = self._held[op.capability] = _Running(op)
        try:
            yield
        finally:
            self._release(running)

    async def run(self, op: Operation, work: Work, *, preempt: bool = False) -> AsyncIterator[dict[str, Any]]:
        """Start ``work`` and give its events, the last one a result or an error.

        The work goes on when nobody listens any more. ``preempt`` first stops an operation that may be stopped (an
        advance): a rollback waits for nobody. Raises Busy before anything is begun.
        """
        if preempt:
            await self._stop(op.capability)
        self._refuse_if_held(op.capability)
        running = self._held[op.capability] = _Running(op)
        try:
            await asyncio.to_thread(self._store.begin, op)
        except BaseException:
            self._release(running)
            raise
        running.task = asyncio.create_task(self._work(running, work), name=op.id)
        return self._listen(running)

    async def close(self) -> None:
        """Stop waiting for anything: the process ends. What is cut off is settled at the next start."""
        tasks = [r.task for r in self._held.values() if r.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, running: _Running, work: Work) -> None:
        op = running.operation
        try:
            result = await work(running.events.put_nowait)
            await asyncio.to_thread(self._store.end, op.id, self._now(), "done")
            running.events.put_nowait({"event": "result", **result})
        except asyncio.CancelledError:
            running.events.put_nowait(Failed("stopped: a rollback or the end of the control plane came first").answer())
            raise
        except StranglerError as error:
            await asyncio.to_thread(self._store.end, op.id, self._now(), "failed", error.message)
            running.events.put_nowait(error.answer())
        except Exception as error:
            await asyncio.to_thread(self._store.end, op.id, self._now(), "failed", repr(error))
            running.events.put_nowait(Failed(f"{op.kind} broke: {error!r}; see the control plane's log").answer())
            raise
        finally:
            running.events.put_nowait(None)
            self._release(running)

    @staticmethod
    async def _listen(running: _Running) -> AsyncIterator[dict[str, Any]]:
        while (event := await running.events.get()) is not None:
            yield event

    async def _stop(self, capability: str) -> None:
        running = self._held.get(capability)
        if running is None or running.operation.kind != "advance" or running.task is None:
            return
        running.task.cancel()
        await asyncio.gather(running.task, return_exceptions=True)
        detail = "stopped by a rollback"
        await asyncio.to_thread(self._store.end, running.operation.id, self._now(), "interrupted", detail)

    def _refuse_if_held(self, capability: str) -> None:
        held = self.holder(capability)
        if held is not None:
            raise Busy(f"another operation works on {capability}: {held.said}", journal=held.id)

    def _release(self, running: _Running) -> None:
        if self._held.get(running.operation.capability) is running:
            del self._held[running.operation.capability]
