"""What a stream should do, what it does, and how far it is: tables in the schema ``strangler`` of the TARGET server.

``StreamDesk`` is for those who ask (control plane, verifier, tests); ``cdc.ledger`` is what the worker writes with.
Each call opens a session of its own, so a desk survives restarts of the server and may be used from any thread.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import pymysql

from cdc.database import Database
from cdc.position import Position
from cdc.server import source_position
from cdc.session import Session, open_session

SCHEMA = "strangler"
STALE_AFTER_SECONDS = 5.0

_TABLES = (
    f"CREATE DATABASE IF NOT EXISTS {SCHEMA} CHARACTER SET utf8mb4",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.stream (
        capability VARCHAR(64) NOT NULL, direction VARCHAR(16) NOT NULL,
        wanted VARCHAR(16) NOT NULL DEFAULT 'absent', asked BIGINT NOT NULL DEFAULT 0, copy_again TEXT NULL,
        state VARCHAR(16) NOT NULL DEFAULT 'absent', detail LONGTEXT NULL, heartbeat DATETIME(6) NULL,
        PRIMARY KEY (capability, direction)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.stream_position (
        capability VARCHAR(64) NOT NULL, direction VARCHAR(16) NOT NULL,
        source_offset TEXT NOT NULL, position TEXT NOT NULL, copied LONGTEXT NOT NULL,
        events BIGINT NOT NULL DEFAULT 0, written_at DATETIME(6) NOT NULL, epoch BIGINT NOT NULL DEFAULT 0,
        altered LONGTEXT NULL, halted LONGTEXT NULL,
        PRIMARY KEY (capability, direction)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.stream_history (
        capability VARCHAR(64) NOT NULL, direction VARCHAR(16) NOT NULL, history LONGBLOB NOT NULL,
        PRIMARY KEY (capability, direction)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.stream_copy (
        capability VARCHAR(64) NOT NULL, direction VARCHAR(16) NOT NULL,
        source_table VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
        owner CHAR(32) NOT NULL, signature CHAR(64) NOT NULL, sweeps LONGTEXT NOT NULL,
        PRIMARY KEY (capability, direction, source_table)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.stream_copy_chunk (
        capability VARCHAR(64) NOT NULL, direction VARCHAR(16) NOT NULL,
        source_table VARCHAR(64) COLLATE utf8mb4_bin NOT NULL, chunk BIGINT NOT NULL,
        keys_after TEXT NULL, keys_through TEXT NULL, rows_copied BIGINT NOT NULL,
        PRIMARY KEY (capability, direction, source_table, chunk)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.stream_table (
        capability VARCHAR(64) NOT NULL, direction VARCHAR(16) NOT NULL,
        source_table VARCHAR(64) COLLATE utf8mb4_bin NOT NULL, shape LONGTEXT NOT NULL, mapping CHAR(64) NOT NULL,
        PRIMARY KEY (capability, direction, source_table)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.quarantine (
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        capability VARCHAR(64) NOT NULL, direction VARCHAR(16) NOT NULL,
        source_table VARCHAR(64) NOT NULL, key_digest BINARY(16) NOT NULL, key_text TEXT NOT NULL,
        op CHAR(1) NOT NULL, event LONGBLOB NOT NULL, size BIGINT NOT NULL, place TEXT NOT NULL, error TEXT NULL,
        stored_at DATETIME(6) NOT NULL,
        KEY of_key (capability, direction, source_table, key_digest)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.quarantine_request (
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        capability VARCHAR(64) NOT NULL, direction VARCHAR(16) NOT NULL,
        action VARCHAR(16) NOT NULL, events LONGTEXT NULL, asked_at DATETIME(6) NOT NULL, answer LONGTEXT NULL,
        KEY of_stream (capability, direction)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.ownership (
        capability VARCHAR(64) COLLATE utf8mb4_bin NOT NULL, side VARCHAR(8) COLLATE utf8mb4_bin NOT NULL,
        owner VARCHAR(8) COLLATE utf8mb4_bin NOT NULL, token BIGINT NOT NULL, since LONGTEXT NULL,
        watch TINYINT NOT NULL DEFAULT 0, journal VARCHAR(128) NULL, moved_at DATETIME(6) NULL,
        PRIMARY KEY (capability, side)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.stream_recent (
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        capability VARCHAR(64) NOT NULL, direction VARCHAR(16) NOT NULL,
        source_table VARCHAR(64) COLLATE utf8mb4_bin NOT NULL, key_digest BINARY(16) NOT NULL, key_json TEXT NOT NULL,
        UNIQUE KEY of_key (capability, direction, source_table, key_digest)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
)
# Columns that came later: (table, column, how). Tables of earlier versions get them.
_ADDED = (
    ("stream_position", "epoch", "BIGINT NOT NULL DEFAULT 0"),
    ("stream_position", "altered", "LONGTEXT NULL"),  # the schema changes that were met last
    ("stream_position", "halted", "LONGTEXT NULL"),  # the one that the stream stopped at by choice
)
_OWN = frozenset({"answered", "recent"})  # of Detail: between worker and control plane
MISSING = frozenset({1049, 1146})  # unknown database, no such table


class Direction(StrEnum):
    TO_NEW = "to_new"  # legacy owns, the new side follows
    TO_LEGACY = "to_legacy"  # the new side owns, legacy follows

    def named(self, capability: str) -> str:
        """How people tell a capability's two streams apart: ``catalog``, ``catalog.back``."""
        return capability if self is Direction.TO_NEW else f"{capability}.back"


