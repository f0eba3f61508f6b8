"""Rows of the target that the source does not have (of an older copy, or strays), and how they are swept away.

Before a copy begins, the keys of all rows that are there are noted in a table of their own. Whatever writes a row from
then on, a chunk or the stream, strikes its key out. What is left at the end is at the source no more.
"""

from __future__ import annotations

import zlib

from pymysql.cursors import Cursor

from cdc.apply.stage import quoted
from cdc.apply.write import Writer
from cdc.state import SCHEMA

BATCH_ROWS = 10_000


def name_of(stream: str, table: str) -> str:
    """The table that notes the keys of target table ``table``; one per stream."""
    number = zlib.crc32(f"{stream}/{table}".encode())
    return f"{SCHEMA}.`copy_left_{number:08x}`"


class Sweep:
    def __init__(self, stream: str, writer: Writer) -> None:
        self.writer, self.name = writer, name_of(stream, writer.mapping.table)
        self._keys = ", ".join(quoted(column.name) for column in writer.key_columns)

    def has_rows(self, cursor: Cursor) -> bool:
        cursor.execute(f"SELECT 1 FROM {quoted(self.writer.mapping.table)} LIMIT 1")
        return cursor.fetchone() is not None

    def create(self, cursor: Cursor) -> None:
        """Commits by itself."""
        columns = []
        for column in self.writer.key_columns:
            charset = f" CHARACTER SET {column.charset} COLLATE {column.collation}" if column.charset else ""
            columns.append(f"{quoted(column.name)} {column.full_type}{charset} NOT NULL")
        cursor.execute(f"DROP TABLE IF EXISTS {self.name}")
        cursor.execute(f"CREATE TABLE {self.name} ({', '.join(columns)}, PRIMARY KEY ({self._keys})) ENGINE=InnoDB")

    def note(self, cursor: Cursor) -> None:
        """All keys that are there, in the caller's transaction. (A key with a NULL in it is no mapping's.)"""
        whole = " AND ".join(f"{quoted(column.name)} IS NOT NULL" for column in self.writer.key_columns)
        table = quoted(self.writer.mapping.table)
        cursor.execute(f"INSERT INTO {self.name} SELECT {self._keys} FROM {table} WHERE {whole}")

    def some(self, cursor: Cursor) -> bool:
        """Delete some of the rows that are left, in the caller's transaction; False when there are none."""
        some = f"SELECT {self._keys} FROM {self.name} ORDER BY {self._keys} LIMIT {BATCH_ROWS}"
        same = " AND ".join(f"c.{quoted(c.name)} = t.{quoted(c.name)}" for c in self.writer.key_columns)
        cursor.execute(f"DELETE t FROM ({some}) c STRAIGHT_JOIN {quoted(self.writer.mapping.table)} t ON {same}")
        cursor.execute(f"DELETE FROM {self.name} ORDER BY {self._keys} LIMIT {BATCH_ROWS}")
        return bool(cursor.rowcount)

    def drop(self, cursor: Cursor) -> None:
        """Commits by itself."""
        cursor.execute(f"DROP TABLE IF EXISTS {self.name}")
