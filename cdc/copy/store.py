"""How far the copy of a table is, kept at the target in the same transactions as the chunks' rows.

One row per table that is being copied, one per chunk that is done. ``owner`` is a token of the run that copies: every
chunk's transaction reads it with a lock, so that a run that was thought dead can't write into its successor's copy.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from pymysql.cursors import Cursor

from cdc.copy.progress import Chunk
from cdc.ledger import TakenError
from cdc.ranges import Bound, KeyRange
from cdc.session import Session
from cdc.state import SCHEMA, Direction

_KEY = "capability = %s AND direction = %s AND source_table = %s"


@dataclass(frozen=True)
class Begun:
    """A copy that was begun: what it depended on, which target tables were empty then, which are to be swept at the
    end, and the chunks that are done with their rows."""

    signature: str
    sweeps: tuple[str, ...]
    done: tuple[Chunk, ...]
    rows: int


class CopyStore:
    """Statements on the copy's tables for one stream."""

    def __init__(self, capability: str, direction: Direction, owner: str) -> None:
        self._id, self._owner = (capability, str(direction)), owner

    def read(self, session: Session, table: str) -> Begun | None:
        with session.cursor() as cursor:
            cursor.execute(
                f"SELECT signature, sweeps FROM {SCHEMA}.stream_copy WHERE {_KEY} FOR UPDATE", (*self._id, table)
            )
            row = cursor.fetchone()
            cursor.execute(
                f"SELECT chunk, keys_after, keys_through, rows_copied FROM {SCHEMA}.stream_copy_chunk WHERE {_KEY}",
                (*self._id, table),
            )
            chunks = cursor.fetchall()
        if row is None:
            return None
        done = tuple(Chunk(table, int(c[0]), KeyRange(_bound(c[1]), _bound(c[2]))) for c in chunks)
        return Begun(str(row[0]), tuple(json.loads(row[1])), done, sum(int(c[3]) for c in chunks))

    def take(self, session: Session, table: str) -> None:
        """This run copies the table from now on. Waits for a chunk that another run is just committing."""
        with session.cursor() as cursor:
            cursor.execute(f"UPDATE {SCHEMA}.stream_copy SET owner = %s WHERE {_KEY}", (self._owner, *self._id, table))

    def begin(self, cursor: Cursor, table: str, signature: str, sweeps: tuple[str, ...]) -> None:
        """In the caller's transaction: the copy of the table begins at its first row."""
        self.forget(cursor, table)
        cursor.execute(
            f"INSERT INTO {SCHEMA}.stream_copy (capability, direction, source_table, owner, signature, sweeps)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (*self._id, table, self._owner, signature, json.dumps(sweeps)),
        )

    def check_owner(self, cursor: Cursor, table: str) -> None:
        """In a chunk's transaction, before its rows. Raises TakenError."""
        cursor.execute(f"SELECT owner FROM {SCHEMA}.stream_copy WHERE {_KEY} LOCK IN SHARE MODE", (*self._id, table))
        row = cursor.fetchone()
        if row is None or row[0] != self._owner:
            raise TakenError(f"another worker copies {table} of the stream {'/'.join(self._id)}")

    def done(self, cursor: Cursor, chunk: Chunk, rows: int) -> None:
        """In the chunk's transaction."""
        cursor.execute(
            f"INSERT INTO {SCHEMA}.stream_copy_chunk VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (*self._id, chunk.table, chunk.number, _text(chunk.keys.after), _text(chunk.keys.through), rows),
        )

    def forget(self, cursor: Cursor, table: str) -> None:
        """In the caller's transaction: the table's copy is complete, or is to begin anew."""
        for name in ("stream_copy", "stream_copy_chunk"):
            cursor.execute(f"DELETE FROM {SCHEMA}.{name} WHERE {_KEY}", (*self._id, table))


def _bound(text: str | None) -> Bound | None:
    return None if text is None else tuple(json.loads(text))


def _text(bound: Bound | None) -> str | None:
    return None if bound is None else json.dumps(bound)
