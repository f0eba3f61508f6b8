"""What kind of server is this, and where is its binlog now?"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum

from cdc.database import Database
from cdc.position import Position, parse_gtids
from cdc.session import Session, open_session


class Flavour(StrEnum):
    MYSQL = "mysql"
    MARIADB = "mariadb"


@dataclass(frozen=True)
class Server:
    """A server as it introduces itself: ``version`` is (major, minor, patch)."""

    flavour: Flavour
    version: tuple[int, int, int]
    text: str

    @classmethod
    def parse(cls, text: str) -> Server:
        """``SELECT VERSION()``: ``8.0.15``, ``10.11.5-MariaDB-log``, ``5.5.5-10.6.1-MariaDB``. Raises ValueError."""
        flavour = Flavour.MARIADB if "mariadb" in text.lower() else Flavour.MYSQL
        number = text.removeprefix("5.5.5-") if flavour is Flavour.MARIADB else text
        major, minor, patch = (
            [int("".join(filter(str.isdigit, p)) or 0) for p in number.split("-")[0].split(".")] + [0, 0]
        )[:3]
        if not major:
            raise ValueError(f"a server that calls itself {text!r} is neither MySQL nor MariaDB")
        return cls(flavour, (major, minor, patch), text)

    @classmethod
    def of(cls, session: Session) -> Server:
        with session.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            row = cursor.fetchone()
        assert row is not None
        return cls.parse(str(row[0]))

    @property
    def mariadb(self) -> bool:
        return self.flavour is Flavour.MARIADB


def source_position(database: Database) -> Position:
    """The end of ``database``'s binlog now: everything committed before the call is in it.

    Raises PositionError when the server writes no binlog, pymysql.err.OperationalError when it can't be asked.
    """
    with closing(open_session(database)) as session:
        return read_position(session)


def read_position(session: Session) -> Position:
    """As ``source_position``, over a session that is open."""
    server = Server.of(session)
    modern = server.flavour is Flavour.MYSQL and server.version >= (8, 2, 0)
    with session.cursor() as cursor:
        cursor.execute("SHOW BINARY LOG STATUS" if modern else "SHOW MASTER STATUS")
        row = cursor.fetchone()
        file, offset = (str(row[0]), int(row[1])) if row else (None, None)
        cursor.execute("SELECT @@global.gtid_binlog_pos" if server.mariadb else "SELECT @@global.gtid_executed")
        found = cursor.fetchone()
    return Position(parse_gtids(str(found[0]) if found else ""), file, offset)
