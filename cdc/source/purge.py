"""Does the source still have the binlog from a stored offset on? Asked before the engine starts, to say it in words."""

from __future__ import annotations

import json

from cdc.position import MariaDbGtids, MySqlGtids, Position, parse_gtids
from cdc.server import Server
from cdc.session import Session
from cdc.source.port import SourceError

_WAY_OUT = "copy all tables again: strangler sync resnapshot; keep binlogs longer than a stream may pause"


def position_of(offset: str) -> Position:
    """The position that a Debezium offset resumes at. Raises PositionError, ValueError."""
    stored = json.loads(offset)
    return Position(parse_gtids(stored.get("gtids") or ""), stored.get("file"), stored.get("pos"))


def check_available(session: Session, offset: str) -> None:
    """Raises SourceError with a way out when the source can't send the events after ``offset`` any more."""
    position = position_of(offset)
    if isinstance(position.gtids, MySqlGtids):
        with session.cursor() as cursor:
            cursor.execute("SELECT GTID_SUBSET(@@global.gtid_purged, %s), @@global.gtid_purged", (str(position.gtids),))
            row = cursor.fetchone()
            cursor.execute("SELECT GTID_SUBSET(%s, @@global.gtid_executed)", (str(position.gtids),))
            known = cursor.fetchone()
        if row and not row[0]:
            raise SourceError(
                f"the source has purged its binlog up to {row[1]}, the stream stands at {position}", way_out=_WAY_OUT
            )
        if known and not known[0]:
            raise _never_had(position)
        return
    if isinstance(position.gtids, MariaDbGtids):
        _check_mariadb(session, position, position.gtids)
        return
    if Server.of(session).mariadb:
        return  # an offset from before the first GTID; the engine's refusal is put into words
    with session.cursor() as cursor:
        cursor.execute("SHOW BINARY LOGS")
        files = [str(row[0]) for row in cursor.fetchall()]
    if position.file not in files:
        raise SourceError(
            f"the source has purged {position.file}, its oldest binlog is {files[0] if files else 'none'}",
            way_out=_WAY_OUT,
        )


def _check_mariadb(session: Session, position: Position, stands: MariaDbGtids) -> None:
    with session.cursor() as cursor:
        cursor.execute("SELECT @@global.gtid_binlog_pos")
        row = cursor.fetchone()
        reached = _gtids(row)
        cursor.execute("SHOW BINARY LOGS")
        oldest, purged = cursor.fetchone(), MariaDbGtids(())
        if oldest is not None:
            cursor.execute("SELECT BINLOG_GTID_POS(%s, 4)", (oldest[0],))
            purged = _gtids(cursor.fetchone())
    refuse_mariadb(position, stands, reached, purged)


def refuse_mariadb(position: Position, stands: MariaDbGtids, reached: MariaDbGtids, purged: MariaDbGtids) -> None:
    """``reached`` is where the server's binlog ends, ``purged`` where its oldest file begins. Raises SourceError."""
    if not reached.contains(stands):
        raise _never_had(position)
    if not stands.contains(purged):
        raise SourceError(
            f"the source has purged its binlog up to {purged}, the stream stands at {position}", way_out=_WAY_OUT
        )


def _gtids(row: tuple[object, ...] | None) -> MariaDbGtids:
    return MariaDbGtids.parse(str(row[0] or "")) if row else MariaDbGtids(())


def _never_had(position: Position) -> SourceError:
    return SourceError(
        f"the stream stands at {position}, which this source never had: it is another server, or was set back",
        way_out="point the stream at its server, or copy all tables again: strangler sync resnapshot",
    )
