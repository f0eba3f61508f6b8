"""Comparing one table: looking, settling what looks different, naming it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cdc.verify.buckets import suspects_by_bucket
from cdc.verify.canonical import presented
from cdc.verify.chunks import Pair, suspects_by_range
from cdc.verify.plan import TablePlan
from cdc.verify.repair import Enter, repair_keys
from cdc.verify.result import Cell, Difference, Progress, TableResult
from cdc.verify.result import Key as ShownKey
from cdc.verify.settle import CONFIRMATIONS, Settle, Settled, settle_keys
from cdc.verify.side import Digest, Key, Row, Sessions, Side

# Keys settled together: a round waits for the stream once for all of them.
_SETTLED_TOGETHER = 5000
_PROGRESS_EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class Options:
    """How to compare; see ``verify_capability``. ``enter`` is called in each transaction that repairs."""

    stream: Settle | None
    settle_timeout_seconds: float = 30.0
    progress: Callable[[Progress], None] | None = None
    repair: bool = False
    listed_at_most: int = 1000
    chunk_rows: int = 20_000
    sessions_per_side: int = 1
    confirmations: int = CONFIRMATIONS
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
        self._told = self._started

    def run(self) -> TableResult:
        with Pair(self.legacy, self.new, self.options.sessions_per_side) as pair:
            batch: list[Key] = []
            for suspects in self._suspects(pair):
                batch += suspects
                while len(batch) >= _SETTLED_TOGETHER:
                    self._settle(batch[:_SETTLED_TOGETHER])
                    del batch[:_SETTLED_TOGETHER]
                self._tell()
            self._settle(batch)
        repaired = self._repair() if self.options.repair else ()
        self._tell(done=True)
        return self._result(repaired)

    def _suspects(self, pair: Pair) -> Iterator[list[Key]]:
        search = suspects_by_range if self.plan.ranges else suspects_by_bucket
        return search(pair, chunk_rows=self.options.chunk_rows, rowwise=self.plan.rowwise, compared=self._count)

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
            seconds=time.monotonic() - self._started,
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
        rate = self._rows / max(now - self._started, 1e-9)
        expected = self._rows if done else max(self.plan.rows_about, self._rows)
        left = 0.0 if done else (expected - self._rows) / rate if rate else None
        self.options.progress(Progress(self.plan.table, self._rows, expected, rate, left))
