"""Markers: rows written on the source every 0.1 s, or when asked for, to see them come out at the other end.

A marker's lag is the time from before it was written until the batch that carried it is committed at the target, taken
with one clock in one process. Each is a transaction of its own, so it also says that all before it has arrived. And it
names the GTIDs that the source had executed before: a reader that has only events learns by it how far the binlog is.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress

import pymysql

from cdc.database import Database
from cdc.event import MARKER_SCHEMA, MARKER_TABLE
from cdc.server import Server
from cdc.session import Session, open_session

EVERY_SECONDS = 0.1
_CREATE = (
    f"CREATE DATABASE IF NOT EXISTS {MARKER_SCHEMA} CHARACTER SET utf8mb4",
    f"""CREATE TABLE IF NOT EXISTS {MARKER_SCHEMA}.{MARKER_TABLE} (stream VARCHAR(96) NOT NULL PRIMARY KEY,
        number BIGINT NOT NULL, written_at DATETIME(6) NOT NULL, executed LONGTEXT NULL)
        ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
)
_EXECUTED = f"""SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '{MARKER_SCHEMA}'
    AND TABLE_NAME = '{MARKER_TABLE}' AND COLUMN_NAME = 'executed'"""


def create_marker_table(session: Session) -> None:
    """On the source. Raises pymysql.err.MySQLError when the account may not."""
    with session.cursor() as cursor:
        cursor.execute("SET SESSION sql_notes = 0")
        for statement in _CREATE:
            cursor.execute(statement)
        if not cursor.execute(_EXECUTED):  # a table of an earlier version
            cursor.execute(f"ALTER TABLE {MARKER_SCHEMA}.{MARKER_TABLE} ADD COLUMN executed LONGTEXT NULL")


class Lag:
    """Markers on their way, and how long recent ones took. ``keep_seconds`` bounds what percentiles are taken over."""

    def __init__(self, keep_seconds: float = 600.0) -> None:
        self._lock = threading.Lock()
        self._keep_seconds = keep_seconds
        self._sent: dict[int, float] = {}
        self._samples: deque[tuple[float, float]] = deque()
        self._last: float | None = None
        self._fresh: float | None = None  # when the newest marker that arrived was written

    def sent(self, number: int, now: float) -> None:
        with self._lock:
            self._sent[number] = now

    def arrived(self, number: int, now: float) -> None:
        """The marker's batch is committed. Markers of earlier runs, which nobody here sent, say nothing."""
        with self._lock:
            sent = self._sent.get(number)
            if sent is None:
                return
            for passed in [n for n in self._sent if n <= number]:
                del self._sent[passed]
            self._last, self._fresh = now - sent, sent
            self._samples.append((now, self._last))
            while self._samples[0][0] < now - self._keep_seconds:
                self._samples.popleft()

    def now(self, now: float) -> float | None:
        """The last marker's lag, or how long the oldest one under way takes already, if that is longer; None before the
        first one arrived."""
        waiting = self.waiting(now)
        return None if self._last is None else max(self._last, waiting)

    def age(self, now: float) -> float | None:
        """How old the target's data is while nothing is being applied; None before the first marker arrived."""
        return None if self._fresh is None else now - self._fresh

    def waiting(self, now: float) -> float:
        """How long the oldest marker has been under way; 0 when none is."""
        with self._lock:
            return now - min(self._sent.values()) if self._sent else 0.0

    def samples(self) -> list[float]:
        with self._lock:
            return [lag for _, lag in self._samples]

    def forget_sent(self) -> None:
        """Markers under way will not be waited for: the stream begins anew."""
        with self._lock:
            self._sent.clear()


def percentile(samples: Iterable[float], share: float) -> float | None:
    """The smallest sample that at least ``share`` (0-1) of all samples do not exceed; None without samples."""
    ordered = sorted(samples)
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


class MarkerWriter(threading.Thread):
    """Writes markers until ``end``. While the source is away it keeps trying; ``trouble`` is why it could not write the
    last one, ``written_at`` when (monotonic) it last could."""

    def __init__(self, source: Database, stream: str, lag: Lag) -> None:
        super().__init__(name=f"marker-{stream}", daemon=True)
        self._source, self._stream, self._lag = source, stream, lag
        self._ended = threading.Event()
        self._first = self._number = time.time_ns() // 1000
        self._changed = threading.Condition()
        self._wanted = self._served = 0  # requests for a fresh marker, and how many of them were answered
        self._executed = ""
        self.trouble: Exception | None = None
        self.written_at = time.monotonic()

    def end(self) -> None:
        self._ended.set()
        with self._changed:
            self._changed.notify_all()
        self.join(15)

    def wrote(self, number: int) -> bool:
        """Whether a marker of this number is one of this writer's, not one of an earlier run."""
        return self._first < number <= self._number

    def fresh(self, given_up: Callable[[], bool] = lambda: False) -> int:
        """Block until a marker that was begun after the call is committed; its number, or that of a later one.

        While the source is away it goes on waiting, until ``given_up`` says so: then the number is of no use.
        """
        with self._changed:
            self._wanted += 1
            mine = self._wanted
            self._changed.notify_all()
            while self._served < mine and not given_up() and not self._ended.is_set():
                self._changed.wait(0.1)
            return self._number

    def run(self) -> None:
        session: Session | None = None
        while not self._ended.is_set():
            began, asked = time.monotonic(), self._wanted
            try:
                if session is None:
                    session = open_session(self._source, schema=False, read_timeout=10, write_timeout=10)
                    self._executed = "gtid_binlog_pos" if Server.of(session).mariadb else "gtid_executed"
                self._write(session)
                self.trouble = None
                self.written_at = time.monotonic()
                with self._changed:
                    self._served = max(self._served, asked)
                    self._changed.notify_all()
            except (pymysql.err.MySQLError, OSError) as error:
                self.trouble = error
                _close(session)
                session = None
            pause = EVERY_SECONDS if session is not None else 1.0
            with self._changed:
                until = began + pause
                while not self._ended.is_set() and (left := until - time.monotonic()) > 0:
                    if session is not None and self._wanted > self._served:
                        break
                    self._changed.wait(left)
        _close(session)

    def _write(self, session: Session) -> None:
        self._number += 1
        self._lag.sent(self._number, time.monotonic())
        with session.cursor() as cursor:
            cursor.execute(
                # all that is in gtid_executed now is before this transaction in the binlog
                f"INSERT INTO {MARKER_SCHEMA}.{MARKER_TABLE} (stream, number, written_at, executed)"
                f" VALUES (%s, %s, UTC_TIMESTAMP(6), @@global.{self._executed})"
                " ON DUPLICATE KEY UPDATE number = VALUES(number), written_at = VALUES(written_at),"
                " executed = VALUES(executed)",
                (self._stream, self._number),
            )
        session.commit()


def _close(session: Session | None) -> None:
    if session is not None:
        with suppress(pymysql.err.MySQLError):
            session.close()
