"""Which events are about the same row: marks of an event, as text.

Pure. Two events that share a mark must be applied in their order; events without a common mark need not. The first
mark is the source's primary key. Where the mapping makes the target's key of other columns too, the values of those
are marks as well: another row may take over a target row that an event in quarantine still has to leave.

Marks are made to be equal rather too often than too seldom: letters that a collation may call equal are one mark.
Then an event waits that need not have waited; the other way round an older event could overwrite a newer row.
"""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from cdc.event import Change, Row
from cdc.schema import Column

Mark: TypeAlias = tuple[str, ...]
COPIED = "(copy)"
"""Stands for the binlog's file in a row of the copy that was set aside: a change ``r`` whose ``after`` has the texts
that the copy selects (escaped, None for NULL) and not the envelope's values."""

_NULL = "\0"
_WHOLE = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "year"})
_TEXT = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"})
_BYTES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
_COPIED = _WHOLE | _TEXT | _BYTES | {"decimal", "date", "datetime"}
_ESCAPES = (("\\t", "\t"), ("\\n", "\n"), ("\\0", "\0"))


@dataclass(frozen=True)
class Marks:
    """How the events of one source table are marked. ``key`` are the primary key's columns, ``claims`` the sets of
    columns that further keys of target rows are made of."""

    table: str
    key: tuple[Column, ...]
    claims: tuple[tuple[Column, ...], ...] = ()

    @property
    def one_number(self) -> bool:
        """Whether the primary key, a single whole number, is all there is to tell."""
        return not self.claims and len(self.key) == 1 and self.key[0].type in _WHOLE

    @property
    def copies(self) -> bool:
        """Whether rows of a copy can be marked as events are."""
        return all(column.type in _COPIED for columns in (self.key, *self.claims) for column in columns)

    def key_of(self, change: Change) -> Mark:
        """The mark of the primary key. Raises KeyError when the event lacks a column of it."""
        row, copied = (change.before if change.op == "d" else change.after) or {}, is_copied(change)
        return (self.table, "", *(_normal(column, row[column.name], copied) for column in self.key))

    def of(self, change: Change) -> tuple[Mark, ...]:
        """All marks, the primary key's first. Raises KeyError."""
        if not self.claims:
            return (self.key_of(change),)
        marks, copied = {self.key_of(change): None}, is_copied(change)
        for row in (change.before, change.after):
            if row is not None:
                for number, columns in enumerate(self.claims):
                    marks[(self.table, str(number), *(_normal(c, row.get(c.name), copied) for c in columns))] = None
        return tuple(marks)

    def shown(self, row: Row) -> dict[str, Any]:
        """The primary key's columns and values, for people and for storing."""
        return {column.name: row.get(column.name) for column in self.key}


def is_copied(change: Change) -> bool:
    return change.file == COPIED


def digest(mark: Mark) -> bytes:
    """16 bytes that stand for a mark in a table."""
    return hashlib.sha256("\x1f".join(mark).encode("utf-8", "surrogatepass")).digest()[:16]


def marks_of(table: str, columns: Mapping[str, Column], key: Sequence[str], claims: Sequence[Sequence[str]]) -> Marks:
    """``claims``: per mapping that does not find its target row by the primary key alone, the columns it uses."""
    return Marks(table, tuple(columns[c] for c in key), tuple(tuple(columns[c] for c in claim) for claim in claims))


def _normal(column: Column, value: Any, copied: bool) -> str:
    """One text for equal values, whether the envelope has them or the copy."""
    if value is None:
        return _NULL
    if column.type in _WHOLE:
        return str(int(value))
    if column.type in _TEXT:
        # the envelope marks commas of ENUMs, and doubles backslashes
        marked = column.type in ("enum", "set") and not copied
        text = str(value).replace("\\,", ",").replace("\\\\", "\\") if marked else str(value)
        text = unescaped(text) if copied else text
        return text.rstrip() if (column.collation or "").endswith("_bin") else fold(text)
    if column.type == "decimal":
        return _number(value)
    if column.type in _BYTES:
        return str(value).upper() if copied else base64.b64decode(str(value)).hex().upper()
    if column.type == "date":
        return str(value) if copied else _moment(int(value) * 86_400_000_000).date().isoformat()
    if column.type == "datetime":
        return (
            _text_moment(str(value))
            if copied
            else str(_moment(int(value) * (1 if (column.precision or 0) > 3 else 1000)))
        )
    return str(value)


def _moment(microseconds: int) -> datetime:
    return datetime.combine(date(1970, 1, 1), datetime.min.time()) + timedelta(microseconds=microseconds)


def _text_moment(text: str) -> str:
    try:
        return str(datetime.fromisoformat(text))
    except ValueError:  # 0000-00-00 and its like
        return text


def unescaped(text: str) -> str:
    """Text as it was before the copy escaped it for LOAD DATA."""
    if "\\" not in text:
        return text
    parts = text.split("\\\\")
    for escaped, plain in _ESCAPES:
        parts = [part.replace(escaped, plain) for part in parts]
    return "\\".join(parts)


def _number(value: Any) -> str:
    try:
        return str(Decimal(str(value)).normalize())
    except InvalidOperation:
        return str(value)


def fold(text: str) -> str:
    """Without case, accents and trailing blanks: what a collation may call equal is equal."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFKD", "".join(c for c in plain if not unicodedata.combining(c)).casefold()).rstrip()
