"""The change streams of all capabilities, and the comparison of their rows. Blocking work runs in threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import pymysql

from cdc.mapping import no_way_back
from cdc.ownership.proof import settle
from cdc.ownership.row import owner_of
from cdc.ownership.side import Side, Sides
from cdc.quarantine import Action, HeldEvent, QuarantineDesk, QuarantineError
from cdc.state import Direction, StreamDesk, StreamSettle, StreamState, StreamStatus, Wanted
from cdc.verify import Limits, Marks, Progress, VerifyError, VerifyResult, verify_capability, verify_changed
from strangler.config import NotRunning, Resolved
from strangler.exits import Failed, Refused, Usage

T = TypeVar("T")

_COMPARISONS_AT_ONCE = 64


class StreamName(NamedTuple):
    """One of the streams of a capability."""

    capability: str
    direction: Direction = Direction.TO_NEW

    def __str__(self) -> str:
        return self.direction.named(self.capability)


class Streams:
    """By capability; only those with tables have one."""

    def __init__(self, resolved: Callable[[], Resolved]) -> None:
        """``resolved`` is asked each time, so that a database that came up later is found."""
        self._resolved = resolved
        self._stop = threading.Event()
        # Comparisons take hours: they must not take the threads that everything else is asked in.
        self._comparing = ThreadPoolExecutor(_COMPARISONS_AT_ONCE, "compare")

    def close(self) -> None:
        """End the comparisons that run; those with marks can be gone on with."""
        self._stop.set()
        self._comparing.shutdown(wait=False, cancel_futures=True)

    def exists(self, capability: str) -> bool:
        return bool(self._resolved().config.capabilities[capability].tables)

    def of(self, capabilities: Sequence[str]) -> list[StreamName]:
        """All streams of these, in their order."""
        names = [name for name in capabilities if self.exists(name)]
        return [StreamName(name, direction) for name in names for direction in self.directions(name)]

    def directions(self, capability: str) -> tuple[Direction, ...]:
        """Of the capability's streams: to new, and to legacy where everything it would own has a way back."""
        return (Direction.TO_NEW,) if self.no_way_back(capability) else (Direction.TO_NEW, Direction.TO_LEGACY)

    def no_way_back(self, capability: str) -> list[str]:
        """Why there is no stream to legacy, in sentences; empty when there is one."""
        return no_way_back(self._resolved().mapping(capability))

    async def status(self, capability: str, direction: Direction = Direction.TO_NEW) -> StreamStatus:
        """Raises Failed when the database that the stream writes can't be reached."""
        return await self._ask(capability, lambda: self._desk(capability, direction).status())

    async def want(self, capability: str, wanted: Wanted, direction: Direction = Direction.TO_NEW) -> None:
        await self._ask(capability, lambda: self._desk(capability, direction).want(wanted))

    async def resnapshot(self, capability: str, tables: Collection[str]) -> None:
        """``tables`` are legacy table names; all when empty. Raises Usage for one the mapping doesn't read."""
        known = {t.source for t in self._resolved().mapping(capability).forth.tables}
        if unknown := sorted(set(tables) - known):
            raise Usage(f"no mapping of {capability} reads {', '.join(unknown)}; it reads {', '.join(sorted(known))}")
        await self._ask(capability, lambda: self._desk(capability).resnapshot(sorted(tables)))

    async def quarantine_heads(self, stream: StreamName) -> list[HeldEvent]:
        """The first event of every key that waits."""
        return await self._ask(stream.capability, lambda: self._quarantine(stream).heads())

    async def quarantined(self, stream: StreamName, number: int) -> list[HeldEvent]:
        """All events of that event's key, in order; none when it is not there."""
        return await self._ask(stream.capability, lambda: self._quarantine(stream).of_key(number))

    async def release(
        self, stream: StreamName, action: Action, numbers: Sequence[int] | None, timeout_seconds: float
    ) -> dict[str, Any]:
        """Have the worker do it; its answer. Raises Failed with what kept it from doing so."""
        return await self._ask(
            stream.capability, lambda: self._quarantine(stream).ask(action, numbers, timeout_seconds)
        )

    async def verify(
        self,
        capability: str,
        *,
        tables: Collection[str] | None,
        repair: bool,
        progress: Callable[[Progress], None],
        limits: Limits | None = None,
        marks: Marks | None = None,
    ) -> VerifyResult:
        """``progress`` is called in the event loop's thread, ``marks`` in another; ``limits`` are those of the file if
        none are given. Raises Failed."""
        resolved = self._resolved()
        loop = asyncio.get_running_loop()
        sides = Sides(resolved.legacy_database, resolved.capability_database(capability))
        owner = await self._ask(capability, lambda: owner_of(sides, capability))
        carrier = Direction.TO_NEW if owner is Side.LEGACY else Direction.TO_LEGACY
        streaming = (await self.status(capability, carrier)).state is StreamState.STREAMING
        if repair and owner is Side.NEW:
            raise Refused(
                f"{capability} can't be repaired while new owns it",
                [f"what legacy lacks comes by the way back: strangler sync status {capability}"],
            )

        def report(p: Progress) -> None:
            loop.call_soon_threadsafe(progress, p)

        def compare() -> VerifyResult:
            return verify_capability(
                resolved.mapping(capability),
                sides.legacy,
                sides.new,
                tables,
                settle=settle(sides, capability, owner) if streaming else None,
                progress=report,
                repair=repair,
                limits=limits or resolved.config.capabilities[capability].verify.limits,
                marks=marks,
                stop=self._stop,
            )

        return await self._ask(capability, compare, self._comparing)

    async def verify_changed(self, capability: str) -> VerifyResult:
        """Of the rows that the stream changed last. Raises Failed."""
        resolved = self._resolved()
        status = await self.status(capability)
        changed: dict[str, list[dict[str, Any]]] = {}
        for table, key in status.detail.recent:
            changed.setdefault(table, []).append(key)

        def compare() -> VerifyResult:
            source, target = resolved.legacy_database, resolved.capability_database(capability)
            settle = StreamSettle(source, self._desk(capability))
            return verify_changed(resolved.mapping(capability), source, target, changed, settle, stop=self._stop)

        return await self._ask(capability, compare, self._comparing)

    def _desk(self, capability: str, direction: Direction = Direction.TO_NEW) -> StreamDesk:
        resolved = self._resolved()
        forth = direction is Direction.TO_NEW
        target = resolved.capability_database(capability) if forth else resolved.legacy_database
        return StreamDesk(target, capability, direction)

    def _quarantine(self, stream: StreamName) -> QuarantineDesk:
        return QuarantineDesk(self._desk(*stream).target, *stream)

    async def _ask(self, capability: str, call: Callable[[], T], threads: ThreadPoolExecutor | None = None) -> T:
        try:
            if threads is not None:
                return await asyncio.get_running_loop().run_in_executor(threads, call)
            return await asyncio.to_thread(call)
        except VerifyError as error:
            raise Failed(str(error)) from error
        except QuarantineError as error:
            raise Failed(f"{capability}: {error}", [f"strangler sync status {capability}"]) from error
        except NotRunning as error:
            raise Failed(str(error)) from error
        except pymysql.err.OperationalError as error:
            database = self._resolved().config.capabilities[capability].database
            raise Failed(
                f"a database of {capability} doesn't answer ({error.args[-1]})",
                [f"the new side's is databases.{database}; see strangler ps and strangler doctor"],
            ) from error
