"""Who holds up a move: sessions with an open transaction that has written to an owned table."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pymysql

from cdc.database import Database
from cdc.server import Server
from cdc.session import Session, open_session

_SHOWN = 5


@dataclass(frozen=True)
class Holder:
    """A session whose transaction is open. ``statement`` is its last one, where the server tells it."""

    id: int
    user: str
    host: str
    seconds: int
    statement: str | None

    def __str__(self) -> str:
        said = f", last statement: {self.statement}" if self.statement else ""
        return f"session {self.id} of {self.user}@{self.host}, its transaction open for {self.seconds} s{said}"


class HoldersWatch(threading.Thread):
    """Looks ``after_seconds`` from its start, over a session of its own, at who keeps the session ``waiting`` from
    going on; ``found`` is what it saw, ``trouble`` why it could not look."""

    def __init__(self, database: Database, waiting: int, after_seconds: float) -> None:
        super().__init__(name="holders", daemon=True)
        self._database, self._waiting, self._after = database, waiting, after_seconds
        self._ended = threading.Event()
        self.found: tuple[Holder, ...] = ()
        self.trouble: str | None = None

    def run(self) -> None:
        if self._ended.wait(self._after):
            return
        try:
            with closing(open_session(self._database, schema=False, read_timeout=10)) as session:
                self.found = holders(session, self._waiting)
        except (pymysql.err.MySQLError, OSError) as error:
            self.trouble = str(error.args[-1] if error.args else error)

    def end(self) -> None:
        self._ended.set()
        self.join(15)


def holders(session: Session, waiting: int) -> tuple[Holder, ...]:
    """Those that the session ``waiting`` waits for; where the server does not say, all whose transactions hold locks
    and are older than a second, the oldest first. Raises pymysql.err.MySQLError."""
    mariadb = Server.of(session).mariadb
    found = _rows(session, _BLOCKING_MARIADB if mariadb else _BLOCKING_MYSQL, (waiting,))
    if not found:
        found = _rows(session, _OPEN, (waiting,))
    return tuple(
        Holder(int(id_), str(user), str(host), int(seconds or 0), _words(query) or _last(session, int(id_), mariadb))
        for id_, user, host, seconds, query in found[:_SHOWN]
    )


_WHO = (
    "SELECT t.trx_mysql_thread_id, p.USER, p.HOST, TIMESTAMPDIFF(SECOND, t.trx_started, NOW()), p.INFO"
    " FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id"
)
_BLOCKING_MYSQL = (
    f"{_WHO} WHERE t.trx_id IN (SELECT w.BLOCKING_ENGINE_TRANSACTION_ID FROM performance_schema.data_lock_waits w"
    " JOIN information_schema.INNODB_TRX r ON r.trx_id = w.REQUESTING_ENGINE_TRANSACTION_ID"
    " WHERE r.trx_mysql_thread_id = %s) ORDER BY t.trx_started"
)
_BLOCKING_MARIADB = (
    f"{_WHO} WHERE t.trx_id IN (SELECT w.blocking_trx_id FROM information_schema.INNODB_LOCK_WAITS w"
    " JOIN information_schema.INNODB_TRX r ON r.trx_id = w.requesting_trx_id"
    " WHERE r.trx_mysql_thread_id = %s) ORDER BY t.trx_started"
)
_OPEN = (
    f"{_WHO} WHERE t.trx_rows_locked > 0 AND t.trx_mysql_thread_id <> %s"
    " AND t.trx_started < NOW() - INTERVAL 1 SECOND ORDER BY t.trx_started"
)
_LAST_MYSQL = (
    "SELECT s.SQL_TEXT FROM performance_schema.events_statements_current s JOIN performance_schema.threads t"
    " USING (THREAD_ID) WHERE t.PROCESSLIST_ID = %s ORDER BY s.EVENT_ID DESC LIMIT 1"
)


def _last(session: Session, id_: int, mariadb: bool) -> str | None:
    """MariaDB keeps no statements of idle sessions (its performance schema is off unless asked for)."""
    if mariadb:
        return None
    try:
        found = _rows(session, _LAST_MYSQL, (id_,))
    except pymysql.err.MySQLError:  # the account may not read it
        return None
    return _words(found[0][0]) if found else None


def _words(statement: object) -> str | None:
    text = " ".join(str(statement or "").split())
    return (text if len(text) <= 200 else text[:197] + "...") or None


def _rows(session: Session, query: str, arguments: Sequence[object]) -> list[tuple[Any, ...]]:
    with session.cursor() as cursor:
        cursor.execute(query, arguments)
        return list(cursor.fetchall())
