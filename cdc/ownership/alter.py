"""Statements that need a table for themselves for a moment, on a table that is in use.

While such a statement waits for a transaction that has the table open, everybody else waits behind it. So it waits
only for a moment, and tries again.
"""

from __future__ import annotations

import time

import pymysql
from pymysql.cursors import Cursor

from cdc.ownership.row import OwnershipError

WAIT_SECONDS, TRIES = 1, 20
_LOCK_WAIT_TIMEOUT = 1205


def alter(cursor: Cursor, table: str, statement: str) -> None:
    """Raises OwnershipError when the table was never free, and pymysql.err.MySQLError."""
    cursor.execute(f"SET SESSION lock_wait_timeout = {WAIT_SECONDS}")
    for _ in range(TRIES):
        try:
            cursor.execute(statement)
            return
        except pymysql.err.OperationalError as error:
            if not error.args or error.args[0] != _LOCK_WAIT_TIMEOUT:
                raise
        time.sleep(WAIT_SECONDS / 2)
    raise OwnershipError(
        f"{table} was never free for a moment: a transaction has it open all the time. SHOW PROCESSLIST there names the"
        " sessions; let the longest one end, and try again"
    )
