"""Finishing or undoing a move from what the databases, the journal and the proxies say. Every command is repeatable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from strangler.cutover.decide import Command, Found, Impossible, Way, decide, way
from strangler.cutover.journal import Entry, Journal, State
from strangler.cutover.ports import Gatekeeper, Rows
from strangler.cutover.steps import Move
from strangler.exits import Failed

log = structlog.get_logger()

_TRIES, _PAUSE_SECONDS = 5, 0.2


class Mender:
    """Brings one move to one of its two ends."""

    def __init__(self, gatekeeper: Gatekeeper, rows: Rows) -> None:
        self._gatekeeper, self._rows = gatekeeper, rows

    async def mend(self, id: str, move: Move, *, marked: bool) -> Way:
        """Look, decide, do; and again from the start when something in between fails. Raises Failed."""
        for attempt in range(_TRIES):
            try:
                return await self._once(id, move, marked)
            except Impossible as error:
                raise Failed(str(error), journal=id) from error
            except Failed as failed:
                if attempt == _TRIES - 1:
                    raise
                log.warning("cutover.mend", id=id, attempt=attempt, error=failed.message)
                await asyncio.sleep(_PAUSE_SECONDS * 2**attempt)
        raise AssertionError("unreachable")

    async def _once(self, id: str, move: Move, marked: bool) -> Way:
        owners = await self._rows.owners(move.capability)
        holding = await self._gatekeeper.holding(move.capability)
        found = Found(owners.row(move.old), owners.row(move.owner), marked, holding, owners.even)
        for command in decide(move.old, move.owner, found):
            log.info("cutover.command", id=id, command=command)
            match command:
                case Command.GIVE_BACK:
                    await self._rows.give_back(move, id)
                case Command.HAND_OVER:
                    await self._rows.hand_over(move, id)
                case Command.TAKE_OVER:
                    await self._rows.take_over(move, id)
                case Command.RELEASE_TO_OLD:
                    await self._gatekeeper.release(move, move.old)
                case Command.RELEASE_TO_OWNER:
                    await self._gatekeeper.release(move, move.owner)
        return way(move.old, move.owner, found)


class Repairer:
    """What a crash left half done; run at the start of the control plane and by ``strangler repair``."""

    def __init__(self, journal: Journal, gatekeeper: Gatekeeper, rows: Rows, now: Callable[[], datetime]) -> None:
        self._journal, self._rows, self._now = journal, rows, now
        self._mender = Mender(gatekeeper, rows)

    async def unfinished(self) -> list[Entry]:
        return await asyncio.to_thread(self._journal.unfinished)

    async def repair(self, entry: Entry) -> Way:
        """Raises Failed when a database or the proxies can't be asked; then it may be called again."""
        went = await self._mender.mend(entry.id, entry.move, marked=entry.state is State.MARKED)
        await self._rows.settle(entry.move)
        state = State.DONE if went is Way.COMPLETE else State.UNDONE
        await asyncio.to_thread(
            self._journal.end, entry.id, state, self._now(), list(map(dict, entry.steps)), "by repair after a crash"
        )
        return went