class Wanted(StrEnum):
    RUNNING = "running"  # copy what was never copied, then follow
    PAUSED = "paused"  # keep the position, do nothing
    ABSENT = "absent"  # forget the position; rows at the target stay


class StreamState(StrEnum):
    ABSENT = "absent"  # never started, or forgotten
    STARTING = "starting"  # checks, Java, connection
    COPYING = "copying"  # rows that were there before; see progress
    STREAMING = "streaming"  # following
    PAUSED = "paused"  # asked to wait
    RETRYING = "retrying"  # a database is away; the reason is in `note`
    STOPPED = "stopped"  # an error that needs somebody; see error
    NOT_RUNNING = "not running"  # the worker process does not answer


@dataclass(frozen=True)
class StreamError:
    """Why a stream stopped. ``way_out`` says what to do; ``event`` is the change event to blame, as JSON."""

    message: str
    way_out: str = ""
    position: str | None = None
    table: str | None = None
    key: str | None = None
    event: str | None = None


@dataclass(frozen=True)
class CopyProgress:
    """``rows_total`` is over all tables of this copy, the server's estimate of those that are not copied yet.
    ``throttled`` says why the copy waits, in words; None while it does not."""

    table: str
    tables_done: int
    tables_total: int
    rows_done: int
    rows_total: int
    rows_per_second: float
    seconds_left: float | None = None
    throttled: str | None = None


@dataclass(frozen=True)
class Detail:
    """What the worker says about itself, once a second."""

    lag_seconds: float | None = None
    lag_p50_seconds: float | None = None
    lag_p99_seconds: float | None = None
    lag_samples: int = 0
    rows_per_second: float = 0.0
    behind_events: int | None = None
    left_out: int = 0  # changes since the worker began that did not come from the owner
    note: str | None = None
    warnings: tuple[str, ...] = ()
    progress: CopyProgress | None = None
    error: StreamError | None = None
    pid: int | None = None
    recent: tuple[tuple[str, dict[str, Any]], ...] = ()  # keys changed last: source table, primary key as in events
    answered: int = -1  # the number of the request that all this is about

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | None) -> Detail:
        raw: dict[str, Any] = json.loads(text) if text else {}
        raw = {name: value for name, value in raw.items() if name in cls.__dataclass_fields__}  # of an older worker
        progress, error = raw.pop("progress", None), raw.pop("error", None)
        return cls(
            **{
                **raw,
                "warnings": tuple(raw.get("warnings", ())),
                "recent": tuple((table, key) for table, key in raw.get("recent", ())),
            },
            progress=CopyProgress(**progress) if progress else None,
            error=StreamError(**error) if error else None,
        )


@dataclass(frozen=True)
class Summary:
    """How much of a stream is in quarantine. ``first``: the keys that came there first, ``items id=7``."""

    keys: int = 0
    events: int = 0
    bytes: int = 0
    first: tuple[str, ...] = ()


