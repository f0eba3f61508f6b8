"""Along the binlog: hand-overs of the engine in, transactions of the target out."""

from __future__ import annotations

import time
from collections import deque

import structlog
from pymysql.cursors import Cursor

from cdc.apply.applier import Applier, Step
from cdc.apply.isolate import Aside
from cdc.apply.plan import Plan
from cdc.apply.reduce import key_text
from cdc.batches import HELD_EVENTS, Assembler, Cut
from cdc.copy.copier import Copier
from cdc.event import Change, Event, Marker, SchemaChange, Truncate
from cdc.explain import Stopped
from cdc.ledger import Ledger
from cdc.marker import Lag, percentile
from cdc.reader import Reader
from cdc.report import Reporter
from cdc.source.port import Batch, Source
from cdc.source.purge import position_of
from cdc.spec import StreamSpec
from cdc.state import StreamError, StreamState

log = structlog.get_logger("stream")

BATCH_EVENTS = 8192
IDLE_SECONDS = 0.5
QUIET_SECONDS = 0.03  # after so long without news the last transaction counts as over
REPORT_SECONDS = 0.5
RATE_SECONDS = 5.0


class Tail:
    """Follows a source that has been started, until ``close``. One thread, beside the one that reads ahead."""

    def __init__(
        self, spec: StreamSpec, applier: Applier, ledger: Ledger, source: Source, lag: Lag, reporter: Reporter
    ) -> None:
        self._spec, self._applier, self._ledger, self._source = spec, applier, ledger, source
        self._lag, self._reporter = lag, reporter
        self._reader, self._waiting = Reader(source), Assembler()
        self._rate = Rate(RATE_SECONDS)
        self._reported = 0.0
        self._arrived = False
        self.heard_at = time.monotonic()  # when events of the source last came in or were dealt with

    def begin(self, plan: Plan, copy: Copier | None, read: tuple[Batch, list[Event]] | None) -> None:
        """``copy`` is what is still being copied meanwhile; ``read`` what was read of the source already."""
        self._plan, self._copy = plan, copy
        if read is not None:
            self._waiting.add(*read)

    def copied(self, plan: Plan) -> None:
        """The copy is complete. ``plan`` is the one to go on by."""
        self._copy = None
        self.renew(plan)

    def renew(self, plan: Plan) -> None:
        """A table has another shape now."""
        self._plan = plan
        self._applier.renew(plan)

    def close(self) -> None:
        """Read no more; to be called before the source is closed."""
        self._reader.close()

    def step(self) -> bool:
        """Wait for events and apply them. True when a table's shape has changed and the plan must be read again.

        Raises Refused, EventError, SourceError, Stopped, pymysql.err.MySQLError.
        """
        held = self._waiting.size
        read = self._reader.poll(QUIET_SECONDS if held else IDLE_SECONDS)
        quiet = read is None
        while read is not None:
            self._waiting.add(*read)
            read = self._reader.poll(0) if self._waiting.size < BATCH_EVENTS else None
        cut = self._waiting.cut(everything=quiet or self._waiting.size > HELD_EVENTS)
        renew = self._apply(cut) if cut is not None else False
        if cut is not None or self._waiting.size > held:
            self.heard_at = time.monotonic()
        self._report(len(cut.events) if cut is not None else 0)
        return renew

    def _apply(self, cut: Cut) -> bool:
        steps, applied, renew = self._steps(cut.events)
        position = position_of(cut.offset).with_transaction(cut.gtid)
        history = self._source.history() if any(isinstance(e, SchemaChange) for e in cut.events) else None

        def record(cursor: Cursor) -> None:
            self._ledger.advance(cursor, cut.offset, position, applied)
            if history is not None:
                self._ledger.keep_history(cursor, history)

        if self._copy is not None:
            self._copy.stream_begins(cut.events)
        for aside in self._applier.apply(steps, record):
            self._tell(aside)
        if self._copy is not None:
            self._copy.stream_ended(cut.events)
        now = time.monotonic()
        self._rate.add(applied, now)
        for event in cut.events:
            if isinstance(event, Marker) and event.stream == self._spec.name:
                self._lag.arrived(event.number, now)
                self._arrived = True
        return renew

    def _tell(self, aside: Aside[Change]) -> None:
        """Of events that were set aside, those that failed by themselves are worth a line."""
        if aside.error is not None:
            change, keys = aside.change, self._plan.keys
            log.warning(
                "quarantined",
                capability=self._spec.capability,
                table=change.table,
                key=key_text(change, keys[change.table]),
                position=str(change.place),
                error=aside.error,
            )

    def _steps(self, events: list[Event]) -> tuple[list[Step], int, bool]:
        """Changes in runs between truncates; how many; whether a mapped table has a new shape."""
        steps: list[Step] = []
        changes: list[Change] = []
        applied, renew = 0, False
        for event in events:
            if isinstance(event, Change):
                changes.append(event)
                applied += 1
            elif isinstance(event, Truncate):
                steps += [changes, event]
                changes = []
                applied += 1
            elif isinstance(event, SchemaChange):
                renew = self._shape(event) or renew
        return [*steps, changes], applied, renew

    def _shape(self, event: SchemaChange) -> bool:
        """Whether a mapped table has another shape now. Raises Stopped when the mapping can't do with it."""
        touched = [t for schema, t in event.tables if schema == self._spec.source.schema and t in self._plan.sources]
        for table in touched:
            columns = event.columns.get((self._spec.source.schema, table))
            if columns is None:
                raise Stopped(self._cannot(event, table, f"the table {table} is gone, or has another name now"))
            present = {column.lower() for column in columns}
            lost = [c for c in self._plan.sources[table].staging.names if c.lower() not in present]
            if lost:
                raise Stopped(self._cannot(event, table, f"the mapping reads {table}.{', '.join(lost)}"))
        return bool(touched)

    def _cannot(self, event: SchemaChange, table: str, why: str) -> StreamError:
        return StreamError(
            f"stopped at {event.place}: {' '.join(event.ddl.split())}: {why}",
            f"correct the mapping and: strangler sync resume {self._spec.capability}; if rows were written meanwhile"
            f" under another name: strangler sync resnapshot {table}",
            position=str(event.place),
            table=table,
            event=event.ddl,
        )

    def _report(self, events: int) -> None:
        now = time.monotonic()
        settled = self._copy is not None or self._reporter.state is StreamState.STREAMING
        if now - self._reported < REPORT_SECONDS and settled:
            return
        self._reported = now
        samples = self._lag.samples()
        self._reporter.say(
            None if self._copy is not None else StreamState.STREAMING if self._arrived else StreamState.STARTING,
            lag_seconds=self._lag.now(now),
            lag_p50_seconds=percentile(samples, 0.5),
            lag_p99_seconds=percentile(samples, 0.99),
            lag_samples=len(samples),
            **({} if self._copy is not None else {"rows_per_second": self._rate.per_second(now)}),
            behind_events=0 if not events and self._waiting.size == 0 and self._lag.waiting(now) < 1.0 else None,
            note=None,
            left_out=self._applier.left_out,
        )


class Rate:
    """Events per second over the last ``seconds``."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._counts: deque[tuple[float, int]] = deque()

    def add(self, count: int, now: float) -> None:
        if count:
            self._counts.append((now, count))

    def per_second(self, now: float) -> float:
        while self._counts and self._counts[0][0] < now - self._seconds:
            self._counts.popleft()
        return sum(count for _, count in self._counts) / self._seconds
