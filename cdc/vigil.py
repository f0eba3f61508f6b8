"""Looks, while a stream follows, whether the source still logs whole rows of all changes.

Settings are changed on servers that run, and a session that may can leave the binlog out or write statements into it.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pymysql

from cdc.database import Database
from cdc.preflight import SOURCE_VARIABLES, read_variables, wrong_settings
from cdc.server import Server
from cdc.session import Session, open_session

EVERY_SECONDS = 5.0
SESSIONS_EVERY_SECONDS = 30.0  # the server looks at every variable of every session for it
_SESSIONS = """SELECT t.PROCESSLIST_ID, t.PROCESSLIST_USER, t.PROCESSLIST_HOST, v.VARIABLE_NAME, v.VARIABLE_VALUE
    FROM performance_schema.variables_by_thread v JOIN performance_schema.threads t USING (THREAD_ID)
    WHERE (v.VARIABLE_NAME = 'sql_log_bin' AND v.VARIABLE_VALUE IN ('OFF', '0'))
        OR (v.VARIABLE_NAME = 'binlog_format' AND v.VARIABLE_VALUE <> 'ROW')
        OR (v.VARIABLE_NAME = 'binlog_row_image' AND v.VARIABLE_VALUE <> 'FULL')
        OR (v.VARIABLE_NAME = 'binlog_row_value_options' AND v.VARIABLE_VALUE <> '')
    ORDER BY 1 LIMIT 5"""


class Vigil(threading.Thread):
    """Runs until ``end``. ``wrong`` are sentences about settings that make changes unseen; ``sessions`` about sessions
    that have settings of their own, as far as the server can be asked (MySQL, with rights on performance_schema)."""

    def __init__(self, source: Database) -> None:
        super().__init__(name="vigil", daemon=True)
        self._source, self._ended = source, threading.Event()
        self.wrong: list[str] = []
        self.sessions: tuple[str, ...] = ()

    def end(self) -> None:
        self._ended.set()
        self.join(15)

    def run(self) -> None:
        session: Session | None = None
        asked = time.monotonic()
        while not self._ended.wait(EVERY_SECONDS):
            try:
                session = session or open_session(self._source, read_timeout=10)
                self.wrong = wrong_settings(read_variables(session, SOURCE_VARIABLES))
                if time.monotonic() - asked >= SESSIONS_EVERY_SECONDS:
                    asked = time.monotonic()
                    self.sessions = _sessions(session)
                session.rollback()
            except (pymysql.err.MySQLError, OSError):  # the stream finds out by itself that the source is away
                with suppress(pymysql.err.MySQLError, OSError, AttributeError):
                    session.close()  # type: ignore[union-attr]
                session = None
        if session is not None:
            with suppress(pymysql.err.MySQLError):
                session.close()


def _sessions(session: Session) -> tuple[str, ...]:
    if Server.of(session).mariadb:
        return ()
    try:
        with session.cursor() as cursor:
            cursor.execute(_SESSIONS)
            rows = cursor.fetchall()
    except (pymysql.err.OperationalError, pymysql.err.ProgrammingError) as error:
        if error.args and error.args[0] in (1142, 1044, 1227, 1146):  # may not be asked
            return ()
        raise
    return tuple(
        f"session {number} of {user}@{host} has {name} = {value}, so that its changes make no, or incomplete, events:"
        f" end it (KILL {number}), then: strangler verify"
        for number, user, host, name, value in rows
    )
