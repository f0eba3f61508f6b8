"""A stream's worker in a process of its own, driven by a benchmark: the same JVM carries the stream and its peer."""

from __future__ import annotations

import os
import threading
import time
from contextlib import closing
from multiprocessing import get_context
from multiprocessing.managers import BaseManager
from typing import ClassVar

from benchmarks.cpu import Sample, sample, spent
from cdc.ahead import BATCH_EVENTS
from cdc.apply.applier import Applier
from cdc.apply.plan import read_plan
from cdc.event import Change, parse
from cdc.server import Flavour
from cdc.session import open_session
from cdc.source.embedded import EmbeddedSource
from cdc.source.port import Batch, Resume
from cdc.source.settings import Capture
from cdc.spec import StreamSpec
from cdc.stream import run


class Timed(EmbeddedSource):
    """The stream's own engine; notes when it handed over its first batch (``heard``), and the first of more than a
    marker (``first``). CLOCK_MONOTONIC is one for all processes of a machine."""

    heard: float | None = None
    first: float | None = None
    busy: Sample | None = None
    servers: ClassVar[dict[str, int]] = {}

    def poll(self, timeout_seconds: float) -> Batch | None:  # type: ignore[override]
        batch = super().poll(timeout_seconds)
        if self.heard is None and batch is not None:
            self.heard = time.monotonic()
        if self.first is None and batch is not None and batch.size > 1:
            self.busy = sample(self.servers)
            self.first = time.monotonic()
        return batch


class Snapshot(Timed):
    """The same engine, set to copy the tables itself, as fast as it can."""

    def _hosting(self) -> dict[str, str]:
        return {**super()._hosting(), "snapshot.mode": "initial", "snapshot.fetch.size": "10000"}


class Worker:
    """Lives in the worker's process; its methods are called from the benchmark's."""

    def __init__(self, spec: StreamSpec) -> None:
        self._spec = spec
        self._source: Timed | None = None
        self._thread: threading.Thread | None = None

    def pid(self) -> int:
        return os.getpid()

    def begin(self) -> None:
        """Run the stream as the desk wants it."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=run, args=(self._spec, self._stop, self._make), daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def first_batch(self) -> float | None:
        """When the stream's present engine handed over its first rows."""
        return None if self._source is None else self._source.first

    def heard(self) -> float | None:
        """When the stream's present engine handed over anything."""
        return None if self._source is None else self._source.heard

    def forget(self) -> None:
        """Whatever engines were heard of."""
        self._source = None

    def snapshot(self, rows: int) -> float:
        """Seconds from the first batch of Debezium's own snapshot until all rows of it are committed at the target, by
        the stream's applier in batches of the stream's size."""
        capture = Capture(self._spec.name, self._spec.source, Flavour.MYSQL, self._tables())
        files = self._spec.engine
        engine = Snapshot(capture, files.jars, files.java_home, files.folder / "snapshot", files.heap_mb)
        with (
            closing(open_session(self._spec.source)) as source,
            closing(open_session(self._spec.target, load=True)) as target,
        ):
            plan = read_plan(self._spec.mapping, source, target)
            with target.cursor() as cursor:
                cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            applier, applied = Applier(target, plan), 0
            engine.start(None)
            with closing(engine):
                while applied < rows:
                    changes = list[Change]()
                    batch = engine.poll(0.5)
                    while batch is not None:
                        changes += [e for e in parse(batch.values) if isinstance(e, Change) and e.table in plan.sources]
                        batch = engine.poll(0) if len(changes) < BATCH_EVENTS else None
                    if changes:
                        applier.apply([changes], lambda cursor: None)
                        applied += len(changes)
                ended = time.monotonic()
            assert engine.first is not None
            return ended - engine.first

    def servers(self, pids: dict[str, int]) -> None:
        """Whose processor time is of interest besides this process'."""
        Timed.servers = pids

    def spent(self) -> dict[str, float]:
        """Processor seconds since the stream's present engine handed over its first rows, by what they went into."""
        assert self._source is not None and self._source.busy is not None
        return spent(self._source.busy, sample(Timed.servers))

    def count(self, resume: Resume, records: int) -> tuple[float, dict[str, float]]:
        """Seconds from the first batch until so many records were handed over, to a consumer that only counts them; and
        processor seconds meanwhile."""
        capture = Capture(self._spec.name, self._spec.source, Flavour.MYSQL, self._tables())
        source = self._timed(capture, "count")
        counted = 0
        source.start(resume)
        with closing(source):
            while counted < records:
                batch = source.poll(0.5)
                counted += batch.size if batch is not None else 0
            assert source.first is not None and source.busy is not None
            return time.monotonic() - source.first, spent(source.busy, sample(Timed.servers))

    def _tables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(table.source for table in self._spec.mapping.tables))

    def _make(self, capture: Capture) -> Timed:
        self._source = self._timed(capture, "stream")
        return self._source

    def _timed(self, capture: Capture, name: str) -> Timed:
        files = self._spec.engine
        return Timed(capture, files.jars, files.java_home, files.folder / name, files.heap_mb)


class Workers(BaseManager):
    """``Workers(ctx=get_context("spawn"))`` is the process; ``.worker(spec)`` the one in it."""


Workers.register("worker", Worker)


def process() -> Workers:
    """A new process for a worker, to be used in a ``with`` statement."""
    return Workers(ctx=get_context("spawn"))
