"""What a table looks like, read from information_schema: columns, unique keys, how many rows about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cdc.server import Server
from cdc.session import Session


@dataclass(frozen=True)
class Column:
    """One column. ``type`` is the bare type in lower case (``varchar``), ``full_type`` as the server writes it.

    ``length`` counts characters of text and bytes of binary types; ``precision`` is digits of a number, or fractional
    digits of a time. ``is_json`` is also true of MariaDB's JSON, which is LONGTEXT with a JSON_VALID check.
    ``default`` is as the server writes it. ``zeros``: a date that may be a zero date (see ``cdc.zero_dates``).
    """

    name: str
    type: str
    full_type: str
    nullable: bool
    has_default: bool
    generated: bool
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    charset: str | None = None
    collation: str | None = None
    is_json: bool = False
    default: str | None = None
    zeros: bool = False

    @property
    def unsigned(self) -> bool:
        return "unsigned" in self.full_type

    @property
    def members(self) -> tuple[str, ...]:
        """The values of an ENUM or SET; empty for other types."""
        if self.type not in ("enum", "set"):
            return ()
        return tuple(word.replace("''", "'") for word in re.findall(r"'((?:[^']|'')*)'", self.full_type))


@dataclass(frozen=True)
class UniqueKey:
    """A unique index over whole columns. ``primary`` is True for the primary key."""

    name: str
    columns: tuple[str, ...]

    @property
    def primary(self) -> bool:
        return self.name == "PRIMARY"


@dataclass(frozen=True)
class Table:
    """One table. ``rows_about`` is the server's estimate; ``indexes`` are the columns of indexes on whole columns."""

    name: str
    columns: dict[str, Column]
    unique_keys: tuple[UniqueKey, ...]
    indexes: tuple[tuple[str, ...], ...]
    rows_about: int

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Empty when the table has none."""
        return next((key.columns for key in self.unique_keys if key.primary), ())

    @property
    def walk_key(self) -> tuple[str, ...]:
        """The columns that order all rows without ties: the primary key, else a unique key without NULLs, else none."""
        if self.primary_key:
            return self.primary_key
        sure = (k.columns for k in self.unique_keys if not any(self.columns[c].nullable for c in k.columns))
        return next(sure, ())


def table_names(session: Session) -> list[str]:
    """Base tables of the session's schema."""
    return [str(row[0]) for row in _rows(session, _TABLES)]


def read_table(session: Session, name: str, server: Server) -> Table | None:
    """The table of that name in the session's schema; None when there is none (a view counts as none)."""
    found = _rows(session, _TABLES + " AND TABLE_NAME = %s", (name,))
    if not found:
        return None
    json_checked = _json_checked(session, name) if server.mariadb else frozenset()
    columns = {}
    for row in _rows(session, _COLUMNS, (name,)):
        column = _column(row, json_checked)
        columns[column.name] = column
    unique: dict[str, list[str]] = {}
    plain: dict[str, list[str]] = {}
    partial: set[str] = set()
    for index, non_unique, column_name, sub_part in _rows(session, _INDEXES, (name,)):
        if column_name is None or sub_part is not None:
            partial.add(index)
            continue
        plain.setdefault(index, []).append(column_name)
        if not non_unique:
            unique.setdefault(index, []).append(column_name)
    return Table(
        str(found[0][0]),
        columns,
        tuple(UniqueKey(index, tuple(names)) for index, names in unique.items() if index not in partial),
        tuple(tuple(names) for index, names in plain.items() if index not in partial),
        int(found[0][1] or 0),
    )


_TABLES = (
    "SELECT TABLE_NAME, TABLE_ROWS FROM information_schema.TABLES"
    " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')"
)
_COLUMNS = (
    "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, CHARACTER_MAXIMUM_LENGTH,"
    " NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION, CHARACTER_SET_NAME, COLLATION_NAME, GENERATION_EXPRESSION"
    " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION"
)
_INDEXES = (
    "SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS"
    " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s AND INDEX_TYPE = 'BTREE'"
    " ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX"
)
_CHECKS = (
    "SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS"
    " WHERE CONSTRAINT_SCHEMA = DATABASE() AND TABLE_NAME = %s"
)


def _column(row: tuple[Any, ...], json_checked: frozenset[str]) -> Column:
    name, kind, full, nullable, default, extra, length, precision, scale, fraction, charset, collation, made = row
    extras = str(extra or "").lower()
    return Column(
        name=str(name),
        type=str(kind).lower(),
        full_type=str(full).lower() if str(kind).lower() not in ("enum", "set") else str(full),
        nullable=nullable == "YES",
        has_default=default is not None or "auto_increment" in extras or nullable == "YES",
        generated=bool(made) or "virtual generated" in extras or "stored generated" in extras,
        length=_number(length),
        precision=_number(precision if precision is not None else fraction),
        scale=_number(scale),
        charset=None if charset is None else str(charset),
        collation=None if collation is None else str(collation),
        is_json=str(kind).lower() == "json" or str(name).lower() in json_checked,
        default=None if default is None else str(default),
    )


def _json_checked(session: Session, table: str) -> frozenset[str]:
    clauses: Iterable[str] = (str(row[0]) for row in _rows(session, _CHECKS, (table,)))
    found = (re.fullmatch(r"\s*json_valid\(`(.+)`\)\s*", clause, re.IGNORECASE) for clause in clauses)
    return frozenset(match.group(1).lower() for match in found if match)


def _number(value: object) -> int | None:
    return None if value is None else int(str(value))


def _rows(session: Session, sql: str, arguments: tuple[object, ...] | None = None) -> list[tuple[Any, ...]]:
    with session.cursor() as cursor:
        cursor.execute(sql, arguments)
        return list(cursor.fetchall())
