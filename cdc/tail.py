"""Along the binlog: hand-overs of the engine in, transactions of the target out."""

from __future__ import annotations

import time
from collections import deque

import structlog
from pymysql.cursors import Cursor

from cdc.ahead import Ahead, Ready
from cdc.alter import After, Alterations, Outcome
from cdc.apply.applier import Applier, Step
from cdc.apply.isolate import Aside
from cdc.apply.plan import Plan
from cdc.apply.reduce import key_text
from cdc.batches import Cut
from cdc.cascade import Parents, Removed
from cdc.copy.copier import Copier
from cdc.event import Change, Marker, Truncate
from cdc.ledger import Ledger
from cdc.marker import Lag, percentile
from cdc.reader import Read
from cdc.recent import Recent
from cdc.report import Reporter
from cdc.second_look import SecondLook
from cdc.source.port import Source
from cdc.source.purge import position_of
from cdc.spec import StreamSpec
from cdc.state import StreamState

log = structlog.get_logger("stream")

IDLE_SECONDS = 0.5
REPORT_SECONDS = 0.5
RATE_SECONDS = 5.0


class Tail:
    """Follows a source that has been started, until ``close``. One thread, beside those that work ahead."""

    def __init__(
        self,
        spec: StreamSpec,
        applier: Applier,
        ledger: Ledger,
        source: Source,
        lag: Lag,
        reporter: Reporter,
        alterations: Alterations,
    ) -> None:
        self._spec, self._applier, self._ledger, self._source = spec, applier, ledger, source
        self._lag, self._reporter, self._alterations = lag, reporter, alterations
        self._ahead: Ahead | None = None
        self._second_look = SecondLook(spec.source, applier.plan)
        self._rate = Rate(RATE_SECONDS)
        self._recent = Recent(spec.recent_keys)
        self._reported = 0.0
        self._arrived = False
        self._anew = False  # the run is to end behind the next marker
        self._dealt_at = time.monotonic()

    @property
    def heard_at(self) -> float:
        """When events of the source last came in or were dealt with."""
        return max(self._dealt_at, self._ahead.heard_at if self._ahead is not None else 0.0)

    def begin(self, plan: Plan, copy: Copier | None, read: Read | None, deferred: frozenset[str] = frozenset()) -> None:
        """``copy`` is what is still being copied meanwhile; ``read`` what was read of the source already; ``deferred``
        are tables that the mapping can do with only after a schema change to come, when they are copied from their
        first row on: what is told of them before that is left out."""
        self._plan, self._copy, self._deferred = plan, copy, deferred
        self._ahead = Ahead(self._source, plan, read)

    @property
    def deferred(self) -> frozenset[str]:
        return self._deferred

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

    def step(self) -> After:
        """Wait for events and apply them. What a schema change among them asks for.

        Raises Refused, EventError, SourceError, Stopped, pymysql.err.MySQLError.
        """
        assert self._ahead is not None
        ready = self._ahead.take(IDLE_SECONDS)
        after = self._apply(ready) if ready is not None else After.SAME
        if ready is not None:
            self._dealt_at = time.monotonic()
        self._report(idle=ready is None and self._ahead.idle)
        return after

    def _apply(self, ready: Ready) -> After:
        cut, altered = ready.cut, ready.schema_changes
        parents = Parents(self._plan.cascades)
        steps, applied = self._steps(ready, parents)
        outcome = Outcome(again={table: why for table, why in parents.again.items() if table not in self._deferred})
        if altered:  # and nothing else: a schema change comes alone
            outcome = self._alterations.meet(altered, self._plan)
        elif any(isinstance(event, Marker) for event in cut.events) and (unseen := self._source.unseen()):
            outcome = self._alterations.unseen(unseen, outcome)  # the position is beyond these now
        position = position_of(cut.offset).with_transaction(cut.gtid)
        history = self._source.history() if altered else None

        def record(cursor: Cursor) -> None:
            self._alterations.record(cursor, outcome)
            self._ledger.advance(cursor, cut.offset, position, applied)
            if history is not None:
                self._ledger.keep_history(cursor, history)

        steps = [step if isinstance(step, (Truncate, Removed)) else self._second_look.settle(step) for step in steps]
        if self._copy is not None:
            self._copy.stream_begins(cut.events)
        for aside in self._applier.apply(steps, record):
            self._tell(aside)
        if self._copy is not None:
            self._copy.stream_ended(cut.events)
        self._alterations.committed(outcome)
        now = time.monotonic()
        self._rate.add(applied, now)
        self._recent.add(cut.events, self._plan.keys)
        for event in cut.events:
            if isinstance(event, Marker) and event.stream == self._spec.name:
                self._lag.arrived(event.number, now)
                self._arrived = True
        return self._after(outcome, cut)

    def _after(self, outcome: Outcome, cut: Cut) -> After:
        """A run does not end right at a schema change: the engine repeats it then, and stumbles over a column that has
        its new name already. It ends behind the next marker; what is to be copied is left out until then."""
        marked = any(isinstance(event, Marker) for event in cut.events)
        if self._copy is not None or (marked and (outcome.again or self._anew)):
            return After.ANEW if self._anew else outcome.after
        if outcome.again or (outcome.shapes and self._deferred):
            self._anew, self._deferred = True, self._deferred | outcome.again.keys()
        return After.SHAPE if outcome.shapes and not outcome.again else After.SAME

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

    def _steps(self, ready: Ready, parents: Parents) -> tuple[list[Step], int]:
        """Changes in runs between truncates, and between rows that take others along; how many. As they were made
        ready, where there is nothing more to them."""
        if not parents.any and not self._deferred and ready.tables <= self._plan.sources.keys():
            return list(ready.steps), ready.changed
        events = ready.cut.events
        steps: list[Step] = []
        changes: list[Change] = []
        removed: Removed | None = None  # the last step, as long as nothing else came since
        applied, mapped = 0, self._plan.sources.keys() - self._deferred
        for at, event in enumerate(events):
            if parents.any:
                if isinstance(event, Change) and parents.see(events, at):
                    if removed is None or removed.parent != event.table or removed.place.gtid != event.place.gtid:
                        removed = Removed(event.table, [], event.place)
                        steps += [changes, removed]
                        changes = []
                    removed.rows.append(event.before or {})
                elif not isinstance(event, Marker):
                    removed = None
            if isinstance(event, Change):
                if event.table in mapped:
                    changes.append(event)
                    applied += 1
            elif isinstance(event, Truncate) and event.table in mapped:
                steps += [changes, event]
                changes = []
                applied += 1
        return [*steps, changes], applied

    def _report(self, *, idle: bool) -> None:
        now = time.monotonic()
        settled = self._copy is not None or self._reporter.state is StreamState.STREAMING
        if now - self._reported < REPORT_SECONDS and settled:
            return
        self._reported = now
        samples = self._lag.samples()
        in_step = self._arrived and not self._deferred
        waits = f"up to the schema change that the mapping of {', '.join(sorted(self._deferred))} is for"
        self._reporter.say(
            None if self._copy is not None else StreamState.STREAMING if in_step else StreamState.STARTING,
            lag_seconds=self._lag.now(now),
            lag_p50_seconds=percentile(samples, 0.5),
            lag_p99_seconds=percentile(samples, 0.99),
            lag_samples=len(samples),
            **({} if self._copy is not None else {"rows_per_second": self._rate.per_second(now)}),
            behind_events=0 if idle and self._lag.waiting(now) < 1.0 else None,
            note=waits if self._deferred else None,
            recent=self._recent.rows,
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
