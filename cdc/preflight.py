"""What a server must be like before a stream begins: asked of the server, answered in sentences."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pymysql

from cdc.carried import COMPRESSED, UNREADABLE, unreadable
from cdc.cascade import read_foreign_keys
from cdc.event import MARKER_SCHEMA
from cdc.server import Server
from cdc.session import Session

_VARIABLES = "SHOW GLOBAL VARIABLES WHERE Variable_name IN (%s)"
SOURCE_VARIABLES = (
    "log_bin",
    "binlog_format",
    "binlog_row_image",
    "binlog_row_value_options",
    "binlog_order_commits",
    "init_connect",
)
_OF_SESSIONS = ("sql_log_bin", "binlog_format", "binlog_row_image", "binlog_row_value_options")
# Engines whose rows go, or change, without an event: gone after a restart, never there, or those of other tables.
_UNLOGGED = {
    "memory": "its rows go at a restart of the server",
    "blackhole": "it keeps no rows",
    "federated": "its rows are another server's",
    "mrg_myisam": "its rows are written through other tables too",
    "spider": "its rows are another server's",
    "connect": "its rows are somewhere else",
}
_RIGHTS = ("REPLICATION SLAVE", "REPLICATION CLIENT")
# MariaDB's newer names for the same rights
_SAME_RIGHT = {
    "REPLICATION SLAVE": ("REPLICATION SLAVE", "REPLICATION REPLICA"),
    "REPLICATION CLIENT": ("REPLICATION CLIENT", "BINLOG MONITOR"),
}


def check_source(session: Session, schema: str, tables: Sequence[str]) -> list[str]:
    """Why changes of these tables can't be streamed from this server with this account; empty when they can."""
    server = Server.of(session)
    problems = [*wrong_settings(read_variables(session, SOURCE_VARIABLES)), *missing_rights(_grants(session), server)]
    problems += _unreadable(session) if server.mariadb else []
    return problems or [*left_out(*_filters(session, server), schema), *unlogged(_engines(session, tables))]


def _unreadable(session: Session) -> list[str]:
    """Columns that end the engine although no stream has to do with them: it reads the statements that made the tables
    of the schema, and the headers of all row events of the server."""
    with session.cursor() as cursor:
        cursor.execute(
            "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE FROM information_schema.COLUMNS"
            " WHERE COLUMN_TYPE LIKE %s AND TABLE_SCHEMA <> 'information_schema'"
            " OR TABLE_SCHEMA = DATABASE() AND DATA_TYPE IN %s"
            " ORDER BY TABLE_SCHEMA <> DATABASE(), TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME",
            (f"%{COMPRESSED}%", tuple(UNREADABLE)),
        )
        found = [
            unreadable(f"{schema}.{table}", column, str(kind), str(full))
            for schema, table, column, kind, full in cursor.fetchall()
        ]
    return [str(one) for one in found if one is not None]


def check_target(session: Session) -> list[str]:
    """Why rows can't be written to this server with this account; empty when they can."""
    problems = []
    if read_variables(session, ("local_infile",)).get("local_infile", "OFF").upper() not in ("ON", "1"):
        problems.append("the target refuses LOAD DATA LOCAL: SET GLOBAL local_infile = ON there")
    return problems


def warnings_of(session: Session, tables: Sequence[str], accepted_keys: Collection[str] = ()) -> list[str]:
    """What may go unseen although everything is set up right: said, not refused. ``accepted_keys`` are foreign keys
    that nothing is followed of."""
    return [
        f"{key.child}.{key.name}: rows changed by this foreign key's {key.rules} make no change event (the server keeps"
        " no record): strangler verify finds them"
        for key in (read_foreign_keys(session) if accepted_keys else [])
        if key.child in tables and key.acts and key.name in accepted_keys
    ]


