"""Do a database server's settings and the account's rights allow a change stream from it, or into it?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdc.database import Database
from strangler.dev.server import connect

VARIABLES = (
    "version",
    "log_bin",
    "binlog_format",
    "binlog_row_image",
    "binlog_row_value_options",
    "gtid_mode",
    "enforce_gtid_consistency",
    "server_id",
    "local_infile",
)
SOURCE_RIGHTS = ("SELECT", "RELOAD", "SHOW DATABASES", "LOCK TABLES", "REPLICATION SLAVE", "REPLICATION CLIENT")
TARGET_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "CREATE TEMPORARY TABLES")
ALSO_CALLED = {"REPLICATION CLIENT": ("BINLOG MONITOR",), "REPLICATION SLAVE": ("REPLICA MONITOR",)}
"""MariaDB's words for the same right."""


@dataclass(frozen=True)
class Wrong:
    """One setting or right that is not as it must be, and how to mend it."""

    what: str
    fix: str


@dataclass(frozen=True)
class Settings:
    """``variables`` in lower case; one that the server doesn't know is missing. ``grants``: as by SHOW GRANTS."""

    variables: Mapping[str, str]
    grants: Sequence[str]

    @property
    def mariadb(self) -> bool:
        return "mariadb" in self.variables.get("version", "").lower()


def read(database: Database) -> Settings:
    """Ask the server. Raises pymysql.MySQLError when it can't be reached."""
    with connect(database) as connection, connection.cursor() as cursor:
        names = ", ".join(f"'{name}'" for name in VARIABLES)
        cursor.execute(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")
        variables = {str(name).lower(): str(value) for name, value in cursor.fetchall()}
        cursor.execute("SHOW GRANTS")
        return Settings(variables, [str(row[0]) for row in cursor.fetchall()])


def wrong_as_source(settings: Settings) -> list[Wrong]:
    """What keeps a change stream from being read off this server. Pure."""
    found = []
    wanted = {"log_bin": "ON", "binlog_format": "ROW", "binlog_row_image": "FULL"}
    if not settings.mariadb:
        wanted |= {"gtid_mode": "ON", "enforce_gtid_consistency": "ON"}
    for name, value in wanted.items():
        actual = settings.variables.get(name, "unknown")
        if actual.upper() != value:
            restart = " (needs a restart)" if name == "log_bin" else ""
            option = "log_bin = binlog" if name == "log_bin" else f"{name} = {value}"
            found.append(Wrong(f"{name} is {actual}, it must be {value}", f"set {option} in [mysqld]{restart}"))
    if settings.variables.get("binlog_row_value_options", "") not in ("", "unknown"):
        found.append(
            Wrong(
                "binlog_row_value_options makes JSON changes incomplete",
                'set binlog_row_value_options = "" in [mysqld]',
            )
        )
    if settings.variables.get("server_id", "0") == "0":
        found.append(Wrong("server_id is 0, no binlog is sent out", "set server_id to a number of its own in [mysqld]"))
    return found + _missing_rights(settings, SOURCE_RIGHTS)


def wrong_as_target(settings: Settings) -> list[Wrong]:
    """What keeps a change stream from being applied to this server. Pure."""
    found = []
    if settings.variables.get("local_infile", "OFF").upper() not in ("ON", "1"):
        found.append(
            Wrong("local_infile is OFF, rows can't be loaded", "SET PERSIST local_infile = 1, or set it in [mysqld]")
        )
    return found + _missing_rights(settings, TARGET_RIGHTS)


def _missing_rights(settings: Settings, rights: Sequence[str]) -> list[Wrong]:
    granted: set[str] = set()
    for line in settings.grants:
        if match := re.match(r"GRANT (.+?) ON (\S+) TO", line):
            granted |= {right.strip().upper() for right in re.sub(r"\([^)]*\)", "", match[1]).split(",")}
    if "ALL PRIVILEGES" in granted:
        return []
    missing = [right for right in rights if not granted & {right, *ALSO_CALLED.get(right, ())}]
    if not missing:
        return []
    return [Wrong(f"the account lacks {', '.join(missing)}", f"GRANT {', '.join(missing)} ON *.* TO the account")]
