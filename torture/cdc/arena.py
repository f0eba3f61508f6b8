"""Two servers, a stream between them, writers on the one: and what can be killed of it."""

from __future__ import annotations

import subprocess
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cdc.database import Database
from cdc.server import source_position
from cdc.session import open_session
from cdc.state import StreamDesk, StreamState, await_position
from strangler.dev.mariadb import private_mariadb
from strangler.dev.mysql import private_mysql
from strangler.dev.private_kafka import RunningKafka
from strangler.dev.server import PrivateServer
from torture.cdc import worker
from torture.cdc.shop import CAPABILITY, LEGACY, NEW, SAME
from torture.cdc.writer import WRITERS, Writer

Victim = Literal["worker", "source", "target", "broker", "connect"]
Hosted = Literal["embedded", "kafka"]
Kind = Literal["mysql", "mariadb"]
PATIENCE_SECONDS = 180.0


class NotEqual(Exception):
    """The two sides differ; the text says in which rows."""


@dataclass
class Arena:
    """Use it in a ``with`` statement. Everything in it lives in ``folder``."""

    folder: Path
    kinds: tuple[Kind, Kind]
    seed: int
    hosting: Hosted = "embedded"
    writers: list[Writer] = field(default_factory=list)
    _opened: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Arena:
        self._servers = {
            side: self._opened.enter_context(PrivateServer(_program(kind), self.folder / side, server_id=number))
            for number, (side, kind) in enumerate(zip(("source", "target"), self.kinds, strict=True), 1)
        }
        self._kafka: RunningKafka | None = None
        if self.hosting == "kafka":
            self._kafka = self._opened.enter_context(RunningKafka(self.folder / "kafka"))
        self.source = self._servers["source"].create_schema("legacy")
        self.target = self._servers["target"].create_schema("fresh")
        for database, statements in ((self.source, LEGACY), (self.target, NEW)):
            execute(database, *statements)
        self.desk = StreamDesk(self.target, CAPABILITY)
        self.desk.create()
        self.desk.want("running")
        self._worker: subprocess.Popen[bytes] | None = self._start_worker()
        self._opened.callback(self._end_worker)
        self.writers = [Writer(self.source, number, self.seed) for number in range(WRITERS)]
        for writer in self.writers:
            writer.start()
        return self

    def __exit__(self, *error: object) -> None:
        try:
            for writer in self.writers:
                writer.end()
        finally:
            self._opened.close()

    def kill(self, victim: Victim) -> None:
        """Kill -9, and start it again."""
        if victim == "worker":
            assert self._worker is not None
            if self._worker.poll() is not None:
                raise RuntimeError(
                    f"the worker ended by itself ({self._worker.returncode}), see {self.folder}/worker.log"
                )
            self._worker.kill()
            self._worker.wait(30)
            self._worker = self._start_worker()
        elif victim == "broker":
            assert self._kafka is not None
            self._kafka.kill("broker")
            self._kafka.start_broker()
        elif victim == "connect":
            assert self._kafka is not None
            self._kafka.kill("connect")
            self._kafka.start_connect()
        else:
            self._servers[victim].kill()
            self._servers[victim].start()

    def until_moving(self) -> None:
        """Wait until the stream streams and applies events. Raises RuntimeError when it has stopped, or does not."""
        before, end = None, time.monotonic() + PATIENCE_SECONDS
        while True:
            status = self.desk.status()
            if status.state is StreamState.STOPPED:
                raise RuntimeError(f"the stream stopped: {status.error}")
            if status.state is StreamState.STREAMING:
                if before is not None and status.events > before:
                    return
                before = status.events if before is None else before
            if time.monotonic() > end:
                raise RuntimeError(f"the stream did not move for {PATIENCE_SECONDS:.0f} s: {status}")
            time.sleep(0.05)

    def compare(self) -> dict[str, int]:
        """Let the writers rest, wait for the stream, compare every row; how many there are. Raises NotEqual."""
        for writer in self.writers:
            writer.rest()
        position, end = source_position(self.source), time.monotonic() + PATIENCE_SECONDS
        while not await_position(self.desk, position, 1.0):
            status = self.desk.status()
            if status.state is StreamState.STOPPED:
                raise RuntimeError(f"the stream stopped: {status.error}")
            if time.monotonic() > end:
                raise RuntimeError(f"not applied up to {position} within {PATIENCE_SECONDS:.0f} s: {status}")
        rows = {}
        for table, (legacy, new) in SAME.items():
            old, found = execute(self.source, legacy), execute(self.target, new)
            if old != found:
                missing, extra = sorted(set(old) - set(found))[:5], sorted(set(found) - set(old))[:5]
                raise NotEqual(f"{table}: {len(old)} rows, {len(found)} there; only legacy {missing}, only new {extra}")
            rows[table] = len(old)
        for writer in self.writers:
            writer.go_on()
        return rows

    def _start_worker(self) -> subprocess.Popen[bytes]:
        ports = self._kafka.settings.ports if self._kafka else None
        return worker.start(self.source, self.target, self.folder, ports, self.folder / "kafka")

    def _end_worker(self) -> None:
        if self._worker is not None and self._worker.poll() is None:
            self._worker.terminate()
            self._worker.wait(60)


def execute(database: Database, *statements: str) -> list[tuple[Any, ...]]:
    """In one transaction; the rows of the last."""
    with closing(open_session(database)) as session, session.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        rows = list(cursor.fetchall())
        session.commit()
        return rows


def _program(kind: Kind) -> Any:
    return private_mysql() if kind == "mysql" else private_mariadb()
