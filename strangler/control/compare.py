"""Comparing a capability's rows on request, with progress, and keeping the result as evidence."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from datetime import datetime
from typing import Any

import structlog

from cdc.state import StreamState
from cdc.verify import Progress
from strangler.config import Config
from strangler.config.problem import nearest
from strangler.control.audit import Audit, Entry
from strangler.control.evidence_store import EvidenceStore
from strangler.control.models import Verify
from strangler.control.operation import Operation, Operations
from strangler.control.phase_store import PhaseStore
from strangler.control.streams import Streams
from strangler.control.verify_runs import RunKind, Unfinished, VerifyRuns
from strangler.evidence import of_verify
from strangler.exits import Failed, StranglerError, Usage

log = structlog.get_logger()

Events = AsyncIterator[dict[str, Any]]

_TRIES, _TRY_SECONDS = 600, 1.0  # for the stream to follow again after a restart


class Comparer:
    def __init__(
        self,
        config: Config,
        streams: Streams,
        phases: PhaseStore,
        evidence: EvidenceStore,
        audit: Audit,
        operations: Operations,
        runs: VerifyRuns,
        now: Callable[[], datetime],
    ) -> None:
        self._runs = runs
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: set[str] = set()  # capabilities with a comparison that keeps how far it is
        self._closed = asyncio.Event()
        self._config, self._streams, self._phases = config, streams, phases
        self._evidence, self._audit, self._operations, self._now = evidence, audit, operations, now

    async def compare(self, name: str, asked: Verify) -> Events:
        """Progress, then the result. Only a repair takes the lock. It goes on where one that was cut off had come to,
        unless it is asked to begin ``anew``. Raises Usage, Busy."""
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
        return _listen(events, self._start(name, self._work(name, asked, events, stack)))

    async def go_on(self) -> None:
        """Go on with comparisons that the end of the last control plane cut off; what they find is evidence, and is
        written where it is waited for no more. Nothing is repaired that nobody waits for."""
        for left in await asyncio.to_thread(self._runs.unfinished, RunKind.ASKED):
            capability = self._config.capabilities.get(left.capability)
            if capability is None or set(left.tables) - set(capability.tables):
                await asyncio.to_thread(self._runs.end, left.capability, RunKind.ASKED)
                continue
            log.info("verify.goes_on", capability=left.capability, began_at=left.began_at.isoformat())
            self._start(left.capability, self._go_on(left))

    async def _go_on(self, left: Unfinished) -> None:
        """When the stream follows again: without it, rows in flight could not be told from differences. If it does not
        in a while, the comparison is left to whoever asks for one; somebody may have done so meanwhile."""
        for _ in range(_TRIES):
            if self._closed.is_set():
                return
            with contextlib.suppress(Failed):
                if (await self._streams.status(left.capability)).state is StreamState.STREAMING:
                    break
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), _TRY_SECONDS)
        else:
            return
        if left.capability not in self._running and left in await asyncio.to_thread(
            self._runs.unfinished, RunKind.ASKED
        ):
            asked = Verify(actor="control plane", tables=list(left.tables))
            await self._work(left.capability, asked, asyncio.Queue(), contextlib.ExitStack())

    async def close(self) -> None:
        """Wait for those that were told to end (``Streams.close``)."""
        self._closed.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"verify {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _work(
        self, name: str, asked: Verify, events: asyncio.Queue[dict[str, Any] | None], stack: contextlib.ExitStack
    ) -> None:
        def progress(p: Progress) -> None:
            events.put_nowait({"event": "progress", "step": "compare rows", **p.to_json()})

        with stack, _closing(events):
            # A second one at the same time keeps nothing: the place is the first one's.
            first, run = name not in self._running, None
            if first:
                self._running.add(name)
                stack.callback(self._running.discard, name)
            try:
                if first:
                    run = await asyncio.to_thread(
                        self._runs.begin, name, RunKind.ASKED, asked.tables, self._now(), anew=asked.anew
                    )
                    if run.rows:
                        events.put_nowait({"event": "resumed", "rows": run.rows, "began_at": run.began_at.isoformat()})
                result = await self._streams.verify(
                    name, tables=asked.tables or None, repair=asked.repair, progress=progress, marks=run
                )
            except StranglerError as error:
                events.put_nowait(error.answer())
                return
            except Exception as error:
                events.put_nowait(Failed(f"verify broke: {error!r}; see the control plane's log").answer())
                raise
            found = result.to_json()
            if not asked.tables:  # part of the tables is no evidence about the capability
                began_at = run.began_at if run is not None else None
                evidence = of_verify(name, self._now(), found, began_at=began_at)
                await asyncio.to_thread(self._evidence.add, evidence)
            if run is not None:
                await asyncio.to_thread(self._runs.end, name, RunKind.ASKED)
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
