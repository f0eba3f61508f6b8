"""Alembic's entry: runs on the connection that ``extracted.catalog.migrate`` hands over."""

from alembic import context

from extracted.catalog.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="catalog_version",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
