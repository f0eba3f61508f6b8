"""Alembic's entry: runs on the connection that ``extracted.purchasing.migrate`` hands over."""

from alembic import context

from extracted.purchasing.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table="purchasing_version",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
