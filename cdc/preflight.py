"""What a server must be like before a stream begins: asked of the server, answered in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pymysql

from cdc.carried import COMPRESSED, UNREADABLE, unreadable
from cdc.server import Server
from cdc.session import Session

_VARIABLES = "SHOW GLOBAL VARIABLES WHERE Variable_name IN (%s)"
_SOURCE_VARIABLES = ("log_bin", "binlog_format", "binlog_row_image", "binlog_row_value_options", "binlog_order_commits")
_RIGHTS = ("REPLICATION SLAVE", "REPLICATION CLIENT")
# MariaDB's newer names for the same rights
_SAME_RIGHT = {
    "REPLICATION SLAVE": ("REPLICATION SLAVE", "REPLICATION REPLICA"),
    "REPLICATION CLIENT": ("REPLICATION CLIENT", "BINLOG MONITOR"),
}


def check_source(session: Session) -> list[str]:
    """Why changes can't be streamed from this server with this account; empty when they can."""
    server = Server.of(session)
    problems = [*wrong_settings(_variables(session, _SOURCE_VARIABLES)), *missing_rights(_grants(session), server)]
    return [*problems, *(_unreadable(session) if server.mariadb else [])]


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
    if _variables(session, ("local_infile",)).get("local_infile", "OFF").upper() not in ("ON", "1"):
        problems.append("the target refuses LOAD DATA LOCAL: SET GLOBAL local_infile = ON there")
    return problems


def warnings_of(session: Session, tables: Sequence[str]) -> list[str]:
    """What may go unseen although everything is set up right: said, not refused."""
    return [
        f"{table}.{name}: rows changed by this foreign key's {rule} make no change event (the server keeps no record)"
        for table, name, rule in _cascades(session, tables)
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
    return problems


def missing_rights(grants: Sequence[str], server: Server) -> list[str]:
    """From SHOW GRANTS: global rights that the account lacks. Rights on tables show when the tables are read."""
    everywhere = " , ".join(grant.upper() for grant in grants if " ON *.* " in grant.upper())
    if "ALL PRIVILEGES" in everywhere:
        return []
    missing = [right for right in _RIGHTS if not any(name in everywhere for name in _SAME_RIGHT[right])]
    if not missing:
        return []
    return [f"the source's account lacks {', '.join(missing)}: GRANT {', '.join(missing)} ON *.* TO that account"]


def _cascades(session: Session, tables: Sequence[str]) -> list[tuple[str, str, str]]:
    with session.cursor() as cursor:
        cursor.execute(
            "SELECT TABLE_NAME, CONSTRAINT_NAME, CONCAT('ON DELETE ', DELETE_RULE, ' ON UPDATE ', UPDATE_RULE)"
            " FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()"
            " AND (DELETE_RULE IN ('CASCADE', 'SET NULL') OR UPDATE_RULE IN ('CASCADE', 'SET NULL'))"
        )
        rows = [(str(row[0]), str(row[1]), str(row[2])) for row in cursor.fetchall()]
    return [row for row in rows if row[0] in tables]


def _variables(session: Session, names: Sequence[str]) -> dict[str, str]:
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
