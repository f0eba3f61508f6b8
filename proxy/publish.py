"""A flip from end to end: check, build, commit, publish; and back to the last good version when a proxy refuses."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from functools import partial

from proxy import cohort
from proxy.envoy.snapshot import Builder, Snapshot
from proxy.flags import FlagError, FlagSet, check_percent
from proxy.routes import RouteTable, RouteTableError, check
from proxy.settings import ProxySettings
from proxy.store import Conflict, FlagStore, Outcome
from proxy.xds.server import AdsServer, Applied, Refused

log = logging.getLogger(__name__)


class Flipper:
    """The one writer of the flag store and of the proxies. One flip at a time (it has its own lock)."""

    def __init__(self, store: FlagStore, ads: AdsServer, table: RouteTable, settings: ProxySettings) -> None:
        """Raises RouteTableError for a bad table, FlagError for bad settings: nothing of either is ever sent."""
        problems = check(table)
        if problems:
            raise RouteTableError(problems)
        if settings.key is not None:
            cohort.check_key(settings.key)
        for name in settings.cohorts:
            cohort.check_name(name)
        self.table = table
        self.settings = settings
        self._builder = Builder(table, settings)
        self._known = frozenset(route.name for route in table.routes)
        self._store = store
        self._ads = ads
        self._flags = FlagSet(0)
        self._good: Snapshot | None = None
        self._flipping = asyncio.Lock()

    @property
    def flags(self) -> FlagSet:
        """The current version, from memory."""
        return self._flags

    async def start(self) -> Applied:
        """Publish what the store says is current (after a restart).

        A version that was committed when the process died, and that a proxy refuses now, is marked refused, and the
        one before it published. Raises Refused only when there is none left that the proxies take.
        """
        async with self._flipping:
            while True:
                flags = await asyncio.to_thread(self._store.current)
                snapshot = self._builder.build(flags)
                try:
                    applied = await self._ads.publish(snapshot)
                except Refused as refusal:
                    if refusal.timed_out or flags.version == 0:
                        raise
                    log.error("version %s, found at the start, is refused: %s", flags.version, refusal)
                    await asyncio.to_thread(self._store.settle, flags.version, Outcome.REFUSED, str(refusal))
                    continue
                self._flags, self._good = flags, snapshot
                if flags.version:
                    await asyncio.to_thread(self._store.settle, flags.version, Outcome.APPLIED)
                return applied

    async def flip(self, flags: FlagSet, *, actor: str, reason: str, action: str, rollback: bool = False) -> Applied:
        """Make ``flags`` (from proxy.flags.edit or rollback, of version current + 1) the current version.

        Returns when every connected proxy has acknowledged and that is written down; ``ms`` counts from the call to the
        last acknowledgement. Raises store.Conflict if
        somebody was faster, FlagError before anything is sent, xds.server.Refused when a proxy refused it (the store
        marks the version refused, the last good one is published again). ``rollback``: a proxy that doesn't answer in
        time doesn't undo it for the others; Refused is raised all the same, with ``timed_out``.
        """
        async with self._flipping:
            begun = time.perf_counter()
            expected = flags.version - 1
            if expected != self._flags.version:
                raise Conflict(expected, self._flags.version)
            self._check(flags)
            commit = partial(self._store.commit, flags, expected=expected, actor=actor, reason=reason, action=action)
            # Not to_thread, which begins only when this waits: so the thread gets going while the routes are made.
            storing = asyncio.get_running_loop().run_in_executor(None, commit)
            snapshot = self._builder.build(flags)
            stored = await storing
            if stored.version != flags.version:  # numbers of refused versions are not used again
                snapshot = self._builder.build(stored)
            took_ms = (time.perf_counter() - begun) * 1000
            try:
                applied = await self._ads.publish(snapshot)
            except Refused as refusal:
                if rollback and refusal.timed_out:
                    self._flags, self._good = stored, snapshot
                else:
                    await self._undo(stored.version, refusal)
                raise
            self._flags, self._good = stored, snapshot
            await asyncio.to_thread(self._store.settle, stored.version, Outcome.APPLIED)
            return replace(applied, ms=took_ms + applied.ms)

    async def _undo(self, version: int, refusal: Refused) -> None:
        await asyncio.to_thread(self._store.settle, version, Outcome.REFUSED, str(refusal))
        if self._good is None:
            return
        try:
            await self._ads.publish(self._good)
        except Refused as again:
            # The proxy that is silent or refused goes on with what it has; it gets this version when it can.
            log.error("version %s, published again after a refusal: %s", self._good.version, again)

    def _check(self, flags: FlagSet) -> None:
        for name, flag in flags.flags.items():
            if flag is self._flags.of(name):
                continue  # as it is already
            check_percent(f"{name}: percent", flag.percent)
            check_percent(f"{name}: shadow percent", flag.shadow_percent)
            if name not in self._known and flag != self._flags.of(name):
                raise FlagError(f"no route '{name}' in the route table")
            for unknown in flag.cohorts - self.settings.cohorts - self._flags.of(name).cohorts:
                raise FlagError(f"{name}: no cohort '{unknown}'")
