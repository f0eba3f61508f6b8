"""The position of one stream, kept at the target in the same transactions as its rows."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pymysql
import structlog
from pymysql.cursors import Cursor

from cdc.event import SchemaChange
from cdc.position import Position
from cdc.schema import Table
from cdc.session import Session
from cdc.shape import from_text, to_text
from cdc.source.port import Resume
from cdc.state import SCHEMA, Direction, create_tables

log = structlog.get_logger("stream")

_TAKEN = "another worker has taken the stream over, or somebody forgot its position: nothing of this batch was written"
_KEY = "capability = %s AND direction = %s"


class TakenError(Exception):
    """Another worker writes this stream."""


class HistoryLost(Exception):
    """There is a position, and nothing that says what the tables looked like there."""


@dataclass(frozen=True)
class Met:
    """Schema changes at one place of the stream, by their text. ``asked``: what the stream was asked for then."""

    place: str
    statements: tuple[str, ...]
    asked: int = 0

    def has(self, event: SchemaChange) -> bool:
        return str(event.place) == self.place and event.ddl in self.statements

    def plus(self, event: SchemaChange) -> Met:
        earlier = self.statements if str(event.place) == self.place else ()
        return Met(str(event.place), (*earlier, event.ddl))


@dataclass(frozen=True)
class Stored:
    """``copied`` are the source tables whose copy is complete; ``events`` counts those applied. ``shapes`` are the
    source tables as they are at the position, ``mappings`` digests of what their rows at the target were made by.
    ``altered`` are the schema changes dealt with last, ``halted`` one that the stream stopped at by choice."""

    resume: Resume
    copied: frozenset[str]
    events: int
    shapes: Mapping[str, Table] = field(default_factory=dict)
    mappings: Mapping[str, str] = field(default_factory=dict)
    altered: Met | None = None
    halted: Met | None = None


class Ledger:
    """Reads and writes the stored position through the session that writes the rows."""

    def __init__(self, session: Session, capability: str, direction: Direction) -> None:
        self._session, self._id = session, (capability, str(direction))
        self._incomplete, self._copied = False, frozenset[str]()
        self._epoch = 0

    def take(self) -> None:
        """Make sure that no other worker writes this stream as long as this session lives, and that the tables are
        there. The lock is the session's: a worker that lost it has lost the session, and can't commit. Where a lock
        does not live as long as its session (a target that failed over, something in between), the epoch in the row
        of the position does the same: it grows here, and who has an older one can't write any more.

        Raises TakenError.
        """
        create_tables(self._session)
        with self._session.cursor() as cursor:
            cursor.execute("SELECT GET_LOCK(CONCAT('strangler:', MD5(%s)), 3)", ("/".join(self._id),))
            row = cursor.fetchone()
        if row is None or row[0] != 1:
            raise TakenError(
                f"another worker writes the stream {'/'.join(self._id)}: stop one (strangler ps shows this machine's)"
            )
        with self._session.cursor() as cursor:
            cursor.execute(f"SELECT epoch FROM {SCHEMA}.stream_position WHERE {_KEY} FOR UPDATE", self._id)
            found = cursor.fetchone()
            # Of the time, so that it differs even where there is no row yet; growing, whatever the clock does.
            self._epoch = max(int(found[0]) + 1 if found else 0, time.time_ns() // 1000)
            cursor.execute(f"UPDATE {SCHEMA}.stream_position SET epoch = %s WHERE {_KEY}", (self._epoch, *self._id))
        self._session.commit()

    def fence(self, cursor: Cursor) -> None:
        """In the caller's transaction: from here to its end nobody else can take the stream. Raises TakenError."""
        cursor.execute(f"SELECT epoch FROM {SCHEMA}.stream_position WHERE {_KEY} FOR UPDATE", self._id)
        found = cursor.fetchone()
        if found is None or int(found[0]) != self._epoch:
            raise TakenError(_TAKEN)

    def read(self) -> Stored | None:
        """None when the stream never began, or was forgotten. Raises HistoryLost."""
        with self._session.cursor() as cursor:
            cursor.execute(
                "SELECT p.source_offset, p.copied, p.events, h.history, p.altered, p.halted"
                f" FROM {SCHEMA}.stream_position p"
                f" LEFT JOIN {SCHEMA}.stream_history h USING (capability, direction) WHERE {_KEY}",
                self._id,
            )
            row = cursor.fetchone()
            cursor.execute(f"SELECT source_table, shape, mapping FROM {SCHEMA}.stream_table WHERE {_KEY}", self._id)
            tables = cursor.fetchall()
        self._session.commit()
        if row is None:
            return None
        if row[3] is None:
            raise HistoryLost(
                f"what the tables looked like at the stored position is lost ({SCHEMA}.stream_history has no row)"
            )
        return Stored(
            Resume(row[0], bytes(row[3])),
            frozenset(json.loads(row[1])),
            int(row[2]),
            {table: from_text(shape) for table, shape, _ in tables},
            {table: mapping for table, _, mapping in tables},
            _met(row[4]),
            _met(row[5]),
        )

    def begin(
        self, resume: Resume, shapes: Mapping[str, Table] | None = None, mappings: Mapping[str, str] | None = None
    ) -> None:
        """Store where the stream begins, before anything was copied, what the tables look like there and by what
        their rows are going to be made, and commit."""
        with self._session.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {SCHEMA}.stream_position WHERE {_KEY} AND epoch <= %s", (*self._id, self._epoch)
            )
            try:
                cursor.execute(
                    f"INSERT INTO {SCHEMA}.stream_position (capability, direction, source_offset, position, copied,"
                    " events, written_at, epoch) VALUES (%s, %s, %s, '', '[]', 0, UTC_TIMESTAMP(6), %s)",
                    (*self._id, resume.offset, self._epoch),
                )
            except pymysql.err.IntegrityError as error:
                raise TakenError(_TAKEN) from error
            for name in ("stream_copy", "stream_copy_chunk", "stream_table"):
                cursor.execute(f"DELETE FROM {SCHEMA}.{name} WHERE {_KEY}", self._id)
            self.keep_history(cursor, resume.history)
            for name, table in (shapes or {}).items():
                self.keep_shape(cursor, name, table, (mappings or {})[name])
        self._session.commit()

    def advance(self, cursor: Cursor, offset: str, position: Position, events: int) -> None:
        """In the caller's transaction: everything up to ``position`` is at the target, ``events`` more were applied.

        While a copy is incomplete, no position is told: rows that were there before are still missing.
        """
        changed = cursor.execute(
            f"UPDATE {SCHEMA}.stream_position SET source_offset = %s, position = %s, events = events + %s,"
            f" written_at = UTC_TIMESTAMP(6) WHERE {_KEY} AND epoch = %s",
            (offset, "" if self._incomplete else str(position), events, *self._id, self._epoch),
        )
        if changed != 1:
            raise TakenError(_TAKEN)

    def keep_history(self, cursor: Cursor, history: bytes) -> None:
        """In the caller's transaction."""
        cursor.execute(f"REPLACE INTO {SCHEMA}.stream_history VALUES (%s, %s, %s)", (*self._id, history))

    def keep_shape(self, cursor: Cursor, name: str, table: Table, mapping: str) -> None:
        """In the caller's transaction."""
        cursor.execute(
            f"REPLACE INTO {SCHEMA}.stream_table VALUES (%s, %s, %s, %s, %s)",
            (*self._id, name, to_text(table), mapping),
        )

    def drop_shape(self, cursor: Cursor, name: str) -> None:
        """In the caller's transaction: no table stands under this name."""
        cursor.execute(f"DELETE FROM {SCHEMA}.stream_table WHERE {_KEY} AND source_table = %s", (*self._id, name))

    def met(self, cursor: Cursor, met: Met) -> None:
        """In the caller's transaction: these schema changes are dealt with, should they come again."""
        cursor.execute(
            f"UPDATE {SCHEMA}.stream_position SET altered = %s, halted = NULL WHERE {_KEY}", (_text(met), *self._id)
        )

    def halt(self, met: Met) -> None:
        """The stream stops before this schema change, by choice. Commits."""
        with self._session.cursor() as cursor:
            self.fence(cursor)
            cursor.execute(f"UPDATE {SCHEMA}.stream_position SET halted = %s WHERE {_KEY}", (_text(met), *self._id))
        self._session.commit()

    def uncopied(self, cursor: Cursor, tables: Iterable[str]) -> None:
        """In the caller's transaction: these tables are to be copied, from their first rows on. Until the next run has
        done so, no position is told."""
        again = frozenset(tables)
        if not again:
            return
        self._incomplete = True
        cursor.execute(f"SELECT copied FROM {SCHEMA}.stream_position WHERE {_KEY}", self._id)
        row = cursor.fetchone()
        self._copied = frozenset(json.loads(row[0]) if row else ()) - again
        cursor.execute(
            f"UPDATE {SCHEMA}.stream_position SET copied = %s, position = '' WHERE {_KEY}",
            (json.dumps(sorted(self._copied)), *self._id),
        )
        for table in again:
            for name in ("stream_copy", "stream_copy_chunk"):
                cursor.execute(f"DELETE FROM {SCHEMA}.{name} WHERE {_KEY} AND source_table = %s", (*self._id, table))

    def copy_again(self, copied: frozenset[str], again: Iterable[str]) -> None:
        """Of the tables that are ``copied``, some are to be copied ``again``, from their first rows on. Commits."""
        with self._session.cursor() as cursor:
            for table in again:
                for name in ("stream_copy", "stream_copy_chunk"):
                    cursor.execute(
                        f"DELETE FROM {SCHEMA}.{name} WHERE {_KEY} AND source_table = %s", (*self._id, table)
                    )
        self.copying(copied - frozenset(again))

    def copying(self, copied: frozenset[str]) -> None:
        """Only these tables are copied so far: until ``complete``, no position is told. Commits."""
        self._incomplete, self._copied = True, copied
        with self._session.cursor() as cursor:
            self.fence(cursor)
            cursor.execute(
                f"UPDATE {SCHEMA}.stream_position SET copied = %s, position = '' WHERE {_KEY}",
                (json.dumps(sorted(copied)), *self._id),
            )
        self._session.commit()

    def add_copied(self, cursor: Cursor, table: str) -> None:
        """In the caller's transaction: one more table is copied."""
        self.fence(cursor)
        self._copied |= {table}
        cursor.execute(
            f"UPDATE {SCHEMA}.stream_position SET copied = %s WHERE {_KEY}",
            (json.dumps(sorted(self._copied)), *self._id),
        )

    def count_as_copied(self, tables: Iterable[str]) -> None:
        """These tables need no copy: the target has their rows. Commits."""
        with self._session.cursor() as cursor:
            self.fence(cursor)
            cursor.execute(
                f"UPDATE {SCHEMA}.stream_position SET copied = %s WHERE {_KEY}", (json.dumps(sorted(tables)), *self._id)
            )
        self._session.commit()

    def complete(self) -> None:
        """All tables are copied: the next position is told."""
        self._incomplete = False

    def forget(self) -> None:
        """Drop the position, the history and what is in quarantine, and commit. Rows at the target stay."""
        with self._session.cursor() as cursor:
            dropped = cursor.execute(f"DELETE FROM {SCHEMA}.quarantine WHERE {_KEY}", self._id)
            cursor.execute(f"DELETE FROM {SCHEMA}.stream_position WHERE {_KEY}", self._id)
            for name in ("stream_history", "stream_copy", "stream_copy_chunk", "stream_table"):
                cursor.execute(f"DELETE FROM {SCHEMA}.{name} WHERE {_KEY}", self._id)
        self._session.commit()
        if dropped:
            log.warning("quarantine.forgotten", capability=self._id[0], events=dropped, why="the stream was forgotten")


def _met(text: str | None) -> Met | None:
    if text is None:
        return None
    raw = json.loads(text)
    return Met(raw["place"], tuple(raw["statements"]), int(raw["asked"]))


def _text(met: Met) -> str:
    return json.dumps({"place": met.place, "statements": met.statements, "asked": met.asked})
