"""Which columns of a source table a stream can't carry: said before it begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pymysql

from cdc.conversion import Unsupported, conversion
from cdc.doubt import Reason
from cdc.schema import Column, Table
from cdc.session import Session

# The engine's parser does not know these words: it ends at the table, whether anybody reads the column or not.
UNREADABLE = frozenset({"inet4", "inet6", "vector", "xmltype"})
COMPRESSED = "compressed"


@dataclass(frozen=True)
class Uncarried:
    """``message`` names table and column, ``fix`` says what to do."""

    column: str
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.message}: {self.fix}"


def uncarried(table: Table, used: Iterable[str], key: Iterable[str]) -> Iterator[Uncarried]:
    """``used`` are the columns that the mapping reads, ``key`` those of them that say which row it is."""
    for column in table.columns.values():
        said = unreadable(table.name, column.name, column.type, column.full_type)
        if said is not None:
            yield said
    keys = frozenset(key)
    for name in used:
        column = table.columns[name]
        if column.type in UNREADABLE or COMPRESSED in column.full_type.lower():
            continue
        try:
            doubt = conversion(column).doubt
        except Unsupported as error:
            yield Uncarried(name, f"{table.name}: {error}", error.fix)
            continue
        if name in keys and doubt is not None and doubt.reason is not Reason.LETTER:
            yield Uncarried(name, *_as_key(table.name, column, doubt.reason))


def unreadable(table: str, column: str, kind: str, full_type: str) -> Uncarried | None:
    """Columns that end the engine, also where nobody reads them."""
    if kind in UNREADABLE:
        message = f"{table}: column {column} is {full_type.upper()}, which the engine can't read: it ends at the table"
        return Uncarried(column, message, f"MODIFY {column} as VARBINARY or VARCHAR, or move it to another schema")
    if COMPRESSED in full_type.lower():
        message = f"{table}: column {column} is {full_type.upper()}, which ends the engine at the first row"
        return Uncarried(column, message, f"MODIFY {column} without COMPRESSED")
    return None


def _as_key(table: str, column: Column, reason: Reason) -> tuple[str, str]:
    is_key = f"{table}: column {column.name} is {column.full_type.upper()} and part of the key"
    if reason is Reason.ZERO:
        return (
            f"{is_key}, and may hold zero dates, which an event can't tell from 1970-01-01",
            "add STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE to the source's sql_mode, and mend such rows",
        )
    if reason is Reason.CHARSET:
        return f"{is_key}, in the character set {column.charset}, which the engine reads otherwise", (
            f"MODIFY {column.name} {column.full_type} CHARACTER SET utf8mb4"
        )
    return f"{is_key}, and the engine loses some of its bytes", f"MODIFY {column.name} BINARY(16) or CHAR(36)"


def unknown_text(table: Table, used: Iterable[str], target: Session) -> Iterator[Uncarried]:
    """Columns whose character set or collation the target's server does not know."""
    asked: dict[tuple[str, str], bool] = {}
    for name in used:
        column = table.columns[name]
        if column.charset is None or column.collation is None:
            continue
        pair = column.charset, column.collation
        if pair not in asked:
            asked[pair] = _knows(target, *pair)
        if not asked[pair]:
            message = (
                f"{table.name}: column {name} has the collation {column.collation}, which the target does not know"
            )
            yield Uncarried(name, message, f"MODIFY {name} with a collation that both servers have, or a newer target")


def _knows(session: Session, charset: str, collation: str) -> bool:
    with session.cursor() as cursor:
        try:
            cursor.execute(f"SELECT CONVERT('' USING {charset}) COLLATE {collation}")
            cursor.fetchall()
        except pymysql.err.MySQLError as error:
            if error.args and error.args[0] in (1115, 1273, 1253):
                return False
            raise
    return True
