"""Doing the steps of a plan, and undoing them when one fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog

from cdc.state import StreamState, StreamStatus, Wanted
from cdc.verify import Progress, VerifyResult
from proxy.flags import Edit, FlagSet, edit, rollback
from strangler.control.evidence_store import EvidenceStore
from strangler.control.flagging import Flagging, Flipped
from strangler.control.operation import Emit, Operation
from strangler.control.phase_store import PhaseStore, Standing
from strangler.control.plan import (
    NAMES,
    AwaitSync,
    CompareRows,
    EnterPhase,
    MoveWrites,
    Plan,
    SendTraffic,
    StartStream,
    Step,
    StopStream,
    TakeBack,
)
from strangler.control.streams import Streams
from strangler.control.traffic import TrafficMeter
from strangler.control.writes import Writes
from strangler.cutover.execute import Outcome
from strangler.evidence import Evidence, Kind, of_verify
from strangler.exits import Failed, StranglerError
from strangler.gates import duration, in_quarantine

log = structlog.get_logger()

_POLL_SECONDS = 0.5
_GRACE_SECONDS = 30.0  # how long a worker may take to answer before it counts as not running


class Executor:
    """Runs one plan. ``flipped`` is the last version it published; ``took`` the time of each step done; ``moved`` what
    a move of ownership did."""

    def __init__(
        self,
        plan: Plan,
        operation: Operation,
        emit: Emit,
        *,
        flagging: Flagging,
        streams: Streams,
        writes: Writes,
        phases: PhaseStore,
        evidence: EvidenceStore,
        meter: TrafficMeter,
        now: Callable[[], datetime],
    ) -> None:
        self.plan, self.operation, self.emit = plan, operation, emit
        self._flagging, self._streams, self._phases = flagging, streams, phases
        self._writes = writes
        self._evidence, self._meter, self._now = evidence, meter, now
        self._undo: list[Callable[[], Awaitable[None]]] = []
        self.flipped: Flipped | None = None
        self.took: list[dict[str, Any]] = []
        self.moved: Outcome | None = None

    async def run(self) -> None:
        """Every step in order. Raises what stopped it, after undoing what can be undone."""
        for step in self.plan.steps:
            if isinstance(step, MoveWrites):  # has steps of its own, and undoes them itself
                await self._move(step)
                continue
            name, started = NAMES[type(step)], time.perf_counter()
            self.emit({"event": "step", "name": name})
            try:
                text = await self._do(step)
            except BaseException as error:
                if isinstance(error, StranglerError):
                    self.emit({"event": "failed", "name": name, "text": error.message})
                await self._put_back()
                raise
            ms = round((time.perf_counter() - started) * 1000, 2)
            self.took.append({"name": name, "ms": ms, "text": text})
            self.emit({"event": "done", "name": name, "ms": ms, "text": text})

    async def _put_back(self) -> None:
        while self._undo:
            await asyncio.shield(self._undo.pop()())

    async def _do(self, step: Step) -> str:
        match step:
            case StartStream():
                await self._streams.want(self.plan.capability, Wanted.RUNNING)
                return "wanted: copies what is there, then follows"
            case AwaitSync():
                return await self._await_sync(step)
            case CompareRows():
                return await self._compare()
            case SendTraffic(percent):
                return await self._send(percent)
            case TakeBack(percent):
                return await self._take_back(percent)
            case StopStream():
                await self._streams.want(self.plan.capability, Wanted.ABSENT)
                await self._writes.disarm(self.plan.capability)
                return "the stream is not wanted any more; rows on new stay as they are"
            case MoveWrites():
                raise AssertionError("done by run")
            case EnterPhase():
                return await self._enter(step)

    async def _move(self, step: MoveWrites) -> None:
        try:
            self.moved = await self._writes.move(self.operation, step.owner, self.emit)
        except BaseException:
            await self._put_back()
            raise
        self.took += self.moved.steps

    # --- data ---------------------------------------------------------------------------------------------------------

    async def _await_sync(self, step: AwaitSync) -> str:
        name, started = self.plan.capability, time.monotonic()
        while True:
            status = await self._streams.status(name)
            waited = time.monotonic() - started
            lag = status.lag_seconds
            if status.state is StreamState.STREAMING and status.quarantined:
                raise Failed(
                    f"{in_quarantine(status.quarantined, status.quarantine.first)}; {name} stays in {self.plan.origin}",
                    [f"strangler quarantine list {name} says why; the stream goes on meanwhile"],
                )
            if status.state is StreamState.STREAMING and lag is not None and lag <= step.max_lag_seconds:
                return f"following, lag {duration(lag)}, {status.events:,} events so far"
            if status.state is StreamState.STOPPED:
                raise self._stopped(status)
            if status.state is StreamState.NOT_RUNNING and waited > _GRACE_SECONDS:
                raise Failed(
                    f"the stream worker of {name} does not answer, {name} stays in {self.plan.origin}",
                    ["see strangler ps and strangler logs; when it is back: strangler advance " + name],
                )
            if waited > step.timeout_seconds:
                raise Failed(
                    f"{name} was not in sync within {duration(step.timeout_seconds)}, it stays in {self.plan.origin}",
                    [f"the stream is {status.state}, lag {_lag(status)}; it goes on: strangler sync status {name}"],
                )
            self.emit(_progress(status))
            await asyncio.sleep(_POLL_SECONDS)

    def _stopped(self, status: StreamStatus) -> Failed:
        name, error = self.plan.capability, status.error
        lines = [f"{name} stays in {self.plan.origin}, traffic is untouched"]
        if error is not None:
            lines = [line for line in (error.way_out, *lines) if line]
            if error.event:
                lines.append(f"the event: {error.event}")
        where = f" at {error.position}" if error and error.position else ""
        why = f": {error.message}" if error else ""
        return Failed(f"stream {name} stopped{where}{why}", [*lines, f"then: strangler sync resume {name}"])

    async def _compare(self) -> str:
        name = self.plan.capability

        def progress(p: Progress) -> None:
            self.emit({"event": "progress", "step": "compare rows", **p.to_json()})

        result = await self._streams.verify(name, tables=None, repair=False, progress=progress)
        found = of_verify(name, self._now(), result.to_json())
        await asyncio.to_thread(self._evidence.add, found)
        if not found.ok:
            raise Failed(
                f"{found.summary}, {name} stays in {self.plan.origin}",
                [*differences(result), f"strangler verify {name} names each; add --repair to mend them"],
            )
        return found.summary

    # --- traffic ------------------------------------------------------------------------------------------------------

    async def _send(self, percent: float) -> str:
        name, table = self.plan.capability, self._flagging.table

        def make(flags: FlagSet) -> FlagSet:
            return edit(flags, table, name, Edit(percent=percent, unpin=True), reads_only=True)

        await self._flip(make, rollback=False)
        return f"{percent:g} % of users' reads to new, {self._by()}"

    async def _take_back(self, percent: float | None) -> str:
        name, table = self.plan.capability, self._flagging.table

        def make(flags: FlagSet) -> FlagSet:
            if percent is None:
                return rollback(flags, table, name)
            return edit(flags, table, name, Edit(percent=percent), reads_only=True)

        await self._flip(make, rollback=True)
        where = "everything to legacy" if percent is None else f"{percent:g} % of users' reads to new"
        return f"{where}, {self._by()}"

    async def _flip(self, make: Callable[[FlagSet], FlagSet], *, rollback: bool) -> None:
        op = self.operation
        # shielded: cutting a flip in two would leave it to chance which version the proxies have
        self.flipped = await asyncio.shield(
            asyncio.ensure_future(
                self._flagging.flip(make, actor=op.actor, reason=op.reason, action=self._action, rollback=rollback)
            )
        )
        before = self.flipped.before
        if not rollback:
            self._undo.append(lambda: self._restore(before))

    async def _restore(self, before: FlagSet) -> None:
        """The capability's flags as they were, in a new version."""
        routes = {r.name for r in self._flagging.routes(self.plan.capability)}
        log.warning("advance.undo", capability=self.plan.capability, back_to=before.version)
        self.flipped = await self._flagging.flip(
            lambda flags: restored(flags, before, routes),
            actor=self.operation.actor,
            reason=f"undo: {self.operation.reason}",
            action=f"undo {self._action}",
            rollback=True,
        )

    @property
    def _action(self) -> str:
        return f"{self.operation.kind} {self.plan.capability} {self.plan.origin} -> {self.plan.target}"

    def _by(self) -> str:
        done = self.flipped
        if done is None or not done.proxies:
            return "stored, but no proxy is connected: whoever connects gets it first"
        applied = sum(p.applied == done.version for p in done.proxies)
        text = f"version {done.version} applied by {applied} of {_proxies(len(done.proxies))}"
        if not done.applied:
            return f"{text}; who is silent gets it first when it answers again"
        return f"{text} in {done.ms:.0f} ms"

    # --- phase --------------------------------------------------------------------------------------------------------

    async def _enter(self, step: EnterPhase) -> str:
        op = self.operation
        routes = [r.name for r in self._flagging.routes(self.plan.capability)]
        baseline = await self._meter.sides(routes) or {}
        standing = Standing(self.plan.capability, step.phase, self._now(), op.actor, op.reason, baseline)
        await asyncio.to_thread(self._phases.enter, standing)
        return f"{self.plan.capability} is in {step.phase}"


