"""What is to be copied, and who copies which chunk next. For several threads; the only I/O is asking for bounds."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cdc.apply.plan import SourceTable
from cdc.copy.progress import Chunk, Gap, first_rows, next_rows
from cdc.ranges import Bound, KeyRange
from cdc.state import CopyProgress

RATE_SECONDS = 10.0

BoundOf = Callable[[SourceTable, KeyRange, int], Bound | None]
"""The key of the n-th row of a range, or None when it has fewer."""


@dataclass
class Job:
    """One table. ``alone``: its mapping reads other tables of the target, so those before it must be complete."""

    source: SourceTable
    gaps: deque[Gap]
    fresh: frozenset[str]
    sweeps: tuple[str, ...]
    rows_total: int
    rows_done: int = 0
    alone: bool = False
    row_bytes: int = 0
    chunk_rows: int = 0
    under_way: int = 0
    finished: bool = False

    @property
    def name(self) -> str:
        return self.source.table.name

    @property
    def copied(self) -> bool:
        """All chunks are written; what is to be swept may still be there."""
        return not self.gaps and not self.under_way

    @property
    def targets(self) -> frozenset[str]:
        return frozenset(writer.mapping.table for writer in self.source.writers)


@dataclass
class Work:
    """The jobs in order, and how fast they go."""

    jobs: list[Job]
    most_rows: int
    clock: Callable[[], float] = time.monotonic
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _written: deque[tuple[float, int]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._began = self.clock()
        for job in self.jobs:
            job.chunk_rows = first_rows(job.row_bytes, self.most_rows)

    def take(self, bound_of: BoundOf) -> tuple[Job, Chunk, int] | None:
        """The next chunk, and how many rows it should have; None when there is none to be had now."""
        with self._lock:
            for place, job in enumerate(self.jobs):
                if not job.gaps or (job.alone and not all(before.finished for before in self.jobs[:place])):
                    continue
                gap = job.gaps[0]
                end = bound_of(job.source, gap.keys, job.chunk_rows) if gap.last else None
                job.under_way += 1  # before the gap goes: a table without either is done
                job.gaps.popleft()
                if end is not None:
                    job.gaps.append(gap.cut(end))
                keys = gap.keys if end is None else KeyRange(gap.keys.after, end)
                return job, Chunk(job.name, gap.number, keys), job.chunk_rows
            return None

    def written(self, job: Job, planned: int, rows: int, read_bytes: int, seconds: float) -> None:
        with self._lock:
            job.under_way -= 1
            job.rows_done += rows
            job.chunk_rows = next_rows(max(planned, 1), rows, read_bytes, seconds, self.most_rows)
            self._written.append((self.clock(), rows))

    def finish(self, job: Job) -> None:
        with self._lock:
            job.finished = True

    @property
    def handed_out(self) -> bool:
        """Nobody will ever be given another chunk."""
        with self._lock:
            return all(not job.gaps for job in self.jobs)

    def progress(self, throttled: str | None) -> CopyProgress:
        with self._lock:
            now = self.clock()
            while self._written and self._written[0][0] < now - RATE_SECONDS:
                self._written.popleft()
            seconds = max(0.5, min(RATE_SECONDS, now - self._began))
            rate = sum(rows for _, rows in self._written) / seconds
            done = sum(job.rows_done for job in self.jobs)
            total = sum(job.rows_done if job.finished else max(job.rows_total, job.rows_done) for job in self.jobs)
            finished = sum(job.finished for job in self.jobs)
            table = next((job.name for job in self.jobs if not job.finished), self.jobs[-1].name)
            left = (total - done) / rate if rate > 0 else None
            return CopyProgress(table, finished, len(self.jobs), done, total, rate, left, throttled)


def reads_other_tables(source: SourceTable) -> bool:
    """Whether a mapping of the table may look something up at the target."""
    texts: Iterable[str] = (
        text for writer in source.writers for text in (*writer.mapping.expressions.values(), writer.mapping.where or "")
    )
    return any("select" in text.lower() for text in texts)