@dataclass(frozen=True)
class StreamStatus:
    """One stream at one moment. ``lag_seconds`` is how old the data at the target is, measured by markers; None until
    the first marker came through. ``state`` is ``not running`` when the heartbeat is stale and something is wanted."""

    capability: str
    direction: Direction
    wanted: Wanted
    state: StreamState
    position: str | None
    events: int
    heartbeat_age_seconds: float | None
    detail: Detail
    quarantine: Summary = Summary()

    @property
    def lag_seconds(self) -> float | None:
        """Grows by itself while the worker is away: the data keeps ageing."""
        if self.detail.lag_seconds is None or self.state in (StreamState.ABSENT,):
            return None
        stale = self.heartbeat_age_seconds or 0.0
        return self.detail.lag_seconds + (stale if stale > STALE_AFTER_SECONDS else 0.0)

    @property
    def lag_p50(self) -> float | None:
        return self.detail.lag_p50_seconds

    @property
    def lag_p99(self) -> float | None:
        return self.detail.lag_p99_seconds

    @property
    def rows_per_second(self) -> float:
        return self.detail.rows_per_second

    @property
    def behind_events(self) -> int | None:
        return self.detail.behind_events

    @property
    def quarantined(self) -> int:
        """Keys in quarantine."""
        return self.quarantine.keys

    @property
    def progress(self) -> CopyProgress | None:
        return self.detail.progress

    @property
    def error(self) -> StreamError | None:
        return self.detail.error

    @property
    def heartbeat_age(self) -> float | None:
        return self.heartbeat_age_seconds

    def to_json(self) -> dict[str, Any]:
        """The keys of ``sync status --json`` and more."""
        return {
            "capability": self.capability,
            "direction": str(self.direction),
            "wanted": str(self.wanted),
            "state": str(self.state),
            "position": self.position,
            "events": self.events,
            "heartbeat_age_seconds": self.heartbeat_age_seconds,
            **{name: value for name, value in asdict(self.detail).items() if name not in _OWN},
            "lag_seconds": self.lag_seconds,
            "quarantined": self.quarantined,
            "quarantine": asdict(self.quarantine),
        }


class StreamDesk:
    """Ask one stream to do something, and how it is doing. ``target`` is the database that the stream writes."""

    def __init__(self, target: Database, capability: str, direction: Direction = Direction.TO_NEW) -> None:
        self.target, self.capability, self.direction = target, capability, direction

    @property
    def _id(self) -> tuple[str, str]:
        return self.capability, str(self.direction)

    def create(self) -> None:
        """Make the tables and this stream's row where they are missing. Safe to repeat."""
        with closing(open_session(self.target, schema=False)) as session, session.cursor() as cursor:
            create_tables(session)
            cursor.execute(f"INSERT IGNORE INTO {SCHEMA}.stream (capability, direction) VALUES (%s, %s)", self._id)
            session.commit()

    def want(self, wanted: Wanted | str) -> None:
        """Ask for ``running``, ``paused`` or ``absent``. Clears an error: the stream tries again. Returns at once."""
        self._ask("wanted = %s", Wanted(wanted))

    def resume(self) -> None:
        """Go on, also after an error, from the stored position."""
        self.want(Wanted.RUNNING)

    def resnapshot(self, tables: Sequence[str] = ()) -> None:
        """Copy these source tables again (all of them when none is named), then go on.

        With no table named the stored position is forgotten too: the way out of a purged binlog or a lost history.
        """
        self._ask("copy_again = %s, wanted = 'running'", json.dumps(list(tables)))

    def status(self) -> StreamStatus:
        """Raises pymysql.err.OperationalError when the target can't be reached."""
        query = f"""SELECT s.wanted, s.state, s.detail, p.position, COALESCE(p.events, 0),
                TIMESTAMPDIFF(MICROSECOND, s.heartbeat, UTC_TIMESTAMP(6)) / 1000000, s.asked
                FROM {SCHEMA}.stream s LEFT JOIN {SCHEMA}.stream_position p USING (capability, direction)
                WHERE s.capability = %s AND s.direction = %s"""
        with closing(open_session(self.target, schema=False)) as session:
            row, held = _row(session, query, self._id), read_summary(session, self._id)
        if row is None:
            row = ("absent", "absent", None, None, 0, None, -1)
        wanted, state = Wanted(row[0]), StreamState(row[1])
        age = None if row[5] is None else max(0.0, float(row[5]))
        if (age is None or age > STALE_AFTER_SECONDS) and (wanted != Wanted.ABSENT or state != StreamState.ABSENT):
            state = StreamState.NOT_RUNNING
        detail = Detail.from_json(row[2])
        if detail.answered < int(row[6]):  # the worker has not looked yet: what it last said is about something else
            detail = replace(detail, error=None, note=None)
            if wanted is Wanted.RUNNING and state is not StreamState.NOT_RUNNING:
                state = StreamState.STARTING
        return StreamStatus(self.capability, self.direction, wanted, state, row[3], int(row[4]), age, detail, held)

    def position(self) -> Position | None:
        """The source position up to which everything is committed at the target; None before the copy is done."""
        with closing(open_session(self.target, schema=False)) as session:
            return self.position_over(session)

    def position_over(self, session: Session) -> Position | None:
        """As ``position``, over a session on the target that is open. Ends its transaction."""
        query = f"SELECT position FROM {SCHEMA}.stream_position WHERE capability = %s AND direction = %s"
        row = _row(session, query, self._id)
        session.rollback()
        return Position.parse(row[0]) if row and row[0] else None

    def _ask(self, change: str, value: str) -> None:
        self.create()
        with closing(open_session(self.target, schema=False)) as session, session.cursor() as cursor:
            cursor.execute(
                f"UPDATE {SCHEMA}.stream SET {change}, asked = asked + 1 WHERE capability = %s AND direction = %s",
                (str(value), *self._id),
            )
            session.commit()


