"""The position of one stream, kept at the target in the same transactions as its rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pymysql.cursors import Cursor

from cdc.position import Position
from cdc.session import Session
from cdc.source.port import Resume
from cdc.state import SCHEMA, Direction, create_tables

_KEY = "capability = %s AND direction = %s"


class TakenError(Exception):
    """Another worker writes this stream."""


@dataclass(frozen=True)
class Stored:
    """``copied`` gives per source table the position that its copy was taken at; ``events`` counts those applied."""

    resume: Resume
    copied: Mapping[str, Position]
    events: int


class Ledger:
    """Reads and writes the stored position through the session that writes the rows."""

    def __init__(self, session: Session, capability: str, direction: Direction) -> None:
        self._session, self._id = session, (capability, str(direction))

    def take(self) -> None:
        """Make sure that no other worker writes this stream as long as this session lives, and that the tables are
        there. The lock is the session's: a worker that lost it has lost the session, and can't commit.

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

    def read(self) -> Stored | None:
        """None when the stream never began, or was forgotten."""
        with self._session.cursor() as cursor:
            cursor.execute(
                f"SELECT p.source_offset, p.copied, p.events, h.history FROM {SCHEMA}.stream_position p"
                f" JOIN {SCHEMA}.stream_history h USING (capability, direction) WHERE {_KEY}",
                self._id,
            )
            row = cursor.fetchone()
        self._session.commit()
        if row is None:
            return None
        copied = {table: Position.parse(text) for table, text in json.loads(row[1]).items()}
        return Stored(Resume(row[0], bytes(row[3])), copied, int(row[2]))

    def begin(self, resume: Resume) -> None:
        """Store where the stream begins, before anything was copied, and commit."""
        with self._session.cursor() as cursor:
            cursor.execute(
                f"REPLACE INTO {SCHEMA}.stream_position (capability, direction, source_offset, position, copied,"
                " events, written_at) VALUES (%s, %s, %s, '', '{}', 0, UTC_TIMESTAMP(6))",
                (*self._id, resume.offset),
            )
            self.keep_history(cursor, resume.history)
        self._session.commit()

    def advance(self, cursor: Cursor, offset: str, position: Position, events: int) -> None:
        """In the caller's transaction: everything up to ``position`` is at the target, ``events`` more were applied."""
        changed = cursor.execute(
            f"UPDATE {SCHEMA}.stream_position SET source_offset = %s, position = %s, events = events + %s,"
            f" written_at = UTC_TIMESTAMP(6) WHERE {_KEY}",
            (offset, str(position), events, *self._id),
        )
        if changed != 1:
            raise TakenError("the stream's stored position is gone: somebody forgot it while it ran")

    def keep_history(self, cursor: Cursor, history: bytes) -> None:
        """In the caller's transaction."""
        cursor.execute(f"REPLACE INTO {SCHEMA}.stream_history VALUES (%s, %s, %s)", (*self._id, history))

    def copied(self, copied: Mapping[str, Position]) -> None:
        """These tables' copies are complete, taken at these positions; commits."""
        text = json.dumps({table: str(position) for table, position in copied.items()})
        with self._session.cursor() as cursor:
            cursor.execute(f"UPDATE {SCHEMA}.stream_position SET copied = %s WHERE {_KEY}", (text, *self._id))
        self._session.commit()

    def forget(self) -> None:
        """Drop the position and the history, and commit. Rows at the target stay."""
        with self._session.cursor() as cursor:
            cursor.execute(f"DELETE FROM {SCHEMA}.stream_position WHERE {_KEY}", self._id)
            cursor.execute(f"DELETE FROM {SCHEMA}.stream_history WHERE {_KEY}", self._id)
        self._session.commit()
