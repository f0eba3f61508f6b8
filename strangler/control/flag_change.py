"""Changing the flags of one capability within the phase it is in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from proxy.flags import Edit, Flag, FlagSet, edit
from proxy.routes import Access, Route, Side
from strangler.control.audit import Audit, Entry
from strangler.control.flagging import Flagging
from strangler.control.models import FlagChange, FlipOut, ProxyOut
from strangler.control.operation import Operation, Operations
from strangler.control.phase_store import PhaseStore
from strangler.exits import Failed, Refused, Usage
from strangler.phases import SERVING


class FlagSetter:
    def __init__(
        self, flagging: Flagging, phases: PhaseStore, audit: Audit, operations: Operations, now: Callable[[], datetime]
    ) -> None:
        self._flagging, self._phases, self._audit = flagging, phases, audit
        self._operations, self._now = operations, now

    async def change(self, capability: str, asked: FlagChange) -> FlipOut:
        """Raises Usage for what can't be meant, Refused for traffic the phase doesn't allow, Busy, Failed."""
        route = self._flagging.route(capability, asked.route) if asked.route else None
        wanted = _edit(asked)

        def make(flags: FlagSet) -> FlagSet:
            return edit(
                flags,
                self._flagging.table,
                capability,
                wanted,
                route=route.name if route else None,
                reads_only=route is None,
                known_cohorts=self._flagging.settings.cohorts,
            )

        after, changes = self._flagging.preview(make)
        if not changes:
            return self._same(capability, asked)
        await self._allow(capability, route, after)
        if asked.dry_run:
            return self._said(capability, changes, self._flagging.flags, after)
        return await self._flip(capability, asked, make)

    async def _allow(self, capability: str, route: Route | None, after: FlagSet) -> None:
        changed = [r for r in self._flagging.routes(capability) if after.of(r.name) != self._flagging.flags.of(r.name)]
        if any(after.of(r.name).shadow_percent > 0 for r in changed):
            raise Refused(f"{capability} can't be shadowed", ["shadow traffic is not built yet"])
        if any(r.access is Access.WRITE for r in changed):
            name = route.name if route else capability
            raise Refused(
                f"{name} goes where the data has its owner",
                [f"strangler advance {capability} --to writes   moves the ownership, and the write routes with it"],
            )
        standing = await asyncio.to_thread(self._phases.of, capability)
        if standing.phase not in SERVING and any(_to_new(after.of(r.name)) for r in changed):
            raise Refused(
                f"{capability} is in {standing.phase}: traffic goes to new from phase canary on",
                [f"strangler advance {capability} --to canary asks the gate and sends the first percent"]
                if standing.phase == "synced"
                else [f"strangler advance {capability} is the next step"],
            )

    async def _flip(self, capability: str, asked: FlagChange, make: Callable[[FlagSet], FlagSet]) -> FlipOut:
        now, before = self._now(), self._flagging.flags
        standing = await asyncio.to_thread(self._phases.of, capability)
        op = Operation("", capability, "flag set", asked.actor, asked.reason, now, standing.phase, before.version)
        with self._operations.hold(op):
            try:
                done = await asyncio.shield(
                    asyncio.ensure_future(
                        self._flagging.flip(
                            make, actor=asked.actor, reason=asked.reason, action=f"flag set {capability}"
                        )
                    )
                )
            except Failed as failed:
                await self._write(capability, asked, before, before, None, failed)
                raise
            await self._write(capability, asked, done.before, done.after, done.version, None)
        routes = {r.name for r in self._flagging.routes(capability)}
        return FlipOut(
            capability=capability,
            dry_run=False,
            version=done.version,
            from_version=done.before.version,
            applied=done.applied,
            ms_to_applied=round(done.ms, 2) if done.applied else None,
            proxies=[ProxyOut(**vars(p)) for p in done.proxies],
            summary=summary(capability, routes, done.before, done.after),
            changes=self._flagging.said(done.before, done.after),
        )

    def _same(self, capability: str, asked: FlagChange) -> FlipOut:
        """Asked for twice is done once: no version, no audit entry."""
        version = self._flagging.flags.version
        return FlipOut(
            capability=capability,
            dry_run=asked.dry_run,
            version=version,
            from_version=version,
            applied=self._flagging.applied,
            ms_to_applied=None,
            proxies=[ProxyOut(**vars(p)) for p in self._flagging.proxies],
            summary=f"{capability} has these flags already",
            changes=[],
        )

    def _said(self, capability: str, changes: list[str], before: FlagSet, after: FlagSet) -> FlipOut:
        routes = {r.name for r in self._flagging.routes(capability)}
        return FlipOut(
            capability=capability,
            dry_run=True,
            version=after.version,
            from_version=before.version,
            applied=False,
            ms_to_applied=None,
            proxies=[ProxyOut(**vars(p)) for p in self._flagging.proxies],
            summary=summary(capability, routes, before, after),
            changes=changes,
        )

    async def _write(
        self,
        capability: str,
        asked: FlagChange,
        before: FlagSet,
        after: FlagSet,
        version: int | None,
        failed: Failed | None,
    ) -> None:
        routes = [r.name for r in self._flagging.routes(capability) if before.of(r.name) != after.of(r.name)]
        entry = Entry(
            at=self._now(),
            actor=asked.actor,
            action="flag set",
            capability=capability,
            reason=asked.reason,
            before={r: shown(before.of(r)) for r in routes},
            after={r: shown(after.of(r)) for r in routes},
            version=version,
            done=failed is None,
            detail="; ".join([failed.message, *failed.reasons]) if failed else "",
        )
        await asyncio.to_thread(self._audit.write, entry)


def _edit(asked: FlagChange) -> Edit:
    change = Edit(
        percent=asked.percent,
        shadow_percent=asked.shadow,
        pin=None if asked.pin in (None, "none") else Side(asked.pin),
        unpin=asked.pin == "none",
        add_cohorts=frozenset(asked.cohort),
        remove_cohorts=frozenset(asked.no_cohort),
        fallback=asked.fallback,
    )
    if change == Edit():
        raise Usage("say what to change: --percent, --pin, --cohort, --no-cohort, --fallback or --no-fallback")
    return change


def _to_new(flag: Flag) -> bool:
    """Whether it asks for anybody on new, even where a pin to legacy overrides it for now."""
    return flag.pin is Side.NEW or flag.percent > 0 or bool(flag.cohorts)


def shown(flag: Flag) -> Mapping[str, Any]:
    return {
        "percent": flag.percent,
        "shadow_percent": flag.shadow_percent,
        "pin": flag.pin,
        "cohorts": sorted(flag.cohorts),
        "fallback": flag.fallback,
    }


def summary(capability: str, routes: set[str], before: FlagSet, after: FlagSet) -> str:
    """``catalog 40 % -> 60 %`` when only percents change, all alike; else how many routes change."""
    changed = [r for r in routes if before.of(r) != after.of(r)]
    percents = {(before.of(r).percent, after.of(r).percent) for r in changed}
    if len(percents) == 1:
        ((old, new),) = percents
        if old != new:
            return f"{capability} {old:g} % -> {new:g} %"
    return f"{capability}: {len(changed)} {'route' if len(changed) == 1 else 'routes'} changed"
