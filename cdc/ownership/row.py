"""The ownership row: who owns a capability's tables, as one side's database has it.

One row per capability and side, in the schema ``strangler`` of that side's server; the fence triggers, the applier and
the move all meet at it. Its table is made with the stream's (``cdc.state``).
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

import pymysql

from cdc.ownership.side import Side, Sides
from cdc.position import Position
from cdc.session import Session, open_session
from cdc.state import MISSING, SCHEMA, create_tables

TABLE = f"{SCHEMA}.ownership"
_COLUMNS = "owner, token, since, watch, journal, moved_at"
_OF = "capability = %s AND side = %s"
DEADLOCK = 1213
_TRIES = 10


@dataclass(frozen=True)
class Ownership:
    """One row. ``token`` only grows. ``since`` is a position of the other side's binlog: what is after it was written
    by the owner and is applied here while the other side owns; "" is everything, None is nothing yet."""

    capability: str
    side: Side
    owner: Side
    token: int
    since: str | None = ""
    watch: bool = False
    journal: str | None = None
    moved_at: datetime | None = None

    @property
    def begins(self) -> Position | None:
        """``since`` as a position; None for everything, and for nothing."""
        return Position.parse(self.since) if self.since else None


class OwnershipError(Exception):
    """Ownership is not as it has to be. The text says what to do."""


def read(session: Session, capability: str, side: Side) -> Ownership | None:
    """As it is committed now; None when the capability was never armed there. Ends the session's transaction."""
    session.rollback()
    with session.cursor() as cursor:
        try:
            cursor.execute(f"SELECT {_COLUMNS} FROM {TABLE} WHERE {_OF}", (capability, str(side)))
        except (pymysql.err.ProgrammingError, pymysql.err.OperationalError) as error:
            if error.args and error.args[0] in MISSING:
                return None
            raise
        row = cursor.fetchone()
    session.rollback()
    if row is None:
        return None
    owner, token, since, watch, journal, moved_at = row
    return Ownership(capability, side, Side(owner), int(token), since, bool(watch), journal, moved_at)


def read_both(sides: Sides, capability: str) -> dict[Side, Ownership | None]:
    """Raises pymysql.err.OperationalError when a side can't be reached."""
    found: dict[Side, Ownership | None] = {}
    for side in Side:
        with closing(open_session(sides.of(side), schema=False)) as session:
            found[side] = read(session, capability, side)
    return found


def owner_of(sides: Sides, capability: str) -> Side:
    """Whose rows count: new's once its database takes writes, else legacy's. Raises as ``read_both``."""
    row = read_both(sides, capability)[Side.NEW]
    return Side.LEGACY if row is None else row.owner


def ensure(sides: Sides, capability: str) -> None:
    """Rows that say that legacy owns, token 1, where there are none. Safe to repeat; changes no row that is there.

    Waits for batches that an applier began before it could see the row (they hold the row without a name).
    """
    for side in Side:
        with closing(open_session(sides.of(side), schema=False)) as session, session.cursor() as cursor:
            create_tables(session)
            insert = f"INSERT IGNORE INTO {TABLE} (capability, side, owner, token, since) VALUES (%s, %s, %s, %s, '')"
            cursor.execute(insert, ("", side, "", 0))
            session.commit()
            cursor.execute(f"SELECT token FROM {TABLE} WHERE {_OF} FOR UPDATE", ("", side))
            cursor.execute(insert, (capability, side, Side.LEGACY, 1))
            session.commit()


def forget(sides: Sides, capability: str) -> None:
    """Take the rows of both sides away, where there are any."""
    for side in Side:
        with closing(open_session(sides.of(side), schema=False)) as session, session.cursor() as cursor:
            try:
                cursor.execute(f"DELETE FROM {TABLE} WHERE {_OF}", (capability, side))
            except (pymysql.err.ProgrammingError, pymysql.err.OperationalError) as error:
                if not error.args or error.args[0] not in MISSING:  # nothing was ever armed there
                    raise
            session.commit()


def watch(session: Session, capability: str, side: Side, on: bool) -> None:
    """Whether the applier that writes this side notes the keys that it touches (``cdc.ownership.recent``). Commits."""
    change(session, f"UPDATE {TABLE} SET watch = %s WHERE {_OF}", (int(on), capability, side))


def change(session: Session, statement: str, arguments: tuple[object, ...]) -> None:
    """One statement, one transaction; again when a deadlock among writers has rolled it back."""
    for tried in range(1, _TRIES + 1):
        try:
            with session.cursor() as cursor:
                cursor.execute(statement, arguments)
            session.commit()
            return
        except pymysql.err.OperationalError as error:
            session.rollback()
            if tried == _TRIES or not error.args or error.args[0] != DEADLOCK:
                raise
