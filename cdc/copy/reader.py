"""Chunks read at the source: one statement each, in its own moment, through the primary key; no lock, no long view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pymysql.cursors import Cursor, SSCursor

from cdc.apply.stage import quoted
from cdc.copy.key import bound, key_columns, shown
from cdc.database import Database
from cdc.ranges import Bound, KeyRange
from cdc.schema import Table
from cdc.server import Server
from cdc.session import Session, open_session

PIECE_BYTES = 4 << 20
_LONG_SECONDS = 7200


class CopyError(Exception):
    """A row can't be copied."""


class Reader:
    """One session on the source. Not for use from several threads. All methods raise pymysql.err.MySQLError."""

    def __init__(self, source: Database) -> None:
        self.session: Session = open_session(source, use_unicode=False)
        self.session.autocommit(True)
        with self.session.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
            cursor.execute(f"SET SESSION net_write_timeout = {_LONG_SECONDS}")
            cursor.execute("SET SESSION group_concat_max_len = @@max_allowed_packet")
            cursor.execute("SELECT VERSION()")
            (version,) = cursor.fetchone() or (b"",)
            if not Server.parse(bytes(version).decode()).mariadb:
                cursor.execute("SET SESSION information_schema_stats_expiry = 0")

    def size_about(self, table: str) -> tuple[int, int]:
        """The server's estimate: rows, and bytes of one (0 when there are none, or it does not know)."""
        found = self._one(
            "SELECT TABLE_ROWS, AVG_ROW_LENGTH FROM information_schema.TABLES"
            " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s",
            (table,),
        )
        return (int(found[0] or 0), int(found[1] or 0)) if found else (0, 0)

    def bound(self, table: Table, keys: KeyRange, rows: int) -> Bound | None:
        """The key of the ``rows``-th row of the range; None when it has no more than that.

        Counted from the range's own beginning through the index, so that every chunk costs the same.
        """
        columns = key_columns(table)
        names = [quoted(column.name) for column in columns]
        found = self._one(
            f"SELECT {', '.join(map(shown, columns))} FROM {selected_from(table, keys)} ORDER BY {', '.join(names)}"
            f" LIMIT 1 OFFSET {rows - 1}"
        )
        return None if found is None else bound(columns, [bytes(text).decode("ascii") for text in found])

    def read(self, table: Table, text: str, keys: KeyRange) -> Iterator[tuple[int, bytes]]:
        """The rows of the range as LOAD DATA's lines (``text`` is the SQL of one), in pieces: how many, and the lines.

        Raises CopyError for a row that is larger than the source may send.
        """
        whole = self._whole(table, text, keys)
        if whole is not None:
            yield from ([whole] if whole[0] else [])
            return
        with self.session.cursor(SSCursor) as cursor:
            cursor.execute(f"SELECT {text} FROM {selected_from(table, keys)}")
            lines, size = list[bytes](), 0
            for (line,) in cursor:
                if line is None:
                    raise CopyError(
                        f"{table.name}: a row is larger than the source's max_allowed_packet and can't be read whole"
                    )
                lines.append(line)
                size += len(line)
                if size >= PIECE_BYTES:
                    yield len(lines), b"\n".join(lines) + b"\n"
                    lines, size = [], 0
            if lines:
                yield len(lines), b"\n".join(lines) + b"\n"

    def _whole(self, table: Table, text: str, keys: KeyRange) -> tuple[int, bytes] | None:
        """All lines at once, joined by the server, which costs a tenth of taking them one by one; None when they are
        more than a packet may hold."""
        with self.session.cursor(Cursor) as cursor:
            cursor.execute(f"SELECT COUNT(*), GROUP_CONCAT({text} SEPARATOR '\\n') FROM {selected_from(table, keys)}")
            row = cursor.fetchone()
            assert row is not None
            count, lines = int(row[0]), row[1]
            if count == 0:
                return 0, b""
            # newlines inside values are escaped; a row that is too large is NULL, and left out of the text
            if cursor.warning_count or lines is None or lines.count(b"\n") + 1 != count:
                return None
            return count, bytes(lines) + b"\n"

    def close(self) -> None:
        if self.session.open:
            self.session.close()

    def _one(self, sql: str, values: Any = None) -> tuple[Any, ...] | None:
        with self.session.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchone()


def selected_from(table: Table, keys: KeyRange) -> str:
    """What follows FROM: by the primary key, whatever the optimizer thinks of it."""
    names = [quoted(name) for name in table.primary_key]
    return f"{quoted(table.name)} FORCE INDEX (PRIMARY) WHERE {keys.predicate(names)}"