def _proxies(number: int) -> str:
    return f"{number} {'proxy' if number == 1 else 'proxies'}"


def restored(flags: FlagSet, before: FlagSet, routes: set[str]) -> FlagSet:
    """The next version, with these routes as they were in ``before`` and all others as they are."""
    kept = {name: flag for name, flag in flags.flags.items() if name not in routes}
    return flags.next({**kept, **{r: before.flags[r] for r in routes if r in before.flags}})


def differences(result: VerifyResult, at_most: int = 5) -> list[str]:
    """``items: 3 missing, 1 differs (legacy_id 5)`` per table that differs."""
    lines = []
    for table in result.tables:
        if table.equal:
            continue
        counts = [
            f"{total:,} {word}"
            for total, word in (
                (table.missing_total, "missing"),
                (table.extra_total, "extra"),
                (table.differing_total, "different"),
                (table.unsettled, "never still long enough to compare"),
            )
            if total
        ]
        keys = [*table.missing, *table.extra, *(d.key for d in table.differing)][:at_most]
        named = "; ".join(", ".join(f"{k} {v}" for k, v in key.items()) for key in keys)
        lines.append(f"{table.table}: {', '.join(counts)}" + (f" ({named})" if named else ""))
    return lines


def lag_evidence(status: StreamStatus, at: datetime, limit: float | None) -> Evidence | None:
    """What a gate saw of the lag, kept so that a later reader sees it too."""
    lag = status.lag_seconds
    if lag is None:
        return None
    ok = limit is None or lag <= limit
    data = {"lag_seconds": lag, "p50": status.lag_p50, "p99": status.lag_p99, "limit": limit}
    return Evidence(status.capability, Kind.LAG, at, ok, f"lag {duration(lag)}", data)


def _lag(status: StreamStatus) -> str:
    return "not measured" if status.lag_seconds is None else duration(status.lag_seconds)


def _progress(status: StreamStatus) -> dict[str, Any]:
    event: dict[str, Any] = {"event": "progress", "step": "copy, follow", "state": str(status.state)}
    if (copy := status.progress) is not None and status.state is StreamState.COPYING:
        event |= {**vars(copy), "rows": copy.rows_done, "rows_expected": copy.rows_total}
    elif status.lag_seconds is not None:
        event["lag_seconds"] = status.lag_seconds
    return event
