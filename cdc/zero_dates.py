"""Which columns may hold zero dates (0000-00-00, or a zero as month or day): asked before a stream begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pymysql

from cdc.expression import quote
from cdc.schema import Table
from cdc.server import Server
from cdc.session import Session

LOOK_SECONDS = 2
_DATED = ("date", "datetime")
_KEEPS_OUT = ("NO_ZERO_DATE", "NO_ZERO_IN_DATE")


def with_zero_dates(session: Session, server: Server, table: Table, used: Iterable[str]) -> Table:
    """The table, with ``zeros`` at those of the used dates that may hold zero dates: all where the server lets such in,
    those that have some where it does not (they may be older than its setting), and all again where it takes longer
    than a moment to find that out. A session that lifts the server's setting later goes unnoticed."""
    dated = [name for name in used if table.columns[name].type in _DATED]
    if not dated:
        return table
    if not _let_in(session):
        some = _has_some(session, server, table.name, dated)
        if some is False:
            return table
        if some:
            dated = [name for name in dated if _has_some(session, server, table.name, [name]) is not False]
    marked = {name: replace(table.columns[name], zeros=True) for name in dated}
    return replace(table, columns={**table.columns, **marked})


def _let_in(session: Session) -> bool:
    with session.cursor() as cursor:
        cursor.execute("SELECT @@global.sql_mode")
        row = cursor.fetchone()
    modes = str(row[0]).upper().split(",") if row else []
    strict = "STRICT_ALL_TABLES" in modes or "STRICT_TRANS_TABLES" in modes
    return not strict or not all(mode in modes for mode in _KEEPS_OUT)


def _has_some(session: Session, server: Server, table: str, columns: Iterable[str]) -> bool | None:
    """In any of the columns; None when it can't be told in LOOK_SECONDS."""
    zero = "{c} < '1000-01-01' OR MONTH({c}) = 0 OR DAYOFMONTH({c}) = 0"
    found = " OR ".join(zero.format(c=quote(column)) for column in columns)
    looked = f"1 FROM {quote(table)} WHERE {found} LIMIT 1"
    limited = (
        f"SET STATEMENT max_statement_time={LOOK_SECONDS} FOR SELECT {looked}"
        if server.mariadb
        else f"SELECT /*+ MAX_EXECUTION_TIME({LOOK_SECONDS * 1000}) */ {looked}"
    )
    with session.cursor() as cursor:
        try:
            cursor.execute(limited)
        except pymysql.err.MySQLError as error:
            if error.args and error.args[0] in _TOOK_TOO_LONG:
                return None
            raise
        return cursor.fetchone() is not None


_TOOK_TOO_LONG = (3024, 1969)  # of MySQL and MariaDB
