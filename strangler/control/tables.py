"""The control plane's own tables, on the same engine as the flag store.

They are made by ``create`` (``metadata.create_all``) and carry a schema version; see docs/decisions on why not Alembic.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    insert,
    select,
)
from sqlalchemy.dialects import mysql

SCHEMA_VERSION = 1


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time, to the microsecond, on databases that know no zones."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(mysql.DATETIME(fsp=6) if dialect.name in ("mysql", "mariadb") else DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


metadata = MetaData()
_NAME = String(64)

control_schema = Table("control_schema", metadata, Column("version", Integer, primary_key=True, autoincrement=False))

capability_phase = Table(
    "capability_phase",
    metadata,
    Column("capability", _NAME, primary_key=True),
    Column("phase", _NAME, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("actor", String(255), nullable=False),
    Column("reason", Text, nullable=False),
    Column("baseline", JSON, nullable=False),  # what each side had answered when the phase began
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("actor", String(255), nullable=False),
    Column("action", String(255), nullable=False),
    Column("capability", _NAME, index=True),
    Column("reason", Text, nullable=False),
    Column("before", JSON),
    Column("after", JSON),
    Column("version", Integer),
    Column("done", Boolean, nullable=False),
    Column("detail", Text, nullable=False),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("capability", _NAME, nullable=False, index=True),
    Column("kind", _NAME, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("summary", Text, nullable=False),
    Column("data", JSON, nullable=False),
)

operation = Table(
    "operation",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("capability", _NAME, nullable=False, index=True),
    Column("kind", _NAME, nullable=False),
    Column("actor", String(255), nullable=False),
    Column("reason", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", _NAME),  # done, failed, interrupted; null while it runs
    Column("detail", Text, nullable=False),
    Column("phase_before", _NAME, nullable=False),
    Column("flags_before", Integer, nullable=False),
    Column("phase_wanted", _NAME),
)

verify_run = Table(
    "verify_run",
    metadata,
    Column("capability", _NAME, primary_key=True),
    Column("kind", _NAME, primary_key=True),
    Column("tables", JSON, nullable=False),  # asked for; none: all
    Column("began_at", UtcDateTime, nullable=False),
    Column("marks", JSON, nullable=False),  # by table
)

cutover = Table(
    "cutover",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("capability", _NAME, nullable=False, index=True),
    Column("owner", _NAME, nullable=False),  # who will own
    Column("budget_ms", Integer, nullable=False),
    Column("limit_ms", Integer, nullable=False),
    Column("epoch", String(128), nullable=False),  # of the hold
    Column("state", _NAME, nullable=False),  # begun, marked, done, undone
    Column("fence", Text),
    Column("steps", JSON, nullable=False),
    Column("detail", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
)


class SchemaTooNew(Exception):
    """The state was written by a newer version of the toolkit."""


def create(engine: Engine) -> None:
    """Make what is missing. Raises SchemaTooNew."""
    metadata.create_all(engine)
    with engine.begin() as connection:
        found = connection.scalar(select(control_schema.c.version))
        if found is None:
            connection.execute(insert(control_schema).values(version=SCHEMA_VERSION))
        elif found > SCHEMA_VERSION:
            raise SchemaTooNew(
                f"the control plane's state has schema version {found}, this program knows {SCHEMA_VERSION}: "
                "run the newer one, or point [control] state somewhere else"
            )
