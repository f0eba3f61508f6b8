"""The change streams of all capabilities, and the comparison of their rows. Blocking work runs in threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pymysql

from cdc.quarantine import Action, HeldEvent, QuarantineDesk, QuarantineError
from cdc.state import StreamDesk, StreamSettle, StreamState, StreamStatus, Wanted
from cdc.verify import Limits, Marks, Progress, VerifyError, VerifyResult, verify_capability, verify_changed
from strangler.config import NotRunning, Resolved
from strangler.exits import Failed, Usage

T = TypeVar("T")

_COMPARISONS_AT_ONCE = 64


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

    async def status(self, capability: str) -> StreamStatus:
        """Raises Failed when the new side's database can't be reached."""
        return await self._ask(capability, lambda: self._desk(capability).status())

    async def want(self, capability: str, wanted: Wanted) -> None:
        await self._ask(capability, lambda: self._desk(capability).want(wanted))

    async def resnapshot(self, capability: str, tables: Collection[str]) -> None:
        """``tables`` are legacy table names; all when empty. Raises Usage for one the mapping doesn't read."""
        known = {t.source for t in self._resolved().mapping(capability).tables}
        if unknown := sorted(set(tables) - known):
            raise Usage(f"no mapping of {capability} reads {', '.join(unknown)}; it reads {', '.join(sorted(known))}")
        await self._ask(capability, lambda: self._desk(capability).resnapshot(sorted(tables)))

    async def quarantine_heads(self, capability: str) -> list[HeldEvent]:
        """The first event of every key that waits."""
        return await self._ask(capability, lambda: self._quarantine(capability).heads())

    async def quarantined(self, capability: str, number: int) -> list[HeldEvent]:
        """All events of that event's key, in order; none when it is not there."""
        return await self._ask(capability, lambda: self._quarantine(capability).of_key(number))

    async def release(
        self, capability: str, action: Action, numbers: Sequence[int] | None, timeout_seconds: float
    ) -> dict[str, Any]:
        """Have the worker do it; its answer. Raises Failed with what kept it from doing so."""
        return await self._ask(capability, lambda: self._quarantine(capability).ask(action, numbers, timeout_seconds))

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
        streaming = (await self.status(capability)).state is StreamState.STREAMING

        def report(p: Progress) -> None:
            loop.call_soon_threadsafe(progress, p)

        def compare() -> VerifyResult:
            source, target = resolved.legacy_database, resolved.capability_database(capability)
            return verify_capability(
                resolved.mapping(capability),
                source,
                target,
                tables,
                settle=StreamSettle(source, self._desk(capability)) if streaming else None,
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

    def _desk(self, capability: str) -> StreamDesk:
        return StreamDesk(self._resolved().capability_database(capability), capability)

    def _quarantine(self, capability: str) -> QuarantineDesk:
        return QuarantineDesk(self._resolved().capability_database(capability), capability)

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
