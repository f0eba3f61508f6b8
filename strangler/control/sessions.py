"""Database sessions that are kept for the next time: to log in takes longer than what is asked while writes wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pymysql

from cdc.database import Database
from cdc.session import Session, open_session

_KEPT = 4


class KeptSessions:
    """Without a schema, as ``open_session`` opens them. May be used from several threads."""

    def __init__(self) -> None:
        self._idle: dict[Database, list[Session]] = {}

    @contextmanager
    def on(self, database: Database) -> Iterator[Session]:
        """A session that is nobody else's meanwhile. After an error it is closed. Raises pymysql.err.MySQLError."""
        session = self._alive(database) or open_session(database, schema=False)
        try:
            yield session
            session.rollback()
        except BaseException:
            with suppress(pymysql.err.MySQLError):
                session.close()
            raise
        idle = self._idle.setdefault(database, [])
        if len(idle) < _KEPT:
            idle.append(session)
        else:
            session.close()

    def _alive(self, database: Database) -> Session | None:
        idle = self._idle.get(database, [])
        while idle:
            try:
                session = idle.pop()
                session.ping(reconnect=False)
            except (IndexError, OSError, pymysql.err.MySQLError):
                continue
            return session
        return None
