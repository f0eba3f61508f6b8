"""What all tables share: naming of constraints, column shapes, the table options."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import DateTime, Integer, MetaData, Numeric, SmallInteger
from sqlalchemy.orm import DeclarativeBase, mapped_column

from legacy_monolith.clock import shop_now

#: The same on MySQL and MariaDB (neither knows the other's newer collations).
TABLE_OPTIONS = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

Key = Annotated[int, mapped_column(Integer, primary_key=True, autoincrement=True)]
Code = Annotated[int, mapped_column(SmallInteger)]
Money = Annotated[Decimal, mapped_column(Numeric(10, 2))]
#: Naive, fixed UTC-8, whole seconds.
LocalTime = Annotated[datetime, mapped_column(DateTime)]
Created = Annotated[datetime, mapped_column(DateTime, default=shop_now)]
Updated = Annotated[datetime, mapped_column(DateTime, default=shop_now, onupdate=shop_now)]


class Base(DeclarativeBase):
    """All tables of the shop's one schema."""

    metadata = MetaData(naming_convention=NAMES)
    __table_args__: Any = TABLE_OPTIONS