class StreamSettle:
    """``cdc.verify.Settle`` over a stream: where the source is now, and whether the target has caught up with that."""

    def __init__(self, source: Database, desk: StreamDesk) -> None:
        self.source, self.desk = source, desk

    def source_position(self) -> str:
        return str(source_position(self.source))

    def wait_applied(self, position: str, timeout_seconds: float) -> bool:
        return await_position(self.desk, Position.parse(position), timeout_seconds)


def await_position(desk: StreamDesk, position: Position, timeout_seconds: float) -> bool:
    """Block until everything up to ``position`` of the source is committed at the target; False when time runs out.

    A running stream gets there within its lag and one marker (about 0.1 s), whether or not its tables are written to.
    """
    until = time.monotonic() + timeout_seconds
    with closing(open_session(desk.target, schema=False)) as session:
        while True:
            reached = desk.position_over(session)
            if reached is not None and reached.contains(position):
                return True
            if time.monotonic() >= until:
                return False
            time.sleep(0.01)


def create_tables(session: Session) -> None:
    """Make the schema and tables on the target where they are missing (each statement commits by itself)."""
    with session.cursor() as cursor:
        cursor.execute("SET SESSION sql_notes = 0")  # "already exists" is no news
        for statement in _TABLES:
            cursor.execute(statement)
        for table, column, how in _ADDED:
            there = cursor.execute(
                "SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"
                " AND COLUMN_NAME = %s",
                (SCHEMA, table, column),
            )
            if not there:
                cursor.execute(f"ALTER TABLE {SCHEMA}.{table} ADD COLUMN {column} {how}")
        cursor.execute("SET SESSION sql_notes = 1")


def read_summary(session: Session, stream: tuple[str, str], first: int = 3) -> Summary:
    """How much of a stream (capability, direction) is in quarantine; nothing where no table was ever made."""
    of_stream = f"FROM {SCHEMA}.quarantine WHERE capability = %s AND direction = %s"
    row = _row(
        session,
        f"SELECT COUNT(DISTINCT source_table, key_digest), COUNT(*), COALESCE(SUM(size), 0) {of_stream}",
        stream,
    )
    if row is None or not row[0]:
        return Summary()
    with session.cursor() as cursor:
        cursor.execute(
            f"SELECT source_table, MIN(key_text) {of_stream} GROUP BY source_table, key_digest ORDER BY MIN(id)"
            f" LIMIT {int(first)}",
            stream,
        )
        named = tuple(f"{table} {key}" for table, key in cursor.fetchall())
    return Summary(int(row[0]), int(row[1]), int(row[2]), named)


def _row(session: Session, query: str, stream: tuple[str, str]) -> Any:
    """None also where no table was ever made."""
    with session.cursor() as cursor:
        try:
            cursor.execute(query, stream)
        except (pymysql.err.ProgrammingError, pymysql.err.OperationalError) as error:
            if error.args and error.args[0] in MISSING:
                return None
            raise
        return cursor.fetchone()
