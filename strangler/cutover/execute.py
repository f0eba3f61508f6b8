"""Doing the steps of a move. A failure before the journal's mark puts all back, one after it has the rest completed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from strangler.control.operation import Emit
from strangler.cutover.journal import Journal, State
from strangler.cutover.ports import Gatekeeper, Rows
from strangler.cutover.repair import Mender
from strangler.cutover.steps import ORDER, Move, Step
from strangler.exits import Failed, StranglerError

log = structlog.get_logger()

_AFTER = ORDER[ORDER.index(Step.JOURNAL) + 1 :]


@dataclass
class Outcome:
    """What a move did. ``hold_ms``: from before the first proxy held until after the last one released, so that no
    request waited longer. ``held``: how many waited; None when no proxy could be asked."""

    fence: str | None = None
    hold_ms: float = 0.0
    held: int | None = None
    warning: str = ""
    steps: list[dict[str, Any]] = field(default_factory=list)


class Cutover:
    """One move, once."""

    def __init__(
        self,
        id: str,
        move: Move,
        emit: Emit,
        *,
        gatekeeper: Gatekeeper,
        rows: Rows,
        journal: Journal,
        now: Callable[[], datetime],
        at: Callable[[Step], Awaitable[None]] | None = None,
    ) -> None:
        """``at`` is called before each step: tests kill and fail there."""
        self.id, self.move, self._emit = id, move, emit
        self._gatekeeper, self._rows, self._journal, self._now = gatekeeper, rows, journal, now
        self._at = at
        self._mender = Mender(gatekeeper, rows)
        self._held_at: float | None = None
        self._marked = False
        self._marker = ""
        self.outcome = Outcome()

    async def run(self) -> Outcome:
        """Raises Refused before anything was changed, and Failed: then all is as before (or, where even putting back
        failed, says so; ``strangler repair`` goes on with it)."""
        await self._step(Step.PREFLIGHT)
        # What is written down now names what the hold will be called, whoever has to find it.
        await asyncio.to_thread(self._journal.begin, self.id, self.move, self.id, self._now())
        try:
            for step in ORDER[1 : ORDER.index(Step.JOURNAL) + 1]:
                await self._step(step)
        except BaseException as error:
            if not self._marked:
                await asyncio.shield(asyncio.ensure_future(self._undo(error)))
                raise
            log.warning("cutover.interrupted", id=self.id, error=repr(error))
        # No cancellation comes between: from the mark on only this, or the next process, ends it.
        return await asyncio.shield(asyncio.ensure_future(self._complete()))

    async def _complete(self) -> Outcome:
        try:
            for step in _AFTER:
                await self._step(step)
        except Exception as error:  # noqa: BLE001 - whatever it was, the move can only go forward, now without a clock
            log.warning("cutover.mending", id=self.id, error=repr(error))
            await self._mended(error)
        self._released()
        await self._rows.settle(self.move)
        self.outcome.held = await self._gatekeeper.waited(self.move.capability)
        await asyncio.to_thread(
            self._journal.end, self.id, State.DONE, self._now(), self.outcome.steps, self.outcome.warning
        )
        return self.outcome

    async def _mended(self, cause: BaseException) -> None:
        try:
            await self._mender.mend(self.id, self.move, marked=True)
        except StranglerError as error:
            raise Failed(
                f"{self.move.capability}: the move to {self.move.owner} has passed its point of no return and could not"
                f" be completed ({error.message}); writes wait, or are refused, until it is",
                [*error.reasons, "strangler repair   goes on with it; so does the control plane's next start"],
                journal=self.id,
            ) from cause

    async def _undo(self, error: BaseException) -> None:
        why = error.message if isinstance(error, StranglerError) else repr(error) or type(error).__name__
        try:
            await self._mender.mend(self.id, self.move, marked=False)
            self._released()
            await self._rows.settle(self.move)
        except StranglerError as again:
            log.error("cutover.undo", id=self.id, error=again.message)
            raise Failed(
                f"{why}; and putting it back failed: {again.message}",
                [*again.reasons, "strangler repair   goes on with it; so does the control plane's next start"],
                journal=self.id,
            ) from error
        waited = f", longest wait {self.outcome.hold_ms:.0f} ms" if self._held_at is not None else ""
        self._emit(
            {
                "event": "undone",
                "text": f"{self.move.old} owns {self.move.capability} as before{waited}",
                "hold_ms_max": round(self.outcome.hold_ms, 1),
            }
        )
        await asyncio.to_thread(self._journal.end, self.id, State.UNDONE, self._now(), self.outcome.steps, why)

    def _released(self) -> None:
        if self._held_at is not None:
            self.outcome.hold_ms = (time.perf_counter() - self._held_at) * 1000

    async def _step(self, step: Step) -> None:
        name, started = self.move.name_of(step), time.perf_counter()
        self._emit({"event": "step", "name": name})
        try:
            if self._at is not None:
                await self._at(step)
            text = await self._do(step)
        except BaseException as error:
            if isinstance(error, StranglerError):
                self._emit({"event": "failed", "name": name, "text": error.message})
            raise
        ms = round((time.perf_counter() - started) * 1000, 2)
        self.outcome.steps.append({"name": name, "ms": ms, "text": text})
        self._emit({"event": "done", "name": name, "ms": ms, "text": text})

    async def _do(self, step: Step) -> str:
        move, rows = self.move, self._rows
        match step:
            case Step.PREFLIGHT:
                return await rows.prepare(move)
            case Step.HOLD:
                self._held_at = time.perf_counter()
                # Not cut short by a clock: whether the proxies hold must be known. The budget is for the mark.
                return await self._gatekeeper.hold(move, self.id)
            case Step.DRAIN:
                await self._gatekeeper.drained(move, move.limit_of(step))
                return f"last request on {move.old} finished"
            case Step.FENCE:
                self.outcome.fence = await rows.fence(move, self.id, move.limit_of(step))
                return f"fence {_short(self.outcome.fence)}, no transaction open"
            case Step.CAUGHT_UP:
                await rows.caught_up(move, self.outcome.fence or "", move.limit_of(step))
                return f"{move.owner} has applied the fence"
            case Step.DELTA_CHECK:
                return await rows.delta(move, move.limit_of(step))
            case Step.JOURNAL:
                self._in_budget()
                await asyncio.to_thread(self._journal.mark, self.id, self.outcome.fence or "")
                self._marked = True
                return "from here on it only goes forward"
            case Step.OWNERSHIP:
                await rows.hand_over(move, self.id)
                self._marker = await rows.take_over(move, self.id)
                return f"fencing token {(await rows.owners(move.capability)).token}"
            case Step.WAY_BACK:
                return await self._way_back(step)
            case Step.RELEASE:
                return await self._gatekeeper.release(move, move.owner)
        raise AssertionError(step)

    def _in_budget(self) -> None:
        """The last moment to say that writes have waited too long."""
        if self._held_at is None:
            return
        waited = (time.perf_counter() - self._held_at) * 1000
        if waited > self.move.budget_ms:
            raise Failed(
                f"writes have been held for {waited:,.0f} ms, the budget is {self.move.budget_ms:,} ms",
                [f"try again when it is quieter, or give it more: [capability.{self.move.capability}.cutover]"],
            )

    async def _way_back(self, step: Step) -> str:
        """It was shown to run before anybody was held. That it is slow now is no reason to let writes wait longer."""
        try:
            await self._rows.carried(self.move, self._marker, self.move.limit_of(step))
        except Failed as failed:
            self.outcome.warning = f"writes were released before the way back had carried a marker: {failed.message}"
            return "no marker yet; it was shown to follow before, so nobody waits longer"
        return f"reverse stream carried a marker to {self.move.old}"


def _short(position: str) -> str:
    return position if len(position) <= 40 else f"{position[:8]}..{position[-24:]}"
