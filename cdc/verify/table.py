"""Comparing one table: looking, settling what looks different, naming it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cdc.ranges import Bound
from cdc.verify.buckets import suspects_by_bucket
from cdc.verify.canonical import place_of, presented
from cdc.verify.chunks import Looking, Pair, suspects_by_range
from cdc.verify.mark import Mark, Marks, signature
from cdc.verify.narrow import suspects
from cdc.verify.pace import Limits, Pace
from cdc.verify.plan import TablePlan
from cdc.verify.repair import Enter, repair_keys
from cdc.verify.result import Cell, Difference, Progress, TableResult
from cdc.verify.result import Key as ShownKey
from cdc.verify.settle import CONFIRMATIONS, ROUNDS, Settle, Settled, settle_keys
from cdc.verify.side import Digest, Key, Row, Sessions, Side

# Keys settled together: a round waits for the stream once for all of them.
_SETTLED_TOGETHER = 5000
_PROGRESS_EVERY_SECONDS = 0.5
_KEEP_EVERY_SECONDS = 2.0


@dataclass(frozen=True)
class Options:
    """How to compare; see ``verify_capability``. ``enter`` is called in each transaction that repairs."""

    stream: Settle | None
    settle_timeout_seconds: float = 30.0
    progress: Callable[[Progress], None] | None = None
    repair: bool = False
    listed_at_most: int = 1000
    limits: Limits = field(default_factory=Limits)
    marks: Marks | None = None
    stop: threading.Event | None = None
    confirmations: int = CONFIRMATIONS
    rounds: int = ROUNDS
    enter: Enter | None = None


@dataclass
class _Found:
    """What has been found so far."""

    listed: dict[Key, tuple[Row | None, Row | None]] = field(default_factory=dict)
    missing: int = 0
    extra: int = 0
    differing: int = 0
    in_flight: int = 0
    unsettled: int = 0


class TableComparison:
    """One run over one table."""

    def __init__(self, plan: TablePlan, legacy: Sessions, new: Sessions, options: Options) -> None:
        self.plan = plan
        self.options = options
        self.legacy = Side(legacy, plan.legacy, plan.key_columns)
        self.new = Side(new, plan.new, plan.key_columns)
        self._found = _Found()
        self._rows = 0
        self._started = time.monotonic()
        self._told = self._kept = self._started
        self._paces = {
            id(self.legacy): Pace(options.limits, legacy, options.stop),
            id(self.new): Pace(options.limits, None, options.stop),
        }
        self._batch: list[Key] = []
        self._through: Bound | None = None
        self._before = 0  # rows that an interrupted comparison had compared, and how long it took
        self._seconds_before = 0.0
        self._signature = signature(plan)

    def run(self) -> TableResult:
        """Raises VerifyError; Interrupted when ``stop`` was set."""
        mark = self._go_on()
        with Pair(self.legacy, self.new, self.options.limits.sessions) as pair:
            if mark is None or not mark.done:
                for found in self._suspects(pair, None if mark is None else mark.after):
                    self._batch += found
                    while len(self._batch) >= _SETTLED_TOGETHER:
                        self._settle(self._batch[:_SETTLED_TOGETHER])
                        del self._batch[:_SETTLED_TOGETHER]
                    self._tell()
                self._settle(self._batch)
        self._keep(done=True)
        repaired = self._repair() if self.options.repair else ()
        self._tell(done=True)
        return self._result(repaired)

    def look_at(self, keys: Sequence[Key]) -> TableResult:
        """Compare the rows of these keys alone, and settle those that differ."""
        legacy, new = self.legacy.digests_of(keys), self.new.digests_of(keys)
        self._rows = len(keys)
        self._settle(suspects(legacy, new))
        return self._result(())

    def keys_of(self, rows: Sequence[Mapping[str, Any]]) -> list[Key]:
        """The keys of these legacy primary keys, as change events hold them, on either side; see ``verify_changed``."""
        places = [place for row in rows if (place := place_of(row, self.plan.legacy.walk_columns)) is not None]
        keys = self.legacy.keys_at(places)
        return list(dict.fromkeys([*keys, *(self.new.keys_at(places) if self.plan.ranges else ())]))

    def _suspects(self, pair: Pair, after: Bound | None) -> Iterator[list[Key]]:
        search = suspects_by_range if self.plan.ranges else suspects_by_bucket
        rows = self.options.limits.chunk_rows
        looking = Looking(
            rows, self.plan.rowwise, self._count, lambda side: self._pace(side, rows), after, self._reached
        )
        return search(pair, looking)

    def _pace(self, side: Side, rows: int) -> None:
        # Telling is for the calling thread, which works itself only where one chunk is of both sides.
        self._paces[id(side)].take(rows, self._tell if self.plan.ranges else None)

    def _go_on(self) -> Mark | None:
        """What an interrupted comparison left: it counts as found here. None when there is nothing to go on from."""
        mark = self.options.marks.of(self.plan.table) if self.options.marks is not None else None
        if mark is None or mark.signature != self._signature:
            return None
        self._rows = self._before = mark.rows
        self._seconds_before, self._through = mark.seconds, mark.after
        found = self._found
        found.missing, found.extra, found.differing = mark.missing, mark.extra, mark.differing
        found.in_flight, found.unsettled = mark.in_flight, mark.unsettled
        # They count again if they still differ; those that have been mended meanwhile were not in flight.
        self._settle(list(mark.listed))
        found.in_flight = mark.in_flight
        return mark

    def _reached(self, bound: Bound) -> None:
        """All keys up to this one have been looked at; what is suspect among them is in the batch."""
        self._through = bound
        if self.options.marks is not None and time.monotonic() - self._kept >= _KEEP_EVERY_SECONDS:
            self._settle(self._batch)
            self._batch.clear()
            self._keep()

    def _keep(self, *, done: bool = False) -> None:
        if self.options.marks is None:
            return
        found = self._found
        listed = list(found.listed.values())
        missing = sum(new is None for _, new in listed)
        extra = sum(legacy is None for legacy, _ in listed)
        mark = Mark(
            signature=self._signature,
            after=self._through,
            done=done,
            rows=self._rows,
            seconds=self._seconds,
            listed=tuple(found.listed),
            missing=found.missing - missing,
            extra=found.extra - extra,
            differing=found.differing - (len(listed) - missing - extra),
            in_flight=found.in_flight,
            unsettled=found.unsettled,
        )
        self.options.marks.keep(self.plan.table, mark)
        self._kept = time.monotonic()

    @property
    def _seconds(self) -> float:
        return self._seconds_before + time.monotonic() - self._started

    def _count(self, rows: int) -> None:
        self._rows += rows

    def _settle(self, keys: list[Key]) -> None:
        """Sort suspects into equal, different and unsettled, and read the columns of those that are to be listed."""
        room = self.options.listed_at_most - len(self._found.listed)
        # Once the list is full, the rest is confirmed once: a table that is all different stays bearable.
        confirmations = self.options.confirmations if room > 0 else 1
        by_digest = self._settled(keys, confirmations)
        named = list(by_digest.different)[: max(0, room)]
        by_row = settle_keys(
            named,
            self.legacy.rows_of,
            self.new.rows_of,
            self.options.stream,
            timeout_seconds=self.options.settle_timeout_seconds,
            confirmations=1,
            rounds=self.options.rounds,
        )
        found = self._found
        found.listed |= by_row.different
        found.in_flight += by_digest.equal + by_row.equal
        found.unsettled += len(by_digest.unsettled) + len(by_row.unsettled)
        counted = {key: pair for key, pair in by_digest.different.items() if key not in set(named)}
        for legacy, new in (*by_row.different.values(), *counted.values()):
            found.missing += new is None
            found.extra += legacy is None
            found.differing += legacy is not None and new is not None

    def _settled(self, keys: list[Key], confirmations: int) -> Settled[Key, Digest]:
        return settle_keys(
            keys,
            self.legacy.digests_of,
            self.new.digests_of,
            self.options.stream,
            timeout_seconds=self.options.settle_timeout_seconds,
            confirmations=confirmations,
            rounds=self.options.rounds,
        )

    def _repair(self) -> tuple[Key, ...]:
        """The keys that are equal after the owner's rows were written for all listed ones."""
        keys = list(self._found.listed)
        repair_keys(keys, self.legacy, self.new, self.plan, self.options.enter)
        left = self._settled(keys, self.options.confirmations)
        unequal = {*left.different, *left.unsettled}
        return tuple(key for key in keys if key not in unequal)

    def _result(self, repaired: tuple[Key, ...]) -> TableResult:
        found = self._found
        listed = found.listed.items()
        return TableResult(
            table=self.plan.table,
            rows=self._rows,
            seconds=self._seconds,
            missing=tuple(self._shown(key) for key, (_, new) in listed if new is None),
            extra=tuple(self._shown(key) for key, (legacy, _) in listed if legacy is None),
            differing=tuple(
                Difference(self._shown(key), self._cells(legacy, new))
                for key, (legacy, new) in listed
                if legacy is not None and new is not None
            ),
            missing_total=found.missing,
            extra_total=found.extra,
            differing_total=found.differing,
            in_flight=found.in_flight,
            unsettled=found.unsettled,
            repaired=tuple(self._shown(key) for key in repaired),
            waited=self.options.stream is not None,
            rows_before=self._before,
        )

    def _shown(self, key: Key) -> ShownKey:
        forms = zip(self.plan.key_columns, self.plan.new.keys, key, strict=True)
        return {column.name: presented(form.type_class, text) for column, form, text in forms}

    def _cells(self, legacy: Row, new: Row) -> dict[str, Cell]:
        forms = zip(self.plan.value_columns, self.plan.new.columns, legacy, new, strict=True)
        return {
            column.name: Cell(presented(form.type_class, old), presented(form.type_class, fresh))
            for column, form, old, fresh in forms
            if old != fresh
        }

    def _tell(self, *, done: bool = False) -> None:
        now = time.monotonic()
        if self.options.progress is None or (now - self._told < _PROGRESS_EVERY_SECONDS and not done):
            return
        self._told = now
        rate = (self._rows - self._before) / max(now - self._started, 1e-9)
        expected = self._rows if done else max(self.plan.rows_about, self._rows)
        left = 0.0 if done else (expected - self._rows) / rate if rate else None
        waits = self._paces[id(self.legacy)].reason
        self.options.progress(Progress(self.plan.table, self._rows, expected, rate, left, waits))
