"""One way to open a session, so that an expression means the same wherever it is evaluated.

Every session that evaluates a mapping's expressions (the applier, the copy, the verifier, the mapping check) runs with
this SQL mode, in UTC, in utf8mb4. The server's own defaults never take part.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import pymysql
from pymysql.cursors import Cursor

from cdc.database import Database

# Strict, so that nothing is cut short in silence; a key of 0 stays 0; zero dates of legacy rows may be written.
SQL_MODE = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO"
TIME_ZONE = "+00:00"

Session: TypeAlias = "pymysql.connections.Connection[Cursor]"

# CR_SERVER_GONE, CR_SERVER_LOST, connection refused, too many connections, shutdown in progress, killed by the server
_CONNECTION_LOST = frozenset({2002, 2003, 2006, 2013, 1040, 1053, 1077, 1080, 1152, 1153, 1184, 1927, 3169, 4031, 0})
# lock wait timeout, deadlock, read-only for a moment (failover), query interrupted
_TRY_AGAIN = frozenset({1205, 1213, 1290, 1836, 1317})
# disk full, table is full, no space left for a temporary file, for writing one, for the binlog
_FULL = frozenset({1021, 1114, 1878})
_NO_SPACE = ("errno: 28", "error: 28", "no space left on device")


def open_session(database: Database, *, load: bool = False, schema: bool = True, **options: Any) -> Session:
    """A session on ``database`` with transactions on (autocommit off), strict mode, UTC and utf8mb4.

    ``load`` allows LOAD DATA LOCAL. ``schema=False`` selects no schema. Raises pymysql.err.OperationalError when the
    server can't be reached or refuses the account.
    """
    return pymysql.connect(
        host=database.host,
        port=database.port,
        user=database.user,
        password=database.password,
        database=database.schema if schema else None,
        charset="utf8mb4",
        autocommit=False,
        local_infile=load,
        connect_timeout=10,
        init_command=f"SET SESSION sql_mode = '{SQL_MODE}', time_zone = '{TIME_ZONE}'",
        **options,
    )


def connection_lost(error: BaseException) -> bool:
    """Whether ``error`` says that the server went away or refuses connections for now, so that waiting may help."""
    if isinstance(error, pymysql.err.InterfaceError):
        return True
    if isinstance(error, (pymysql.err.OperationalError, pymysql.err.InternalError)):
        return bool(error.args) and error.args[0] in _CONNECTION_LOST
    return isinstance(error, (ConnectionError, TimeoutError, BrokenPipeError))


def disk_full(error: BaseException) -> bool:
    """Whether a server had no room for what it was to write."""
    if not isinstance(error, pymysql.err.MySQLError) or not error.args:
        return False
    return error.args[0] in _FULL or any(sign in str(error.args[-1]).lower() for sign in _NO_SPACE)


def try_again(error: BaseException) -> bool:
    """Whether the same transaction, run again, may go through: a lost connection, a deadlock, a lock wait timeout, a
    disk that is full."""
    if disk_full(error):
        return True
    if isinstance(error, pymysql.err.OperationalError) and error.args and error.args[0] in _TRY_AGAIN:
        return True
    return connection_lost(error)
