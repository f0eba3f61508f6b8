"""Starting, pausing and resuming change streams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from cdc.state import Direction, StreamState, StreamStatus, Wanted
from strangler.control.audit import Audit, Entry
from strangler.control.flagging import Flagging
from strangler.control.models import StreamOut, SyncChange, SyncChangeOut, SyncStatusOut
from strangler.control.observe import stream_json
from strangler.control.operation import Operation, Operations
from strangler.control.phase_store import PhaseStore
from strangler.control.preflight import Preflight
from strangler.control.streams import Streams
from strangler.exits import Failed, Refused, Usage
from strangler.phases import Phase

Action = Literal["start", "pause", "resume", "resnapshot"]

_SAID: dict[Action, str] = {
    "start": "start the change stream of {name}: copy what is there, then follow",
    "pause": "pause the change stream of {name} where it is; rows on new stay as they are, and age",
    "resume": "go on with the change stream of {name} from {position}",
    "resnapshot": "copy {tables} of {name} again, then follow",
}
_SAID_BACK: dict[Action, str] = {
    "start": "start the stream of {name} back to legacy, without a copy; it carries what new writes as owner",
    "pause": "pause the stream of {name} back to legacy where it is",
    "resume": "go on with the stream of {name} back to legacy from {position}",
    "resnapshot": "",
}


class Syncer:
    def __init__(
        self,
        flagging: Flagging,
        streams: Streams,
        phases: PhaseStore,
        audit: Audit,
        operations: Operations,
        preflight: Preflight,
        now: Callable[[], datetime],
    ) -> None:
        self._flagging, self._streams, self._phases, self._audit = flagging, streams, phases, audit
        self._operations, self._preflight, self._now = operations, preflight, now

    async def status(self, capabilities: list[str]) -> SyncStatusOut:
        """Of those that have tables, both directions where there are two. What can't be asked says so in ``state``."""
        asked = self._streams.of(capabilities)
        return SyncStatusOut(streams=list(await asyncio.gather(*(self._one(*one) for one in asked))))

    async def change(self, name: str, action: Action, asked: SyncChange) -> SyncChangeOut:
        """Returns when the worker has been asked, not when it is done. Raises Usage, Refused, Busy, Failed."""
        if not self._streams.exists(name):
            raise Usage(f"{name} has no tables in strangler.toml, so it has no change stream")
        if asked.direction not in self._streams.directions(name):
            raise Usage(f"{name} has no stream back to legacy: {'; '.join(self._streams.no_way_back(name))}")
        if asked.direction is Direction.TO_LEGACY and action == "resnapshot":
            raise Usage(f"a way back copies nothing, legacy has its rows: strangler verify {name} says what differs")
        before = await self._streams.status(name, asked.direction)
        standing = await asyncio.to_thread(self._phases.of, name)
        _allow(name, action, before)
        if action in ("start", "resume", "resnapshot"):
            await self._preflight.check(name)
        back = asked.direction is Direction.TO_LEGACY
        warnings = [] if back else self._warnings(name, action, standing.phase)
        if asked.dry_run:
            said = (_SAID_BACK if back else _SAID)[action].format(
                name=name, position=before.position or "the beginning", tables=", ".join(asked.tables) or "all tables"
            )
            would = [said]
            if action == "resnapshot" and before.quarantined:
                would.append("forget what is in quarantine of these tables: the copy has all of it")
            return await self._answer(name, action, asked.direction, dry_run=True, would=would, warnings=warnings)
        op = Operation("", name, f"sync {action}", asked.actor, asked.reason, self._now(), standing.phase, 0)
        with self._operations.hold(op):
            await self._ask(name, action, asked)
            entry = Entry(
                at=self._now(),
                actor=asked.actor,
                action=f"sync {action}",
                capability=name,
                reason=asked.reason,
                before={
                    "direction": str(asked.direction),
                    "wanted": str(before.wanted),
                    "state": str(before.state),
                    "position": before.position,
                },
                after={"wanted": "paused" if action == "pause" else "running", "tables": asked.tables},
            )
            await asyncio.to_thread(self._audit.write, entry)
        return await self._answer(name, action, asked.direction, dry_run=False, would=[], warnings=warnings)

    async def _ask(self, name: str, action: Action, asked: SyncChange) -> None:
        match action:
            case "start" | "resume":
                await self._streams.want(name, Wanted.RUNNING, asked.direction)
            case "pause":
                await self._streams.want(name, Wanted.PAUSED, asked.direction)
            case "resnapshot":
                await self._streams.resnapshot(name, asked.tables)

    def _warnings(self, name: str, action: Action, phase: Phase) -> list[str]:
        if action != "pause":
            return []
        percent = max((self._flagging.flags.of(r.name).percent for r in self._flagging.routes(name)), default=0)
        if not percent:
            return []
        return [f"{percent:g} % of users read {name} from new ({phase}); what they read ages until it is resumed"]

    async def _one(self, name: str, direction: Direction = Direction.TO_NEW) -> StreamOut:
        try:
            return StreamOut(**stream_json(name, await self._streams.status(name, direction), None))
        except Failed as failed:
            return StreamOut(**{**stream_json(name, None, failed.message), "direction": str(direction)})

    async def _answer(
        self,
        name: str,
        action: Action,
        direction: Direction,
        *,
        dry_run: bool,
        would: list[str],
        warnings: list[str],
    ) -> SyncChangeOut:
        return SyncChangeOut(
            capability=name,
            action=action,
            dry_run=dry_run,
            done=not dry_run,
            would=would,
            warnings=warnings,
            streams=[await self._one(name, direction)],
        )


def _allow(name: str, action: Action, status: StreamStatus) -> None:
    if action == "start" and status.wanted is Wanted.RUNNING and status.state is not StreamState.STOPPED:
        raise Refused(f"the stream of {name} is started already: {status.state}", [f"strangler sync status {name}"])
    if action in ("pause", "resume") and status.wanted is Wanted.ABSENT:
        raise Refused(f"the stream of {name} was never started", [f"strangler sync start {name}"])
