"""Staging: temporary tables with the legacy table's columns, in the applier's own session on the target.

Two per source table: ``after`` holds rows as they are now, ``before`` old images of rows that are gone or whose key
changed. MySQL opens a temporary table only once a statement, and a temporary table can't be made or truncated inside
a transaction: so they are made once per session, emptied by DELETE, and each is read alone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pymysql.cursors import Cursor

from cdc.apply.identity import unescaped
from cdc.conversion import Conversion, conversion
from cdc.schema import Column, Table

Name: TypeAlias = str
# LOAD DATA makes room for a value 4 kB at a time and copies what it has each time: a row of 64 MB takes it a minute.
LARGE_BYTES = 1 << 20
PIECE_LETTERS = 2 << 20  # at most 8 MB: less than any server takes in one statement


class StagingError(Exception):
    """Values did not fit the staging table: they are not what the legacy column's type says."""


@dataclass(frozen=True)
class StagedColumn:
    column: Column
    how: Conversion

    @property
    def name(self) -> str:
        return quoted(self.column.name)


@dataclass(frozen=True)
class Staging:
    """The staging tables of one source table, of the columns that the mapping uses."""

    number: int
    table: str
    columns: tuple[StagedColumn, ...]

    @classmethod
    def of(cls, number: int, table: Table, used: Sequence[str]) -> Staging:
        """Raises Unsupported for a used column of a type that can't be carried; ``cdc.carried`` says so earlier."""
        staged = (StagedColumn(table.columns[name], conversion(table.columns[name])) for name in used)
        return cls(number, table.name, tuple(staged))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.column.name for column in self.columns)

    @property
    def after(self) -> Name:
        return f"`strangler_after_{self.number}`"

    @property
    def before(self) -> Name:
        return f"`strangler_before_{self.number}`"

    def create(self, cursor: Cursor) -> None:
        """Make both tables, empty. Not inside a transaction."""
        columns = ", ".join(f"{column.name} {column.how.staged} NULL DEFAULT NULL" for column in self.columns)
        for name in (self.after, self.before):
            cursor.execute(f"DROP TEMPORARY TABLE IF EXISTS {name}")
            cursor.execute(
                f"CREATE TEMPORARY TABLE {name} (`strangler_row` INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
                f" {columns}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
            )

    def load(self, cursor: Cursor, name: Name, text: bytes, *, copied: bool = False) -> None:
        """Append rows: ``text`` as ``load_text`` makes it, or of the copy's SELECT when ``copied``. Raises StagingError
        with the server's words when a value does not fit: LOAD DATA LOCAL would only warn."""
        small, large = _apart(text)
        if small:
            self._load(cursor, name, small, copied)
        for line in large:
            self._insert(cursor, name, line, copied)

    def _load(self, cursor: Cursor, name: Name, text: bytes, copied: bool) -> None:
        places, assignments = [], []
        for index, column in enumerate(self.columns):
            made = column.how.copied if copied else column.how.envelope
            places.append(f"@c{index}" if made else column.name)
            if made:
                assignments.append(f"{column.name} = {made.format(v=f'@c{index}')}")
        into = (
            f"INTO TABLE {name} CHARACTER SET utf8mb4"
            " FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n'"
            f" ({', '.join(places)})" + (f" SET {', '.join(assignments)}" if assignments else "")
        )
        load_local(cursor, text, into)

    def _insert(self, cursor: Cursor, name: Name, line: bytes, copied: bool) -> None:
        """One row, by the same variables as LOAD DATA's; a large one in pieces."""
        made = []
        for index, (column, cell) in enumerate(zip(self.columns, line.split(b"\t"), strict=True)):
            variable, how = f"@c{index}", column.how.copied if copied else column.how.envelope
            made.append(how.format(v=variable) if how else variable)
            _set(cursor, variable, cell)
        columns = ", ".join(column.name for column in self.columns)
        cursor.execute(f"INSERT INTO {name} ({columns}) VALUES ({', '.join(made)})")
        _no_warnings(cursor)
        cursor.execute("SET " + ", ".join(f"@c{index} = NULL" for index in range(len(self.columns))))

    def empty(self, cursor: Cursor) -> None:
        """Inside a transaction."""
        cursor.execute(f"DELETE FROM {self.after}")
        cursor.execute(f"DELETE FROM {self.before}")

    def select(self) -> str:
        """One column per row, of the legacy table: the text ``load`` takes when ``copied``, without the newline."""
        cells = (f"COALESCE({c.how.select.format(c=c.name)}, '\\\\N')" for c in self.columns)
        return f"CONCAT_WS('\\t', {', '.join(cells)})"


def load_local(cursor: Cursor, text: bytes, into: str) -> None:
    """LOAD DATA LOCAL of ``text``, from memory. Raises StagingError on any warning of the server's."""
    descriptor = os.memfd_create("strangler")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(text)
        os.lseek(descriptor, 0, os.SEEK_SET)
        cursor.execute(f"LOAD DATA LOCAL INFILE '/proc/self/fd/{descriptor}' {into}")
    finally:
        os.close(descriptor)
    _no_warnings(cursor)


def _apart(text: bytes) -> tuple[bytes, list[bytes]]:
    """The lines of rows that LOAD DATA may have, and those that are too large for it."""
    if len(text) <= LARGE_BYTES:
        return text, []
    lines = text.split(b"\n")[:-1]
    if max(map(len, lines)) <= LARGE_BYTES:
        return text, []
    small = [line for line in lines if len(line) <= LARGE_BYTES]
    return b"".join(line + b"\n" for line in small), [line for line in lines if len(line) > LARGE_BYTES]


def _set(cursor: Cursor, variable: str, cell: bytes) -> None:
    value = None if cell == b"\\N" else unescaped(cell.decode("utf-8"))
    cursor.execute(f"SET {variable} = %s", (None if value is None else value[:PIECE_LETTERS],))
    for start in range(PIECE_LETTERS, len(value or ""), PIECE_LETTERS):
        cursor.execute(f"SET {variable} = CONCAT({variable}, %s)", ((value or "")[start : start + PIECE_LETTERS],))
        _no_warnings(cursor)


def _no_warnings(cursor: Cursor) -> None:
    if cursor.warning_count:
        cursor.execute("SHOW WARNINGS LIMIT 3")
        said = "; ".join(str(warning[-1]) for warning in cursor.fetchall())
        raise StagingError(f"values of the stream do not fit the legacy table's columns: {said}")


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
