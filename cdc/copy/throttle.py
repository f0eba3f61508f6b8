"""Whether the copy may go on now, or waits for the stream, or for the source."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pymysql

from cdc.copy.settings import CopySettings
from cdc.database import Database
from cdc.marker import Lag
from cdc.session import Session, open_session

EVERY_SECONDS = 0.25


def why_wait(settings: CopySettings, lag_seconds: float | None, threads_running: int) -> str | None:
    """In words; None when nothing speaks against another chunk. ``threads_running`` are the source's, without ours."""
    if lag_seconds is None:
        return "the stream has not begun to flow"
    if lag_seconds > settings.max_lag_seconds:
        return f"the stream is {lag_seconds:.1f} s behind, more than {settings.max_lag_seconds:g} s"
    if threads_running > settings.max_threads_running:
        return f"the source runs {threads_running} statements at once, more than {settings.max_threads_running}"
    return None


class Throttle:
    """Asked by all sessions of a copy; looks at the source a few times a second at most. ``ours`` says how many of the
    source's running statements are the copy's."""

    def __init__(self, settings: CopySettings, source: Database, lag: Lag, ours: Callable[[], int]) -> None:
        self._settings, self._source, self._lag, self._ours = settings, source, lag, ours
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._asked, self._threads = float("-inf"), 0
        self.reason: str | None = None

    def why_wait(self) -> str | None:
        """As the function of that name. Raises pymysql.err.MySQLError when the source can't be asked."""
        now = time.monotonic()
        with self._lock:
            if now - self._asked >= EVERY_SECONDS:
                self._threads, self._asked = max(0, self._running() - self._ours()), now
            reason = why_wait(self._settings, self._lag.now(now), self._threads)
            self.reason = reason if self._lag.now(now) is not None else None
            return reason

    def close(self) -> None:
        with self._lock:
            if self._session is not None and self._session.open:
                self._session.close()

    def _running(self) -> int:
        """Statements running at the source now, without this one. Sessions that send the binlog count as well."""
        if self._session is None:
            self._session = open_session(self._source)
            self._session.autocommit(True)
        with self._session.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Threads_running'")
            row = cursor.fetchone()
        if row is None:
            raise pymysql.err.OperationalError(1105, "the source does not tell its Threads_running")
        return int(row[1]) - 1
