"""Keys that a stream has touched of late, kept where its rows are while somebody watches: for the delta check."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from pymysql.cursors import Cursor

from cdc.event import Change
from cdc.ownership.row import change as run
from cdc.session import Session
from cdc.state import SCHEMA, Direction

KEPT = 10_000
"""So many of one table; older ones make room."""
_OF = "capability = %s AND direction = %s"


def note(
    cursor: Cursor,
    capability: str,
    direction: Direction,
    changes: Sequence[Change],
    keys: Mapping[str, tuple[str, ...]],
) -> None:
    """In the caller's transaction: these changes' keys, as the envelope has them, are the newest."""
    newest: dict[tuple[str, str], None] = {}
    for change in changes:
        columns = keys.get(change.table)
        row = change.before if change.op == "d" else change.after
        if columns is None or row is None:
            continue
        one = (change.table, json.dumps({name: row.get(name) for name in columns}, ensure_ascii=False))
        newest.pop(one, None)
        newest[one] = None
    some = list(newest)[-KEPT:]
    if not some:
        return
    rows = [
        (capability, str(direction), table, hashlib.md5(text.encode(), usedforsecurity=False).digest(), text)
        for table, text in some
    ]
    cursor.executemany(
        f"REPLACE INTO {SCHEMA}.stream_recent (capability, direction, source_table, key_digest, key_json)"
        " VALUES (%s, %s, %s, %s, %s)",
        rows,
    )
    for table in {table for table, _ in some}:
        cursor.execute(
            f"SELECT id FROM {SCHEMA}.stream_recent WHERE {_OF} AND source_table = %s ORDER BY id DESC"
            f" LIMIT 1 OFFSET {KEPT}",
            (capability, str(direction), table),
        )
        if (last := cursor.fetchone()) is not None:
            cursor.execute(
                f"DELETE FROM {SCHEMA}.stream_recent WHERE {_OF} AND source_table = %s AND id <= %s",
                (capability, str(direction), table, last[0]),
            )


def recent(session: Session, capability: str, direction: Direction) -> dict[str, list[dict[str, object]]]:
    """By source table the keys that were noted, newest first, as the envelope has their values."""
    found: dict[str, list[dict[str, object]]] = {}
    with session.cursor() as cursor:
        cursor.execute(
            f"SELECT source_table, key_json FROM {SCHEMA}.stream_recent WHERE {_OF} ORDER BY id DESC",
            (capability, str(direction)),
        )
        for table, text in cursor.fetchall():
            found.setdefault(str(table), []).append(json.loads(text))
    session.rollback()
    return found


def forget_recent(session: Session, capability: str, direction: Direction) -> None:
    """Begin to note anew. Commits."""
    run(session, f"DELETE FROM {SCHEMA}.stream_recent WHERE {_OF}", (capability, str(direction)))
