"""The moves of write ownership of all capabilities: puts a cutover together, and repairs what one left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from proxy.hold import write_routes
from proxy.routes import Side
from proxy.xds.server import AdsServer
from strangler.config import Config
from strangler.control.flagging import Flagging
from strangler.control.gatekeeper import ProxyGatekeeper
from strangler.control.operation import Emit, Operation
from strangler.control.ownership import DatabaseRows
from strangler.control.streams import Streams
from strangler.cutover.dry_run import sentences
from strangler.cutover.execute import Cutover, Outcome
from strangler.cutover.journal import Journal, State
from strangler.cutover.ports import Owners
from strangler.cutover.repair import Repairer
from strangler.cutover.steps import Move
from strangler.exits import Failed, Refused

_OVERHEAD_MS = 60.0  # of a hold besides the stream's lag, on an idle machine: acknowledgements, commits, one marker


class Settled(NamedTuple):
    """An unfinished move, what was found of it and what was done. ``owner``: who owns now; None in a dry run."""

    id: str
    capability: str
    owner: Side | None
    found: str
    action: str


class Writes:
    def __init__(
        self,
        config: Config,
        rows: DatabaseRows,
        flagging: Flagging,
        ads: AdsServer,
        journal: Journal,
        streams: Streams,
        now: Callable[[], datetime],
    ) -> None:
        self._config, self._rows, self._flagging, self._ads = config, rows, flagging, ads
        self._journal, self._streams, self._now = journal, streams, now

    async def move(self, op: Operation, owner: Side, emit: Emit) -> Outcome:
        """Raises Refused, Failed; then all is as before, unless the text says otherwise. Does nothing where ``owner``
        owns already."""
        unfinished = [
            e for e in await asyncio.to_thread(self._journal.unfinished) if e.move.capability == op.capability
        ]
        if unfinished:
            raise Refused(
                f"a move of {op.capability} was cut off and is not settled yet ({unfinished[0].id})",
                ["strangler repair   finishes or undoes it"],
            )
        owners = await self._rows.owners(op.capability)
        if (owners.legacy_row, owners.new_row, owners.even) == (owner, owner, True):
            return Outcome()
        gatekeeper = ProxyGatekeeper(self._flagging, self._ads, op.actor, op.reason)
        cutover = Cutover(
            op.id,
            self._move(op.capability, owner),
            emit,
            gatekeeper=gatekeeper,
            rows=self._rows,
            journal=self._journal,
            now=self._now,
        )
        return await cutover.run()

    async def owners(self, capability: str) -> Owners:
        """Raises Failed when a database can't be asked."""
        return await self._rows.owners(capability)

    async def moved(self, id: str) -> bool:
        """Whether the move of that operation was completed."""
        entry = await asyncio.to_thread(self._journal.of, id)
        return entry is not None and entry.state is State.DONE

    async def repair(
        self, actor: str, *, only: str | None = None, dry_run: bool = False, busy: Callable[[str], bool] | None = None
    ) -> list[Settled]:
        """Of each unfinished move. ``busy``: whose operation is under way, which is not touched. Raises Failed at the
        first that can't be settled now."""
        gatekeeper = ProxyGatekeeper(self._flagging, self._ads, actor, "repair: a move of ownership was cut off")
        repairer = Repairer(self._journal, gatekeeper, self._rows, self._now)
        done = []
        for entry in await repairer.unfinished():
            if (only is not None and entry.id != only) or (busy is not None and busy(entry.move.capability)):
                continue
            move = entry.move
            found = f"move of {move.capability} to {move.owner}, {entry.state}"
            if dry_run:
                would = "would be completed or undone, whichever the databases say"
                done.append(Settled(entry.id, move.capability, None, found, would))
                continue
            went = await repairer.repair(entry)
            owner = move.owner if went == "complete" else move.old
            word = "completed" if went == "complete" else "undone"
            action = f"{word}: {owner} owns {move.capability}"
            done.append(Settled(entry.id, move.capability, owner, found, action))
        return done

    async def disarm(self, capability: str) -> None:
        """No stream, no fence: legacy owns, and nobody looks any more."""
        await self._rows.disarm(capability)

    async def lag_ms(self, capability: str) -> float | None:
        """How long a hold would probably take, of what is measured now."""
        try:
            status = await self._streams.status(capability)
        except Failed:
            return None
        return None if status.lag_p99 is None else status.lag_p99 * 1000 + _OVERHEAD_MS

    def sentences(self, capability: str, owner: Side, estimate_ms: float | None) -> list[str]:
        routes = len(write_routes(self._flagging.table, capability))
        return sentences(self._move(capability, owner), routes, estimate_ms)

    def _move(self, capability: str, owner: Side) -> Move:
        limits = self._config.capabilities[capability].cutover
        return Move(capability, owner, limits.hold_budget_ms, limits.hold_limit_ms)
