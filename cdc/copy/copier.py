"""The copy of what was there before the stream, made while the tables are written and the stream goes on.

The table is read in chunks by key range, each between two markers (*watermarks*): a low one before it is read, a high
one after. The stream is applied as usual and keeps the keys it sees. When it has passed a chunk's high marker, the
chunk is written, without the keys that were seen since before its low one. So what a chunk writes is exactly as old as
what stands there: never older than an event that was applied, and no row that the stream has deleted (invariant 8).
No lock is taken at the source, and no view of it is held open.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

import pymysql
import structlog

from cdc.apply.isolate import Aside
from cdc.apply.plan import Plan, SourceTable
from cdc.apply.quarantine import Quarantine
from cdc.apply.stage import StagingError
from cdc.cascade import Cascades
from cdc.copy.apart import Apart
from cdc.copy.key import signature
from cdc.copy.progress import Chunk, gaps
from cdc.copy.reader import CopyError, Reader
from cdc.copy.stage import Stage
from cdc.copy.store import CopyStore
from cdc.copy.sweep import Sweep
from cdc.copy.throttle import Throttle
from cdc.copy.turns import Ended, Turns
from cdc.copy.window import Windows
from cdc.copy.work import Job, Work, reads_other_tables
from cdc.event import Change, Event, Marker, Truncate
from cdc.ledger import Ledger
from cdc.marker import Lag, MarkerWriter
from cdc.ownership.gate import Gate
from cdc.session import Session, connection_lost, try_again
from cdc.spec import StreamSpec
from cdc.state import CopyProgress

__all__ = ["Copier", "CopyError", "Ended"]

log = structlog.get_logger("copy")

IDLE_SECONDS = 0.1
TRIES = 10
CLOSE_SECONDS = 10.0
# unknown column, no such table, definition has changed: the table was altered, and the stream is about to say so
_ALTERED = frozenset({1054, 1146, 1412, 1072, 1176})


class Copier:
    """Copies tables through sessions of its own, beside a stream whose thread calls the methods below."""

    def __init__(
        self,
        spec: StreamSpec,
        session: Session,
        ledger: Ledger,
        marker: MarkerWriter,
        lag: Lag,
        quarantine: Quarantine,
        gate: Gate | None = None,
    ) -> None:
        """``session`` is the stream's own on the target, used between its batches, and so are ``quarantine`` and
        ``gate``."""
        self._quarantine, self._gate = quarantine, gate
        self._spec, self._settings, self._session, self._ledger = spec, spec.copy, session, ledger
        self._marker, self._lag = marker, lag
        self._store = CopyStore(spec.capability, spec.direction, secrets.token_hex(16))
        self._turns, self._windows, self._cascades = Turns(), Windows({}), Cascades()
        self._work = Work([], spec.copy.chunk_rows)
        self._throttle = Throttle(spec.copy, spec.source, lag, lambda: self._reading)
        self._reading, self._counting = 0, threading.Lock()
        self._threads: list[threading.Thread] = []
        self._sessions: list[Session] = []
        self._failed: BaseException | None = None

    def prepare(self, plan: Plan, tables: Sequence[str]) -> Plan:
        """Before the stream begins: take over what an earlier run has copied of these tables, or begin. Gives the plan
        for the stream to go by until the copy is complete. Raises CopyError, pymysql.err.MySQLError."""
        reader = Reader(self._spec.source)
        try:
            jobs = [self._job(plan.sources[table], reader) for table in tables]
        finally:
            reader.close()
        self._work = Work(jobs, self._settings.chunk_rows)
        self._windows = Windows({job.name: job.source.key for job in jobs})
        sources = {**plan.sources, **{job.name: job.source for job in jobs}}
        by_target = {writer.mapping.table: writer for source in sources.values() for writer in source.writers}
        self._cascades = plan.cascades
        return replace(plan, sources=sources, writers=tuple(by_target[w.mapping.table] for w in plan.writers))

    def start(self) -> None:
        """The stream has begun: copy."""
        with self._session.cursor() as cursor:
            cursor.execute("SET SESSION foreign_key_checks = 0")  # parents of the stream's rows may not be copied yet
        for number in range(self._settings.sessions):
            thread = threading.Thread(target=self._run, name=f"copy-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stream_begins(self, events: Iterable[Event]) -> None:
        """Before these events are applied: chunks that must be written first are, and the keys are kept.

        Raises Ended, or what went wrong in a session of the copy.
        """
        touched = {event.table for event in events if isinstance(event, (Change, Truncate))}
        removing = {event.table for event in events if isinstance(event, Change) and event.op == "d"}
        orphaned = self._cascades.children(removing)
        touched |= orphaned
        targets = frozenset[str]().union(*(job.targets for job in self._work.jobs if job.name in touched))
        try:
            self._turns.stream_begins(targets, lambda: self._failed is not None)
        except Ended:
            self._raise_failure()
            raise
        self._windows.note(events)
        self._windows.spoil(orphaned, "rows may have gone by a foreign key meanwhile")

    def stream_ended(self, events: Iterable[Event]) -> None:
        """These events are committed."""
        numbers = [e.number for e in events if isinstance(e, Marker) and e.stream == self._spec.name]
        known = [number for number in numbers if self._marker.wrote(number)]
        self._turns.stream_ended(max(known, default=None))

    def step(self) -> CopyProgress | None:
        """Between two batches of the stream: finish tables whose chunks are all written. None when all is copied.

        Raises what went wrong in a session of the copy.
        """
        self._raise_failure()
        for job in self._work.jobs:
            if job.copied and not job.finished:
                self._finish(job)
                break
        if all(job.finished for job in self._work.jobs):
            self.close()
            with self._session.cursor() as cursor:
                cursor.execute("SET SESSION foreign_key_checks = 1")
            self._session.commit()
            return None
        return self._work.progress(self._throttle.reason)

    def close(self) -> None:
        """End all sessions; what is not written is copied another time. Safe to repeat."""
        self._turns.end()
        until = time.monotonic() + CLOSE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            for session in list(self._sessions):
                session._force_close()  # type: ignore[attr-defined]  # its thread waits for a server
            for thread in self._threads:
                thread.join(CLOSE_SECONDS)
        self._throttle.close()

    def _job(self, source: SourceTable, reader: Reader) -> Job:
        """Take over or begin the table's copy. Commits."""
        table = source.table.name
        sweeps = {writer.mapping.table: Sweep(self._spec.name, writer) for writer in source.writers}
        basis = hashlib.sha256("\n".join([signature(source.table), *_mapped(source)]).encode()).hexdigest()
        self._store.take(self._session, table)
        self._session.commit()
        begun = self._store.read(self._session, table)
        self._session.commit()
        with self._session.cursor() as cursor:
            if begun is None or begun.signature != basis:
                begun = None
                swept = tuple(name for name, sweep in sweeps.items() if sweep.has_rows(cursor))
                self._session.commit()
                for name in swept:
                    sweeps[name].create(cursor)
                self._session.begin()
                for name in swept:
                    sweeps[name].note(cursor)
                self._store.begin(cursor, table, basis, swept)
                self._quarantine.forget(cursor, table)  # the copy brings it, and sets aside what is refused again
                self._session.commit()
            else:
                swept = begun.sweeps
                log.info("copy goes on", table=table, rows_done=begun.rows, chunks_done=len(begun.done))
        writers = tuple(
            replace(writer, strike_from=sweeps[writer.mapping.table].name) if writer.mapping.table in swept else writer
            for writer in source.writers
        )
        rows_total, row_bytes = reader.size_about(table)
        return Job(
            replace(source, writers=writers),
            deque(gaps(begun.done if begun else ())),
            fresh=frozenset(sweeps) - frozenset(swept),
            sweeps=swept,
            rows_total=rows_total,
            row_bytes=row_bytes,
            rows_done=begun.rows if begun else 0,
            alone=reads_other_tables(source),
        )

    def _finish(self, job: Job) -> None:
        """Sweep some, or, when there is nothing left to sweep, say that the table is copied."""
        sweeps = [Sweep(self._spec.name, w) for w in job.source.writers if w.mapping.table in job.sweeps]
        with self._session.cursor() as cursor:
            for sweep in sweeps:
                self._session.begin()
                if self._gate is not None:
                    self._gate.enter(cursor)
                more = sweep.some(cursor)
                self._session.commit()
                if more:
                    return
            self._session.begin()
            self._ledger.add_copied(cursor, job.name)
            self._store.forget(cursor, job.name)
            self._session.commit()
            for sweep in sweeps:
                sweep.drop(cursor)
            self._work.finish(job)
            log.info("copied", table=job.name, rows=job.rows_done)

    def _raise_failure(self) -> None:
        if self._failed is not None:
            raise self._failed

    # what follows runs on threads of the copy's own

    def _run(self) -> None:
        reader: Reader | None = None
        stage: Stage | None = None
        try:
            reader = Reader(self._spec.source)
            self._sessions.append(reader.session)
            stage = Stage(self._spec.target, self._store, Gate(self._spec.capability, self._spec.direction))
            stage.set_aside(self._apart(stage.session))
            self._sessions.append(stage.session)
            while (taken := self._take(reader)) is not None:
                self._chunk(reader, stage, *taken)
        except Ended:
            pass
        except BaseException as error:  # noqa: BLE001 - raised on the stream's thread
            if not self._turns.ended:
                self._failed = self._failed or error
        finally:
            for opened in (reader, stage):
                if opened is not None:
                    with suppress(pymysql.err.MySQLError, OSError):
                        opened.close()

    def _apart(self, session: Session) -> Apart:
        spec = self._spec
        own = Quarantine(session, spec.capability, spec.direction, spec.quarantine)
        return Apart(session, own, spec.source.schema, self._set_aside)

    def _set_aside(self, aside: Sequence[Aside[Change]]) -> None:
        self._quarantine.beside(aside)
        for one in aside:
            table, row = one.change.table, one.change.after or {}
            key = {name: row.get(name) for job in self._work.jobs if job.name == table for name in job.source.key}
            log.warning("quarantined", capability=self._spec.capability, table=table, key=key, error=one.error)

    def _take(self, reader: Reader) -> tuple[Job, Chunk, int] | None:
        """Wait for a chunk to copy; None when there are no more. Raises Ended."""
        while not self._turns.ended:
            if self._throttle.why_wait() is None:
                taken = self._work.take(lambda source, keys, rows: reader.bound(source.table, keys, rows))
                if taken is not None:
                    return taken
                if self._work.handed_out:
                    return None
            time.sleep(IDLE_SECONDS)
        raise Ended

    def _chunk(self, reader: Reader, stage: Stage, job: Job, chunk: Chunk, planned: int) -> None:
        """Read and write it, again and again until nothing came between."""
        while True:
            window = self._windows.open(job.name)
            try:
                self._marker.fresh(lambda: self._turns.ended)
                stage.empty(job.source)
                rows, size = self._read(reader, stage, job, chunk)
                high = self._marker.fresh(lambda: self._turns.ended)
                with self._turns.turn(high, job.targets):
                    began = time.monotonic()
                    seen = self._windows.close(window)
                    if seen is not None:
                        self._write(stage, job, chunk, rows, seen)
                        self._work.written(job, planned, rows, size, time.monotonic() - began)
                        return
                log.info("a chunk is read again", table=job.name, why=window.spoilt)
                self._calm()
            finally:
                self._windows.close(window)

    def _read(self, reader: Reader, stage: Stage, job: Job, chunk: Chunk) -> tuple[int, int]:
        """Rows and bytes. A refusal that comes of another shape of the table waits for the stream to tell it."""
        rows = size = 0
        self._count(1)
        try:
            for count, lines in reader.read(job.source.table, job.source.staging.select(), chunk.keys):
                stage.load(job.source, lines)
                rows, size = rows + count, size + len(lines)
                if self._turns.ended:
                    raise Ended
        except (pymysql.err.MySQLError, StagingError) as error:
            altered = isinstance(error, StagingError) or (error.args and error.args[0] in _ALTERED)
            if altered and not connection_lost(error):
                with self._turns.turn(self._marker.fresh(lambda: self._turns.ended), frozenset()):
                    pass
                time.sleep(IDLE_SECONDS)  # the stream has applied all up to here, and deals with what it was told
                if self._turns.ended:
                    raise Ended from error
            raise
        finally:
            self._count(-1)
        return rows, size

    def _count(self, more: int) -> None:
        with self._counting:
            self._reading += more

    def _write(self, stage: Stage, job: Job, chunk: Chunk, rows: int, seen: Sequence[tuple[object, ...]]) -> None:
        for tried in range(1, TRIES + 1):
            try:
                stage.write(job.source, chunk, rows, seen, job.fresh)
                return
            except pymysql.err.OperationalError as error:  # a deadlock with a session of the service, or of the copy
                if tried == TRIES or connection_lost(error) or not try_again(error):
                    raise
                log.info("a chunk is written again", table=job.name, why=str(error.args[-1]))

    def _calm(self) -> None:
        """Wait until the stream is not behind any more."""
        while not self._turns.ended and self._throttle.why_wait() is not None:
            time.sleep(IDLE_SECONDS)


def _mapped(source: SourceTable) -> list[str]:
    """What the rows of a copy are made by."""
    return [f"{w.mapping.table}: {sorted(w.mapping.expressions.items())} {w.mapping.where}" for w in source.writers]
