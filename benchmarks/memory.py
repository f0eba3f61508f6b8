"""What memory a stream's worker takes when what it carries is larger than what it may keep.

``python -m benchmarks.memory [--rows N] [--row-mb N] [--large N]``: two private MySQL servers and a worker process.

A transaction of a tenth of the rows, then one of all of them: if a transaction had to fit into memory, the second would
take ten times as much. Then rows of a LONGBLOB: one is inserted, made another, and so are a few in one transaction. All
must have arrived (rows counted, blobs compared by SHA-256). Told is the most resident memory of the worker's process
tree, sampled all the while; it grows over the run, so a figure has in it what came before.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from benchmarks.result import Result, measured, report
from benchmarks.streams import Bench, Memory, bench, execute, wait
from cdc.mapping import TableMapping
from cdc.session import open_session
from cdc.state import StreamState

GROWTH_TARGET = 1.25
PACKET_BYTES = 512 << 20
_DIGITS = " UNION ALL ".join(f"SELECT {n} AS d" for n in range(10))
LEGACY = (
    "CREATE TABLE items (id INT PRIMARY KEY, title VARCHAR(60) NOT NULL, stock INT NOT NULL)",
    "CREATE TABLE scans (id INT PRIMARY KEY, scan LONGBLOB)",
)
NEW = (
    "CREATE TABLE catalog_items (id BIGINT PRIMARY KEY, title VARCHAR(60) NOT NULL, stock BIGINT NOT NULL)",
    "CREATE TABLE catalog_scans (id BIGINT PRIMARY KEY, scan LONGBLOB)",
)
MAPPINGS = (
    TableMapping("catalog_items", "items", {"id": "id"}, {"title": "TRIM(title)", "stock": "stock"}),
    TableMapping("catalog_scans", "scans", {"id": "id"}, {"scan": "scan"}),
)


def transaction(one: Bench, rows: int) -> tuple[float, float]:
    """MiB at most, and seconds, from the commit of a transaction of so many rows until it has arrived."""
    (before,) = execute(one.spec.source, "SELECT COALESCE(MAX(id), 0), COUNT(*) FROM items")
    places = range(len(str(rows - 1)))
    digits = ", ".join(f"({_DIGITS}) d{place}" for place in places)
    number = " + ".join(f"d{place}.d * {10**place}" for place in places)
    print(f"one transaction of {rows:,} rows", flush=True)
    memory = Memory(one.worker.pid())
    memory.start()
    execute(
        one.spec.source,
        f"INSERT INTO items SELECT {before[0]} + 1 + n, CONCAT('Item number ', n), n MOD 11"
        f" FROM (SELECT {number} AS n FROM {digits}) numbers WHERE n < {rows}",
    )
    began = time.monotonic()
    arrive(one, "SELECT MAX(id) FROM {prefix}items", patience=rows / 5000 + 60)
    seconds, most = time.monotonic() - began, memory.end()
    arrive(one, "SELECT COUNT(*) FROM {prefix}items", patience=60.0)
    return most, seconds


def blobs(one: Bench, first: int, count: int, row_mb: int) -> float:
    """MiB at most while rows of a large blob are inserted, in one transaction, and then made others, one by one."""
    print(f"{count} of {row_mb} MB", flush=True)
    memory = Memory(one.worker.pid())
    memory.start()
    blob = f"REPEAT(RANDOM_BYTES(1024), {row_mb * 1024})"
    with closing(open_session(one.spec.source)) as session, session.cursor() as cursor:
        for number in range(first, first + count):
            cursor.execute(f"INSERT INTO scans VALUES ({number}, {blob})")
        session.commit()
        for number in range(first, first + count):
            cursor.execute(f"UPDATE scans SET scan = {blob} WHERE id = {number}")
            session.commit()
    arrive(one, "SELECT id, SHA2(scan, 256) FROM {prefix}scans ORDER BY id", patience=120.0 + 30 * count)
    return memory.end()


def arrive(one: Bench, question: str, patience: float) -> None:
    """Until both sides give the same answer. Raises RuntimeError."""
    expected = execute(one.spec.source, question.format(prefix=""))

    def arrived() -> bool:
        status = one.desk.status()
        if status.state is StreamState.STOPPED:
            raise RuntimeError(f"the stream stopped: {status.error}")
        return execute(one.spec.target, question.format(prefix="catalog_")) == expected

    wait(arrived, "both sides to be equal", 1.0, patience)


def results(one: Bench, rows: int, row_mb: int, large: int) -> list[Result]:
    for database in (one.spec.source, one.spec.target):
        execute(database, f"SET GLOBAL max_allowed_packet = {PACKET_BYTES}")
    one.want("paused", StreamState.PAUSED)  # sessions of a larger packet
    one.want("running", StreamState.STREAMING)
    tenth, _ = transaction(one, rows // 10)
    whole, seconds = transaction(one, rows)
    single = blobs(one, 1, 1, row_mb)
    several = blobs(one, 2, large, row_mb)
    tree = "memory of the worker's process tree, most of it"
    return [
        measured(
            f"{tree}: one transaction of {rows:,} rows",
            [whole],
            "MiB",
            "lower",
            peer=f"one of {rows // 10:,} rows",
            peer_values=[tenth],
            target=GROWTH_TARGET,
            against="ratio",
        ),
        measured(
            f"one transaction of {rows:,} rows, from its commit until it is at the target", [seconds], "s", "lower"
        ),
        measured(f"{tree}: a row of {row_mb} MB inserted, then changed", [single], "MiB", "lower"),
        measured(
            f"{tree}: {large} rows of {row_mb} MB in one transaction, then each changed", [several], "MiB", "lower"
        ),
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=5_000_000, help="of the larger transaction")
    parser.add_argument("--row-mb", type=int, default=64, help="of a large row")
    parser.add_argument("--large", type=int, default=4, help="large rows in one transaction")
    chosen = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="strangler-bench-") as folder,
        bench(Path(folder), LEGACY, NEW, MAPPINGS) as one,
    ):
        found = results(one, chosen.rows, chosen.row_mb, chosen.large)
    return 0 if report("memory", found) else 1


if __name__ == "__main__":
    sys.exit(main())
