"""Comparing a capability's rows on request, with progress, and keeping the result as evidence."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import Any

from cdc.verify import Progress
from strangler.config import Config
from strangler.config.problem import nearest
from strangler.control.audit import Audit, Entry
from strangler.control.evidence_store import EvidenceStore
from strangler.control.models import Verify
from strangler.control.operation import Operation, Operations
from strangler.control.phase_store import PhaseStore
from strangler.control.streams import Streams
from strangler.evidence import of_verify
from strangler.exits import Failed, StranglerError, Usage

Events = AsyncIterator[dict[str, Any]]


class Comparer:
    def __init__(
        self,
        config: Config,
        streams: Streams,
        phases: PhaseStore,
        evidence: EvidenceStore,
        audit: Audit,
        operations: Operations,
        now: Callable[[], datetime],
    ) -> None:
        self._config, self._streams, self._phases = config, streams, phases
        self._evidence, self._audit, self._operations, self._now = evidence, audit, operations, now

    async def compare(self, name: str, asked: Verify) -> Events:
        """Progress, then the result. Only a repair takes the lock. Raises Usage, Busy."""
        tables = self._config.capabilities[name].tables
        if not tables:
            raise Usage(f"{name} has no tables in strangler.toml: there is nothing to compare")
        for table in asked.tables:
            if table not in tables:
                raise Usage(f"{name} has no table {table!r}; {nearest(table, tables)}")
        chosen = asked.tables or list(tables)
        if asked.dry_run:
            said = [f"compare every row of {table} with legacy's {tables[table].source}" for table in chosen]
            if asked.repair:
                said.append("write the owner's (legacy) value to the other side for every row that differs")
            return _once({"event": "result", "dry_run": True, "would": said, "capability": name})
        standing = await asyncio.to_thread(self._phases.of, name)
        op = Operation("", name, "verify --repair", asked.actor, asked.reason, self._now(), standing.phase, 0)
        stack = contextlib.ExitStack()
        if asked.repair:
            stack.enter_context(self._operations.hold(op))
        events: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        task = asyncio.create_task(self._work(name, asked, events, stack), name=f"verify {name}")
        return _listen(events, task)

    async def _work(
        self, name: str, asked: Verify, events: asyncio.Queue[dict[str, Any] | None], stack: contextlib.ExitStack
    ) -> None:
        def progress(p: Progress) -> None:
            events.put_nowait({"event": "progress", "step": "compare rows", **p.to_json()})

        with stack, _closing(events):
            try:
                result = await self._streams.verify(
                    name, tables=asked.tables or None, repair=asked.repair, progress=progress
                )
            except StranglerError as error:
                events.put_nowait(error.answer())
                return
            except Exception as error:
                events.put_nowait(Failed(f"verify broke: {error!r}; see the control plane's log").answer())
                raise
            found = result.to_json()
            if not asked.tables:  # part of the tables is no evidence about the capability
                await asyncio.to_thread(self._evidence.add, of_verify(name, self._now(), found))
            if asked.repair:
                await asyncio.to_thread(self._audit.write, self._entry(name, asked, found))
            events.put_nowait({"event": "result", **found})

    def _entry(self, name: str, asked: Verify, found: dict[str, Any]) -> Entry:
        repaired = {t["table"]: t["repaired"][:20] for t in found["tables"] if t["repaired"]}
        return Entry(
            at=self._now(),
            actor=asked.actor,
            action="verify --repair",
            capability=name,
            reason=asked.reason,
            after={"repaired": repaired, "equal": found["equal"]},
            done=bool(found["equal"]),
        )


@contextlib.contextmanager
def _closing(events: asyncio.Queue[dict[str, Any] | None]) -> Iterator[None]:
    try:
        yield
    finally:
        events.put_nowait(None)


async def _listen(events: asyncio.Queue[dict[str, Any] | None], task: asyncio.Task[None]) -> Events:
    """``task`` is held so that it is not collected while somebody listens."""
    while (event := await events.get()) is not None:
        yield event
    await asyncio.gather(task, return_exceptions=True)


async def _once(event: dict[str, Any]) -> Events:
    yield event
