"""How fast rows are compared, beside reladiff: on identical tables, and through a mapping that changes types.

``python -m benchmarks.verify [--rows N] [--rounds N]``: two private MySQL servers, 13 columns a row, everything
measured in turn. reladiff (https://pypi.org/project/reladiff), at the fastest of the settings that were tried (hash
diff, 4 threads, bisection factor 32), compares identical tables only, and a DOUBLE to six digits. Its time is that of
the comparison alone; ours includes connecting and reading the tables' shapes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

from benchmarks.items import COLUMNS, LEGACY, MAPPING, NEW, insert
from benchmarks.result import measured, report
from cdc.database import Database
from cdc.mapping import CapabilityMapping, TableMapping
from cdc.session import open_session
from cdc.verify import verify_capability
from strangler.dev.cache import cache_folder, locked
from strangler.dev.mysql import private_mysql
from strangler.dev.server import PrivateServer

MAPPED_TARGET = 250_000  # rows/s
SAME_TARGET = 1.0  # of reladiff's rate
PIECE = 100_000
PEER = "reladiff, 4 threads"
PEER_THREADS = 4
SAME = TableMapping("items", "items", {"id": "id"}, {name: name for name in COLUMNS})
REQUIREMENTS = Path(__file__).parents[1] / "requirements" / "reladiff.txt"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args(arguments)
    python = peer_python()
    with tempfile.TemporaryDirectory(prefix="strangler-bench-") as folder:
        program = private_mysql()
        with (
            PrivateServer(program, Path(folder) / "legacy", server_id=21, buffer_pool_mb=1024) as legacy_server,
            PrivateServer(program, Path(folder) / "new", server_id=22, buffer_pool_mb=1024) as new_server,
        ):
            legacy, new = legacy_server.create_schema("bench"), new_server.create_schema("bench")
            print(f"filling three tables with {chosen.rows:,} rows")
            with ProcessPoolExecutor(2, get_context("spawn")) as both:
                fillings = [
                    both.submit(fill, legacy, chosen.rows, mapped=False),
                    both.submit(fill, new, chosen.rows, mapped=True),
                ]
                for filling in fillings:
                    filling.result()
            mapped, same, theirs = measure(python, legacy, new, chosen.rows, chosen.rounds)
    rows = f"{chosen.rows:,} rows of 13 columns"
    results = [
        measured(
            f"rate of comparing {rows}, identical tables",
            same,
            "rows/s",
            "higher",
            peer=PEER,
            peer_values=theirs,
            target=SAME_TARGET,
            against="ratio",
        ),
        measured(
            f"rate of comparing {rows} through a mapping",
            mapped,
            "rows/s",
            "higher",
            peer=f"{PEER}, identical tables",
            peer_values=theirs,
            target=MAPPED_TARGET,
        ),
        measured(f"time of comparing {rows} through a mapping", [chosen.rows / rate for rate in mapped], "s", "lower"),
    ]
    return 0 if report("verify", results) else 1


def measure(
    python: Path, legacy: Database, new: Database, rows: int, rounds: int
) -> tuple[list[float], list[float], list[float]]:
    """Rows a second of each round: through the mapping, of identical tables, and reladiff's of these."""
    figures: list[tuple[float, float, float]] = []
    with peer(python, legacy, new) as run_peer:
        for number in range(rounds + 1):
            figures.append((compare(MAPPING, legacy, new, rows), compare(SAME, legacy, new, rows), rows / run_peer()))
            # The first round warms the buffer pools.
            if number:
                said = "mapped {:,.0f} rows/s, identical {:,.0f} rows/s, reladiff {:,.0f} rows/s"
                print(f"round {number}: " + said.format(*figures[-1]), flush=True)
    mapped, same, theirs = (list(column) for column in zip(*figures[1:], strict=True))
    return mapped, same, theirs


def peer_python() -> Path:
    """The Python of an environment with reladiff, made in the cache at first use. Needs the package registry then."""
    digest = sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = cache_folder() / f"reladiff-{sys.version_info.major}.{sys.version_info.minor}-{digest}"
    python = folder / "bin" / "python"
    with locked(cache_folder(), "reladiff"):
        if not (folder / "ready").exists():
            print("installing reladiff into an environment of its own (once)")
            venv.create(folder, with_pip=True, clear=True)
            install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
            subprocess.run([str(python), *install, "-r", str(REQUIREMENTS)], check=True)
            (folder / "ready").touch()
    return python


@contextmanager
def peer(python: Path, legacy: Database, new: Database) -> Iterator[Callable[[], float]]:
    """Gives what runs reladiff once, over the identical tables, and gives its seconds."""
    asked = {
        "sides": [asdict(legacy), asdict(new)],
        "table": SAME.table,
        "key": "id",
        "columns": list(SAME.columns),
        "threads": PEER_THREADS,
    }
    # -P: the modules beside the script are ours, and one of them is called like the standard library's copy.
    command = [str(python), "-P", str(Path(__file__).with_name("reladiff_peer.py")), json.dumps(asked)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def run() -> float:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\n")
            process.stdin.flush()
            said = process.stdout.readline()
            if not said:
                raise RuntimeError("reladiff ended by itself; what it said is above")
            answer = json.loads(said)
            if answer["rows_different"]:
                raise RuntimeError(f"reladiff finds differences where there are none: {answer}")
            return float(answer["seconds"])

        yield run
        process.stdin.close()


def fill(database: Database, rows: int, *, mapped: bool) -> None:
    """The legacy rows, and what the mapping makes of them; outside the binlog, which nobody reads here."""
    with closing(open_session(database)) as session, session.cursor() as cursor:
        cursor.execute("SET sql_log_bin = 0")
        cursor.execute(LEGACY)
        if mapped:
            cursor.execute(NEW)
        columns, made = ", ".join(MAPPING.expressions), ", ".join(MAPPING.expressions.values())
        for start in range(0, rows, PIECE):
            cursor.execute(insert(start + 1, min(start + PIECE, rows)))
            if mapped:
                cursor.execute(f"INSERT INTO catalog_items ({columns}) SELECT {made} FROM items WHERE id > {start}")
            session.commit()
        cursor.execute("ANALYZE TABLE items" + (", catalog_items" if mapped else ""))


def compare(mapping: TableMapping, legacy: Database, new: Database, rows: int) -> float:
    """Rows a second of the whole call; the tables are equal, and it is an error if the comparison doesn't say so."""
    began = time.monotonic()
    result = verify_capability(CapabilityMapping("catalog", (mapping,)), legacy, new)
    taken = time.monotonic() - began
    if not result.equal or result.rows != rows:
        raise RuntimeError(f"the comparison is wrong: {result.to_json()}")
    return rows / taken


if __name__ == "__main__":
    sys.exit(main())
