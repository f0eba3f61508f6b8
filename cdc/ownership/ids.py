"""Ids: the side that becomes owner hands out none that the other side has used, or uses until then."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from cdc.database import Database
from cdc.expression import plain_column, quote
from cdc.mapping import CapabilityMapping, TableMapping
from cdc.ownership.alter import alter
from cdc.ownership.side import Side, Sides
from cdc.session import Session, open_session

GAP = 10_000
_COUNTER = (
    "SELECT c.COLUMN_NAME, t.AUTO_INCREMENT FROM information_schema.COLUMNS c JOIN information_schema.TABLES t"
    " USING (TABLE_SCHEMA, TABLE_NAME) WHERE c.TABLE_SCHEMA = DATABASE() AND c.TABLE_NAME = %s"
    " AND c.EXTRA LIKE '%%auto_increment%%'"
)


@dataclass(frozen=True)
class Reserved:
    """``table.column`` of the side that becomes owner counts on from ``next``; ``highest`` is the other side's highest
    id, or what its own counter would have given last."""

    table: str
    column: str
    next: int
    highest: int


def reserve(mapping: CapabilityMapping, sides: Sides, owner: Side, gap: int = GAP) -> list[Reserved]:
    """Before the hold: raise the counters of the tables that ``owner`` will insert into, by ``gap`` above all that the
    other side has used, for what it still uses until its fence. Tables without a counter, or whose counter gives ids of
    the service's own, need none. Safe to repeat; an ALTER TABLE of metadata only, where the counter is too low.

    Raises OwnershipError (a table was never free for it), pymysql.err.MySQLError.
    """
    return [_raise(sides.of(owner), needed, gap) for needed in _needed(mapping, sides, owner)]


def short(mapping: CapabilityMapping, sides: Sides, owner: Side) -> list[str]:
    """After the fence: counters that the other side has reached all the same, in words; none when ids are safe."""
    return [
        f"{one.table}.{one.column} would count on from {one.next}, the other side has used {one.highest}"
        for one in _needed(mapping, sides, owner)
        if one.next <= one.highest
    ]


def _needed(mapping: CapabilityMapping, sides: Sides, owner: Side) -> list[Reserved]:
    found = []
    with (
        closing(open_session(sides.of(owner))) as here,
        closing(open_session(sides.of(owner.other))) as there,
    ):
        for one in mapping.tables:
            if not one.owned or one.owns:  # rows of a group are born where the rest of the row is
                continue
            table = one.table if owner is Side.NEW else one.source
            counter = _counter(here, table)
            expression = None if counter is None else _expression(one, owner, counter[0])
            if counter is not None and expression is not None:
                other = one.source if owner is Side.NEW else one.table
                found.append(Reserved(table, counter[0], counter[1], _highest(there, other, expression)))
    return found


def _expression(one: TableMapping, owner: Side, column: str) -> str | None:
    """What the column is made of, over the other side's row; None when it is not."""
    given = one.expressions if owner is Side.NEW else one.back
    return next((sql for name, sql in given.items() if name.lower() == column.lower()), None)


def _counter(session: Session, table: str) -> tuple[str, int] | None:
    with session.cursor() as cursor:
        cursor.execute("SHOW VARIABLES LIKE 'information_schema_stats_expiry'")
        if cursor.fetchone():  # MySQL would tell what it was a day ago
            cursor.execute("SET SESSION information_schema_stats_expiry = 0")
        cursor.execute(_COUNTER, (table,))
        row = cursor.fetchone()
    session.rollback()
    return None if row is None else (str(row[0]), int(row[1] or 1))


def _highest(session: Session, table: str, expression: str) -> int:
    """Of all rows, those that the mapping leaves out too, and of the counter: rows that were deleted had ids."""
    counter = _counter(session, table)
    with session.cursor() as cursor:
        cursor.execute(f"SELECT MAX({expression}) FROM {quote(table)}")
        row = cursor.fetchone()
    session.rollback()
    highest = int(row[0]) if row and row[0] is not None else 0
    counts = counter is not None and plain_column(expression, [counter[0]]) is not None
    return max(highest, counter[1] - 1) if counter is not None and counts else highest


def _raise(database: Database, needed: Reserved, gap: int) -> Reserved:
    wanted = needed.highest + gap + 1
    # half a gap is room enough: a table that was just raised is left alone
    if needed.next > needed.highest + gap // 2:
        return needed
    with closing(open_session(database)) as session, session.cursor() as cursor:
        alter(cursor, needed.table, f"ALTER TABLE {quote(needed.table)} AUTO_INCREMENT = {wanted}")
        session.commit()
    return Reserved(needed.table, needed.column, wanted, needed.highest)
