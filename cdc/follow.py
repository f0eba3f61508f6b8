"""One run of a stream: from the checks, over the copy, along the binlog, until something else is wanted."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from typing import NamedTuple

from cdc.apply.applier import Applier
from cdc.apply.plan import Plan, read_plan
from cdc.apply.quarantine import Quarantine
from cdc.apply.release import Releaser
from cdc.copy.copier import Copier, Ended
from cdc.event import Event, Marker, parse
from cdc.explain import Stopped
from cdc.ledger import Ledger, Stored
from cdc.marker import Lag, MarkerWriter, create_marker_table
from cdc.ownership.gate import Gate
from cdc.ownership.row import Ownership, read
from cdc.ownership.side import Side, source_side
from cdc.preflight import check_source, check_target, warnings_of
from cdc.report import Command, Reporter
from cdc.server import Server
from cdc.session import Session, connection_lost, open_session
from cdc.source import hosting
from cdc.source.port import Batch, Resume, Source, SourceError
from cdc.source.settings import Capture
from cdc.spec import SourceOf, StreamSpec
from cdc.state import StreamError, StreamState
from cdc.tail import Tail

IDLE_SECONDS = 0.5
MARKERLESS_SECONDS = 3.0  # so long markers may fail before the source counts as away
# Markers are written and nothing comes out: the engine is deaf. Long, for its start on a busy machine.
SILENT_SECONDS = 120.0


class Begun(NamedTuple):
    """A source that has been started, and what was read of it but not dealt with."""

    source: Source
    read: tuple[Batch, list[Event]] | None = None


class Follower:
    """Made anew for each run; ``follow`` returns when something else is wanted."""

    def __init__(
        self, spec: StreamSpec, reporter: Reporter, stop: threading.Event, lag: Lag, source_of: SourceOf | None
    ) -> None:
        self._spec, self._reporter, self._stop, self._lag = spec, reporter, stop, lag
        self._source_of = source_of
        self._command: Command | None = None

    def follow(self, command: Command) -> None:
        """Raises whatever ended the run; the caller knows what it means (``cdc.stream``)."""
        self._command = command
        with ExitStack() as opened:
            target = opened.enter_context(closing(open_session(self._spec.target, load=True)))
            with target.cursor() as cursor:
                cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            plan, capture = self._check(target)
            ledger = Ledger(target, self._spec.capability, self._spec.direction)
            ledger.take()
            marker = MarkerWriter(self._spec.source, self._spec.name, self._lag)
            marker.start()
            opened.callback(marker.end)
            try:
                stored, begun = self._begin(ledger, capture, marker, opened)
            except Ended:
                return
            quarantine = Quarantine(target, self._spec.capability, self._spec.direction, self._spec.quarantine)
            gate = Gate(self._spec.capability, self._spec.direction)
            missing = [table for table in plan.sources if table not in stored.copied]
            copy, plan_meanwhile = None, plan
            if missing and not self._spec.copies:
                ledger.count_as_copied(plan.sources)
            elif missing:
                self._may_copy(plan, missing)
                ledger.copying(stored.copied)
                copy = Copier(self._spec, target, ledger, marker, self._lag, quarantine, gate)
                opened.callback(copy.close)
                plan_meanwhile = copy.prepare(plan, missing)
            applier = Applier(target, plan_meanwhile, quarantine, gate)
            if begun is None:
                begun = Begun(self._source(capture))
                opened.callback(begun.source.close)
                self._lag.forget_sent()
                begun.source.start(stored.resume)
            tail = Tail(self._spec, applier, ledger, begun.source, self._lag, self._reporter)
            opened.callback(tail.close)
            releaser = Releaser(target, applier, quarantine, self._spec.capability, self._spec.direction, ledger.fence)
            tail.begin(plan_meanwhile, copy, begun.read)
            if copy is not None:
                copy.start()
            with suppress(Ended):
                self._go_on(tail, copy, plan, target, marker, ledger, releaser)

    def _check(self, target: Session) -> tuple[Plan, Capture]:
        """Everything that can be known before anything is begun. Raises Stopped, PlanError, pymysql errors."""
        spec = self._spec
        with closing(open_session(spec.source)) as source:
            problems = [*check_source(source), *check_target(target)]
            if problems:
                raise Stopped(StreamError("; ".join(problems), f"then: strangler sync resume {spec.capability}"))
            plan = read_plan(spec.mapping, source, target)
            create_marker_table(source)
            source.commit()
            self._reporter.say(StreamState.STARTING, warnings=tuple(warnings_of(source, list(plan.sources))))
            return plan, Capture(spec.name, spec.source, Server.of(source).flavour, tuple(plan.sources))

    def _may_copy(self, plan: Plan, tables: list[str]) -> None:
        """Raises Stopped for tables that legacy does not own: a copy of them would write the past over the present."""
        owned = [t for t in tables if any(w.mapping.owned for w in plan.sources[t].writers)]
        row = self._ownership()
        if row is not None and row.owner is Side.NEW and owned:
            capability = self._spec.capability
            raise Stopped(
                StreamError(
                    f"{', '.join(owned)} can't be copied from legacy: new owns {capability}",
                    f"strangler rollback {capability} first; then: strangler sync resume {capability}",
                )
            )

    def _may_begin(self, again: tuple[str, ...] | None) -> None:
        """Raises Stopped where a way back would begin now and leave out what its owner has written before."""
        if self._spec.copies:
            return
        row, capability = self._ownership(), self._spec.capability
        if again is not None and (row is None or row.owner is Side.LEGACY):
            return
        if again is not None or (row is not None and row.owner is Side.NEW):
            raise Stopped(
                StreamError(
                    f"the way back of {capability} can't begin anew: it copies nothing, and new owns {capability}, so"
                    " that what was written there since would never reach legacy",
                    f"strangler verify {capability} says which rows; then make legacy's rows so, and: strangler sync"
                    f" resume {capability}",
                )
            )

    def _ownership(self) -> Ownership | None:
        with closing(open_session(self._spec.target, schema=False)) as session:
            return read(session, self._spec.capability, source_side(self._spec.direction).other)

    def _source(self, capture: Capture) -> Source:
        if self._source_of is not None:
            return self._source_of(capture)
        return hosting.source(self._spec.engine, capture)

    def _begin(
        self, ledger: Ledger, capture: Capture, marker: MarkerWriter, opened: ExitStack
    ) -> tuple[Stored, Begun | None]:
        """The stored position; a new one, where the binlog is now, when there is none or all is to be copied again:
        then with the source that was begun there."""
        assert self._command is not None
        again = self._command.copy_again
        stored = ledger.read()
        if stored is None or again is not None:
            self._may_begin(again)
        if stored is not None and again is not None:
            if not again:
                ledger.forget()
                stored = None
            else:
                ledger.copy_again(stored.copied, again)
                stored = Stored(stored.resume, stored.copied - frozenset(again), stored.events)
        begun = None
        if stored is None:
            begun, resume = self._first(capture, marker, opened)
            ledger.begin(resume)
            stored = ledger.read()
            assert stored is not None
        else:
            with closing(open_session(self._spec.source)) as source:
                hosting.check_offset(self._spec.engine, source, stored.resume.offset)
        if again is not None:
            self._reporter.copied_again(self._command)
            self._command = replace(self._command, copy_again=None)
        return stored, begun

    def _first(self, capture: Capture, marker: MarkerWriter, opened: ExitStack) -> tuple[Begun, Resume]:
        """Let the engine learn the tables and begin to stream; the first marker that comes out gives the offset."""
        source = self._source(capture)
        opened.callback(source.close)
        self._lag.forget_sent()
        source.start(None)
        began = time.monotonic()
        while not self._wanted_otherwise():
            self._source_is_there(marker, began)
            batch = source.poll(IDLE_SECONDS)
            events = parse(batch.values) if batch is not None else []
            for number, event in enumerate(events):
                if isinstance(event, Marker) and batch is not None:
                    self._lag.arrived(event.number, time.monotonic())
                    resume = Resume(batch.offset(event.at), source.history())
                    return Begun(source, (batch, events[number + 1 :])), resume
        raise Ended

    def _go_on(
        self,
        tail: Tail,
        copy: Copier | None,
        plan: Plan,
        target: Session,
        marker: MarkerWriter,
        ledger: Ledger,
        releaser: Releaser,
    ) -> None:
        """Until something else is wanted, or a table gets another shape while tables are copied: the run begins anew
        then, with what is copied already. (It may meet the same statement again, and then has its shape already.)
        ``plan`` is the one to go by when the copy is complete."""
        while not self._wanted_otherwise():
            self._source_is_there(marker, tail.heard_at)
            if copy is None:
                releaser.look(self._reporter.request)
            altered = tail.step()
            if copy is None:
                if altered:
                    tail.renew(self._read_plan(target))
                continue
            if altered and self._read_plan(target).shapes != plan.shapes:
                return
            progress = copy.step()
            if progress is None:
                copy = None
                ledger.complete()
                tail.copied(plan)
                self._reporter.say(StreamState.STARTING, progress=None, rows_per_second=0.0)
            else:
                self._reporter.say(StreamState.COPYING, progress=progress, rows_per_second=progress.rows_per_second)

    def _wanted_otherwise(self) -> bool:
        return self._stop.is_set() or self._reporter.asked != (self._command.asked if self._command else None)

    def _read_plan(self, target: Session) -> Plan:
        with closing(open_session(self._spec.source)) as source:
            return read_plan(self._spec.mapping, source, target)

    def _source_is_there(self, marker: MarkerWriter, heard_at: float) -> None:
        """Raises when markers can't be written for a while, or are written and since ``heard_at`` nothing came out. (A
        marker alone may take long: a stream that was paused has all that happened meanwhile before it.)"""
        now, trouble = time.monotonic(), marker.trouble
        if trouble is not None and not connection_lost(trouble):
            raise trouble
        if trouble is not None and now - marker.written_at > MARKERLESS_SECONDS:
            raise SourceError(
                f"the source can't be reached: {trouble.args[-1] if trouble.args else trouble}", away=True
            )
        if min(self._lag.waiting(now), now - heard_at) > SILENT_SECONDS:
            raise SourceError(f"nothing came out of the engine for {SILENT_SECONDS:.0f} s", away=True)
