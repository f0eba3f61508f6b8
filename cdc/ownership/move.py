"""Moving ownership on one side: one transaction that waits for whoever has written, and refuses whoever comes later."""

from __future__ import annotations

import time

import pymysql

from cdc.database import Database
from cdc.event import MARKER_SCHEMA, MARKER_TABLE
from cdc.marker import create_marker_table
from cdc.ownership.holders import Holder, HoldersWatch
from cdc.ownership.row import DEADLOCK, TABLE, Ownership, OwnershipError, change, read
from cdc.ownership.side import Side
from cdc.position import Position
from cdc.server import read_position
from cdc.session import Session

MARKER = "strangler.move"
"""The stream that a move's marker row names."""
_LOCK_WAIT_TIMEOUT = 1205


class MovedMeanwhile(OwnershipError):
    """The row does not have the token that the move began from. ``found`` is what it is now; None: there is none."""

    def __init__(self, capability: str, side: Side, token: int, found: Ownership | None) -> None:
        now = "there is no row" if found is None else f"{found.owner} owns, with token {found.token}"
        super().__init__(
            f"ownership of {capability} on the {side} side has not the token {token}: {now}; somebody else moved it:"
            " strangler repair"
        )
        self.found = found


class HeldUp(OwnershipError):
    """Transactions that had written were still open when the time ran out. Nothing was changed."""

    def __init__(self, capability: str, side: Side, seconds: int, holders: tuple[Holder, ...], trouble: str | None):
        who = "; ".join(map(str, holders)) or f"who they are could not be seen ({trouble or 'they have just ended'})"
        kill = f", or end it: KILL {holders[0].id}" if holders else ""
        super().__init__(
            f"writers of {capability} on the {side} side did not finish within {seconds} s: {who}."
            f" Let them commit{kill}"
        )
        self.holders = holders


def prepare(session: Session, seconds: int) -> None:
    """Before the hold, so that the move itself is one transaction: the marker table, and how long to wait at most."""
    create_marker_table(session)
    with session.cursor() as cursor:
        cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {max(1, int(seconds))}")
        cursor.execute(f"SET SESSION lock_wait_timeout = {max(1, int(seconds))}")
    session.commit()


def move(
    session: Session,
    database: Database,
    capability: str,
    side: Side,
    *,
    owner: Side,
    token_from: int,
    token_to: int,
    since: Position | str | None,
    journal: str | None,
    seconds: int = 5,
) -> Position:
    """Make ``owner`` the owner as far as ``side``'s database is concerned; gives the fence.

    The fence is a position of this side's binlog: every transaction that wrote an owned table here while the row was as
    before is up to it, and none comes after it until the row is moved again. ``since``: see ``Ownership``; None when it
    is not known yet (``admit`` tells it later). ``database`` is where ``session`` is logged in, for a second one that
    looks who is waited for.

    Raises MovedMeanwhile (the row's token is not ``token_from``), HeldUp (writers were not done within ``seconds``,
    nothing was changed) and pymysql.err.MySQLError (whether it was committed must be read again).
    """
    if token_to <= token_from:
        raise ValueError(f"a fencing token only grows: {token_from} to {token_to}")
    session.rollback()
    prepare(session, seconds)
    watch = HoldersWatch(database, _id(session), max(0.3, seconds - 0.7))
    watch.start()
    until, said = time.monotonic() + seconds, None if since is None else str(since)
    try:
        while True:
            try:
                _write(session, capability, side, owner, (token_from, token_to), said, journal)
                return read_position(session)
            except pymysql.err.OperationalError as error:
                number = error.args[0] if error.args else None
                if number == DEADLOCK and time.monotonic() < until:
                    continue  # with writers that wait for each other too; everything was rolled back
                if number not in (_LOCK_WAIT_TIMEOUT, DEADLOCK):
                    raise
                session.rollback()
                watch.end()
                raise HeldUp(capability, side, seconds, watch.found, watch.trouble) from error
            except OwnershipError:
                session.rollback()
                raise
    finally:
        watch.end()


def admit(session: Session, capability: str, side: Side, token: int, since: Position | str) -> None:
    """From now on what the other side's binlog has after ``since`` is applied to this side. Safe to repeat. Raises
    MovedMeanwhile when the row has another token."""
    change(
        session,
        f"UPDATE {TABLE} SET since = %s WHERE capability = %s AND side = %s AND token = %s",
        (str(since), capability, side, token),
    )
    found = read(session, capability, side)
    if found is None or found.token != token:
        raise MovedMeanwhile(capability, side, token, found)


def _id(session: Session) -> int:
    with session.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        row = cursor.fetchone()
    assert row is not None
    session.rollback()
    return int(row[0])


def _write(
    session: Session,
    capability: str,
    side: Side,
    owner: Side,
    tokens: tuple[int, int],
    since: str | None,
    journal: str | None,
) -> None:
    session.begin()
    with session.cursor() as cursor:
        changed = cursor.execute(
            f"UPDATE {TABLE} SET owner = %s, token = %s, since = %s, journal = %s, moved_at = UTC_TIMESTAMP(6)"
            " WHERE capability = %s AND side = %s AND token = %s",
            (owner, tokens[1], since, journal, capability, side, tokens[0]),
        )
        if changed != 1:
            session.rollback()
            raise MovedMeanwhile(capability, side, tokens[0], read(session, capability, side))
        # an event that follows the fence at once, for those who have only events
        cursor.execute(
            f"INSERT INTO {MARKER_SCHEMA}.{MARKER_TABLE} (stream, number, written_at) VALUES (%s, %s, UTC_TIMESTAMP(6))"
            " ON DUPLICATE KEY UPDATE number = VALUES(number), written_at = VALUES(written_at)",
            (MARKER, time.time_ns() // 1000),
        )
    session.commit()
