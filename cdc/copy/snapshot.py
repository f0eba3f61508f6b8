"""A consistent view of the source's tables, and the binlog position it was taken at.

The tables are locked for reading for the moment it takes to open the view and read the position, so that no write to
them can fall between the two. Writers wait meanwhile, a few milliseconds plus whatever the longest open transaction on
these tables still takes; the lock gives up after two seconds and tries again, so that no queue builds up behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pymysql
from pymysql.cursors import SSCursor
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random

from cdc.apply.stage import quoted
from cdc.database import Database
from cdc.position import Position
from cdc.server import read_position
from cdc.session import Session, open_session

_LOCK_SECONDS = 2
_LOCK_ATTEMPTS = 30
_LONG_SECONDS = 7200


@dataclass(frozen=True)
class Snapshot:
    """``position`` is the last transaction that the view contains."""

    session: Session
    position: Position

    def rows(self, table: str, text: str, key: Sequence[str], chunk: int) -> Iterator[list[str]]:
        """The table in the order of its key, in chunks: for each row the text that the SQL expression ``text`` makes.

        One streamed statement: the server keeps no result, and the view makes the chunks one moment.
        """
        order = ", ".join(quoted(column) for column in key)
        with self.session.cursor(SSCursor) as cursor:
            cursor.execute(f"SELECT {text} FROM {quoted(table)} ORDER BY {order}")
            while rows := cursor.fetchmany(chunk):
                yield [row[0] for row in rows]

    def count(self, table: str) -> int:
        with self.session.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM {quoted(table)}")
            row = cursor.fetchone()
        return int(row[0]) if row else 0


@contextmanager
def snapshot(source: Database, tables: Sequence[str]) -> Iterator[Snapshot]:
    """Open the view; it lasts as long as the block. Raises pymysql.err.MySQLError, also when no lock was had."""
    with open_session(source) as session:
        with session.cursor() as cursor:
            cursor.execute(f"SET SESSION net_write_timeout = {_LONG_SECONDS}")
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield Snapshot(session, _open_view(source, session, tables))
        session.rollback()


def _open_view(source: Database, session: Session, tables: Sequence[str]) -> Position:
    attempts = Retrying(
        stop=stop_after_attempt(_LOCK_ATTEMPTS),
        wait=wait_random(0.2, 1.0),
        retry=retry_if_exception(_lock_timeout),
        reraise=True,
    )
    with open_session(source) as locker, locker.cursor() as cursor:
        cursor.execute(f"SET SESSION lock_wait_timeout = {_LOCK_SECONDS}")
        attempts(cursor.execute, "LOCK TABLES " + ", ".join(f"{quoted(table)} READ" for table in tables))
        with session.cursor() as view:
            view.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        position = read_position(locker)
        cursor.execute("UNLOCK TABLES")
    return position


def _lock_timeout(error: BaseException) -> bool:
    return isinstance(error, pymysql.err.OperationalError) and error.args[0] == 1205
