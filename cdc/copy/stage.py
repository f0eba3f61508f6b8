"""One session on the target that stages chunks and writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pymysql
from pymysql.cursors import Cursor

from cdc.apply.plan import SourceTable
from cdc.apply.stage import Staging, quoted
from cdc.apply.text import load_text
from cdc.copy.apart import Apart
from cdc.copy.progress import Chunk
from cdc.copy.store import CopyStore
from cdc.copy.window import Key
from cdc.database import Database
from cdc.ownership.gate import Gate
from cdc.session import Session, open_session

_DUPLICATE = 1062


class Stage:
    """Not for use from several threads. All methods raise pymysql.err.MySQLError and StagingError."""

    def __init__(self, target: Database, store: CopyStore, gate: Gate | None = None) -> None:
        self.session: Session = open_session(target, load=True)
        self._gate = gate
        self._store, self._made = store, set[str]()
        self._apart: Apart | None = None
        with self.session.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            # Constraints of the new side hold for the whole, not for each chunk: children may come before parents.
            cursor.execute("SET SESSION foreign_key_checks = 0")

    def set_aside(self, apart: Apart) -> None:
        """From now on rows that are refused are set aside, so that the others of their chunk go in."""
        self._apart = apart

    def empty(self, source: SourceTable) -> None:
        """Make the source table's staging ready for a chunk."""
        staging = source.staging
        with self.session.cursor() as cursor:
            if staging.table not in self._made:
                staging.create(cursor)
                _create_seen(cursor, source)
                self._made.add(staging.table)
            cursor.execute(f"TRUNCATE TABLE {staging.after}")
            cursor.execute(f"TRUNCATE TABLE {_seen(staging)}")
        self.session.commit()

    def load(self, source: SourceTable, lines: bytes) -> None:
        with self.session.cursor() as cursor:
            source.staging.load(cursor, source.staging.after, lines, copied=True)
        self.session.commit()

    def write(self, source: SourceTable, chunk: Chunk, rows: int, seen: Sequence[Key], fresh: frozenset[str]) -> None:
        """The staged rows without those whose keys were seen, and that the chunk is done: one transaction. ``fresh``
        are target tables that had no rows when the copy began. Raises TakenError, and Refused for a row that can't be
        set aside."""

        def whole(cursor: Cursor) -> None:
            for writer in source.writers:
                cheaper = writer.careful and writer.mapping.table in fresh
                if not cheaper or not _inserted(cursor, writer.upserts(fresh=True)):
                    _run(cursor, writer.upserts())
                _run(cursor, writer.strikes())

        try:
            self._transaction(source, chunk, rows, seen, whole)
        except pymysql.err.MySQLError as error:
            apart = self._apart
            if apart is None or not apart.helps(source, error):
                raise
            apart.ready(source)
            try:
                self._transaction(source, chunk, rows, seen, lambda c: apart.write(c, source, whole, _strikes(source)))
            except BaseException:
                apart.rolled_back()
                raise
            apart.committed()

    def _transaction(
        self, source: SourceTable, chunk: Chunk, rows: int, seen: Sequence[Key], write: Callable[[Cursor], None]
    ) -> None:
        staging = source.staging
        self.session.begin()
        try:
            with self.session.cursor() as cursor:
                self._store.check_owner(cursor, chunk.table)
                if self._gate is not None:
                    self._gate.enter(cursor)
                if seen:
                    keys = _keys_only(source)
                    text = load_text([dict(zip(keys.names, key, strict=True)) for key in seen], keys.names)
                    keys.load(cursor, _seen(staging), text)
                    same = " AND ".join(f"a.{quoted(name)} = s.{quoted(name)}" for name in keys.names)
                    cursor.execute(f"DELETE a FROM {staging.after} a STRAIGHT_JOIN {_seen(staging)} s ON {same}")
                write(cursor)
                self._store.done(cursor, chunk, rows)
            self.session.commit()
        except BaseException:
            if self.session.open:
                self.session.rollback()
            raise

    def close(self) -> None:
        if self.session.open:
            self.session.close()


def _strikes(source: SourceTable) -> Callable[[Cursor], None]:
    def strike(cursor: Cursor) -> None:
        for writer in source.writers:
            _run(cursor, writer.strikes())

    return strike


def _inserted(cursor: Cursor, statements: Sequence[str]) -> bool:
    """Whether plain inserts went through, which are cheaper than the careful ones: they do unless the stream was there
    first with some of the rows."""
    cursor.execute("SAVEPOINT strangler_chunk")
    try:
        _run(cursor, statements)
        return True
    except pymysql.err.IntegrityError as error:
        if error.args[0] != _DUPLICATE:
            raise
        cursor.execute("ROLLBACK TO SAVEPOINT strangler_chunk")
        return False


def _run(cursor: Cursor, statements: Iterable[str]) -> None:
    for statement in statements:
        cursor.execute(statement)


def _seen(staging: Staging) -> str:
    return f"`strangler_seen_{staging.number}`"


def _keys_only(source: SourceTable) -> Staging:
    """The staging's key columns alone, in the order of the primary key."""
    by_name = {column.column.name: column for column in source.staging.columns}
    return replace(source.staging, columns=tuple(by_name[name] for name in source.key))


def _create_seen(cursor: Cursor, source: SourceTable) -> None:
    keys = _keys_only(source)
    name = _seen(source.staging)
    columns = ", ".join(f"{column.name} {column.how.staged} NOT NULL" for column in keys.columns)
    index = ", ".join(column.name for column in keys.columns)
    cursor.execute(f"DROP TEMPORARY TABLE IF EXISTS {name}")
    # not unique: 'a' and 'A' may be one key to the column's collation
    cursor.execute(f"CREATE TEMPORARY TABLE {name} ({columns}, KEY ({index})) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4")