def wrong_settings(variables: Mapping[str, str]) -> list[str]:
    """Of the source's global variables (names as the server writes them), those that make a stream impossible."""
    problems = []
    if variables.get("log_bin", "OFF").upper() not in ("ON", "1"):
        problems.append("the source writes no binlog: start it with log_bin")
        return problems
    wanted = {"binlog_format": "ROW", "binlog_row_image": "FULL"}
    for name, value in wanted.items():
        if name in variables and variables[name].upper() != value:
            problems.append(
                f"the source has {name} = {variables[name]}, {value} is needed: SET GLOBAL {name} = '{value}' there,"
                " then reconnect its clients"
            )
    if variables.get("binlog_order_commits", "ON").upper() not in ("ON", "1"):
        problems.append(
            "the source commits in another order than its binlog says (binlog_order_commits = OFF), which a copy can't"
            " tell: SET GLOBAL binlog_order_commits = ON there"
        )
    if variables.get("binlog_row_value_options", ""):
        problems.append(
            "the source logs parts of JSON documents only (binlog_row_value_options = "
            f"{variables['binlog_row_value_options']}): SET GLOBAL binlog_row_value_options = '' there"
        )
    return [*problems, *_init_connect(variables.get("init_connect", ""))]


def _init_connect(text: str) -> list[str]:
    """What every session that is no administrator's begins with."""
    lowered = text.lower()
    named = [
        n for n in ("sql_log_bin", "binlog_format", "binlog_row_image", "binlog_row_value_options") if n in lowered
    ]
    if not named:
        return []
    return [
        f"the source's init_connect changes {', '.join(named)} for every session, so that changes make no or incomplete"
        " events: take that out of it, then reconnect its clients"
    ]


def left_out(only: Sequence[str], without: Sequence[str], schema: str) -> list[str]:
    """Of the schemas that the server's binlog is restricted to (none: no restriction) and those it leaves out."""
    missing = [s for s in (schema, MARKER_SCHEMA) if s in without or (only and s not in only)]
    if not missing:
        return []
    return [
        f"the source leaves the schema {' and '.join(missing)} out of its binlog (binlog_do_db, binlog_ignore_db): no"
        " change of it makes an event: take that out of the server's configuration and restart it"
    ]


def unlogged(engines: Mapping[str, str]) -> list[str]:
    """Of the tables' engines, those whose rows a binlog does not tell of."""
    return [
        f"{table} is a table of the engine {engine}, of which changes make no event ({_UNLOGGED[engine.lower()]}):"
        f" ALTER TABLE {table} ENGINE = InnoDB at the source"
        for table, engine in engines.items()
        if engine.lower() in _UNLOGGED
    ]


def missing_rights(grants: Sequence[str], server: Server) -> list[str]:
    """From SHOW GRANTS: global rights that the account lacks. Rights on tables show when the tables are read."""
    everywhere = " , ".join(grant.upper() for grant in grants if " ON *.* " in grant.upper())
    if "ALL PRIVILEGES" in everywhere:
        return []
    missing = [right for right in _RIGHTS if not any(name in everywhere for name in _SAME_RIGHT[right])]
    if not missing:
        return []
    return [f"the source's account lacks {', '.join(missing)}: GRANT {', '.join(missing)} ON *.* TO that account"]


def _filters(session: Session, server: Server) -> tuple[list[str], list[str]]:
    modern = not server.mariadb and server.version >= (8, 2, 0)
    with session.cursor() as cursor:
        cursor.execute("SHOW BINARY LOG STATUS" if modern else "SHOW MASTER STATUS")
        row = cursor.fetchone()
    if row is None:
        return [], []
    only, without = ([name for name in str(part or "").split(",") if name] for part in row[2:4])
    return only, without


def _engines(session: Session, tables: Sequence[str]) -> dict[str, str]:
    with session.cursor() as cursor:
        cursor.execute("SELECT TABLE_NAME, ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()")
        return {str(name): str(engine) for name, engine in cursor.fetchall() if name in tables and engine}


def read_variables(session: Session, names: Sequence[str]) -> dict[str, str]:
    """Global ones, by name; those that the server does not know are missing."""
    with session.cursor() as cursor:
        cursor.execute(_VARIABLES % ", ".join(f"'{name}'" for name in names))
        return {str(name): str(value) for name, value in cursor.fetchall()}


def _grants(session: Session) -> list[str]:
    with session.cursor() as cursor:
        try:
            cursor.execute("SHOW GRANTS")
        except pymysql.err.MySQLError as error:
            return [f"(unknown: {error.args[-1]})"]
        return [str(row[0]) for row in cursor.fetchall()]
