"""Rows into a table at bulk speed: LOAD DATA LOCAL where the server allows it, multi-row INSERT where it does not."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pymysql
from sqlalchemy.engine import make_url

Row = Sequence[Any]

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_INSERT_ROWS = 1_000


class Loader:
    """One connection; every ``load`` is one transaction. Checks of foreign and unique keys are off: the rows are ours.

    ``progress(table, rows)`` is called after each piece.
    """

    def __init__(self, url: str, progress: Callable[[str, int], None] = lambda table, rows: None) -> None:
        parts = make_url(url)
        self._connection = pymysql.connect(
            host=parts.host or "127.0.0.1",
            port=parts.port or 3306,
            user=parts.username,
            password=parts.password or "",
            database=parts.database,
            charset="utf8mb4",
            local_infile=True,
            autocommit=False,
        )
        self.progress = progress
        self.execute("SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_mode = 'STRICT_ALL_TABLES'")
        self._local_infile = bool(self.execute("SELECT @@local_infile")[0][0])

    def execute(self, statement: str, arguments: Row = ()) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, arguments or None)
            return list(cursor.fetchall())

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
        """How many rows there were; all are in, or none."""
        if self._local_infile:
            count = self._load_file(table, columns, rows)
        else:
            count = self._insert(table, columns, list(rows))
        self._connection.commit()
        if count:
            self.progress(table, count)
        return count

    def close(self) -> None:
        self._connection.close()

    def _load_file(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
        lines = [encode(row) for row in rows]
        if not lines:
            return 0
        descriptor, path = tempfile.mkstemp(prefix="seed-", suffix=".tsv")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.writelines(lines)
            with self._connection.cursor() as cursor:
                loaded = cursor.execute(
                    f"LOAD DATA LOCAL INFILE %s INTO TABLE {table} CHARACTER SET utf8mb4 ({', '.join(columns)})",
                    (path,),
                )
        finally:
            Path(path).unlink()
        if loaded != len(lines):
            # LOCAL turns duplicate keys into warnings
            raise RuntimeError(f"{table}: {loaded} of {len(lines)} rows were loaded; is the table empty?")
        return loaded

    def _insert(self, table: str, columns: Sequence[str], rows: list[Row]) -> int:
        places = ", ".join(["%s"] * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
        with self._connection.cursor() as cursor:
            for first in range(0, len(rows), _INSERT_ROWS):
                cursor.executemany(statement, rows[first : first + _INSERT_ROWS])
        return len(rows)


def encode(row: Row) -> str:
    """A line of LOAD DATA's default format."""
    return "\t".join([_field(value) for value in row]) + "\n"


def _field(value: Any) -> str:
    if value is None:
        return "\\N"
    if type(value) is str:
        return value.translate(_ESCAPES) if "\\" in value or "\n" in value or "\t" in value or "\r" in value else value
    if type(value) is datetime:
        return value.isoformat(" ")
    return str(value)
