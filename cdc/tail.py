"""Along the binlog: hand-overs of the engine in, transactions of the target out."""

from __future__ import annotations

import time
from collections import deque

import structlog
from pymysql.cursors import Cursor

from cdc.ahead import Ahead, Ready
from cdc.apply.applier import Applier
from cdc.apply.isolate import Aside
from cdc.apply.plan import Plan
from cdc.apply.reduce import key_text
from cdc.copy.copier import Copier
from cdc.event import Change, Marker, SchemaChange, Truncate
from cdc.explain import Stopped
from cdc.ledger import Ledger
from cdc.marker import Lag, percentile
from cdc.reader import Read
from cdc.recent import Recent
from cdc.report import Reporter
from cdc.second_look import SecondLook
from cdc.source.port import Source
from cdc.source.purge import position_of
from cdc.spec import StreamSpec
from cdc.state import StreamError, StreamState

log = structlog.get_logger("stream")

IDLE_SECONDS = 0.5
REPORT_SECONDS = 0.5
RATE_SECONDS = 5.0


class Tail:
    """Follows a source that has been started, until ``close``. One thread, beside those that work ahead."""

    def __init__(
        self, spec: StreamSpec, applier: Applier, ledger: Ledger, source: Source, lag: Lag, reporter: Reporter
    ) -> None:
        self._spec, self._applier, self._ledger, self._source = spec, applier, ledger, source
        self._lag, self._reporter = lag, reporter
        self._ahead: Ahead | None = None
        self._second_look = SecondLook(spec.source, applier.plan)
        self._rate = Rate(RATE_SECONDS)
        self._recent = Recent(spec.recent_keys)
        self._reported = 0.0
        self._arrived = False
        self._dealt_at = time.monotonic()

    @property
    def heard_at(self) -> float:
        """When events of the source last came in or were dealt with."""
        return max(self._dealt_at, self._ahead.heard_at if self._ahead is not None else 0.0)

    def begin(self, plan: Plan, copy: Copier | None, read: Read | None) -> None:
        """``copy`` is what is still being copied meanwhile; ``read`` what was read of the source already."""
        self._plan, self._copy = plan, copy
        self._ahead = Ahead(self._source, plan, read)

    def copied(self, plan: Plan) -> None:
        """The copy is complete. ``plan`` is the one to go on by."""
        self._copy = None
        self.renew(plan)

    def renew(self, plan: Plan) -> None:
        """A table has another shape now."""
        self._plan = plan
        self._applier.renew(plan)
        if self._ahead is not None:
            self._ahead.plan = plan
        self._second_look.renew(plan)

    def close(self) -> None:
        """Read no more; to be called before the source is closed."""
        if self._ahead is not None:
            self._ahead.close()
        self._second_look.close()

    def step(self) -> bool:
        """Wait for events and apply them. True when a table's shape has changed and the plan must be read again.

        Raises Refused, EventError, SourceError, Stopped, pymysql.err.MySQLError.
        """
        assert self._ahead is not None
        ready = self._ahead.take(IDLE_SECONDS)
        renew = self._apply(ready) if ready is not None else False
        if ready is not None:
            self._dealt_at = time.monotonic()
        self._report(idle=ready is None and self._ahead.idle)
        return renew

    def _apply(self, ready: Ready) -> bool:
        cut, schema_changes = ready.cut, ready.schema_changes
        renew = False
        for change in schema_changes:
            renew = self._shape(change) or renew
        position = position_of(cut.offset).with_transaction(cut.gtid)
        history = self._source.history() if schema_changes else None

        def record(cursor: Cursor) -> None:
            self._ledger.advance(cursor, cut.offset, position, ready.changed)
            if history is not None:
                self._ledger.keep_history(cursor, history)

        steps = [step if isinstance(step, Truncate) else self._second_look.settle(step) for step in ready.steps]
        if self._copy is not None:
            self._copy.stream_begins(cut.events)
        for aside in self._applier.apply(steps, record):
            self._tell(aside)
        if self._copy is not None:
            self._copy.stream_ended(cut.events)
        now = time.monotonic()
        self._rate.add(ready.changed, now)
        self._recent.add(cut.events, self._plan.keys)
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

    def _report(self, *, idle: bool) -> None:
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
            behind_events=0 if idle and self._lag.waiting(now) < 1.0 else None,
            note=None,
            recent=self._recent.rows,
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
