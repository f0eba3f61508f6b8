"""Moving capabilities between phases: gate, plan, lock, execution, audit; and what a crash left half done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

import structlog

from cdc.state import StreamStatus
from proxy.flags import FlagSet
from proxy.routes import Side
from proxy.store import FlagStore
from strangler.config import Config
from strangler.config.model import Gate
from strangler.control import plan as plans
from strangler.control.audit import Audit, Entry
from strangler.control.dry_run import sentences
from strangler.control.evidence_store import EvidenceStore
from strangler.control.execute import Executor, lag_evidence, restored
from strangler.control.flagging import Flagging
from strangler.control.metric_defs import MOVES
from strangler.control.observe import Observer
from strangler.control.operation import Emit, Operation, Operations, OperationStore
from strangler.control.phase_store import PhaseStore, Standing
from strangler.control.preflight import Preflight
from strangler.control.streams import Streams
from strangler.control.traffic import TrafficMeter
from strangler.control.writes import Writes
from strangler.evidence import Evidence, Kind
from strangler.exits import Refused, StranglerError
from strangler.gates import allowed, reasons
from strangler.phases import GATED, SERVING, Phase

log = structlog.get_logger()
Events = AsyncIterator[dict[str, Any]]


class Mover:
    def __init__(
        self,
        config: Config,
        *,
        flagging: Flagging,
        flag_store: FlagStore,
        streams: Streams,
        phases: PhaseStore,
        evidence: EvidenceStore,
        audit: Audit,
        operations: Operations,
        operation_store: OperationStore,
        observer: Observer,
        meter: TrafficMeter,
        preflight: Preflight,
        writes: Writes,
        now: Callable[[], datetime],
    ) -> None:
        self._writes = writes
        self._config, self._flagging, self._flag_store = config, flagging, flag_store
        self._streams, self._phases, self._evidence, self._audit = streams, phases, evidence, audit
        self._operations, self._operation_store = operations, operation_store
        self._observer, self._meter, self._preflight, self._now = observer, meter, preflight, now

    async def advance(
        self, name: str, to: Phase | None, percent: float | None, *, actor: str, reason: str, dry_run: bool
    ) -> Events:
        """Events of the move, or of the sentences that describe it. Raises Refused, Usage, Busy before anything."""
        capability = self._config.capabilities[name]
        standing = await asyncio.to_thread(self._phases.of, name)
        plan = plans.advance(name, capability, standing.phase, to, percent)
        said = await self._said(plan)  # also refuses a percent of 101
        await self._gate(plan)
        if plan.target is Phase.SYNCED and capability.tables:
            await self._preflight.check(name)
        if dry_run:
            return _once(self._dry(plan, said))
        return await self._run("advance", plan, actor, reason, preempt=False)

    async def rollback(self, name: str, to: Phase | None, *, actor: str, reason: str, dry_run: bool) -> Events:
        """As ``advance``, without evidence; an advance that is under way on the capability is stopped first."""
        capability = self._config.capabilities[name]
        standing = await asyncio.to_thread(self._phases.of, name)
        plan = plans.rollback(name, capability, standing.phase, to)
        if dry_run:
            return _once(self._dry(plan, await self._said(plan)))
        return await self._run("rollback", plan, actor, reason, preempt=True)

    async def _said(self, plan: plans.Plan) -> list[str]:
        tables = len(self._config.capabilities[plan.capability].tables)
        lag = await self._writes.lag_ms(plan.capability) if plan.moves_writes else None
        return sentences(
            plan, self._flagging, tables, lambda owner: self._writes.sentences(plan.capability, owner, lag)
        )

    async def repair(self, *, actor: str, dry_run: bool) -> list[dict[str, str]]:
        """Finish or undo every move of ownership that was cut off and that nobody works on now, and write down the
        phase that goes with who owns then. Raises Failed."""
        settled = await self._writes.repair(
            actor, dry_run=dry_run, busy=lambda name: self._operations.holder(name) is not None
        )
        for one in settled:
            if one.owner is not None:
                await self._stand(one.capability, one.owner, actor)
        return [{"id": one.id, "found": one.found, "action": one.action} for one in settled]

    async def _stand(self, name: str, owner: Side, actor: str) -> None:
        """New owns in phase writes, and only there: with a wrong phase a rollback would go the wrong way."""
        phase = (await asyncio.to_thread(self._phases.of, name)).phase
        if (phase is Phase.WRITES) is (owner is Side.NEW):
            return
        now_in = Phase.WRITES if owner is Side.NEW else Phase.READS
        standing = Standing(name, now_in, self._now(), actor, "repair of a move of ownership")
        await asyncio.to_thread(self._phases.enter, standing)

    async def settle(self) -> list[dict[str, str]]:
        """Finish or undo what the last process left half done. Call once, after the flags were published again.

        A rollback is completed, unless it had not moved write ownership back yet: then it is undone. An advance that
        had sent traffic but not entered its phase is put back; one that was waiting for a copy is only closed: the
        stream's worker has gone on by itself, and advance may be run again.
        """
        settled = []
        for op in await asyncio.to_thread(self._operation_store.unfinished):
            action = await self._settle(op)
            await asyncio.to_thread(self._operation_store.end, op.id, self._now(), "interrupted", action)
            log.warning("operation.settled", id=op.id, kind=op.kind, capability=op.capability, action=action)
            settled.append({"id": op.id, "found": op.kind, "action": action})
        return settled

    async def _settle(self, op: Operation) -> str:
        if op.capability not in self._config.capabilities:
            return "closed: strangler.toml has no such capability any more"
        try:
            await self._writes.repair(op.actor, only=op.id)
        except StranglerError as error:
            return f"could not be settled: {error.message}; run strangler repair"
        standing = await asyncio.to_thread(self._phases.of, op.capability)
        if op.kind == "rollback":
            plan = plans.rollback(
                op.capability, self._config.capabilities[op.capability], op.phase_before, op.phase_wanted
            )
            if plan.moves_writes and not await self._writes.moved(op.id):
                # Moving takes its time, and nobody waits any more: whoever asked for it may ask again.
                return f"undone: new owns {op.capability} as before; run strangler rollback {op.capability} again"
            try:
                await self._executor(plan, op, lambda event: None).run()
            except StranglerError as error:
                return f"could not be completed: {error.message}; run strangler rollback {op.capability} again"
            return f"completed: {op.capability} is in {plan.target}"
        if standing.phase == op.phase_wanted:
            return f"was done: {op.capability} is in {standing.phase}"
        if op.phase_wanted is Phase.WRITES and await self._writes.moved(op.id):
            entered = Standing(op.capability, Phase.WRITES, self._now(), op.actor, op.reason)
            await asyncio.to_thread(self._phases.enter, entered)
            return f"completed: {op.capability} is in {Phase.WRITES}"
        if op.phase_wanted in SERVING:
            await self._put_flags_back(op)
            return f"undone: {op.capability} is in {standing.phase} as before, its flags too"
        return f"closed: {op.capability} is in {standing.phase}; the stream goes on, run strangler advance again"

    async def _put_flags_back(self, op: Operation) -> None:
        before = await asyncio.to_thread(self._flag_store.at, op.flags_before)
        routes = {r.name for r in self._flagging.routes(op.capability)}

        def make(flags: FlagSet) -> FlagSet:
            return restored(flags, before, routes)

        if any(make(self._flagging.flags).of(r) != self._flagging.flags.of(r) for r in routes):
            action = f"undo {op.kind} {op.capability}"
            await self._flagging.flip(make, actor=op.actor, reason=f"undo: {op.reason}", action=action, rollback=True)

    async def _gate(self, plan: plans.Plan) -> None:
        if plan.target not in GATED:
            return
        view = await self._observer.look(plan.capability, await self._observer.stats())
        checks = self._observer.checks(plan.capability, plan.target, view.seen)
        gate = self._config.capabilities[plan.capability].gates.get(plan.target, Gate())
        await self._keep(view.stream, plan, gate, view.seen.legacy, view.seen.new)
        if not allowed(checks):
            MOVES.labels(plan.capability, "advance", "refused").inc()
            raise Refused(
                f"{plan.capability} may not go from {plan.origin} to {plan.target} yet",
                reasons(checks),
                checks=[{**vars(c), "verdict": str(c.verdict)} for c in checks],
                **{"from": plan.origin, "to": plan.target, "done": False},
            )

    async def _keep(self, stream: StreamStatus | None, plan: plans.Plan, gate: Gate, legacy: Any, new: Any) -> None:
        """What the gate saw of lag and errors is evidence too."""
        found: list[Evidence | None] = []
        if stream is not None:
            found.append(lag_evidence(stream, self._now(), gate.max_lag_seconds))
        if legacy is not None and new is not None and new.requests:
            above = gate.max_error_percent_above_legacy
            ok = above is None or new.error_percent <= legacy.error_percent + above
            text = " and ".join(
                f"{side.error_percent:.2g} % of {side.requests:,} on {word}"
                for side, word in ((new, "new"), (legacy, "legacy"))
            )
            data = {"legacy": vars(legacy), "new": vars(new), "allowed_above_percent": above}
            found.append(Evidence(plan.capability, Kind.ERRORS, self._now(), ok, text, data))
        for evidence in found:
            if evidence is not None:
                await asyncio.to_thread(self._evidence.add, evidence)

    async def _run(self, kind: str, plan: plans.Plan, actor: str, reason: str, *, preempt: bool) -> Events:
        now = self._now()
        op = Operation(
            id=f"{now:%Y%m%d-%H%M%S-%f}"[:-3] + f"-{plan.capability}",
            capability=plan.capability,
            kind=kind,
            actor=actor,
            reason=reason,
            started_at=now,
            phase_before=plan.origin,
            flags_before=self._flagging.flags.version,
            phase_wanted=plan.target,
        )

        async def work(emit: Emit) -> dict[str, Any]:
            begin: dict[str, Any] = {"event": "begin", "from": plan.origin, "to": plan.target, "journal": op.id}
            if plan.moves_writes:
                begin["hold_budget_ms"] = self._config.capabilities[plan.capability].cutover.hold_budget_ms
            emit(begin)
            executor = self._executor(plan, op, emit)
            try:
                await executor.run()
            except BaseException as error:
                MOVES.labels(plan.capability, kind, "failed").inc()
                await asyncio.shield(self._write(op, plan, executor, done=False, detail=str(error)))
                if isinstance(error, StranglerError):
                    error.details = {**self._answer(plan, op, executor, done=False), **error.details}
                raise
            MOVES.labels(plan.capability, kind, "done").inc()
            await self._write(op, plan, executor, done=True, detail="")
            return self._answer(plan, op, executor, done=True)

        return await self._operations.run(op, work, preempt=preempt)

    def _executor(self, plan: plans.Plan, op: Operation, emit: Emit) -> Executor:
        return Executor(
            plan,
            op,
            emit,
            flagging=self._flagging,
            streams=self._streams,
            writes=self._writes,
            phases=self._phases,
            evidence=self._evidence,
            meter=self._meter,
            now=self._now,
        )

    async def _write(self, op: Operation, plan: plans.Plan, executor: Executor, *, done: bool, detail: str) -> None:
        entry = Entry(
            at=self._now(),
            actor=op.actor,
            action=f"{op.kind} {plan.origin} -> {plan.target}",
            capability=plan.capability,
            reason=op.reason,
            before={"phase": plan.origin, "version": op.flags_before},
            after={"phase": plan.target if done else plan.origin, "version": self._flagging.flags.version},
            version=executor.flipped.version if executor.flipped else None,
            done=done,
            detail=detail,
        )
        await asyncio.to_thread(self._audit.write, entry)

    def _answer(self, plan: plans.Plan, op: Operation, executor: Executor, *, done: bool) -> dict[str, Any]:
        flipped, moved = executor.flipped, executor.moved
        return {
            "capability": plan.capability,
            "from": plan.origin,
            "to": plan.target,
            "done": done,
            "reasons": [],
            "journal": op.id,
            "held_requests": 0 if moved is None else moved.held,
            "hold_ms_max": 0 if moved is None else round(moved.hold_ms, 1),
            "fence": None if moved is None else moved.fence,
            "owner": self._owner(plan, done=done),
            "warning": "" if moved is None else moved.warning,
            "steps": executor.took,
            **(flipped.to_json() if flipped else self._now_applied()),
        }

    @staticmethod
    def _owner(plan: plans.Plan, *, done: bool) -> Side:
        phase = plan.target if done else plan.origin
        return Side.NEW if phase is Phase.WRITES else Side.LEGACY

    def _now_applied(self) -> dict[str, Any]:
        flagging = self._flagging
        return {
            "version": flagging.flags.version,
            "applied": flagging.applied,
            "ms_to_applied": None,
            "proxies": [vars(p) for p in flagging.proxies],
        }

    def _dry(self, plan: plans.Plan, said: list[str]) -> dict[str, Any]:
        return {
            "event": "result",
            "dry_run": True,
            "capability": plan.capability,
            "from": plan.origin,
            "to": plan.target,
            "done": False,
            "reasons": [],
            "journal": None,
            "held_requests": 0,
            "hold_ms_max": 0,
            "fence": None,
            "steps": [],
            "would": said,
            **self._now_applied(),
        }


async def _once(event: dict[str, Any]) -> Events:
    yield event
