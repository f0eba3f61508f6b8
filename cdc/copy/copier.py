"""The copy of what was there before the stream: through the same staging and the same statements as the stream."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cdc.apply.plan import Plan, SourceTable
from cdc.apply.stage import Staging, quoted
from cdc.apply.write import Writer
from cdc.copy.snapshot import Snapshot
from cdc.session import Session
from cdc.state import CopyProgress

CHUNK_ROWS = 20_000
_AHEAD = 2

Progress = Callable[[CopyProgress], None]


class CopyError(Exception):
    """A row can't be copied."""


class CopyStopped(Exception):
    """Somebody asked for something else meanwhile; the copy begins anew another time."""


@dataclass
class Copier:
    """Copies tables of a snapshot into the target. Each chunk is a transaction; a copy that was cut short begins anew.

    Rows of the target that the snapshot does not have are swept away at the end, so a copy may run over an older one.
    """

    session: Session
    plan: Plan
    progress: Progress
    stopped: Callable[[], bool] = lambda: False

    def copy(self, snapshot: Snapshot, tables: Sequence[str]) -> None:
        """Raises CopyError, CopyStopped, StagingError, pymysql.err.MySQLError."""
        totals = {table: snapshot.count(table) for table in tables}
        tally = _Tally(self.progress, len(tables), sum(totals.values()))
        with self.session.cursor() as cursor:
            # Constraints of the new side hold for the whole, not for each chunk: children may come before parents.
            cursor.execute("SET SESSION foreign_key_checks = 0")
        try:
            for table in tables:
                self._table(snapshot, self.plan.sources[table], tally)
                tally.table_done()
        finally:
            if self.session.open:
                self.session.rollback()
                with self.session.cursor() as cursor:
                    cursor.execute("SET SESSION foreign_key_checks = 1")

    def _table(self, snapshot: Snapshot, source: SourceTable, tally: _Tally) -> None:
        tally.begin(source.table.name)
        sweeps = [_Sweep(number, writer) for number, writer in enumerate(source.writers) if self._has_rows(writer)]
        swept = {sweep.writer.mapping.table for sweep in sweeps}
        for sweep in sweeps:
            sweep.create(self.session)
        staging = source.staging
        chunks = snapshot.rows(source.table.name, staging.select(), source.key, CHUNK_ROWS)
        for rows in _ahead(chunks):
            if self.stopped():
                raise CopyStopped
            self._chunk(source, staging, rows, swept, sweeps)
            tally.add(len(rows))
        for sweep in sweeps:
            sweep.run(self.session)

    def _chunk(
        self, source: SourceTable, staging: Staging, rows: list[str], swept: set[str], sweeps: Sequence[_Sweep]
    ) -> None:
        if None in rows:
            raise CopyError(
                f"{source.table.name}: a row is larger than the source's max_allowed_packet and can't be read whole"
            )
        self.session.begin()
        with self.session.cursor() as cursor:
            staging.load(cursor, staging.after, ("\n".join(rows) + "\n").encode(), copied=True)
            for writer in source.writers:
                for statement in writer.upserts(fresh=writer.mapping.table not in swept):
                    cursor.execute(statement)
            for sweep in sweeps:
                cursor.execute(sweep.collect)
        self.session.commit()
        with self.session.cursor() as cursor:
            cursor.execute(f"TRUNCATE TABLE {staging.after}")

    def _has_rows(self, writer: Writer) -> bool:
        with self.session.cursor() as cursor:
            cursor.execute(f"SELECT 1 FROM {quoted(writer.mapping.table)} LIMIT 1")
            found = cursor.fetchone() is not None
        self.session.rollback()
        return found


class _Sweep:
    """Collects the keys that a copy wrote into one target table, then deletes all others."""

    def __init__(self, number: int, writer: Writer) -> None:
        self.writer = writer
        self._name = f"`strangler_copied_{writer.staging.number}_{number}`"
        self._keys = ", ".join(quoted(column.name) for column in writer.key_columns)
        self.collect = f"INSERT INTO {self._name} ({self._keys}) {writer.keys_of_rows()}"

    def create(self, session: Session) -> None:
        columns = []
        for column in self.writer.key_columns:
            charset = f" CHARACTER SET {column.charset} COLLATE {column.collation}" if column.charset else ""
            columns.append(f"{quoted(column.name)} {column.full_type}{charset} NOT NULL")
        with session.cursor() as cursor:
            cursor.execute(f"DROP TEMPORARY TABLE IF EXISTS {self._name}")
            cursor.execute(
                f"CREATE TEMPORARY TABLE {self._name} ({', '.join(columns)}, PRIMARY KEY ({self._keys})) ENGINE=InnoDB"
            )
        session.commit()

    def run(self, session: Session) -> None:
        table = quoted(self.writer.mapping.table)
        same = " AND ".join(f"c.{quoted(c.name)} = t.{quoted(c.name)}" for c in self.writer.key_columns)
        first = quoted(self.writer.key_columns[0].name)
        session.begin()
        with session.cursor() as cursor:
            cursor.execute(f"DELETE t FROM {table} t LEFT JOIN {self._name} c ON {same} WHERE c.{first} IS NULL")
        session.commit()
        with session.cursor() as cursor:
            cursor.execute(f"DROP TEMPORARY TABLE {self._name}")


class _Tally:
    """Counts rows for the progress that people see."""

    def __init__(self, progress: Progress, tables: int, rows: int) -> None:
        self._progress, self._tables, self._rows = progress, tables, rows
        self._began = time.monotonic()
        self._done, self._tables_done, self._table = 0, 0, ""

    def begin(self, table: str) -> None:
        self._table = table
        self._say()

    def add(self, rows: int) -> None:
        self._done += rows
        self._say()

    def table_done(self) -> None:
        self._tables_done += 1
        self._say()

    def _say(self) -> None:
        seconds = time.monotonic() - self._began
        rate = self._done / seconds if seconds > 0 else 0.0
        self._progress(CopyProgress(self._table, self._tables_done, self._tables, self._done, self._rows, rate))


def _ahead(chunks: Iterator[list[str]]) -> Iterator[list[str]]:
    """The same chunks, read on a thread of its own while earlier ones are written."""
    waiting: queue.Queue[list[str] | BaseException | None] = queue.Queue(_AHEAD)
    given_up = threading.Event()

    def put(item: list[str] | BaseException | None) -> None:
        while not given_up.is_set():
            try:
                waiting.put(item, timeout=0.2)
                return
            except queue.Full:
                continue

    def read() -> None:
        try:
            for chunk in chunks:
                put(chunk)
                if given_up.is_set():
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001 - handed to the reader of the queue, who raises it
            put(error)

    reader = threading.Thread(target=read, name="copy-reader", daemon=True)
    reader.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        given_up.set()
        reader.join(60)
