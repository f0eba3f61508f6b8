"""What all tables share: shapes of columns, the table options."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Enum, Integer, MetaData
from sqlalchemy.dialects.mysql import CHAR
from sqlalchemy.orm import DeclarativeBase, mapped_column

from extracted.purchasing.clock import utc_now

TABLE_OPTIONS = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}
#: The currency of everything so far; the monolith's amounts carry none.
CURRENCY = "USD"

#: A key that this service hands out while it owns the table; no wider than the monolith's, which has to hold it too.
Key = Annotated[int, mapped_column(Integer, primary_key=True, autoincrement=True)]
#: A key that the monolith hands out.
GivenKey = Annotated[int, mapped_column(Integer, primary_key=True, autoincrement=False)]
Reference = Annotated[int, mapped_column(Integer)]
Cents = Annotated[int, mapped_column(BigInteger)]
Currency = Annotated[str, mapped_column(CHAR(3, charset="ascii", collation="ascii_bin"), default=CURRENCY)]
#: Made from the key (``identity.py``), so it is written once the key is known.
Uuid = Annotated[str, mapped_column(CHAR(36, charset="ascii", collation="ascii_bin"), default="", index=True)]
Utc = Annotated[datetime, mapped_column(DateTime)]
Created = Annotated[datetime, mapped_column(DateTime, default=utc_now)]
Updated = Annotated[datetime, mapped_column(DateTime, default=utc_now, onupdate=utc_now)]


def words(name: str, values: tuple[str, ...]) -> Enum:
    """A state as a word."""
    return Enum(*values, name=name)


def touch(row: Any) -> None:
    """Changes ``updated_at``: a write that the database refuses if this side does not own the row. For whoever is about
    to speak to somebody else; flush it first."""
    row.updated_at = max(utc_now(), row.updated_at + timedelta(seconds=1))


class Base(DeclarativeBase):
    """All tables of the service's schema."""

    metadata = MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s"})
    __table_args__: Any = TABLE_OPTIONS
