"""One run of a stream: from the checks, over the copy, along the binlog, until something else is wanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from typing import NamedTuple

import structlog

from cdc.alter import After, Alterations
from cdc.apply.applier import Applier
from cdc.apply.plan import Plan, read_plan
from cdc.apply.quarantine import Quarantine
from cdc.apply.release import Releaser
from cdc.copy.copier import Copier, Ended
from cdc.event import Marker, parse
from cdc.explain import Stopped
from cdc.ledger import Ledger, Stored
from cdc.marker import Lag, MarkerWriter, create_marker_table
from cdc.ownership.gate import Gate
from cdc.ownership.row import Ownership, read
from cdc.ownership.side import Side, source_side
from cdc.preflight import check_source, check_target, warnings_of
from cdc.reader import Read
from cdc.report import Command, Reporter
from cdc.schema import Table, read_table
from cdc.server import Flavour, Server
from cdc.session import Session, connection_lost, open_session
from cdc.source import hosting
from cdc.source.port import Resume, Source, SourceError
from cdc.source.settings import Capture
from cdc.spec import SourceOf, StreamSpec
from cdc.state import StreamError, StreamState
from cdc.tail import Tail
from cdc.unresolved import unresolved
from cdc.vigil import Vigil

log = structlog.get_logger("stream")

GONE_SECONDS = 5.0  # so long a table that was renamed away may be missed
IDLE_SECONDS = 0.5
MARKERLESS_SECONDS = 3.0  # so long markers may fail before the source counts as away
# Markers are written and nothing comes out: the engine is deaf. Long, for its start on a busy machine.
SILENT_SECONDS = 120.0


class Begun(NamedTuple):
    """A source that has been started, and what was read of it but not dealt with."""

    source: Source
    read: Read | None = None


class Follower:
    """Made anew for each run; ``follow`` returns when something else is wanted."""

    def __init__(
        self, spec: StreamSpec, reporter: Reporter, stop: threading.Event, lag: Lag, source_of: SourceOf | None
    ) -> None:
        self._spec, self._reporter, self._stop, self._lag = spec, reporter, stop, lag
        self._source_of = source_of
        self._command: Command | None = None
        self._warnings: tuple[str, ...] = ()
        self._vigil = Vigil(spec.source)

    def follow(self, command: Command) -> None:
        """Raises whatever ended the run; the caller knows what it means (``cdc.stream``)."""
        self._command = command
        with ExitStack() as opened:
            target = opened.enter_context(closing(open_session(self._spec.target, load=True)))
            with target.cursor() as cursor:
                cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            flavour = self._check(target)
            ledger = Ledger(target, self._spec.capability, self._spec.direction)
            ledger.take()
            known = None if command.copy_again == () else ledger.read()
            if known is not None and not self._tables_are_there(known):
                return
            plan = self._read_plan(target, known.shapes if known is not None else {})
            captured = tuple(dict.fromkeys([*plan.sources, *plan.cascades.parents()]))
            capture = Capture(self._spec.name, self._spec.source, flavour, captured)
            marker = MarkerWriter(self._spec.source, self._spec.name, self._lag)
            marker.start()
            opened.callback(marker.end)
            self._vigil.start()
            opened.callback(self._vigil.end)
            try:
                stored, begun = self._begin(ledger, capture, marker, opened, plan, target)
            except Ended:
                return
            stored, deferred = self._settle(ledger, stored, plan, target)
            quarantine = Quarantine(target, self._spec.capability, self._spec.direction, self._spec.quarantine)
            gate = Gate(self._spec.capability, self._spec.direction)
            missing = [table for table in plan.sources if table not in stored.copied and table not in deferred]
            copy, plan_meanwhile = None, plan
            if (missing or deferred) and not self._spec.copies:
                self._may_count(stored)
                ledger.count_as_copied(plan.sources)
                missing = []
            elif missing or deferred:
                self._may_copy(plan, [*missing, *deferred])
                ledger.copying(stored.copied)
            if missing:
                copy = Copier(self._spec, target, ledger, marker, self._lag, quarantine, gate)
                opened.callback(copy.close)
                plan_meanwhile = copy.prepare(plan, missing)
            applier = Applier(target, plan_meanwhile, quarantine, gate)
            if begun is None:
                begun = Begun(self._source(capture))
                opened.callback(begun.source.close)
                self._lag.forget_sent()
                begun.source.start(stored.resume)
            alterations = Alterations(
                self._spec, ledger, stored, command.asked, self._look, lambda table: not self._lacks(target, table)
            )
            tail = Tail(self._spec, applier, ledger, begun.source, self._lag, self._reporter, alterations)
            opened.callback(tail.close)
            releaser = Releaser(target, applier, quarantine, self._spec.capability, self._spec.direction, ledger.fence)
            tail.begin(plan_meanwhile, copy, begun.read, deferred)
            if copy is not None:
                copy.start()
            with suppress(Ended):
                self._go_on(tail, copy, plan, target, marker, ledger, releaser, alterations)

    def _check(self, target: Session) -> Flavour:
        """What can be known of the servers before anything is begun. Raises Stopped, pymysql errors."""
        spec = self._spec
        with closing(open_session(spec.source)) as source:
            problems = [*check_source(source, spec.source.schema, spec.mapping.sources), *check_target(target)]
            if problems:
                raise Stopped(StreamError("; ".join(problems), f"then: strangler sync resume {spec.capability}"))
            create_marker_table(source)
            source.commit()
            self._warnings = tuple(warnings_of(source, spec.mapping.sources, spec.accepted_keys))
            self._reporter.say(StreamState.STARTING, warnings=self._warnings)
            return Server.of(source).flavour

    def _tables_are_there(self, known: Stored) -> bool:
        """Wait for a table that a schema change took away: a tool that swaps tables by two statements brings another
        one at once. False when something else is wanted meanwhile; raises Stopped when none comes."""
        until = time.monotonic() + GONE_SECONDS
        while not self._wanted_otherwise():
            gone = [name for name in self._spec.mapping.sources if name not in known.shapes and not self._look(name)]
            if not gone or known.altered is None:
                return True
            if time.monotonic() > until:
                statement = " ".join(known.altered.statements[-1].split())
                raise Stopped(
                    StreamError(
                        f"{statement}: the table {gone[0]} is gone, or has another name",
                        "bring it back, or correct the mapping; its rows are copied again then:"
                        f" strangler sync resume {self._spec.capability}",
                        position=known.altered.place,
                        table=gone[0],
                    )
                )
            time.sleep(0.1)
        return False

    def _settle(self, ledger: Ledger, stored: Stored, plan: Plan, target: Session) -> tuple[Stored, frozenset[str]]:
        """Tables whose mapping is another than their rows were made by are to be copied again; so are those, and later
        (given back as deferred), that the mapping can do with only after a schema change that the stream has not come
        to yet. Raises Stopped where the mapping fits neither."""
        mapping, again, deferred = self._spec.mapping, set[str](), set[str]()
        for name, source in plan.sources.items():
            if stored.mappings.get(name, mapping.digest(name)) != mapping.digest(name):
                again.add(name)
                log.warning("copied again", capability=mapping.capability, table=name, why="its mapping is another")
            lacks = self._lacks(target, source.table)
            if lacks is not None:
                now = self._look(name)
                if now is None or self._lacks(target, now) is not None:
                    raise Stopped(_unresolved(mapping.capability, lacks, stored))
                deferred.add(name)
        with target.cursor() as cursor:
            ledger.uncopied(cursor, again | deferred)
            for name in plan.sources:
                if name in again or name not in stored.shapes:
                    ledger.keep_shape(cursor, name, plan.sources[name].table, mapping.digest(name))
        target.commit()
        shapes = {name: source.table for name, source in plan.sources.items()}
        return replace(stored, copied=stored.copied - again - deferred, shapes=shapes), frozenset(deferred)

    def _look(self, name: str) -> Table | None:
        """A source table as it is now."""
        with closing(open_session(self._spec.source)) as source:
            return read_table(source, name, Server.of(source))

    def _lacks(self, target: Session, table: Table) -> str | None:
        """What the mapping reads of a table of this shape that is not there."""
        return unresolved(target, [t for t in self._spec.mapping.tables if t.source == table.name], table)

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

    def _may_count(self, stored: Stored) -> None:
        """Raises Stopped where a stream that copies nothing would have to copy after all."""
        if stored.copied:
            capability = self._spec.capability
            raise Stopped(
                StreamError(
                    "a table of the new side was altered so that its rows would have to be copied to legacy, and the"
                    f" way back of {capability} copies nothing",
                    f"strangler verify {capability} says which rows differ; then: strangler sync resume {capability}"
                    " --back",
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
        self,
        ledger: Ledger,
        capture: Capture,
        marker: MarkerWriter,
        opened: ExitStack,
        plan: Plan,
        target: Session,
    ) -> tuple[Stored, Begun | None]:
        """The stored position; a new one, where the binlog is now, when there is none or all is to be copied again:
        then with the source that was begun there."""
        assert self._command is not None
        again = self._command.copy_again
        if again == ():
            ledger.forget()
        stored = ledger.read()
        if stored is None or again is not None:
            self._may_begin(again)
        if stored is not None and again:
            ledger.copy_again(stored.copied, again)
            stored = replace(stored, copied=stored.copied - frozenset(again))
        begun = None
        if stored is None:
            begun, resume = self._first(capture, marker, opened)
            if self._read_plan(target, {}).shapes != plan.shapes:
                raise SourceError("a table was altered while the stream began", away=True)
            sources, digest = plan.sources, self._spec.mapping.digest
            ledger.begin(resume, {n: s.table for n, s in sources.items()}, {n: digest(n) for n in sources})
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
                    return Begun(source, Read(batch, events[number + 1 :], 0)), resume
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
        alterations: Alterations,
    ) -> None:
        """Until something else is wanted, or a table is to be copied, or gets another shape while tables are copied:
        the run begins anew then, with what is copied already. ``plan`` is the one to go by when the copy is
        complete."""
        while not self._wanted_otherwise():
            self._source_is_there(marker, tail.heard_at)
            if self._vigil.wrong:
                self._stop_unseeing(ledger, target)
            self._reporter.say(None, warnings=self._warnings + self._vigil.sessions)
            if copy is None:
                releaser.look(self._reporter.request)
            after = tail.step()
            if after is After.ANEW:
                return
            renewed = self._read_plan(target, alterations.shapes) if after is After.SHAPE else plan
            if copy is None:
                if after is After.SHAPE:
                    tail.renew(renewed)
                continue
            if renewed.shapes != plan.shapes:
                return
            progress = copy.step()
            if progress is None:
                copy = None
                if not tail.deferred:
                    ledger.complete()
                tail.copied(plan)
                self._reporter.say(StreamState.STARTING, progress=None, rows_per_second=0.0)
            else:
                self._reporter.say(StreamState.COPYING, progress=progress, rows_per_second=progress.rows_per_second)

    def _stop_unseeing(self, ledger: Ledger, target: Session) -> None:
        """The source's settings make changes that nothing tells: all tables count as not copied from now on."""
        with target.cursor() as cursor:
            ledger.fence(cursor)
            ledger.uncopied(cursor, self._spec.mapping.sources)
        target.commit()
        raise Stopped(
            StreamError(
                f"changed while the stream followed, so that changes may be missing: {'; '.join(self._vigil.wrong)}",
                "put it back, reconnect the source's clients, and copy all tables again:"
                f" strangler sync resnapshot {self._spec.capability}",
            )
        )

    def _wanted_otherwise(self) -> bool:
        return self._stop.is_set() or self._reporter.asked != (self._command.asked if self._command else None)

    def _read_plan(self, target: Session, shapes: Mapping[str, Table]) -> Plan:
        with closing(open_session(self._spec.source)) as source:
            return read_plan(self._spec.mapping, source, target, shapes, self._spec.accepted_keys)

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


def _unresolved(capability: str, lacks: str, stored: Stored) -> StreamError:
    """The mapping fits neither the table where the stream stands nor the one there is now."""
    last = stored.altered
    statement = f"{' '.join(last.statements[-1].split())}: " if last is not None else ""
    return StreamError(
        f"{statement}{lacks}, which is not there",
        f"correct the mapping and: strangler sync resume {capability}",
        position=last.place if last is not None else None,
        event=last.statements[-1] if last is not None else None,
    )
