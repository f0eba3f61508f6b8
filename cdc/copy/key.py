"""Keys of a source table as SQL literals: text that the server writes, in a form that compares exactly as the column.

Pure. A literal of text carries the column's own character set and the very bytes, so that the column's collation
decides, and its index serves. ENUM, SET, BIT and YEAR are compared as the numbers that they are ordered by.
"""

from __future__ import annotations

from collections.abc import Sequence

from cdc.ranges import Bound
from cdc.schema import Column, Table

_WHOLE = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "decimal"})
_NUMBERED = frozenset({"year", "bit", "enum", "set"})
_REAL = frozenset({"float", "double"})
_BYTES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
_LETTERS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"})


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def shown(column: Column) -> str:
    """SQL for the text that ``literal`` takes: ASCII, never NULL for a column of a primary key."""
    name = quoted(column.name)
    if column.type in _BYTES or column.type in _LETTERS:
        return f"HEX({name})"
    if column.type in _NUMBERED:
        return f"CONCAT({name} + 0)"
    if column.type in _REAL:
        return f"CONCAT({name} + 0e0)"
    return f"CONCAT({name})"


def literal(column: Column, text: str) -> str:
    """``text`` as ``shown`` gave it."""
    if column.type in _WHOLE or column.type in _NUMBERED:
        return text
    if column.type in _REAL:
        return text if "e" in text.lower() else f"{text}e0"
    if column.type in _LETTERS:
        return f"_{column.charset} x'{text}'" if text else f"_{column.charset} ''"
    if column.type in _BYTES:
        return f"x'{text}'" if text else "''"
    return f"'{text}'"  # dates, times, UUIDs, addresses: nothing in them to escape


def bound(columns: Sequence[Column], texts: Sequence[str]) -> Bound:
    return tuple(literal(column, text) for column, text in zip(columns, texts, strict=True))


def key_columns(table: Table) -> tuple[Column, ...]:
    return tuple(table.columns[name] for name in table.primary_key)


def signature(table: Table) -> str:
    """What literals and order of the table's keys depend on: with another one, stored bounds mean nothing."""
    return "; ".join(f"{c.name} {c.full_type} {c.charset} {c.collation}" for c in key_columns(table))
